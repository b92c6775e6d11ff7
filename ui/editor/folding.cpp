// SPDX-License-Identifier: MIT
#include "ui/editor/folding.h"

#include "ui/editor/linedata.h"

#include <QPlainTextDocumentLayout>
#include <QTextDocument>

namespace isol8::ui::folding {

namespace {

using KSyntaxHighlighting::FoldingRegion;

bool isBlank(const QTextBlock& block)
{
    return block.text().trimmed().isEmpty();
}

int indentation(const QTextBlock& block)
{
    int width = 0;
    for (const auto character : block.text()) {
        if (character == u'\t')
            width = (width / 8 + 1) * 8;
        else if (character == u' ')
            ++width;
        else
            break;
    }
    return width;
}

/// The region that a line opens and does not close itself.
FoldingRegion openedRegion(const QTextBlock& block)
{
    const auto* data = LineData::of(block);
    if (!data)
        return {};
    for (auto i = data->regions.size(); i-- > 0;) {
        const auto& region = data->regions[i];
        if (region.type() != FoldingRegion::Begin)
            continue;
        int depth = 0;
        for (auto j = i; j < data->regions.size(); ++j) {
            if (data->regions[j].id() == region.id())
                depth += data->regions[j].type() == FoldingRegion::Begin ? 1 : -1;
        }
        if (depth > 0)
            return region;
    }
    return {};
}

QTextBlock regionEnd(const QTextBlock& block)
{
    const auto opened = openedRegion(block);
    if (opened.type() != FoldingRegion::Begin)
        return {};
    int depth = 1;
    for (auto at = block.next(); at.isValid(); at = at.next()) {
        const auto* data = LineData::of(at);
        if (!data)
            break;
        for (const auto& region : data->regions) {
            if (region.id() != opened.id())
                continue;
            depth += region.type() == FoldingRegion::Begin ? 1 : -1;
            if (depth == 0) // The closing line stays in sight.
                return at.blockNumber() > block.blockNumber() + 1 ? at.previous() : QTextBlock();
        }
    }
    return block.document()->lastBlock();
}

QTextBlock indentationEnd(const QTextBlock& block)
{
    if (isBlank(block))
        return {};
    const int own = indentation(block);
    QTextBlock end;
    for (auto at = block.next(); at.isValid(); at = at.next()) {
        if (isBlank(at))
            continue;
        if (indentation(at) <= own)
            break;
        end = at;
    }
    return end;
}

void setVisible(const QTextBlock& first, const QTextBlock& last, bool isVisible)
{
    for (auto block = first; block.isValid(); block = block.next()) {
        block.setVisible(isVisible);
        block.setLineCount(isVisible ? std::max(1, block.layout()->lineCount()) : 0);
        if (block == last)
            break;
    }
    // Blocks name their document as constant, whoever asks.
    auto* document = const_cast<QTextDocument*>(first.document());
    document->markContentsDirty(
        first.position(), last.position() + last.length() - first.position());
    if (auto* layout = qobject_cast<QPlainTextDocumentLayout*>(document->documentLayout()))
        Q_EMIT layout->documentSizeChanged(layout->documentSize());
}

} // namespace

QTextBlock foldEnd(const QTextBlock& block, Style style)
{
    return style == Style::Regions ? regionEnd(block) : indentationEnd(block);
}

bool canFold(const QTextBlock& block, Style style)
{
    if (style == Style::Regions)
        return openedRegion(block).type() == FoldingRegion::Begin;
    if (isBlank(block))
        return false;
    auto next = block.next();
    while (next.isValid() && isBlank(next))
        next = next.next();
    return next.isValid() && indentation(next) > indentation(block);
}

bool isFolded(const QTextBlock& block)
{
    const auto* data = LineData::of(block);
    return data && data->isFolded && block.next().isValid() && !block.next().isVisible();
}

void fold(const QTextBlock& block, Style style)
{
    const auto end = foldEnd(block, style);
    if (!end.isValid() || end == block)
        return;
    LineData::ensure(block).isFolded = true;
    setVisible(block.next(), end, false);
}

void unfold(const QTextBlock& block, Style style)
{
    const auto end = foldEnd(block, style);
    LineData::ensure(block).isFolded = false;
    // Also when the edit made the region another one: everything hidden below comes back.
    auto last = end.isValid() ? end : block;
    while (last.next().isValid() && !last.next().isVisible())
        last = last.next();
    if (last == block)
        return;
    setVisible(block.next(), last, true);
    for (auto inner = block.next(); inner.isValid() && inner.blockNumber() <= last.blockNumber();
        inner = inner.next()) {
        if (LineData::of(inner) && LineData::of(inner)->isFolded) {
            fold(inner, style);
            while (inner.next().isValid() && !inner.next().isVisible())
                inner = inner.next();
        }
    }
}

void toggle(const QTextBlock& block, Style style)
{
    if (isFolded(block))
        unfold(block, style);
    else
        fold(block, style);
}

void foldAll(QTextDocument& document, Style style)
{
    for (auto block = document.firstBlock(); block.isValid(); block = block.next()) {
        if (block.isVisible() && canFold(block, style))
            fold(block, style);
    }
}

void unfoldAll(QTextDocument& document)
{
    for (auto block = document.firstBlock(); block.isValid(); block = block.next()) {
        if (auto* data = LineData::of(block))
            data->isFolded = false;
    }
    setVisible(document.firstBlock(), document.lastBlock(), true);
}

void reveal(const QTextBlock& block, Style style)
{
    while (!block.isVisible()) {
        auto head = block.previous();
        while (head.isValid() && !head.isVisible())
            head = head.previous();
        if (!head.isValid())
            break;
        unfold(head, style);
    }
    if (!block.isVisible())
        setVisible(block, block, true);
}

} // namespace isol8::ui::folding
