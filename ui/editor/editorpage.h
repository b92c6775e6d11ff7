// SPDX-License-Identifier: MIT
#pragma once

#include "ui/editor/codeeditor.h"
#include "ui/editor/findbar.h"
#include "ui/editor/textfile.h"

#include <QDateTime>
#include <QWidget>

#include <optional>

namespace KSyntaxHighlighting {
class Repository;
}

namespace isol8::ui {

class MessageBar;

/// Where a session's file is; it is saved back there.
struct SessionFile {
    QString targetId;
    QString sessionId;
    QString path;

    bool operator==(const SessionFile&) const = default;
};

/// One tab: a text, where it belongs, and what is to be said about it. Asks nobody anything itself.
class EditorPage : public QWidget {
    Q_OBJECT

public:
    EditorPage(KSyntaxHighlighting::Repository& repository, QWidget* parent);

    [[nodiscard]] CodeEditor* editor() const { return m_editor; }
    [[nodiscard]] FindBar* findBar() const { return m_findBar; }
    [[nodiscard]] MessageBar* messageBar() const { return m_messageBar; }

    /// What it is called on its tab.
    [[nodiscard]] QString title() const;
    [[nodiscard]] const QString& path() const { return m_path; } ///< Empty: not of this machine.
    [[nodiscard]] const std::optional<SessionFile>& sessionFile() const { return m_sessionFile; }
    [[nodiscard]] bool isModified() const;
    /// Never saved and never written to.
    [[nodiscard]] bool isPristine() const;
    [[nodiscard]] QByteArray bytes() const;
    [[nodiscard]] QString text() const; ///< All of it, also while it is still being loaded.
    /// The file's name as a program's would be; by the language for a new one.
    [[nodiscard]] QString fileName() const;
    /// Of a new page: `Untitled 2`.
    void setNewTitle(const QString& title);

    [[nodiscard]] Result<> load(const QString& path);
    void setSessionFile(const SessionFile& file, const FileText& text);
    /// What a crash left: unsaved text of @p path (or of a new page when that is empty).
    void restore(const QString& path, const QString& title, const QString& text);
    [[nodiscard]] Result<> save();
    [[nodiscard]] Result<> saveAs(const QString& path);
    void markSaved();

    /// Sets the language by a file's name.
    void setLanguageFor(const QString& fileName);
    /// Sets the language of a page whose name does not tell, for example `Python`.
    void setLanguage(const QString& name);
    /// The file was changed by somebody else (or is gone).
    void handleDiskChange();

Q_SIGNALS:
    void titleChanged(); ///< Or what it is written in.
    void contentChanged();

private:
    void showText(const FileText& text);
    void chooseDefinition();
    void warnAboutBytes();
    void reload();

    KSyntaxHighlighting::Repository& m_repository;
    MessageBar* m_messageBar;
    CodeEditor* m_editor;
    FindBar* m_findBar;
    QString m_path;
    QString m_newTitle;
    std::optional<SessionFile> m_sessionFile;
    FileText m_file; ///< Without its text: how the bytes are written.
    QDateTime m_savedAt;
    qint64 m_savedSize = -1;
};

} // namespace isol8::ui
