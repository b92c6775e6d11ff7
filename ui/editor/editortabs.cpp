// SPDX-License-Identifier: MIT
#include "ui/editor/editortabs.h"

#include "ui/editor/messagebar.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QPointer>
#include <QPushButton>
#include <QTabBar>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

EditorTabs::EditorTabs(KSyntaxHighlighting::Repository& repository, QWidget* parent)
    : QTabWidget(parent)
    , m_repository(repository)
{
    setObjectName(u"editorTabs"_s);
    setAccessibleName(tr("Open files"));
    setDocumentMode(true);
    setTabsClosable(true);
    setMovable(true);
    setElideMode(Qt::ElideMiddle);
    connect(this, &QTabWidget::tabCloseRequested, this, &EditorTabs::closeTab);
    connect(this, &QTabWidget::currentChanged, this,
        [this] { Q_EMIT currentPageChanged(currentPage()); });
    connect(&m_watcher, &QFileSystemWatcher::fileChanged, this, [this](const QString& path) {
        if (auto* page = pageOf(path)) {
            page->handleDiskChange();
            watch(page); // Many programs write a new file in its place.
        }
    });
}

void EditorTabs::setEditorStyle(const EditorStyle& style)
{
    m_style = style;
    for (auto* page : pages())
        page->editor()->setStyle(style);
}

EditorPage* EditorTabs::currentPage() const
{
    return qobject_cast<EditorPage*>(currentWidget());
}

QList<EditorPage*> EditorTabs::pages() const
{
    QList<EditorPage*> all;
    for (int i = 0; i < count(); ++i) {
        if (auto* page = qobject_cast<EditorPage*>(widget(i)))
            all << page;
    }
    return all;
}

EditorPage* EditorTabs::pageOf(const QString& path) const
{
    const auto canonical = QFileInfo(path).absoluteFilePath();
    for (auto* page : pages()) {
        if (page->path() == canonical)
            return page;
    }
    return nullptr;
}

EditorPage* EditorTabs::pageNamed(const QString& fileName) const
{
    if (auto* front = currentPage(); front && front->fileName() == fileName)
        return front;
    const auto all = pages();
    const auto found = std::ranges::find(all, fileName, &EditorPage::fileName);
    return found == all.cend() ? nullptr : *found;
}

EditorPage* EditorTabs::insertPage()
{
    auto* page = new EditorPage(m_repository, this);
    page->editor()->setStyle(m_style);
    connect(page, &EditorPage::titleChanged, this, [this, page] {
        showTitles();
        Q_EMIT pageChanged(page);
    });
    connect(page, &EditorPage::contentChanged, this, [this, page] { Q_EMIT pageChanged(page); });
    addTab(page, {});
    return page;
}

QString EditorTabs::freeTitle() const
{
    QStringList taken;
    for (const auto* page : pages())
        taken << page->title();
    auto title = tr("Untitled");
    for (int number = 2; taken.contains(title); ++number)
        title = tr("Untitled %1").arg(number);
    return title;
}

EditorPage* EditorTabs::addPage()
{
    const auto title = freeTitle();
    auto* page = insertPage();
    page->setNewTitle(title);
    setCurrentWidget(page);
    page->setFocus();
    return page;
}

EditorPage* EditorTabs::open(const QString& path)
{
    if (auto* there = pageOf(path)) {
        setCurrentWidget(there);
        there->setFocus();
        return there;
    }
    const QPointer unused = currentPage() && currentPage()->isPristine() ? currentPage() : nullptr;
    auto* page = insertPage();
    if (const auto loaded = page->load(path); !loaded) {
        remove(page);
        Q_EMIT failed(loaded.error().message);
        return nullptr;
    }
    watch(page);
    setCurrentWidget(page);
    page->setFocus();
    // Not used for the file: what was chosen for an untitled text is not chosen for this one.
    if (unused)
        remove(unused);
    return page;
}

EditorPage* EditorTabs::restore(const QString& path, const QString& title, const QString& text)
{
    auto* page = insertPage();
    page->restore(path, title, text);
    watch(page);
    return page;
}

EditorPage* EditorTabs::openSessionFile(const SessionFile& file, const QByteArray& content)
{
    const auto text = decodeText(content);
    if (!text) {
        Q_EMIT failed(text.error().within(file.path).message);
        return nullptr;
    }
    for (auto* page : pages()) {
        if (page->sessionFile() == file) {
            setCurrentWidget(page);
            return page;
        }
    }
    auto* page = insertPage();
    page->setSessionFile(file, *text);
    setCurrentWidget(page);
    page->setFocus();
    return page;
}

