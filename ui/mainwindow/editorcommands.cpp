// SPDX-License-Identifier: MIT
#include "ui/mainwindow/editorcommands.h"

#include "ui/editor/editortabs.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/settings/uisettings.h"

#include <QApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>

namespace isol8::ui {

EditorCommands::EditorCommands(
    const WindowActions& actions, EditorTabs* tabs, SettingsStore& settings, QObject* parent)
    : QObject(parent)
    , m_actions(actions)
    , m_tabs(tabs)
    , m_settings(settings)
{
    connectFile();
    connectEdit();
    connectView();
}

void EditorCommands::connectFile()
{
    connect(m_actions.newFile, &QAction::triggered, m_tabs, &EditorTabs::addPage);
    connect(m_actions.open, &QAction::triggered, this, &EditorCommands::askForFiles);
    connect(m_actions.closeTab, &QAction::triggered, m_tabs,
        [this] { m_tabs->closeTab(m_tabs->currentIndex()); });
    connect(m_actions.save, &QAction::triggered, m_tabs, [this] {
        if (auto* page = m_tabs->currentPage())
            m_tabs->save(page);
    });
    connect(m_actions.saveAs, &QAction::triggered, m_tabs, [this] {
        if (auto* page = m_tabs->currentPage())
            m_tabs->saveAs(page);
    });
}

void EditorCommands::connectEdit()
{
    const auto onEditor = [this](QAction* action, auto act) {
        connect(action, &QAction::triggered, m_tabs, [this, act] {
            if (auto* page = m_tabs->currentPage())
                act(page);
        });
    };
    const auto onFocused = [this](QAction* action, const char* slot) {
        connect(action, &QAction::triggered, m_tabs, [this, slot] { actOnFocused(slot); });
    };
    onFocused(m_actions.undo, "undo");
    onFocused(m_actions.redo, "redo");
    onFocused(m_actions.cut, "cut");
    onFocused(m_actions.copy, "copy");
    onFocused(m_actions.paste, "paste");
    onEditor(m_actions.find, [](EditorPage* page) { page->findBar()->open(FindBar::Mode::Find); });
    onEditor(
        m_actions.replace, [](EditorPage* page) { page->findBar()->open(FindBar::Mode::Replace); });
    onEditor(m_actions.findNext, [](EditorPage* page) { page->findBar()->findNext(); });
    onEditor(m_actions.findPrevious, [](EditorPage* page) { page->findBar()->findPrevious(); });
    onEditor(m_actions.toggleComment, [](EditorPage* page) { page->editor()->toggleComment(); });
    onEditor(m_actions.duplicateLine, [](EditorPage* page) { page->editor()->duplicateLine(); });
    onEditor(m_actions.moveLineUp, [](EditorPage* page) { page->editor()->moveLines(-1); });
    onEditor(m_actions.moveLineDown, [](EditorPage* page) { page->editor()->moveLines(1); });
    connect(m_actions.goToLine, &QAction::triggered, this, &EditorCommands::askForLine);
}

/// Whatever has the focus and knows how, for example the output; else the text in front.
void EditorCommands::actOnFocused(const char* slot)
{
    auto* page = m_tabs->currentPage();
    const auto isAble = [slot](const QWidget* widget) {
        return widget && widget->metaObject()->indexOfMethod(QByteArray(slot) + "()") >= 0;
    };
    auto* focused = QApplication::focusWidget();
    if (isAble(focused))
        QMetaObject::invokeMethod(focused, slot);
    else if (page)
        QMetaObject::invokeMethod(page->editor(), slot);
}

void EditorCommands::connectView()
{
    const auto onEditor = [this](QAction* action, auto act) {
        connect(action, &QAction::triggered, m_tabs, [this, act] {
            if (auto* page = m_tabs->currentPage())
                act(page->editor());
        });
    };
    onEditor(m_actions.zoomIn, [](CodeEditor* editor) { editor->zoom(1); });
    onEditor(m_actions.zoomOut, [](CodeEditor* editor) { editor->zoom(-1); });
    onEditor(m_actions.zoomReset, [](CodeEditor* editor) { editor->zoom(0); });
    onEditor(m_actions.foldAll, [](CodeEditor* editor) { editor->foldAll(); });
    onEditor(m_actions.unfoldAll, [](CodeEditor* editor) { editor->unfoldAll(); });
    onEditor(m_actions.toggleFold,
        [](CodeEditor* editor) { editor->toggleFold(editor->textCursor().block()); });
    onEditor(m_actions.focusEditor, [](CodeEditor* editor) { editor->setFocus(); });

    const auto setSwitches = [this] {
        m_actions.wrap->setChecked(m_settings.values().isWrapping);
        m_actions.showSpaces->setChecked(m_settings.values().areSpacesShown);
    };
    setSwitches();
    connect(&m_settings, &SettingsStore::changed, this, setSwitches);
    connect(m_actions.wrap, &QAction::toggled, this, [this](bool isOn) {
        auto values = m_settings.values();
        values.isWrapping = isOn;
        m_settings.change(values);
    });
    connect(m_actions.showSpaces, &QAction::toggled, this, [this](bool isOn) {
        auto values = m_settings.values();
        values.areSpacesShown = isOn;
        m_settings.change(values);
    });
}

void EditorCommands::askForFiles()
{
    const auto* page = m_tabs->currentPage();
    const auto directory
        = page && !page->path().isEmpty() ? QFileInfo(page->path()).path() : QString();
    auto* dialog = new QFileDialog(m_tabs, tr("Open"), directory);
    dialog->setObjectName(QStringLiteral("openDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    connect(dialog, &QFileDialog::filesSelected, m_tabs, [this](const QStringList& paths) {
        for (const auto& path : paths)
            m_tabs->open(path);
    });
    dialog->open();
}

void EditorCommands::askForLine()
{
    auto* page = m_tabs->currentPage();
    if (!page)
        return;
    auto* dialog = new QInputDialog(m_tabs);
    dialog->setObjectName(QStringLiteral("lineDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setInputMode(QInputDialog::IntInput);
    dialog->setWindowTitle(tr("Go to line"));
    dialog->setLabelText(tr("Line (1 to %1):").arg(page->editor()->numberedLines()));
    dialog->setIntRange(1, page->editor()->numberedLines());
    dialog->setIntValue(page->editor()->textCursor().blockNumber() + 1);
    connect(dialog, &QInputDialog::intValueSelected, page, [page](int line) {
        page->editor()->goToLine(line);
        page->editor()->setFocus();
    });
    dialog->open();
}

} // namespace isol8::ui
