// SPDX-License-Identifier: MIT
#include "ui/mainwindow/windowactions.h"

#include "ui/theme/theme.h"

#include <QKeySequence>
#include <QMenu>
#include <QMenuBar>
#include <QWidget>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
/// Name of the drawing; it is coloured anew with every palette.
constexpr char iconProperty[] = "iconName";
} // namespace

WindowActions::WindowActions(QWidget* window)
    : QObject(window)
    , m_window(window)
{
    makeFile();
    makeEdit();
    makeView();
    makeRun();
    makeTools();
}

QAction* WindowActions::make(
    const char* name, const QString& text, const QList<QKeySequence>& keys, const QString& icon)
{
    auto* action = new QAction(text, this);
    action->setObjectName(QLatin1StringView(name));
    action->setShortcuts(keys);
    action->setProperty(iconProperty, icon);
    m_window->addAction(action);
    return action;
}

void WindowActions::makeFile()
{
    newFile = make("newFile", tr("&New"), { QKeySequence::New }, u"new"_s);
    open = make("open", tr("&Open…"), { QKeySequence::Open }, u"open"_s);
    save = make("save", tr("&Save"), { QKeySequence::Save }, u"save"_s);
    saveAs = make("saveAs", tr("Save &as…"), { QKeySequence(u"Ctrl+Shift+S"_s) });
    closeTab = make("closeTab", tr("&Close"), { QKeySequence(u"Ctrl+W"_s) });
    settings = make("settings", tr("Se&ttings…"), { QKeySequence(u"Ctrl+,"_s) }, u"settings"_s);
    quit = make("quit", tr("&Quit"), { QKeySequence(u"Ctrl+Q"_s) });
}

void WindowActions::makeEdit()
{
    undo = make("undo", tr("&Undo"), { QKeySequence::Undo });
    // Desktops disagree which it is, and users on them; one that is there twice would do nothing.
    redo
        = make("redo", tr("&Redo"), { QKeySequence(u"Ctrl+Shift+Z"_s), QKeySequence(u"Ctrl+Y"_s) });
    cut = make("cut", tr("Cu&t"));
    copy = make("copy", tr("&Copy"));
    paste = make("paste", tr("&Paste"));
    find = make("find", tr("&Find…"), { QKeySequence::Find }, u"search"_s);
    findNext = make("findNext", tr("Find &next"), { QKeySequence(u"F3"_s) });
    findPrevious = make("findPrevious", tr("Find &previous"), { QKeySequence(u"Shift+F3"_s) });
    replace = make(
        "replace", tr("R&eplace…"), { QKeySequence(u"Ctrl+H"_s), QKeySequence(u"Ctrl+R"_s) });
    goToLine = make("goToLine", tr("&Go to line…"), { QKeySequence(u"Ctrl+G"_s) });
    toggleComment = make("toggleComment", tr("To&ggle comment"), { QKeySequence(u"Ctrl+/"_s) });
    duplicateLine
        = make("duplicateLine", tr("&Duplicate line"), { QKeySequence(u"Ctrl+Shift+D"_s) });
    moveLineUp = make("moveLineUp", tr("Move line &up"), { QKeySequence(u"Ctrl+Shift+Up"_s) });
    moveLineDown
        = make("moveLineDown", tr("Move line do&wn"), { QKeySequence(u"Ctrl+Shift+Down"_s) });
}

void WindowActions::makeView()
{
    zoomIn
        = make("zoomIn", tr("Zoom &in"), { QKeySequence(u"Ctrl++"_s), QKeySequence(u"Ctrl+="_s) });
    zoomOut = make("zoomOut", tr("Zoom &out"), { QKeySequence(u"Ctrl+-"_s) });
    zoomReset = make("zoomReset", tr("&Normal size"), { QKeySequence(u"Ctrl+0"_s) });
    wrap = make("wrap", tr("&Wrap long lines"), { QKeySequence(u"Alt+Z"_s) });
    wrap->setCheckable(true);
    showSpaces = make("showSpaces", tr("Show &white space"));
    showSpaces->setCheckable(true);
    toggleFold = make("toggleFold", tr("&Fold or unfold"), { QKeySequence(u"Ctrl+Shift+["_s) });
    foldAll = make("foldAll", tr("Fold &all"));
    unfoldAll = make("unfoldAll", tr("&Unfold all"), { QKeySequence(u"Ctrl+Shift+]"_s) });
    focusEditor = make("focusEditor", tr("Go to the &editor"), { QKeySequence(u"Ctrl+1"_s) });
    focusOutput = make("focusOutput", tr("Go to the &output"), { QKeySequence(u"Ctrl+2"_s) });
    palette = make("commandPalette", tr("&Command palette…"), { QKeySequence(u"Ctrl+Shift+P"_s) });
}

