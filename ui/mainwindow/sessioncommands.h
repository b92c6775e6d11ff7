// SPDX-License-Identifier: MIT
#pragma once

#include "ui/files/sessionplace.h"

#include <QObject>

namespace isol8::ui {

class Connection;
class EditorPage;
class EditorTabs;
class FilesPanel;
class RunController;
class SessionChoice;
class WindowActions;

/// Keeps the file browser at the chosen session of the chosen target, opens its files in tabs and
/// saves them back. Owned by the window.
class SessionCommands : public QObject {
    Q_OBJECT

public:
    struct Parts {
        const WindowActions& actions;
        EditorTabs* tabs;
        FilesPanel* files;
        SessionChoice* session;
        Connection* connection;
        RunController* runs;
    };

    SessionCommands(const Parts& parts, QObject* parent);

Q_SIGNALS:
    void failed(const QString& sentence);

private:
    void showPlace();
    void open(const SessionPlace& place, const QString& path, const QByteArray& content, int line,
        int column);
    void save(EditorPage* page);

    Parts m_parts;
};

} // namespace isol8::ui
