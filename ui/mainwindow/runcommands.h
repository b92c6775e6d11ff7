// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runplan.h"

#include <QObject>

namespace isol8::ui {

class Connection;
class EditorPage;
class EditorTabs;
class RunBar;
class RunController;
class RunOptionsPanel;
class RunSettingsStore;
class SessionChoice;
class WindowActions;

/// Under what a page's run options are kept: its path, or a key of its own until it has one.
[[nodiscard]] QString optionsKey(EditorPage* page);

/// Connects the commands of the Run menu: plans the run of the text in front with the options kept
/// for it, starts it, and shows those options in the panel and the toolbar. Owned by the window.
class RunCommands : public QObject {
    Q_OBJECT

public:
    /// The parts of the window that it works with.
    struct Parts {
        const WindowActions& actions;
        EditorTabs* tabs;
        RunBar* bar;
        RunOptionsPanel* options;
        RunController* runs;
        Connection* connection;
        SessionChoice* session;
        RunSettingsStore& store;
    };

    RunCommands(const Parts& parts, QObject* parent);

    void run();

private:
    [[nodiscard]] QString keyOf(EditorPage* page);
    [[nodiscard]] Result<RunJob> plan(EditorPage* page);
    void chooseRuntime(std::optional<Runtime> runtime);
    /// The target is asked anew when the run was lost with it.
    void handleEnd(const Result<ExecutionResult>& result);
    void showOptions();
    void keepOptions(const RunSettings& settings);
    void updateActions();
    void copy(const std::function<QString(const RunJob&)>& text);
    void say(EditorPage* page, const Error& error);

    Parts m_parts;
    QString m_said; ///< What kept the last one from running.
};

} // namespace isol8::ui
