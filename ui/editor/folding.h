// SPDX-License-Identifier: MIT
#pragma once

#include <QTextBlock>

class QPlainTextEdit;

/// Folding of lines, by the highlighter's regions or by indentation where the language has no
/// braces.
namespace isol8::ui::folding {

enum class Style { Regions, Indentation };

/// The last line of what folds below @p block; invalid when nothing does.
[[nodiscard]] QTextBlock foldEnd(const QTextBlock& block, Style style);
[[nodiscard]] bool canFold(const QTextBlock& block, Style style);
[[nodiscard]] bool isFolded(const QTextBlock& block);

void fold(const QTextBlock& block, Style style);
void unfold(const QTextBlock& block, Style style);
void toggle(const QTextBlock& block, Style style);
void foldAll(QTextDocument& document, Style style);
void unfoldAll(QTextDocument& document);
/// Unfolds what hides @p block.
void reveal(const QTextBlock& block, Style style);

} // namespace isol8::ui::folding
