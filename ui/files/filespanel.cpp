// SPDX-License-Identifier: MIT
#include "ui/files/filespanel.h"

#include "engine/core/escape.h"
#include "engine/core/validation.h"
#include "ui/files/filedrag.h"
#include "ui/files/filesview.h"
#include "ui/files/filetreemodel.h"
#include "ui/files/transferqueue.h"
#include "ui/run/runsentences.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QApplication>
#include <QContextMenuEvent>
#include <QCoroTask>
#include <QFileDialog>
#include <QHeaderView>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QProgressBar>
#include <QPushButton>
#include <QToolBar>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr qint64 maxOpenedBytes = 64LL << 20;
constexpr int progressSteps = 1000;
} // namespace

FilesPanel::FilesPanel(QWidget* parent)
    : QWidget(parent)
    , m_model(new FileTreeModel(this))
    , m_transfers(new TransferQueue(this))
    , m_view(new FilesView(this))
    , m_drag(new FileDrag(m_view))
    , m_bar(new QToolBar(this))
{
    m_emptyPage = makeEmptyPage();
    m_transferRow = makeTransferRow();
    setObjectName(u"filesPanel"_s);
    m_view->setObjectName(u"filesView"_s);
    m_view->setAccessibleName(tr("Files of the session"));
    m_view->setModel(m_model);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setUniformRowHeights(true);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setAcceptDrops(true);
    m_view->setDropIndicatorShown(true);
    m_view->setDragEnabled(true);
    m_view->setDragDropMode(QAbstractItemView::DragDrop);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->header()->setSectionResizeMode(FileTreeModel::Name, QHeaderView::Fixed);
    m_view->header()->setSectionResizeMode(FileTreeModel::Size, QHeaderView::ResizeToContents);
    m_view->header()->setSectionResizeMode(FileTreeModel::Modified, QHeaderView::ResizeToContents);
    makeActions();

    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(m_bar);
    rows->addWidget(m_emptyPage, 1);
    rows->addWidget(m_view, 1);
    rows->addWidget(m_transferRow);
    connect(m_view, &QTreeView::activated, this, &FilesPanel::openCurrent);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this,
        &FilesPanel::updateActions);
    connect(m_model, &FileTreeModel::dropped, this, &FilesPanel::upload);
    connect(m_model, &FileTreeModel::failed, this,
        [this](const Error& error) { Q_EMIT failed(failureSentence(error)); });
    connect(m_transfers, &TransferQueue::failed, this, &FilesPanel::failed);
    connect(m_view, &FilesView::dragRequested, this, &FilesPanel::beginDrag);
    connect(m_drag, &FileDrag::failed, this, &FilesPanel::failed);
    applyIcons();
    setPlace({});
}

QTreeView* FilesPanel::view() const
{
    return m_view;
}

void FilesPanel::beginDrag()
{
    QList<FileDrag::Item> items;
    for (const auto& index : m_view->selectionModel()->selectedRows())
        items.append(
            { m_model->path(index), m_model->isFolder(index), m_model->entry(index).sizeBytes });
    m_drag->begin(m_model->place(), items);
}

void FilesPanel::makeActions()
{
    const auto make
        = [this](const char* name, const QString& text, const QKeySequence& keys, auto act) {
              auto* action = new QAction(text, this);
              action->setObjectName(QLatin1StringView(name));
              action->setShortcut(keys);
              action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
              addAction(action);
              connect(action, &QAction::triggered, this, act);
              return action;
          };
    m_open = make("filesOpen", tr("&Open"), {}, [this] { openCurrent(); });
    m_refresh = make("filesRefresh", tr("Re&fresh"), QKeySequence(u"Ctrl+F5"_s), // F5 runs
        [this] { refresh(); });
    m_newFile = make("filesNewFile", tr("New &file…"), {}, [this] { newFile(); });
    m_newFolder = make("filesNewFolder", tr("New f&older…"), {}, [this] { newFolder(); });
    m_upload = make("filesUpload", tr("&Upload…"), {}, [this] { askForUpload(Upload::Files); });
    m_uploadFolder = make(
        "filesUploadFolder", tr("Upload a folder…"), {}, [this] { askForUpload(Upload::Folder); });
    m_download = make("filesDownload", tr("&Download…"), {}, [this] { askForDownload(); });
    m_rename = make("filesRename", tr("&Rename…"), QKeySequence(u"F2"_s), [this] { rename(); });
    m_remove = make("filesRemove", tr("De&lete…"), QKeySequence::Delete, [this] { remove(); });
    m_bar->addActions({ m_refresh, m_newFile, m_newFolder, m_upload, m_download });
    m_bar->setIconSize(QSize(18, 18));
}

void FilesPanel::applyIcons()
{
    const auto colours = QApplication::palette(); // Ours follows later.
    m_refresh->setIcon(actionIcon(u"refresh"_s, colours));
    m_newFile->setIcon(actionIcon(u"new"_s, colours));
    m_newFolder->setIcon(actionIcon(u"folder-new"_s, colours));
    m_upload->setIcon(actionIcon(u"upload"_s, colours));
    m_download->setIcon(actionIcon(u"download"_s, colours));
    m_rename->setIcon(actionIcon(u"rename"_s, colours));
    m_remove->setIcon(actionIcon(u"clear"_s, colours));
    m_model->setIcons(actionIcon(u"folder"_s, colours.color(QPalette::Link)),
        actionIcon(u"file"_s, colours), actionIcon(u"link"_s, colours));
}

