// SPDX-License-Identifier: MIT
#pragma once

#include "ui/history/historystore.h"

namespace isol8::ui {

class EditorTabs;
class HistoryPanel;
class OutputView;
class RunController;
class RunSettingsStore;
class WindowActions;

/// Puts every run into the history, and opens, repeats and compares what is there. Owned by the
/// window.
class HistoryCommands : public QObject {
    Q_OBJECT

public:
    struct Parts {
        const WindowActions& actions;
        EditorTabs* tabs;
        HistoryPanel* panel;
        OutputView* output;
        RunController* runs;
        HistoryStore& store;
        RunSettingsStore& settings;
    };

    HistoryCommands(const Parts& parts, QObject* parent);

private:
    void record(const Result<ExecutionResult>& result);
    void open(const HistoryDetails& run);
    void compare(const HistoryDetails& older, const HistoryDetails& newer);

    Parts m_parts;
};

} // namespace isol8::ui
