// SPDX-License-Identifier: MIT
#include "ui/editor/editing.h"

#include <QTextBlock>
#include <QTextDocument>

namespace isol8::ui::editing {

using namespace Qt::StringLiterals;

namespace {

constexpr int maxBracketDistance = 50'000;
constexpr int examinedLines = 2000;

QString leadingSpace(const QString& text)
{
    qsizetype end = 0;
    while (end < text.size() && (text[end] == u' ' || text[end] == u'\t'))
        ++end;
    return text.left(end);
}

/// First and last line that an operation on lines is about. A selection that ends at a line's
/// beginning leaves that line alone.
std::pair<QTextBlock, QTextBlock> selectedLines(const QTextCursor& cursor)
{
    const auto& document = *cursor.document();
    const auto first = document.findBlock(cursor.selectionStart());
    auto last = document.findBlock(cursor.selectionEnd());
    if (last != first && cursor.selectionEnd() == last.position())
        last = last.previous();
    return { first, last };
}

template <typename Change> void changeLines(QTextCursor& cursor, Change change)
{
    const auto [first, last] = selectedLines(cursor);
    const int lastNumber = last.blockNumber();
    cursor.beginEditBlock();
    for (auto block = first; block.isValid() && block.blockNumber() <= lastNumber;
        block = block.next()) {
        QTextCursor line(block);
        change(line, block.text());
    }
    cursor.endEditBlock();
}

void removeNext(QTextCursor& line, qsizetype count)
{
    line.movePosition(QTextCursor::NextCharacter, QTextCursor::KeepAnchor, int(count));
    line.removeSelectedText();
}

/// How much of a line's beginning one step of indentation is.
qsizetype stepLength(const QString& text, const IndentStyle& style)
{
    if (text.startsWith(u'\t'))
        return 1;
    return std::min<qsizetype>(leadingSpace(text).size(), style.width);
}

} // namespace

void indent(QTextCursor& cursor, const IndentStyle& style)
{
    const auto [first, last] = selectedLines(cursor);
    if (cursor.hasSelection() && first != last) {
        changeLines(cursor, [&style](QTextCursor& line, const QString& text) {
            if (!text.isEmpty())
                line.insertText(style.unit());
        });
        return;
    }
    if (style.isTab) {
        cursor.insertText(u"\t"_s);
        return;
    }
    const auto begin = cursor.selectionStart();
    const int column = begin - cursor.document()->findBlock(begin).position();
    cursor.insertText(QString(style.width - column % style.width, u' '));
}

void unindent(QTextCursor& cursor, const IndentStyle& style)
{
    changeLines(cursor, [&style](QTextCursor& line, const QString& text) {
        removeNext(line, stepLength(text, style));
    });
}

void breakLine(QTextCursor& cursor, const IndentStyle& style)
{
    cursor.beginEditBlock();
    cursor.removeSelectedText();
    const auto text = cursor.block().text();
    const auto before = text.left(cursor.positionInBlock());
    const auto after = text.mid(cursor.positionInBlock());
    const auto own = leadingSpace(before);
    const auto trimmed = before.trimmed();
    const bool opens = trimmed.endsWith(u':') || trimmed.endsWith(u'{') || trimmed.endsWith(u'(')
        || trimmed.endsWith(u'[');
    cursor.insertText(u'\n' + own + (opens ? style.unit() : QString()));
    const bool closes = after.startsWith(u'}') || after.startsWith(u')') || after.startsWith(u']');
    if (opens && closes) {
        const auto position = cursor.position();
        cursor.insertText(u'\n' + own);
        cursor.setPosition(position);
    }
    cursor.endEditBlock();
}

void typeClosing(QTextCursor& cursor, QChar bracket)
{
    cursor.beginEditBlock();
    cursor.insertText(bracket);
    const auto block = cursor.block();
    const auto text = block.text();
    if (text.trimmed() == bracket) {
        const int opening = matchingBracket(*cursor.document(), cursor.position() - 1);
        if (opening >= 0) {
            const auto wanted = leadingSpace(cursor.document()->findBlock(opening).text());
            QTextCursor line(block);
            removeNext(line, leadingSpace(text).size());
            line.insertText(wanted);
        }
    }
    cursor.endEditBlock();
}

bool eraseIndent(QTextCursor& cursor, const IndentStyle& style)
{
    if (cursor.hasSelection() || style.isTab)
        return false;
    const auto before = cursor.block().text().left(cursor.positionInBlock());
    if (before.isEmpty() || !before.trimmed().isEmpty() || before.contains(u'\t'))
        return false;
    const auto extra = before.size() % style.width;
    const auto count = extra > 0 ? extra : std::min<qsizetype>(style.width, before.size());
    cursor.movePosition(QTextCursor::PreviousCharacter, QTextCursor::KeepAnchor, int(count));
    cursor.removeSelectedText();
    return true;
}

void toggleComment(QTextCursor& cursor, const QString& marker)
{
    if (marker.isEmpty())
        return;
    bool isCommented = true;
    qsizetype column = -1;
    const auto [first, last] = selectedLines(cursor);
    for (auto block = first; block.isValid(); block = block.next()) {
        const auto text = block.text();
        if (!text.trimmed().isEmpty()) {
            isCommented = isCommented && text.trimmed().startsWith(marker);
            const auto own = leadingSpace(text).size();
            column = column < 0 ? own : std::min(column, own);
        }
        if (block == last)
            break;
    }
    if (column < 0)
        return; // only empty lines
    changeLines(cursor, [&](QTextCursor& line, const QString& text) {
        if (text.trimmed().isEmpty())
            return;
        const auto own = leadingSpace(text).size();
        line.movePosition(
            QTextCursor::NextCharacter, QTextCursor::MoveAnchor, int(isCommented ? own : column));
        if (!isCommented)
            line.insertText(marker + u' ');
        else
            removeNext(
                line, marker.size() + (text.mid(own + marker.size()).startsWith(u' ') ? 1 : 0));
    });
}

IndentStyle detectIndent(const QString& text, const IndentStyle& fallback)
{
    int lines = 0;
    for (const auto line : QStringTokenizer(text, u'\n')) {
        if (++lines > examinedLines)
            break;
        if (line.startsWith(u'\t'))
            return { fallback.width, true };
        qsizetype spaces = 0;
        while (spaces < line.size() && line[spaces] == u' ')
            ++spaces;
        if (spaces == line.size())
            continue;
        if (spaces == 2 || spaces == 4 || spaces == 8)
            return { int(spaces), false };
    }
    return fallback;
}

int matchingBracket(const QTextDocument& document, int position)
{
    static const QString opening = u"([{"_s;
    static const QString closing = u")]}"_s;
    if (position < 0 || position >= document.characterCount())
        return -1;
    const auto own = document.characterAt(position);
    const bool isOpening = opening.contains(own);
    const auto index = isOpening ? opening.indexOf(own) : closing.indexOf(own);
    if (index < 0)
        return -1;
    const auto other = isOpening ? closing[index] : opening[index];
    const int step = isOpening ? 1 : -1;
    int depth = 0;
    int examined = 0;
    auto block = document.findBlock(position);
    auto at = qsizetype(position - block.position());
    while (block.isValid() && examined < maxBracketDistance) {
        const auto text = block.text();
        if (!isOpening && block.position() + at != position)
            at = text.size() - 1;
        for (; at >= 0 && at < text.size() && examined < maxBracketDistance; at += step) {
            ++examined;
            if (text[at] == own)
                ++depth;
            else if (text[at] == other && --depth == 0)
                return block.position() + int(at);
        }
        ++examined;
        block = isOpening ? block.next() : block.previous();
        at = 0;
    }
    return -1;
}

} // namespace isol8::ui::editing
