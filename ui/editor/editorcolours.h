// SPDX-License-Identifier: MIT
#pragma once

#include <KSyntaxHighlighting/Theme>

#include <QColor>

namespace isol8::ui {

/// The colours of an editor beside those of its text.
struct EditorColours {
    QColor ground;
    QColor text;
    QColor selection;
    QColor currentLine;
    QColor lineNumber;
    QColor currentLineNumber;
    QColor gutter;
    QColor bracketMatch;
    QColor searchMatch;
    QColor guide;
    QColor whiteSpace;

    [[nodiscard]] static EditorColours of(const KSyntaxHighlighting::Theme& theme)
    {
        using Role = KSyntaxHighlighting::Theme;
        const auto colour = [&theme](KSyntaxHighlighting::Theme::EditorColorRole role) {
            return QColor::fromRgba(theme.editorColor(role));
        };
        return { colour(Role::BackgroundColor), QColor::fromRgba(theme.textColor(Role::Normal)),
            colour(Role::TextSelection), colour(Role::CurrentLine), colour(Role::LineNumbers),
            colour(Role::CurrentLineNumber), colour(Role::IconBorder),
            colour(Role::BracketMatching), colour(Role::SearchHighlight),
            colour(Role::IndentationLine), colour(Role::TabMarker) };
    }
};

} // namespace isol8::ui
