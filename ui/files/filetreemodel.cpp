// SPDX-License-Identifier: MIT
#include "ui/files/filetreemodel.h"

#include "engine/core/escape.h"
#include "ui/run/runsentences.h"

#include <QCoroTask>
#include <QLocale>
#include <QMimeData>
#include <QUrl>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

struct FileTreeModel::Node {
    FileEntry entry;
    Node* parent = nullptr;
    enum class State { Unknown, Loading, Listed } state = State::Unknown;
    std::vector<std::unique_ptr<Node>> children;

    [[nodiscard]] bool isFolder() const { return entry.type == FileEntry::Type::Directory; }
    [[nodiscard]] QString path() const
    {
        return parent ? parent->path() + u'/' + entry.name : u"/sandbox"_s;
    }
    [[nodiscard]] int row() const
    {
        const auto found = std::ranges::find_if(
            parent->children, [this](const auto& child) { return child.get() == this; });
        return int(found - parent->children.begin());
    }
};

namespace {

/// Folders first, then by name as people count.
bool isBefore(const FileEntry& a, const FileEntry& b)
{
    const bool isFolderA = a.type == FileEntry::Type::Directory;
    const bool isFolderB = b.type == FileEntry::Type::Directory;
    if (isFolderA != isFolderB)
        return isFolderA;
    const int order = QString::compare(a.name, b.name, Qt::CaseInsensitive);
    return order != 0 ? order < 0 : a.name < b.name;
}

} // namespace

FileTreeModel::FileTreeModel(QObject* parent)
    : QAbstractItemModel(parent)
    , m_root(std::make_unique<Node>())
{
    m_root->entry.type = FileEntry::Type::Directory;
}

FileTreeModel::~FileTreeModel() = default;

void FileTreeModel::setPlace(const SessionPlace& place)
{
    if (place == m_place)
        return;
    beginResetModel();
    m_place = place;
    m_root->children.clear();
    m_root->state = Node::State::Unknown;
    endResetModel();
}

void FileTreeModel::setIcons(const QIcon& folder, const QIcon& file, const QIcon& link)
{
    m_folderIcon = folder;
    m_fileIcon = file;
    m_linkIcon = link;
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, 0, {}), index(rowCount() - 1, 0, {}), { Qt::DecorationRole });
}

void FileTreeModel::refresh()
{
    std::vector<Node*> open { m_root.get() };
    for (size_t i = 0; i < open.size(); ++i) {
        for (const auto& child : open[i]->children) {
            if (child->state == Node::State::Listed)
                open.push_back(child.get());
        }
    }
    for (auto* folder : open)
        list(folder);
}

FileTreeModel::Node* FileTreeModel::node(const QModelIndex& index) const
{
    return index.isValid() ? static_cast<Node*>(index.internalPointer()) : m_root.get();
}

QModelIndex FileTreeModel::indexOf(const Node* node) const
{
    return node->parent ? createIndex(node->row(), 0, node) : QModelIndex();
}

FileTreeModel::Node* FileTreeModel::find(const QString& path) const
{
    auto* at = m_root.get();
    for (const auto& name : path.split(u'/', Qt::SkipEmptyParts).mid(1)) {
        const auto found = std::ranges::find_if(
            at->children, [&name](const auto& child) { return child->entry.name == name; });
        if (found == at->children.end())
            return nullptr;
        at = found->get();
    }
    return at;
}

void FileTreeModel::list(Node* folder)
{
    if (!m_place.isValid() || folder->state == Node::State::Loading)
        return;
    folder->state = Node::State::Loading;
    const auto path = folder->path();
    QCoro::connect(m_place.engine->listFiles(m_place.sessionId, path), this,
        [this, path, place = m_place](const Result<QList<FileEntry>>& entries) {
            auto* listed = place == m_place ? find(path) : nullptr;
            if (!listed || !listed->isFolder())
                return;
            listed->state = Node::State::Listed;
            if (entries) {
                take(listed, *entries);
                Q_EMIT this->listed();
                return;
            }
            take(listed, {});
            // A session begins with its first run, and a folder can go at any time.
            if (entries.error().kind != Kind::NotFound)
                Q_EMIT failed(entries.error());
        });
}

