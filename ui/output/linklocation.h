// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <optional>

namespace isol8::ui {

/// A place in a source file that a line of output names.
struct LinkLocation {
    qsizetype begin = 0; ///< Of the line's text.
    qsizetype length = 0;
    QString path; ///< As the program knows it, for example `/sandbox/main.py`.
    int line = 0; ///< From 1.
    int column = 0; ///< From 1; 0: not told.

    bool operator==(const LinkLocation&) const = default;
};

/// The place that @p text names, as Python, Node, Bun, Deno and Bash write it in tracebacks and
/// messages. Linear in the text's length.
[[nodiscard]] std::optional<LinkLocation> findLink(const QString& text);

} // namespace isol8::ui
