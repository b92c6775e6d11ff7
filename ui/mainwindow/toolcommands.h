// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QPointer>

namespace isol8::ui {

class Connection;
class ImagesDialog;
class RunBar;
class RunController;
class Services;
class SessionChoice;
class StartCheck;
class StartPage;
class WindowActions;

/// Opens the dialogs of the Tools menu, the settings and the palette, and keeps the choice of
/// targets in the toolbar and the connection in step with the saved servers. Owned by the window.
class ToolCommands : public QObject {
    Q_OBJECT

public:
    struct Parts {
        const WindowActions& actions;
        QWidget* window;
        RunBar* bar;
        RunController* runs;
        Connection* connection;
        SessionChoice* session;
        StartPage* startPage;
        StartCheck* startCheck;
        Services& services;
    };

    ToolCommands(const Parts& parts, QObject* parent);

    /// Connects to the target that was chosen last.
    void begin();

Q_SIGNALS:
    void failed(const QString& sentence);

private:
    void showTargets();
    void choose(const QString& targetId);
    void openServers();
    void openSessions();
    ImagesDialog* openImages();
    void openSettings();
    void openPalette();
    void openAbout();

    Parts m_parts;
    QPointer<ImagesDialog> m_images;
};

} // namespace isol8::ui
