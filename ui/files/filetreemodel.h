// SPDX-License-Identifier: MIT
#pragma once

#include "ui/files/sessionplace.h"

#include <QAbstractItemModel>
#include <QIcon>

#include <memory>
#include <vector>

namespace isol8::ui {

/// The files below `/sandbox` of a session. A folder is listed when a view opens it; refresh()
/// lists what was open again and keeps what did not change. Names come from the sandbox and are
/// shown escaped.
class FileTreeModel : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Column { Name, Size, Modified, ColumnCount };

    explicit FileTreeModel(QObject* parent);
    ~FileTreeModel() override;

    void setPlace(const SessionPlace& place);
    [[nodiscard]] const SessionPlace& place() const { return m_place; }
    void setIcons(const QIcon& folder, const QIcon& file, const QIcon& link);
    void refresh();

    [[nodiscard]] QString path(const QModelIndex& index) const; ///< `/sandbox` for an invalid one.
    [[nodiscard]] FileEntry entry(const QModelIndex& index) const;
    [[nodiscard]] bool isFolder(const QModelIndex& index) const;
    /// The folder that is meant by an index: itself, or the one that its file is in.
    [[nodiscard]] QString folderPath(const QModelIndex& index) const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(
        int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] bool hasChildren(const QModelIndex& parent) const override;
    [[nodiscard]] bool canFetchMore(const QModelIndex& parent) const override;
    void fetchMore(const QModelIndex& parent) override;

    // Dropped files and folders of this machine are to be uploaded.
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    [[nodiscard]] Qt::DropActions supportedDropActions() const override { return Qt::CopyAction; }
    [[nodiscard]] QStringList mimeTypes() const override;
    [[nodiscard]] bool canDropMimeData(const QMimeData* data, Qt::DropAction action, int row,
        int column, const QModelIndex& parent) const override;
    bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
        const QModelIndex& parent) override;

Q_SIGNALS:
    void listed(); ///< A folder's content is here.
    void failed(const isol8::Error& error);
    void dropped(const QStringList& localPaths, const QString& folder);

private:
    struct Node;

    [[nodiscard]] Node* node(const QModelIndex& index) const;
    [[nodiscard]] QModelIndex indexOf(const Node* node) const;
    [[nodiscard]] Node* find(const QString& path) const;
    void list(Node* folder);
    void take(Node* folder, QList<FileEntry> entries);

    SessionPlace m_place;
    std::unique_ptr<Node> m_root;
    QIcon m_folderIcon;
    QIcon m_fileIcon;
    QIcon m_linkIcon;
};

} // namespace isol8::ui
