// SPDX-License-Identifier: MIT
#pragma once

#include <QDialog>

class QAction;
class QLineEdit;
class QListWidget;

namespace isol8::ui {

/// Every command by its name: type some letters, Enter does it.
class CommandPalette : public QDialog {
    Q_OBJECT

public:
    CommandPalette(const QList<QAction*>& actions, QWidget* parent);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill();
    void choose();

    QList<QAction*> m_actions;
    QLineEdit* m_filter;
    QListWidget* m_list;
};

/// Whether the letters of @p pattern come in @p text in their order.
[[nodiscard]] bool isSubsequence(const QString& pattern, const QString& text);

} // namespace isol8::ui
