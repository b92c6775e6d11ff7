// SPDX-License-Identifier: MIT
#pragma once

#include <QTreeView>

namespace isol8::ui {

/// A tree whose drag is begun by its owner: what is dragged has to be fetched first.
class FilesView : public QTreeView {
    Q_OBJECT

public:
    using QTreeView::QTreeView;

Q_SIGNALS:
    void dragRequested();

protected:
    void startDrag(Qt::DropActions) override { Q_EMIT dragRequested(); }
    /// Says why it is empty.
    void paintEvent(QPaintEvent* event) override;
};

} // namespace isol8::ui
