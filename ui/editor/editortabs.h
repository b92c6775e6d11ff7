// SPDX-License-Identifier: MIT
#pragma once

#include "ui/editor/editorpage.h"

#include <QFileSystemWatcher>
#include <QTabWidget>

#include <functional>

namespace isol8::ui {

/// The open texts (and viewers of files that are no texts). Asks before unsaved text is lost.
class EditorTabs : public QTabWidget {
    Q_OBJECT

public:
    EditorTabs(KSyntaxHighlighting::Repository& repository, QWidget* parent);

    void setEditorStyle(const EditorStyle& style);

    [[nodiscard]] EditorPage* currentPage() const; ///< Null when a viewer, or nothing, is shown.
    [[nodiscard]] QList<EditorPage*> pages() const;
    [[nodiscard]] EditorPage* pageOf(const QString& path) const;
    /// The page whose text runs under that file name, the one in front first; null when it is gone.
    [[nodiscard]] EditorPage* pageNamed(const QString& fileName) const;

    /// An empty page; takes the place of one that was never used.
    EditorPage* addPage();
    /// Shows the file, in its tab where it is open already. Says on the window what went wrong.
    EditorPage* open(const QString& path);
    /// Unsaved text that a crash left, of a file or (with an empty path) of none.
    EditorPage* restore(const QString& path, const QString& title, const QString& text);
    EditorPage* openSessionFile(const SessionFile& file, const QByteArray& content);
    /// Any other widget as a tab of its own; its windowTitle() names it.
    void addViewer(QWidget* viewer);

    void save(EditorPage* page);
    void saveAs(EditorPage* page);
    void closeTab(int index);
    /// Closes everything, asking about each unsaved text first; @p closed is called unless the user
    /// thinks better of it.
    void closeAll(std::function<void()> closed);

Q_SIGNALS:
    void currentPageChanged(isol8::ui::EditorPage* page);
    void pageChanged(isol8::ui::EditorPage* page); ///< Its text or name.
    void failed(const QString& sentence);
    /// A session's file is to be put back; then call EditorPage::markSaved().
    void sessionSaveRequested(isol8::ui::EditorPage* page);

private:
    EditorPage* insertPage();
    void showTitles();
    /// With its folder's name where another of @p all is called the same.
    void showTitle(EditorPage* page, const QList<EditorPage*>& all);
    void watch(EditorPage* page);
    void askAndClose(QWidget* tab, std::function<void()> closed);
    void remove(QWidget* tab);
    /// The first that no other page has: `Untitled`, then `Untitled 2`.
    [[nodiscard]] QString freeTitle() const;
    [[nodiscard]] QString proposedPath(EditorPage* page) const;

    KSyntaxHighlighting::Repository& m_repository;
    EditorStyle m_style;
    QFileSystemWatcher m_watcher;
};

} // namespace isol8::ui
