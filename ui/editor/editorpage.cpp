// SPDX-License-Identifier: MIT
#include "ui/editor/editorpage.h"

#include "ui/editor/contentloader.h"
#include "ui/editor/largepages.h"
#include "ui/editor/messagebar.h"

#include <KSyntaxHighlighting/Repository>

#include <QFileInfo>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

EditorPage::EditorPage(KSyntaxHighlighting::Repository& repository, QWidget* parent)
    : QWidget(parent)
    , m_repository(repository)
    , m_messageBar(new MessageBar(this))
    , m_editor(new CodeEditor(this))
    , m_findBar(new FindBar(m_editor, this))
{
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(m_messageBar);
    rows->addWidget(m_editor, 1);
    rows->addWidget(m_findBar);
    setFocusProxy(m_editor);
    connect(
        m_editor->document(), &QTextDocument::modificationChanged, this, &EditorPage::titleChanged);
    connect(m_editor, &QPlainTextEdit::textChanged, this, &EditorPage::contentChanged);
}

QString EditorPage::title() const
{
    if (m_sessionFile)
        return m_sessionFile->path.section(u'/', -1);
    return m_path.isEmpty() ? m_newTitle : QFileInfo(m_path).fileName();
}

void EditorPage::setNewTitle(const QString& title)
{
    m_newTitle = title;
    Q_EMIT titleChanged();
}

QString EditorPage::fileName() const
{
    if (m_sessionFile || !m_path.isEmpty())
        return title();
    const auto& definition = m_editor->definition();
    for (const auto& pattern : definition.isValid() ? definition.extensions() : QStringList()) {
        if (pattern.startsWith(u"*."_s) && !pattern.mid(2).contains(u'*'))
            return u"main"_s + pattern.mid(1);
    }
    return u"main.txt"_s;
}

bool EditorPage::isModified() const
{
    return m_editor->document()->isModified();
}

bool EditorPage::isPristine() const
{
    return m_path.isEmpty() && !m_sessionFile && !isModified() && m_editor->document()->isEmpty();
}

QString EditorPage::text() const
{
    ContentLoader::finish(m_editor);
    return m_editor->toPlainText();
}

QByteArray EditorPage::bytes() const
{
    auto file = m_file;
    file.text = text();
    return encodeText(file);
}

void EditorPage::showText(const FileText& text)
{
    m_file = text;
    m_file.text.clear();
    chooseDefinition();
    m_editor->setContent(text.text);
    warnAboutBytes();
    Q_EMIT titleChanged();
}

void EditorPage::warnAboutBytes()
{
    if (m_file.isLossy)
        m_messageBar->say(MessageBar::Tone::Warning,
            tr("This file is not clean UTF-8 text. Characters that could not be read are shown as "
               "�; saving writes them so."));
}

Result<> EditorPage::load(const QString& path)
{
    const LargePages pages(QFileInfo(path).size());
    const auto text = readTextFile(path);
    if (!text)
        return std::unexpected(text.error());
    m_path = QFileInfo(path).absoluteFilePath();
    m_sessionFile.reset();
    showText(*text);
    markSaved();
    return {};
}

void EditorPage::setSessionFile(const SessionFile& file, const FileText& text)
{
    m_sessionFile = file;
    m_path.clear();
    showText(text);
}

void EditorPage::restore(const QString& path, const QString& title, const QString& text)
{
    m_newTitle = title;
    m_path = path;
    if (!path.isEmpty()) {
        if (const auto file = readTextFile(path))
            m_file = *file;
        m_file.text.clear();
        markSaved();
    }
    chooseDefinition();
    m_editor->setContent(text);
    m_editor->document()->setModified(true);
    m_messageBar->say(MessageBar::Tone::Information,
        tr("This text was not saved when isol8 ended; here it is again."));
    Q_EMIT titleChanged();
}

Result<> EditorPage::save()
{
    return saveAs(m_path);
}

Result<> EditorPage::saveAs(const QString& path)
{
    auto file = m_file;
    file.text = text();
    if (const auto written = writeTextFile(path, file); !written)
        return std::unexpected(written.error());
    m_path = QFileInfo(path).absoluteFilePath();
    m_sessionFile.reset();
    m_file.isLossy = false;
    m_messageBar->hide();
    markSaved();
    chooseDefinition();
    Q_EMIT titleChanged();
    return {};
}

void EditorPage::markSaved()
{
    m_editor->document()->setModified(false);
    const QFileInfo info(m_path);
    m_savedAt = info.lastModified();
    m_savedSize = m_path.isEmpty() ? -1 : info.size();
}

void EditorPage::chooseDefinition()
{
    if (m_path.isEmpty() && !m_sessionFile)
        return;
    m_editor->setDefinition(m_repository.definitionForFileName(title()));
}

void EditorPage::setLanguage(const QString& name)
{
    m_editor->setDefinition(m_repository.definitionForName(name));
    Q_EMIT titleChanged();
}

void EditorPage::setLanguageFor(const QString& fileName)
{
    m_editor->setDefinition(m_repository.definitionForFileName(fileName));
    Q_EMIT titleChanged();
}

void EditorPage::reload()
{
    const int line = m_editor->textCursor().blockNumber() + 1;
    if (const auto loaded = load(m_path); !loaded) {
        m_messageBar->say(MessageBar::Tone::Error, loaded.error().message);
        return;
    }
    m_editor->goToLine(line);
}

void EditorPage::handleDiskChange()
{
    const QFileInfo info(m_path);
    if (info.exists() && info.lastModified() == m_savedAt && info.size() == m_savedSize)
        return;
    if (!info.exists()) {
        m_editor->document()->setModified(true);
        m_messageBar->say(
            MessageBar::Tone::Warning, tr("%1 is gone. Save it to have it again.").arg(title()));
        return;
    }
    if (!isModified()) {
        reload();
        return;
    }
    m_messageBar->say(MessageBar::Tone::Warning,
        tr("%1 was changed by another program, and here as well.").arg(title()),
        { { tr("Load the other version"), [this] { reload(); } }, { tr("Keep this one"), [this] {
                                                                       const QFileInfo now(m_path);
                                                                       m_savedAt
                                                                           = now.lastModified();
                                                                       m_savedSize = now.size();
                                                                   } } });
}

} // namespace isol8::ui