void WindowActions::makeRun()
{
    run = make("run", tr("&Run"),
        { QKeySequence(u"F5"_s), QKeySequence(u"Ctrl+Return"_s), QKeySequence(u"Ctrl+Enter"_s) },
        u"run"_s);
    stop = make("stop", tr("&Stop"), { QKeySequence(u"Shift+F5"_s) }, u"stop"_s);
    interrupt = make("interrupt", tr("&Interrupt (SIGINT)"));
    nextProblem
        = make("nextProblem", tr("Next line &named in the output"), { QKeySequence(u"F8"_s) });
    previousProblem = make("previousProblem", tr("Previous line named in the output"),
        { QKeySequence(u"Shift+F8"_s) });
    searchOutput
        = make("searchOutput", tr("Search the &output…"), { QKeySequence(u"Ctrl+Shift+F"_s) });
    clearOutput = make("clearOutput", tr("&Clear the output"), { QKeySequence(u"Ctrl+L"_s) });
    session = make("session", tr("&Keep files in a session"), {}, u"session"_s);
    session->setCheckable(true);
    checkTarget = make("checkTarget", tr("C&heck the connection"));
    copyCommandLine = make("copyCommandLine", tr("Copy as command &line"));
    copyCurl = make("copyCurl", tr("Copy as c&url"));
}

void WindowActions::makeTools()
{
    servers = make("servers", tr("&Servers…"), {}, u"server"_s);
    images = make("images", tr("&Images…"), {}, u"image"_s);
    sessions = make("sessions", tr("S&essions…"));
    about = make("about", tr("&About isol8"));
}

void WindowActions::fillMenus(QMenuBar* bar, const QList<QAction*>& viewActions) const
{
    const QList<Menu> menus {
        { tr("&File"),
            { newFile, open, nullptr, save, saveAs, nullptr, closeTab, nullptr, settings, nullptr,
                quit } },
        { tr("&Edit"),
            { undo, redo, nullptr, cut, copy, paste, nullptr, find, findNext, findPrevious, replace,
                goToLine, nullptr, toggleComment, duplicateLine, moveLineUp, moveLineDown } },
        { tr("&View"),
            QList<QAction*> { palette, nullptr, focusEditor, focusOutput, nullptr, zoomIn, zoomOut,
                zoomReset, nullptr, wrap, showSpaces, toggleFold, foldAll, unfoldAll, nullptr }
                + viewActions },
        { tr("&Run"),
            { run, stop, interrupt, nullptr, session, nullptr, nextProblem, previousProblem,
                searchOutput, clearOutput, nullptr, copyCommandLine, copyCurl } },
        { tr("&Tools"), { servers, sessions, images, checkTarget } },
        { tr("&Help"), { about } },
    };
    for (const auto& menu : menus) {
        auto* shown = bar->addMenu(menu.title);
        for (auto* action : menu.actions) {
            if (action)
                shown->addAction(action);
            else
                shown->addSeparator();
        }
    }
}

void WindowActions::applyIcons(const QPalette& palette) const
{
    for (auto* action : all()) {
        const auto icon = action->property(iconProperty).toString();
        if (!icon.isEmpty())
            action->setIcon(actionIcon(icon, palette));
    }
}

QList<QAction*> WindowActions::all() const
{
    return findChildren<QAction*>(Qt::FindDirectChildrenOnly);
}

} // namespace isol8::ui
