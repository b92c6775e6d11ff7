// SPDX-License-Identifier: MIT
#pragma once

#include "ui/files/sessionplace.h"

#include <QWidget>

#include <functional>

class QAction;
class QLabel;
class QProgressBar;
class QToolBar;
class QTreeView;

namespace isol8::ui {

class FileDrag;
class FileTreeModel;
class FilesView;
class TransferQueue;

/// The files of the chosen session: to look at, to open, to bring and to fetch.
class FilesPanel : public QWidget {
    Q_OBJECT

public:
    explicit FilesPanel(QWidget* parent);

    /// An invalid place: there is no session, and the panel says how to get one.
    void setPlace(const SessionPlace& place);
    void refresh();
    void applyIcons();

    [[nodiscard]] FileTreeModel* model() const { return m_model; }
    [[nodiscard]] QTreeView* view() const;
    [[nodiscard]] TransferQueue* transfers() const { return m_transfers; }

    /// Fetches a file of the session and has it opened at a line, from 1 (0: where it begins).
    void openFile(const QString& path, int line = 0, int column = 1);
    void upload(const QStringList& localPaths, const QString& folder);
    /// Of what is selected.
    void downloadTo(const QString& localFolder);

Q_SIGNALS:
    void openRequested(const isol8::ui::SessionPlace& place, const QString& path,
        const QByteArray& content, int line, int column);
    void sessionRequested(); ///< The user wants one.
    void failed(const QString& sentence);

protected:
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    void makeActions();
    QWidget* makeTransferRow();
    QWidget* makeEmptyPage();
    void openCurrent();
    void askForName(const QString& title, const QString& label, const QString& proposed,
        const std::function<void(const QString&)>& act);
    void newFile();
    void newFolder();
    void rename();
    void remove();
    enum class Upload { Files, Folder };
    void askForUpload(Upload what);
    void askForDownload();
    void updateActions();
    void beginDrag();
    void handle(const Result<>& result);
    [[nodiscard]] QStringList selectedPaths() const;
    [[nodiscard]] QString currentFolder() const;

    FileTreeModel* m_model;
    TransferQueue* m_transfers;
    FilesView* m_view;
    FileDrag* m_drag;
    QToolBar* m_bar;
    QWidget* m_emptyPage = nullptr;
    QWidget* m_transferRow = nullptr;
    QLabel* m_transferText = nullptr;
    QProgressBar* m_transferBar = nullptr;
    QAction* m_open = nullptr;
    QAction* m_refresh = nullptr;
    QAction* m_newFile = nullptr;
    QAction* m_newFolder = nullptr;
    QAction* m_upload = nullptr;
    QAction* m_uploadFolder = nullptr;
    QAction* m_download = nullptr;
    QAction* m_rename = nullptr;
    QAction* m_remove = nullptr;
};

} // namespace isol8::ui