QWidget* FilesPanel::makeEmptyPage()
{
    auto* page = new QWidget(this);
    page->setObjectName(u"filesEmpty"_s);
    auto* text = new QLabel(tr("Every run has a sandbox of its own, and its files go with it.\n\n"
                               "In a session they stay, and are shown here."),
        page);
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignCenter);
    auto* begin = new QPushButton(tr("Begin a session"), page);
    begin->setObjectName(u"beginSession"_s);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(16, 16, 16, 16);
    rows->addStretch(1);
    rows->addWidget(text);
    rows->addWidget(begin, 0, Qt::AlignCenter);
    rows->addStretch(2);
    connect(begin, &QPushButton::clicked, this, &FilesPanel::sessionRequested);
    return page;
}

QWidget* FilesPanel::makeTransferRow()
{
    auto* row = new QWidget(this);
    m_transferText = new QLabel(row);
    m_transferText->setTextFormat(Qt::PlainText);
    m_transferText->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_transferBar = new QProgressBar(row);
    m_transferBar->setObjectName(u"transferBar"_s);
    m_transferBar->setAccessibleName(tr("Progress of the transfer"));
    m_transferBar->setTextVisible(false);
    m_transferBar->setFixedHeight(8);
    auto* cancel = new QPushButton(tr("Cancel"), row);
    cancel->setObjectName(u"transferCancel"_s);
    auto* columns = new QHBoxLayout(row);
    columns->setContentsMargins(8, 4, 8, 4);
    auto* texts = new QVBoxLayout;
    texts->addWidget(m_transferText);
    texts->addWidget(m_transferBar);
    columns->addLayout(texts, 1);
    columns->addWidget(cancel);
    row->hide();
    connect(cancel, &QPushButton::clicked, m_transfers, &TransferQueue::cancelAll);
    connect(m_transfers, &TransferQueue::progressed, row,
        [this, row](const QString& name, qint64 done, qint64 total, int left) {
            row->show();
            m_transferText->setText(
                left > 1 ? tr("%1 and %n more", nullptr, left - 1).arg(name) : name);
            m_transferBar->setRange(0, total > 0 ? progressSteps : 0);
            if (total > 0)
                m_transferBar->setValue(int(double(done) / double(total) * progressSteps));
        });
    connect(m_transfers, &TransferQueue::finished, this, [this, row] {
        row->hide();
        refresh();
    });
    return row;
}

void FilesPanel::setPlace(const SessionPlace& place)
{
    m_model->setPlace(place);
    m_view->setVisible(place.isValid());
    m_emptyPage->setVisible(!place.isValid());
    updateActions();
}

void FilesPanel::refresh()
{
    m_model->refresh();
}

void FilesPanel::updateActions()
{
    const bool hasPlace = m_model->place().isValid();
    const auto count = selectedPaths().size();
    for (auto* action : { m_refresh, m_newFile, m_newFolder, m_upload, m_uploadFolder })
        action->setEnabled(hasPlace);
    m_download->setEnabled(count > 0);
    m_remove->setEnabled(count > 0);
    m_rename->setEnabled(count == 1);
    m_open->setEnabled(count == 1);
}

QStringList FilesPanel::selectedPaths() const
{
    QStringList paths;
    for (const auto& index : m_view->selectionModel()->selectedRows())
        paths << m_model->path(index);
    return paths;
}

QString FilesPanel::currentFolder() const
{
    const auto rows = m_view->selectionModel()->selectedRows();
    return m_model->folderPath(rows.isEmpty() ? QModelIndex() : rows.constFirst());
}

void FilesPanel::openCurrent()
{
    const auto index = m_view->currentIndex();
    if (!index.isValid() || m_model->isFolder(index))
        return;
    const auto entry = m_model->entry(index);
    const auto path = m_model->path(index);
    if (entry.type == FileEntry::Type::Other || entry.sizeBytes > maxOpenedBytes) {
        Q_EMIT failed(entry.type == FileEntry::Type::Other
                ? tr("%1 is no file that can be opened").arg(printable(path))
                : tr("%1 is too large to be opened (%2); download it")
                      .arg(printable(path), bytesText(entry.sizeBytes)));
        return;
    }
    openFile(path);
}

void FilesPanel::openFile(const QString& path, int line, int column)
{
    const auto place = m_model->place();
    if (!place.isValid())
        return;
    QCoro::connect(place.engine->fetchFile(place.sessionId, path), this,
        [this, place, path, line, column](const Result<QByteArray>& content) {
            if (!content)
                Q_EMIT failed(failureSentence(content.error()));
            else
                Q_EMIT openRequested(place, path, *content, line, column);
        });
}

void FilesPanel::handle(const Result<>& result)
{
    if (!result)
        Q_EMIT failed(failureSentence(result.error()));
    refresh();
}

