// SPDX-License-Identifier: MIT
#pragma once

#include <QtTypes>

namespace isol8::ui {

/// A colour as SGR sequences name it.
struct TextColour {
    enum class Kind : quint8 { Default, Palette, Rgb };
    Kind kind = Kind::Default;
    quint32 value = 0; ///< 0 to 255 of the palette, or 0xRRGGBB.

    bool operator==(const TextColour&) const = default;
};

/// How a piece of output looks.
struct TextStyle {
    enum Attribute : quint8 {
        Bold = 1,
        Faint = 2,
        Italic = 4,
        Underline = 8,
        Inverse = 16,
        StruckOut = 32,
        Concealed = 64,
    };
    TextColour foreground;
    TextColour background;
    quint8 attributes = 0;

    bool operator==(const TextStyle&) const = default;
};

} // namespace isol8::ui
