// SPDX-License-Identifier: MIT
#pragma once

#include <QMainWindow>
#include <QTimer>

class QDockWidget;

namespace isol8::ui {

class Connection;
class EditorPage;
class EditorTabs;
class FilesPanel;
class HistoryPanel;
class NetworkLogView;
class OutputPane;
class Recovery;
class RunBar;
class RunController;
class RunOptionsPanel;
class Services;
class SessionChoice;
class StartPage;
class WindowActions;
struct LinkLocation;

/// The window: makes its parts and connects them; each part does its own work.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    /// @p services must outlive it.
    explicit MainWindow(Services& services, QWidget* parent = nullptr);
    ~MainWindow() override;

    void openFiles(const QStringList& paths);

    [[nodiscard]] EditorTabs* tabs() const { return m_tabs; }
    [[nodiscard]] OutputPane* output() const { return m_output; }
    [[nodiscard]] RunController* runs() const { return m_runs; }
    [[nodiscard]] Connection* connection() const { return m_connection; }
    [[nodiscard]] FilesPanel* files() const { return m_files; }
    [[nodiscard]] SessionChoice* session() const { return m_session; }
    [[nodiscard]] const WindowActions& actions() const { return *m_actions; }

Q_SIGNALS:
    /// It was closed, and nothing of it runs any more.
    void ended();

protected:
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void moveEvent(QMoveEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    [[nodiscard]] QWidget* makeCentre();
    void makeToolBar();
    void makeDocks();
    [[nodiscard]] QDockWidget* addDock(
        const char* name, const QString& title, QWidget* content, Qt::DockWidgetArea area);
    void connectOutput();
    void applySettings();
    void showSentence(const QString& sentence);
    void updateTitle();
    void followLink(const LinkLocation& link);
    void restoreLayout();
    void scheduleLayout();
    void keepLayout();

    Services& m_services;
    WindowActions* m_actions;
    Connection* m_connection;
    RunController* m_runs;
    SessionChoice* m_session;
    EditorTabs* m_tabs;
    OutputPane* m_output;
    RunOptionsPanel* m_options;
    FilesPanel* m_files;
    HistoryPanel* m_history;
    NetworkLogView* m_network;
    StartPage* m_startPage;
    Recovery* m_recovery;
    RunBar* m_runBar = nullptr;
    QTimer m_layoutTimer;
    bool m_isClosing = false;
};

} // namespace isol8::ui
