// SPDX-License-Identifier: MIT
#pragma once

#include "ui/output/textstyle.h"

#include <QByteArray>

#include <array>

namespace isol8::ui {

/// What an escape sequence asks of the line that is being written. Everything that would reach
/// beyond it (titles, clipboards, links, cursor movement to other lines, questions to a terminal)
/// is read and forgotten.
struct EscapeEffect {
    enum class Kind {
        None,
        Style, ///< EscapeParser::style() has changed.
        EraseToEnd, ///< CSI 0 K
        EraseToStart, ///< CSI 1 K
        EraseLine, ///< CSI 2 K
        MoveTo, ///< CSI G: column `count`, from 0.
        MoveBy, ///< CSI C and D: columns.
    };
    Kind kind = Kind::None;
    int count = 0;
};

/// Reads the sequences that begin with ESC, however they are cut (ECMA-48; OSC as xterm has it). Of
/// bounded length: a sequence that does not end is given up. One for each stream.
class EscapeParser {
public:
    [[nodiscard]] bool isInside() const { return m_state != State::Ground; }
    void begin() { m_state = State::Escape; }
    /// Forgets a sequence that was begun; the style stays.
    void abandon() { m_state = State::Ground; }

    /// Takes one byte while isInside().
    [[nodiscard]] EscapeEffect take(char byte);

    [[nodiscard]] const TextStyle& style() const { return m_style; }
    void reset() { *this = {}; }

private:
    enum class State { Ground, Escape, Intermediate, Control, String, StringEscape };

    [[nodiscard]] EscapeEffect endControl(char final);
    void takeParameter(char byte);
    void selectStyle();
    /// A colour of 38 or 48 whose parameters begin at @p at; the index of its last one.
    int readColour(int at, TextColour& colour) const;

    static constexpr int maxParameters = 32;
    static constexpr int maxStringBytes = 4096;

    State m_state = State::Ground;
    std::array<int, maxParameters> m_parameters {};
    int m_parameterCount = 0;
    bool m_isPrivate = false;
    int m_length = 0;
    TextStyle m_style;
};

} // namespace isol8::ui
