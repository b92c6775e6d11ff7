// SPDX-License-Identifier: MIT
#pragma once

#include <KSyntaxHighlighting/FoldingRegion>
#include <KSyntaxHighlighting/State>

#include <QTextBlock>
#include <QTextBlockUserData>

#include <vector>

namespace isol8::ui {

/// What the highlighter knows about a line. Belongs to its block.
struct LineData : QTextBlockUserData {
    KSyntaxHighlighting::State state; ///< At the line's end.
    std::vector<KSyntaxHighlighting::FoldingRegion> regions;
    bool isFolded = false;

    [[nodiscard]] static LineData* of(const QTextBlock& block)
    {
        return static_cast<LineData*>(block.userData());
    }
    [[nodiscard]] static LineData& ensure(QTextBlock block)
    {
        if (!block.userData())
            block.setUserData(new LineData); // The block owns it.
        return *of(block);
    }
};

} // namespace isol8::ui
