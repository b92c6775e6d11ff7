// SPDX-License-Identifier: MIT
#pragma once

#include "ui/output/outputbuffer.h"

namespace isol8::ui {

/// A place in the output: between two characters of a line.
struct OutputPosition {
    qint64 line = 0;
    qsizetype column = 0;

    auto operator<=>(const OutputPosition&) const = default;
};

/// From where the selection began to where it is now.
struct OutputSelection {
    OutputPosition anchor;
    OutputPosition position;

    [[nodiscard]] bool isEmpty() const { return anchor == position; }
    [[nodiscard]] OutputPosition begin() const { return std::min(anchor, position); }
    [[nodiscard]] OutputPosition end() const { return std::max(anchor, position); }
};

/// The text of @p selection; lines that only continue are joined. At most @p maxCharacters.
[[nodiscard]] QString selectedText(
    const OutputBuffer& buffer, const OutputSelection& selection, qsizetype maxCharacters);

/// Everything, for selecting it all.
[[nodiscard]] OutputSelection wholeOutput(const OutputBuffer& buffer);

enum class SearchDirection { Forward, Backward };

/// The next place of @p text, ignoring case, from @p from on; it goes round at the end. Empty when
/// there is none.
[[nodiscard]] OutputSelection findOutput(const OutputBuffer& buffer, const QString& text,
    const OutputSelection& from, SearchDirection direction);

} // namespace isol8::ui
