// SPDX-License-Identifier: MIT
#include "ui/output/lineassembler.h"

#include <QString>

#include <algorithm>

namespace isol8::ui {

namespace {

/// Length of the UTF-8 sequence that @p lead begins; 1 for what begins none.
qsizetype sequenceLength(char lead)
{
    const auto byte = static_cast<unsigned char>(lead);
    if (byte >= 0xf0 && byte < 0xf8)
        return 4;
    if (byte >= 0xe0 && byte < 0xf0)
        return 3;
    return byte >= 0xc2 && byte < 0xe0 ? 2 : 1;
}

} // namespace

qsizetype LineAssembler::room() const
{
    return maxBytes - (m_hasCells ? qsizetype(m_cells.size()) : m_bytes.size());
}

void LineAssembler::append(QByteArrayView bytes, const TextStyle& style)
{
    if (!m_hasCells) {
        const auto current = m_spans.empty() ? TextStyle() : m_spans.back().style;
        if (style != current && qsizetype(m_spans.size()) < maxSpans)
            m_spans.push_back({ quint32(m_bytes.size()), style });
        m_bytes.append(bytes);
        return;
    }
    m_isSettled = false;
    m_partial.append(bytes);
    qsizetype at = 0;
    while (at < m_partial.size()) {
        if (static_cast<unsigned char>(m_partial[at]) < 0x80) {
            put(char32_t(m_partial[at++]), style);
            continue;
        }
        const auto length = sequenceLength(m_partial[at]);
        if (at + length > m_partial.size())
            break;
        const auto text = QString::fromUtf8(m_partial.sliced(at, length));
        for (const auto character : text.toUcs4())
            put(character, style);
        at += length;
    }
    m_partial.remove(0, at);
}

void LineAssembler::put(char32_t character, const TextStyle& style)
{
    if (m_column >= maxBytes)
        return;
    if (m_column >= qsizetype(m_cells.size()))
        m_cells.resize(size_t(m_column) + 1);
    m_cells[size_t(m_column++)] = { character, style };
}

void LineAssembler::useCells()
{
    if (m_hasCells)
        return;
    m_cells.clear();
    size_t next = 0;
    TextStyle style;
    for (qsizetype at = 0; at < m_bytes.size();) {
        while (next < m_spans.size() && m_spans[next].begin <= at)
            style = m_spans[next++].style;
        const auto length = std::min(sequenceLength(m_bytes[at]), m_bytes.size() - at);
        for (const auto character : QString::fromUtf8(m_bytes.sliced(at, length)).toUcs4())
            m_cells.push_back({ character, style });
        at += length;
    }
    m_column = qsizetype(m_cells.size());
    m_hasCells = true;
}

void LineAssembler::moveTo(int column)
{
    if (isEmpty() && column == 0)
        return;
    useCells();
    m_column = std::clamp<qsizetype>(column, 0, maxBytes);
}

void LineAssembler::moveBy(int columns)
{
    useCells();
    m_column = std::clamp<qsizetype>(m_column + columns, 0, maxBytes);
}

void LineAssembler::eraseToEnd()
{
    if (!m_hasCells)
        return; // The cursor is at the end.
    m_isSettled = false;
    m_cells.resize(std::min(m_cells.size(), size_t(m_column)));
}

void LineAssembler::eraseToStart()
{
    useCells();
    m_isSettled = false;
    std::fill_n(m_cells.begin(), std::min(m_cells.size(), size_t(m_column)), Cell());
}

void LineAssembler::eraseAll()
{
    useCells();
    m_isSettled = false;
    m_cells.clear();
}

void LineAssembler::settle()
{
    if (!m_hasCells || m_isSettled)
        return;
    m_bytes.clear();
    m_spans.clear();
    TextStyle style;
    QString run;
    const auto flush = [&] {
        m_bytes += run.toUtf8();
        run.clear();
    };
    for (const auto& cell : m_cells) {
        if (cell.style != style) {
            flush();
            style = cell.style;
            if (qsizetype(m_spans.size()) < maxSpans)
                m_spans.push_back({ quint32(m_bytes.size()), style });
        }
        run += QStringView(QChar::fromUcs4(cell.character));
    }
    flush();
    m_isSettled = true;
}

void LineAssembler::clear()
{
    m_bytes.resize(0);
    m_spans.clear();
    m_cells.clear();
    m_hasCells = false;
    m_isSettled = true;
    m_column = 0;
    m_partial.clear();
}

} // namespace isol8::ui