/// Brings the folder's children to @p entries by removing and inserting, so that what stays keeps
/// its place in views.
void FileTreeModel::take(Node* folder, QList<FileEntry> entries)
{
    std::ranges::sort(entries, isBefore);
    auto& children = folder->children;
    for (int row = int(children.size()) - 1; row >= 0; --row) {
        const auto& old = children[size_t(row)]->entry;
        const bool isKept = std::ranges::any_of(entries, [&old](const FileEntry& entry) {
            return entry.name == old.name && entry.type == old.type;
        });
        if (isKept)
            continue;
        beginRemoveRows(indexOf(folder), row, row);
        children.erase(children.begin() + row);
        endRemoveRows();
    }
    for (int row = 0; row < entries.size(); ++row) {
        const auto& entry = entries[row];
        if (size_t(row) < children.size() && children[size_t(row)]->entry.name == entry.name) {
            auto& child = *children[size_t(row)];
            child.entry = entry;
            Q_EMIT dataChanged(
                createIndex(row, 0, &child), createIndex(row, ColumnCount - 1, &child));
            continue;
        }
        auto child = std::make_unique<Node>();
        child->entry = entry;
        child->parent = folder;
        beginInsertRows(indexOf(folder), row, row);
        children.insert(children.begin() + row, std::move(child));
        endInsertRows();
    }
}

QString FileTreeModel::path(const QModelIndex& index) const
{
    return node(index)->path();
}

FileEntry FileTreeModel::entry(const QModelIndex& index) const
{
    return node(index)->entry;
}

bool FileTreeModel::isFolder(const QModelIndex& index) const
{
    return node(index)->isFolder();
}

QString FileTreeModel::folderPath(const QModelIndex& index) const
{
    const auto* meant = node(index);
    return meant->isFolder() ? meant->path() : meant->parent->path();
}

QModelIndex FileTreeModel::index(int row, int column, const QModelIndex& parent) const
{
    const auto* folder = node(parent);
    if (row < 0 || size_t(row) >= folder->children.size() || column < 0 || column >= ColumnCount)
        return {};
    return createIndex(row, column, folder->children[size_t(row)].get());
}

QModelIndex FileTreeModel::parent(const QModelIndex& child) const
{
    return child.isValid() ? indexOf(node(child)->parent) : QModelIndex();
}

int FileTreeModel::rowCount(const QModelIndex& parent) const
{
    return parent.column() > 0 ? 0 : int(node(parent)->children.size());
}

int FileTreeModel::columnCount(const QModelIndex&) const
{
    return ColumnCount;
}

QVariant FileTreeModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    const auto& entry = node(index)->entry;
    if (role == Qt::TextAlignmentRole && index.column() == Size)
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role == Qt::DecorationRole && index.column() == Name) {
        if (entry.type == FileEntry::Type::Directory)
            return m_folderIcon;
        return entry.type == FileEntry::Type::Link ? m_linkIcon : m_fileIcon;
    }
    if (role == Qt::ToolTipRole)
        return printable(node(index)->path());
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case Name:
        return printable(entry.name);
    case Size:
        return entry.type == FileEntry::Type::File ? bytesText(entry.sizeBytes) : QString();
    case Modified:
        return QLocale().toString(entry.modified.toLocalTime(), QLocale::ShortFormat);
    default:
        return {};
    }
}

QVariant FileTreeModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Name");
    case Size:
        return tr("Size");
    case Modified:
        return tr("Changed");
    default:
        return {};
    }
}

bool FileTreeModel::hasChildren(const QModelIndex& parent) const
{
    const auto* folder = node(parent);
    return folder->isFolder()
        && (folder->state != Node::State::Listed || !folder->children.empty());
}

bool FileTreeModel::canFetchMore(const QModelIndex& parent) const
{
    const auto* folder = node(parent);
    return m_place.isValid() && folder->isFolder() && folder->state == Node::State::Unknown;
}

void FileTreeModel::fetchMore(const QModelIndex& parent)
{
    if (canFetchMore(parent))
        list(node(parent));
}

Qt::ItemFlags FileTreeModel::flags(const QModelIndex& index) const
{
    auto flags = QAbstractItemModel::flags(index);
    if (m_place.isValid())
        flags |= Qt::ItemIsDropEnabled;
    if (index.isValid())
        flags |= Qt::ItemIsDragEnabled;
    return flags;
}

QStringList FileTreeModel::mimeTypes() const
{
    return { u"text/uri-list"_s };
}

bool FileTreeModel::canDropMimeData(
    const QMimeData* data, Qt::DropAction, int, int, const QModelIndex&) const
{
    return m_place.isValid() && data->hasUrls();
}

bool FileTreeModel::dropMimeData(
    const QMimeData* data, Qt::DropAction, int, int, const QModelIndex& parent)
{
    QStringList paths;
    for (const auto& url : data->urls()) {
        if (url.isLocalFile())
            paths << url.toLocalFile();
    }
    if (paths.isEmpty())
        return false;
    Q_EMIT dropped(paths, folderPath(parent));
    return true;
}

} // namespace isol8::ui
