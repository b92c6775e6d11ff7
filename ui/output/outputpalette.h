// SPDX-License-Identifier: MIT
#pragma once

#include "ui/output/outputbuffer.h"

#include <QColor>
#include <QPalette>
#include <QTextCharFormat>

namespace isol8::ui {

/// The colours of output on a given background, readable on light and dark ones.
class OutputPalette {
public:
    explicit OutputPalette(const QPalette& palette);

    [[nodiscard]] QTextCharFormat format(const TextStyle& style) const;
    /// Of a line's margin and ground.
    [[nodiscard]] QColor marginColour(OutputLine::Source source) const;
    [[nodiscard]] QColor groundColour(OutputLine::Source source) const;
    [[nodiscard]] QColor textColour(OutputLine::Source source) const;

private:
    [[nodiscard]] QColor colour(const TextColour& named, const QColor& fallback) const;

    bool m_isDark;
    QColor m_base;
    QColor m_text;
    QColor m_muted;
};

} // namespace isol8::ui
