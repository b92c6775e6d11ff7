// SPDX-License-Identifier: MIT
#pragma once

#include <QString>
#include <QTextCursor>

/// What keys do in code, on a cursor alone. Each is one step of undo.
namespace isol8::ui::editing {

struct IndentStyle {
    int width = 4;
    bool isTab = false;

    [[nodiscard]] QString unit() const
    {
        return isTab ? QStringLiteral("\t") : QString(width, u' ');
    }
};

/// Indents the lines of the selection, or inserts up to the next stop.
void indent(QTextCursor& cursor, const IndentStyle& style);
void unindent(QTextCursor& cursor, const IndentStyle& style);
/// A new line with the indentation that fits what is before the cursor.
void breakLine(QTextCursor& cursor, const IndentStyle& style);
/// Types a closing bracket: one that stands alone in its line goes to its opening line's
/// indentation.
void typeClosing(QTextCursor& cursor, QChar bracket);
/// Removes a whole step of indentation before the cursor; false when there is none to remove.
[[nodiscard]] bool eraseIndent(QTextCursor& cursor, const IndentStyle& style);
/// Puts @p marker before every line of the selection, or removes it when all have it.
void toggleComment(QTextCursor& cursor, const QString& marker);

/// How a text indents its lines; @p fallback when it does not say.
[[nodiscard]] IndentStyle detectIndent(const QString& text, const IndentStyle& fallback);

/// The bracket that belongs to the one at @p position; -1 when there is none, or none near.
[[nodiscard]] int matchingBracket(const QTextDocument& document, int position);

} // namespace isol8::ui::editing
