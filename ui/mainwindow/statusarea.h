// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

class QLabel;
class QStatusBar;
class QToolButton;

namespace isol8::ui {

class Connection;
class EditorTabs;
class RunController;

/// The status bar: the target and whether it answers, the run's time, the cursor.
class StatusArea : public QObject {
    Q_OBJECT

public:
    StatusArea(QStatusBar* bar, Connection* connection, RunController* runs, EditorTabs* tabs);

private:
    void showHealth();
    void showRun();
    void showCursor();

    QStatusBar* m_bar;
    Connection* m_connection;
    RunController* m_runs;
    EditorTabs* m_tabs;
    QToolButton* m_health;
    QLabel* m_run;
    QLabel* m_cursor;
    QLabel* m_language;
};

} // namespace isol8::ui