void EditorTabs::addViewer(QWidget* viewer)
{
    setCurrentIndex(addTab(viewer, viewer->windowTitle()));
    viewer->setFocus();
}

void EditorTabs::showTitles()
{
    const auto all = pages();
    for (auto* page : all)
        showTitle(page, all);
}

void EditorTabs::showTitle(EditorPage* page, const QList<EditorPage*>& all)
{
    const int index = indexOf(page);
    auto title = page->title();
    const bool isAmbiguous = std::ranges::any_of(
        all, [&](const EditorPage* other) { return other != page && other->title() == title; });
    if (page->sessionFile() && isAmbiguous)
        title = tr("%1 (session)").arg(title);
    else if (!page->path().isEmpty() && isAmbiguous)
        title = u"%1 (%2)"_s.arg(title, QFileInfo(page->path()).dir().dirName());
    title.replace(u'&', u"&&"_s);
    setTabText(index, page->isModified() ? title + u" ●"_s : title);
    setTabToolTip(index,
        page->sessionFile()
            ? tr("%1 in session %2").arg(page->sessionFile()->path, page->sessionFile()->sessionId)
            : page->path());
}

void EditorTabs::watch(EditorPage* page)
{
    if (!page->path().isEmpty() && !m_watcher.files().contains(page->path()))
        m_watcher.addPath(page->path());
}

void EditorTabs::save(EditorPage* page)
{
    if (page->sessionFile()) {
        Q_EMIT sessionSaveRequested(page);
        return;
    }
    if (page->path().isEmpty()) {
        saveAs(page);
        return;
    }
    if (const auto saved = page->save(); !saved) {
        page->messageBar()->say(MessageBar::Tone::Error, saved.error().message);
        return;
    }
    watch(page);
}

QString EditorTabs::proposedPath(EditorPage* page) const
{
    if (!page->path().isEmpty())
        return page->path();
    for (auto* other : pages()) {
        if (!other->path().isEmpty())
            return QFileInfo(other->path()).dir().filePath(page->fileName());
    }
    return page->fileName();
}

void EditorTabs::saveAs(EditorPage* page)
{
    auto* dialog = new QFileDialog(this, tr("Save as"), proposedPath(page));
    dialog->setObjectName(u"saveDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->selectFile(proposedPath(page));
    connect(dialog, &QFileDialog::fileSelected, page, [this, page](const QString& path) {
        if (const auto saved = page->saveAs(path); !saved)
            page->messageBar()->say(MessageBar::Tone::Error, saved.error().message);
        else
            watch(page);
    });
    dialog->open();
}

void EditorTabs::remove(QWidget* tab)
{
    if (auto* page = qobject_cast<EditorPage*>(tab); page && !page->path().isEmpty())
        m_watcher.removePath(page->path());
    removeTab(indexOf(tab));
    tab->deleteLater();
    showTitles();
}

void EditorTabs::closeTab(int index)
{
    askAndClose(widget(index), [this] {
        if (count() == 0)
            addPage();
    });
}

void EditorTabs::askAndClose(QWidget* tab, std::function<void()> closed)
{
    auto* page = qobject_cast<EditorPage*>(tab);
    if (!page || !page->isModified()) {
        remove(tab);
        closed();
        return;
    }
    setCurrentWidget(page);
    auto* question = new QMessageBox(QMessageBox::Question, tr("Unsaved changes"),
        tr("Save the changes to “%1”?").arg(page->title()),
        QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, this);
    question->setObjectName(u"unsavedQuestion"_s);
    question->setTextFormat(Qt::PlainText);
    question->setInformativeText(tr("They are lost otherwise."));
    question->setDefaultButton(QMessageBox::Save);
    question->setAttribute(Qt::WA_DeleteOnClose);
    connect(question, &QMessageBox::finished, page, [this, page, closed](int answer) {
        if (answer == QMessageBox::Save)
            save(page);
        if (answer == QMessageBox::Cancel || (answer == QMessageBox::Save && page->isModified()))
            return;
        remove(page);
        closed();
    });
    question->open();
}

void EditorTabs::closeAll(std::function<void()> closed)
{
    for (auto* page : pages()) {
        if (page->isModified()) {
            askAndClose(page, [this, closed] { closeAll(closed); });
            return;
        }
    }
    closed();
}

} // namespace isol8::ui
