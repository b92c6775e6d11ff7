// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

namespace isol8::ui {

class EditorTabs;
class SettingsStore;
class WindowActions;

/// Connects the commands of the File, Edit and View menus to the text in front, and keeps them
/// enabled as it allows. Owned by the window.
class EditorCommands : public QObject {
    Q_OBJECT

public:
    EditorCommands(
        const WindowActions& actions, EditorTabs* tabs, SettingsStore& settings, QObject* parent);

private:
    void connectFile();
    void connectEdit();
    void connectView();
    void actOnFocused(const char* slot);
    void askForFiles();
    void askForLine();

    const WindowActions& m_actions;
    EditorTabs* m_tabs;
    SettingsStore& m_settings;
};

} // namespace isol8::ui
