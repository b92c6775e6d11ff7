// SPDX-License-Identifier: MIT
#include "ui/output/outputpalette.h"

#include <array>

namespace isol8::ui {

namespace {

// Chosen for a contrast of at least 4.5 against the usual light and dark grounds.
constexpr std::array<QRgb, 16> onLight { 0x24292f, 0xb3261e, 0x116329, 0x7a4d00, 0x0550ae, 0x8250df,
    0x0b6a75, 0x57606a, 0x57606a, 0xcf222e, 0x1a7f37, 0x8a5a00, 0x0969da, 0x9a3fd6, 0x0e7c88,
    0x6e7781 };
constexpr std::array<QRgb, 16> onDark { 0x8b949e, 0xff7b72, 0x56d364, 0xe3b341, 0x79c0ff, 0xd2a8ff,
    0x56d4dd, 0xc9d1d9, 0x8b949e, 0xffa198, 0x7ee787, 0xf2cc60, 0xa5d6ff, 0xe2c5ff, 0x8ce6ee,
    0xffffff };

QColor blended(const QColor& over, const QColor& under, double share)
{
    const auto mix = [share](int a, int b) { return int(a * share + b * (1 - share)); };
    return QColor(mix(over.red(), under.red()), mix(over.green(), under.green()),
        mix(over.blue(), under.blue()));
}

QColor cube(quint32 index)
{
    if (index >= 232) {
        const int grey = int(index - 232) * 10 + 8;
        return QColor(grey, grey, grey);
    }
    const auto level = [](quint32 step) { return step == 0 ? 0 : int(step) * 40 + 55; };
    const auto offset = index - 16;
    return QColor(level(offset / 36), level(offset / 6 % 6), level(offset % 6));
}

} // namespace

OutputPalette::OutputPalette(const QPalette& palette)
    : m_isDark(palette.color(QPalette::Base).lightness() < 128)
    , m_base(palette.color(QPalette::Base))
    , m_text(palette.color(QPalette::Text))
    , m_muted(blended(m_text, m_base, 0.65))
{
}

QColor OutputPalette::colour(const TextColour& named, const QColor& fallback) const
{
    switch (named.kind) {
    case TextColour::Kind::Default:
        return fallback;
    case TextColour::Kind::Rgb:
        return QColor::fromRgb(named.value);
    case TextColour::Kind::Palette:
        if (named.value < 16)
            return QColor::fromRgb((m_isDark ? onDark : onLight)[named.value]);
        return cube(named.value);
    }
    return fallback;
}

QTextCharFormat OutputPalette::format(const TextStyle& style) const
{
    auto front = colour(style.foreground, m_text);
    auto back = colour(style.background, m_base);
    if (style.attributes & TextStyle::Inverse)
        std::swap(front, back);
    if (style.attributes & TextStyle::Faint)
        front = blended(front, back, 0.6);
    if (style.attributes & TextStyle::Concealed)
        front = back;
    QTextCharFormat format;
    format.setForeground(front);
    if (back != m_base)
        format.setBackground(back);
    if (style.attributes & TextStyle::Bold)
        format.setFontWeight(QFont::Bold);
    format.setFontItalic(style.attributes & TextStyle::Italic);
    format.setFontUnderline(style.attributes & TextStyle::Underline);
    format.setFontStrikeOut(style.attributes & TextStyle::StruckOut);
    return format;
}

QColor OutputPalette::marginColour(OutputLine::Source source) const
{
    switch (source) {
    case OutputLine::Source::Stdout:
        return blended(m_text, m_base, 0.12);
    case OutputLine::Source::Stderr:
        return QColor::fromRgb((m_isDark ? onDark : onLight)[1]);
    case OutputLine::Source::Note:
        return QColor::fromRgb((m_isDark ? onDark : onLight)[4]);
    }
    return m_muted;
}

QColor OutputPalette::groundColour(OutputLine::Source source) const
{
    if (source == OutputLine::Source::Stderr)
        return blended(marginColour(source), m_base, 0.08);
    return m_base;
}

QColor OutputPalette::textColour(OutputLine::Source source) const
{
    return source == OutputLine::Source::Note ? m_muted : m_text;
}

} // namespace isol8::ui
