// SPDX-License-Identifier: MIT
#pragma once

#include <QTreeView>

namespace isol8::ui {

/// A tree whose drag is begun by its owner: what is dragged has to be fetched first.
class FilesView : public QTreeView {
    Q_OBJECT

public:
    explicit FilesView(QWidget* parent = nullptr);

Q_SIGNALS:
    void dragRequested();

protected:
    void startDrag(Qt::DropActions) override { Q_EMIT dragRequested(); }
    /// Says why it is empty.
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    /// The names take what the other columns leave: sizes are never cut, times where there is room.
    void fitNames();
};

} // namespace isol8::ui
