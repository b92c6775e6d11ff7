// SPDX-License-Identifier: MIT
#include "ui/editor/contentloader.h"

#include <QPlainTextEdit>

#include <utility>

namespace isol8::ui {

namespace {

constexpr qsizetype firstCharacters = 256 << 10;
constexpr qsizetype partCharacters = 32 << 10;

/// How much of @p text to take from @p begin on: whole lines.
qsizetype partLength(const QString& text, qsizetype begin, qsizetype wanted)
{
    const auto end = wanted < text.size() - begin ? text.indexOf(u'\n', begin + wanted) : -1;
    return (end < 0 ? text.size() : end + 1) - begin;
}

} // namespace

ContentLoader::ContentLoader(QPlainTextEdit* editor, QString text, qsizetype begin)
    : QObject(editor)
    , m_editor(editor)
    , m_text(std::move(text))
    , m_at(begin)
    , m_wasReadOnly(editor->isReadOnly())
{
    editor->setReadOnly(true);
    editor->document()->setUndoRedoEnabled(false);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        insert(partLength(m_text, m_at, partCharacters));
        if (m_at == m_text.size())
            end();
    });
    m_timer.start(0);
}

ContentLoader* ContentLoader::of(QPlainTextEdit* editor)
{
    for (auto* loader : editor->findChildren<ContentLoader*>(Qt::FindDirectChildrenOnly)) {
        if (loader->m_timer.isActive()) // Else it has ended and is to be deleted.
            return loader;
    }
    return nullptr;
}

void ContentLoader::load(QPlainTextEdit* editor, const QString& text)
{
    if (auto* before = of(editor))
        before->end();
    const auto length = partLength(text, 0, firstCharacters);
    editor->setPlainText(length < text.size() ? text.first(length) : text);
    if (length < text.size())
        new ContentLoader(editor, text, length); // The editor owns it.
}

void ContentLoader::finish(QPlainTextEdit* editor)
{
    auto* loader = of(editor);
    if (!loader)
        return;
    loader->insert(loader->m_text.size() - loader->m_at);
    loader->end();
}

void ContentLoader::insert(qsizetype characters)
{
    const bool isModified = m_editor->document()->isModified(); // A recovered text is.
    QTextCursor cursor(m_editor->document());
    cursor.movePosition(QTextCursor::End);
    cursor.insertText(m_text.sliced(m_at, characters));
    m_at += characters;
    m_editor->document()->setModified(isModified);
}

void ContentLoader::end()
{
    m_timer.stop();
    m_text.clear();
    m_at = 0;
    m_editor->document()->setUndoRedoEnabled(true);
    m_editor->setReadOnly(m_wasReadOnly);
    deleteLater(); // Its own timer may be on the stack.
}

} // namespace isol8::ui
