// SPDX-License-Identifier: MIT
#pragma once

#include "ui/output/textstyle.h"

#include <QByteArray>

#include <vector>

namespace isol8::ui {

/// From a byte of a line on, its text looks like this.
struct StyleSpan {
    quint32 begin = 0;
    TextStyle style;

    bool operator==(const StyleSpan&) const = default;
};

/// The line that is being written: plain bytes as long as they only follow each other, cells once
/// something is written over (progress bars). Bounded; overfull() tells the owner to begin the
/// next.
class LineAssembler {
public:
    static constexpr qsizetype maxBytes = 4096;
    static constexpr qsizetype maxSpans = 256;

    void append(QByteArrayView bytes, const TextStyle& style);
    void returnToStart() { moveTo(0); }
    void moveTo(int column);
    void moveBy(int columns);
    void eraseToEnd();
    void eraseToStart();
    void eraseAll();

    [[nodiscard]] bool isEmpty() const { return m_bytes.isEmpty() && m_cells.empty(); }
    /// Bytes that still fit.
    [[nodiscard]] qsizetype room() const;

    /// Brings bytes() and spans() up to date.
    void settle();
    [[nodiscard]] const QByteArray& bytes() const { return m_bytes; }
    [[nodiscard]] const std::vector<StyleSpan>& spans() const { return m_spans; }
    void clear();

private:
    struct Cell {
        char32_t character = U' ';
        TextStyle style;
    };

    void useCells();
    void put(char32_t character, const TextStyle& style);

    QByteArray m_bytes;
    std::vector<StyleSpan> m_spans;
    std::vector<Cell> m_cells; ///< When not empty, or m_hasCells: the truth.
    bool m_hasCells = false;
    bool m_isSettled = true;
    qsizetype m_column = 0; ///< With cells: where the next character goes.
    QByteArray m_partial; ///< With cells: the beginning of a UTF-8 character.
};

} // namespace isol8::ui
