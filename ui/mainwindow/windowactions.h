// SPDX-License-Identifier: MIT
#pragma once

#include <QAction>
#include <QList>
#include <QObject>

class QMenuBar;
class QToolBar;

namespace isol8::ui {

/// Every command of the window: its name, keys and icon, in one place. The window connects them;
/// the palette lists them.
class WindowActions : public QObject {
    Q_OBJECT

public:
    explicit WindowActions(QWidget* window);

    /// Names of the menus that fill() makes, in their order.
    struct Menu {
        QString title;
        QList<QAction*> actions; ///< Null: a separator.
    };
    void fillMenus(QMenuBar* bar, const QList<QAction*>& viewActions) const;
    void applyIcons(const QPalette& palette) const;
    [[nodiscard]] QList<QAction*> all() const;

    // File
    QAction* newFile;
    QAction* open;
    QAction* save;
    QAction* saveAs;
    QAction* closeTab;
    QAction* settings;
    QAction* quit;
    // Edit
    QAction* undo;
    QAction* redo;
    QAction* cut;
    QAction* copy;
    QAction* paste;
    QAction* find;
    QAction* findNext;
    QAction* findPrevious;
    QAction* replace;
    QAction* goToLine;
    QAction* toggleComment;
    QAction* duplicateLine;
    QAction* moveLineUp;
    QAction* moveLineDown;
    // View
    QAction* zoomIn;
    QAction* zoomOut;
    QAction* zoomReset;
    QAction* wrap;
    QAction* showSpaces;
    QAction* foldAll;
    QAction* unfoldAll;
    QAction* toggleFold;
    QAction* focusEditor;
    QAction* focusOutput;
    QAction* palette;
    // Run
    QAction* run;
    QAction* stop;
    QAction* interrupt;
    QAction* nextProblem;
    QAction* previousProblem;
    QAction* searchOutput;
    QAction* clearOutput;
    QAction* session;
    QAction* checkTarget;
    QAction* copyCommandLine;
    QAction* copyCurl;
    // Tools
    QAction* servers;
    QAction* images;
    QAction* sessions;
    QAction* about;

private:
    QAction* make(const char* name, const QString& text, const QList<QKeySequence>& keys = {},
        const QString& icon = {});
    void makeFile();
    void makeEdit();
    void makeView();
    void makeRun();
    void makeTools();

    QWidget* m_window;
};

} // namespace isol8::ui
