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
        const auto ground = colour(Role::BackgroundColor);
        const auto text = QColor::fromRgba(theme.textColor(Role::Normal));
        /// Themes draw these too faint or too strong.
        const auto blended = [&ground, &text](double share) {
            const auto mix = [share](int a, int b) { return int(a * share + b * (1 - share)); };
            return QColor(mix(text.red(), ground.red()), mix(text.green(), ground.green()),
                mix(text.blue(), ground.blue()));
        };
        return { ground, text, colour(Role::TextSelection), colour(Role::CurrentLine),
            blended(0.55), colour(Role::CurrentLineNumber), colour(Role::IconBorder),
            colour(Role::BracketMatching), colour(Role::SearchHighlight), blended(0.15),
            colour(Role::TabMarker) };
    }
};

} // namespace isol8::ui