void FilesPanel::askForName(const QString& title, const QString& label, const QString& proposed,
    const std::function<void(const QString&)>& act)
{
    auto* dialog = new QInputDialog(this);
    dialog->setObjectName(u"nameDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(title);
    dialog->setLabelText(label);
    dialog->setTextValue(proposed);
    connect(dialog, &QInputDialog::textValueSelected, this, [this, act](const QString& name) {
        if (name.isEmpty())
            return;
        if (const auto path = sandboxPath(name); !path || name.startsWith(u'/'))
            Q_EMIT failed(
                path ? tr("A name does not begin with /") : failureSentence(path.error()));
        else
            act(name);
    });
    dialog->open();
}

void FilesPanel::newFile()
{
    const auto folder = currentFolder();
    askForName(tr("New file"), tr("Name of the new file in %1:").arg(printable(folder)), {},
        [this, folder](const QString& name) {
            const auto place = m_model->place();
            const auto path = folder + u'/' + name;
            QCoro::connect(place.engine->putFile(place.sessionId, path, {}), this,
                [this, place, path](const Result<>& result) {
                    handle(result);
                    if (result)
                        Q_EMIT openRequested(place, path, {}, 0, 1);
                });
        });
}

void FilesPanel::newFolder()
{
    const auto folder = currentFolder();
    askForName(tr("New folder"), tr("Name of the new folder in %1:").arg(printable(folder)), {},
        [this, folder](const QString& name) {
            const auto place = m_model->place();
            QCoro::connect(place.engine->makeDirectory(place.sessionId, folder + u'/' + name), this,
                [this](const Result<>& result) { handle(result); });
        });
}

void FilesPanel::rename()
{
    const auto path = selectedPaths().value(0);
    const auto folder = path.section(u'/', 0, -2);
    const auto old = path.section(u'/', -1);
    if (path.isEmpty())
        return;
    askForName(tr("Rename"), tr("New name of %1:").arg(printable(old)), old,
        [this, path, folder, old](const QString& name) {
            if (name == old)
                return;
            const auto place = m_model->place();
            QCoro::connect(place.engine->renameFile(place.sessionId, path, folder + u'/' + name),
                this, [this](const Result<>& result) { handle(result); });
        });
}

void FilesPanel::remove()
{
    const auto paths = selectedPaths();
    if (paths.isEmpty())
        return;
    const auto what = paths.size() == 1 ? u"“%1”"_s.arg(printable(paths[0].section(u'/', -1)))
                                        : tr("%n files and folders", nullptr, int(paths.size()));
    auto* question = new QMessageBox(QMessageBox::Warning, tr("Delete"),
        tr("Delete %1 from the session?").arg(what), QMessageBox::Yes | QMessageBox::Cancel, this);
    question->setObjectName(u"removeQuestion"_s);
    question->setTextFormat(Qt::PlainText);
    question->setInformativeText(tr("There is no way back."));
    question->button(QMessageBox::Yes)->setText(tr("Delete"));
    question->setDefaultButton(QMessageBox::Cancel);
    question->setAttribute(Qt::WA_DeleteOnClose);
    connect(question, &QMessageBox::finished, this, [this, paths](int answer) {
        if (answer != QMessageBox::Yes)
            return;
        const auto place = m_model->place();
        for (const auto& path : paths)
            QCoro::connect(place.engine->removeFile(place.sessionId, path), this,
                [this](const Result<>& result) { handle(result); });
    });
    question->open();
}

void FilesPanel::upload(const QStringList& localPaths, const QString& folder)
{
    for (const auto& path : localPaths)
        m_transfers->upload(m_model->place(), path, folder);
}

void FilesPanel::downloadTo(const QString& localFolder)
{
    for (const auto& index : m_view->selectionModel()->selectedRows())
        m_transfers->download(
            m_model->place(), m_model->path(index), m_model->isFolder(index), localFolder);
}

void FilesPanel::askForUpload(Upload what)
{
    auto* dialog = new QFileDialog(this, tr("Upload to the session"));
    dialog->setObjectName(u"uploadDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(
        what == Upload::Files ? QFileDialog::ExistingFiles : QFileDialog::Directory);
    const auto folder = currentFolder();
    connect(dialog, &QFileDialog::filesSelected, this,
        [this, folder](const QStringList& paths) { upload(paths, folder); });
    dialog->open();
}

void FilesPanel::askForDownload()
{
    auto* dialog = new QFileDialog(this, tr("Download into"));
    dialog->setObjectName(u"downloadDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, this, &FilesPanel::downloadTo);
    dialog->open();
}

void FilesPanel::contextMenuEvent(QContextMenuEvent* event)
{
    if (!m_model->place().isValid())
        return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addActions({ m_open, m_download });
    menu->addSeparator();
    menu->addActions({ m_newFile, m_newFolder, m_upload, m_uploadFolder });
    menu->addSeparator();
    menu->addActions({ m_rename, m_remove });
    menu->addSeparator();
    menu->addAction(m_refresh);
    menu->popup(event->globalPos());
}

} // namespace isol8::ui
