// SPDX-License-Identifier: MIT
#include "ui/output/outputselection.h"

namespace isol8::ui {

namespace {

/// Where @p text is in a line: at or after @p column forwards, wholly before it backwards; -1.
qsizetype findInLine(
    const QString& line, const QString& text, qsizetype column, SearchDirection direction)
{
    if (direction == SearchDirection::Forward)
        return line.indexOf(text, column, Qt::CaseInsensitive);
    const auto last = column - text.size();
    return last < 0 ? -1 : line.lastIndexOf(text, last, Qt::CaseInsensitive);
}

} // namespace

QString selectedText(
    const OutputBuffer& buffer, const OutputSelection& selection, qsizetype maxCharacters)
{
    QString text;
    const auto begin = selection.begin();
    const auto end = selection.end();
    for (auto number = std::max(begin.line, buffer.firstLine());
        number <= end.line && number < buffer.endLine() && text.size() < maxCharacters; ++number) {
        const auto line = buffer.line(number);
        const auto from = number == begin.line ? begin.column : 0;
        const auto to = number == end.line ? end.column : line.text.size();
        text += line.text.mid(from, to - from);
        if (number != end.line && !line.isContinued)
            text += u'\n';
    }
    return text.left(maxCharacters);
}

OutputSelection wholeOutput(const OutputBuffer& buffer)
{
    const auto last = std::max(buffer.firstLine(), buffer.endLine() - 1);
    return { { buffer.firstLine(), 0 }, { last, buffer.line(last).text.size() } };
}

OutputSelection findOutput(const OutputBuffer& buffer, const QString& text,
    const OutputSelection& from, SearchDirection direction)
{
    const auto first = buffer.firstLine();
    const auto count = buffer.endLine() - first;
    if (text.isEmpty() || count == 0)
        return {};
    const bool isForward = direction == SearchDirection::Forward;
    const auto start = isForward ? from.end() : from.begin();
    const auto startLine = std::clamp(start.line, first, first + count - 1);
    // One line more than there are: the part of the first one before the start comes last.
    for (qint64 step = 0; step <= count; ++step) {
        const auto offset = (startLine - first + (isForward ? step : count * 2 - step)) % count;
        const auto number = first + offset;
        const auto line = buffer.line(number).text;
        const auto column = step == 0 && number == start.line ? start.column
            : isForward                                       ? 0
                                                              : line.size();
        const auto found = findInLine(line, text, column, direction);
        if (found >= 0)
            return { { number, found }, { number, found + text.size() } };
    }
    return {};
}

} // namespace isol8::ui
