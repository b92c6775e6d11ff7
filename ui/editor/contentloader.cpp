// SPDX-License-Identifier: MIT
#include "ui/editor/contentloader.h"

#include <QAbstractTextDocumentLayout>
#include <QPlainTextEdit>
#include <QSignalBlocker>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace isol8::ui {

namespace {

using namespace std::chrono_literals;

constexpr qsizetype firstCharacters = 256 << 10;
constexpr qsizetype smallestPart = 16 << 10;
constexpr qsizetype largestPart = 512 << 10;
constexpr auto longestPart = 16ms; ///< Then half as much is taken next time.
constexpr auto showInterval = 150ms;

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
    , m_part(smallestPart)
    , m_pages(m_text.size())
{
    editor->document()->setUndoRedoEnabled(false);
    connect(&m_timer, &QTimer::timeout, this, &ContentLoader::work);
    m_timer.start(0);
    m_shown.start();
}

ContentLoader* ContentLoader::of(const QPlainTextEdit* editor)
{
    for (auto* loader : editor->findChildren<ContentLoader*>(Qt::FindDirectChildrenOnly)) {
        if (loader->m_timer.isActive()) // Else it has ended and is to be deleted.
            return loader;
    }
    return nullptr;
}

ContentLoader* ContentLoader::load(QPlainTextEdit* editor, const QString& text)
{
    if (auto* before = of(editor))
        before->end();
    const LargePages pages(text.size());
    const auto length = partLength(text, 0, firstCharacters);
    editor->setPlainText(length < text.size() ? text.first(length) : text);
    if (length == text.size())
        return nullptr;
    return new ContentLoader(editor, text, length); // The editor owns it.
}

void ContentLoader::finish(QPlainTextEdit* editor)
{
    auto* loader = of(editor);
    if (!loader)
        return;
    while (loader->m_at < loader->m_text.size())
        loader->insert(partLength(loader->m_text, loader->m_at, largestPart));
    loader->end();
}

void ContentLoader::work()
{
    QElapsedTimer spent;
    spent.start();
    insert(partLength(m_text, m_at, m_part));
    if (spent.durationElapsed() > longestPart)
        m_part = std::max(smallestPart, m_part / 2);
    else if (spent.durationElapsed() < longestPart / 2)
        m_part = std::min(largestPart, m_part * 2);
    if (m_at == m_text.size())
        end();
}

void ContentLoader::insert(qsizetype characters)
{
    auto* document = m_editor->document();
    const bool isModified = document->isModified(); // A recovered text is.
    // Each part would lay out and paint the text in sight, and tell the window of an edit: only the
    // last one does, and one now and then for the scroll bar.
    std::optional<QSignalBlocker> quietDocument;
    std::optional<QSignalBlocker> quietLayout;
    if (m_at + characters < m_text.size()) {
        quietDocument.emplace(document);
        if (m_shown.durationElapsed() < showInterval)
            quietLayout.emplace(document->documentLayout());
        else
            m_shown.start();
    }
    QTextCursor cursor(document);
    cursor.movePosition(QTextCursor::End);
    auto own = m_editor->textCursor();
    const int ownAnchor = own.anchor();
    const int ownPosition = own.position();
    const bool isOwnAtEnd = std::max(ownAnchor, ownPosition) == cursor.position();
    cursor.insertText(m_text.sliced(m_at, characters));
    if (isOwnAtEnd) { // It was moved along with the end.
        own.setPosition(ownAnchor);
        own.setPosition(ownPosition, QTextCursor::KeepAnchor);
        m_editor->setTextCursor(own);
    }
    m_at += characters;
    document->setModified(isModified);
}

void ContentLoader::end()
{
    m_timer.stop();
    m_text.clear();
    m_at = 0;
    m_editor->document()->setUndoRedoEnabled(true);
    Q_EMIT ended();
    deleteLater(); // Its own timer may be on the stack.
}

} // namespace isol8::ui
