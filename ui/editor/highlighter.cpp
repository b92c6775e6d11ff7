// SPDX-License-Identifier: MIT
#include "ui/editor/highlighter.h"

#include "ui/editor/linedata.h"

#include <KSyntaxHighlighting/Definition>
#include <KSyntaxHighlighting/Format>
#include <KSyntaxHighlighting/Theme>

#include <QScopedValueRollback>
#include <QTextDocument>

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr std::chrono::milliseconds slice { 6 };
/// Rules of a language can take quadratic time; what is longer is data, not code.
constexpr int maxLineLength = 4000;

} // namespace

Highlighter::Highlighter(QTextDocument* document, QObject* parent)
    : QObject(parent)
    , m_document(document)
    , m_blockCount(document->blockCount())
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &Highlighter::work);
    connect(document, &QTextDocument::contentsChange, this, &Highlighter::handleChange);
}

void Highlighter::setDefinition(const KSyntaxHighlighting::Definition& definition)
{
    if (definition == AbstractHighlighter::definition())
        return;
    AbstractHighlighter::setDefinition(definition);
    restart();
}

void Highlighter::setTheme(const KSyntaxHighlighting::Theme& theme)
{
    AbstractHighlighter::setTheme(theme);
    restart();
}

void Highlighter::setEnd(int line)
{
    m_end = line;
    goOn();
}

void Highlighter::restart()
{
    m_next = 0;
    goOn();
}

void Highlighter::goOn()
{
    if (m_next < std::min(m_end, m_document->blockCount()))
        m_timer.start(0);
}

void Highlighter::handleChange(int position, int, int added)
{
    if (m_isApplying)
        return;
    const auto first = m_document->findBlock(position);
    auto last = m_document->findBlock(position + added);
    if (!last.isValid())
        last = m_document->lastBlock();
    const int grown
        = m_document->blockCount() - std::exchange(m_blockCount, m_document->blockCount());
    if (!first.isValid() || first.blockNumber() >= m_next) {
        goOn();
        return;
    }
    // What was done below has moved along with its lines.
    m_next = std::clamp(m_next + grown, first.blockNumber(), m_document->blockCount());
    QElapsedTimer spent;
    spent.start();
    for (auto block = first; block.isValid(); block = block.next()) {
        if (spent.durationElapsed() > slice) {
            m_next = block.blockNumber();
            break;
        }
        const bool isStateNew = highlight(block);
        if (!isStateNew && block.blockNumber() >= last.blockNumber())
            break;
        if (block.blockNumber() >= m_next)
            break;
    }
    Q_EMIT foldingChanged();
    goOn();
}

void Highlighter::work()
{
    QElapsedTimer spent;
    spent.start();
    auto block = m_document->findBlockByNumber(m_next);
    while (block.isValid() && m_next < m_end && spent.durationElapsed() < slice) {
        highlight(block);
        ++m_next;
        block = block.next();
    }
    Q_EMIT foldingChanged();
    goOn();
}

bool Highlighter::highlight(QTextBlock block)
{
    KSyntaxHighlighting::State state;
    if (const auto* before = LineData::of(block.previous()))
        state = before->state;
    m_formats.clear();
    m_regions.clear();
    const auto text = block.text();
    if (definition().isValid() && text.size() <= maxLineLength)
        state = highlightLine(text, state);

    auto& data = LineData::ensure(block);
    const bool isStateNew = data.state != state;
    data.state = state;
    data.regions = m_regions;
    if (block.layout()->formats() != m_formats) {
        const QScopedValueRollback applying(m_isApplying, true);
        block.layout()->setFormats(m_formats);
        m_document->markContentsDirty(block.position(), block.length());
    }
    return isStateNew;
}

void Highlighter::applyFormat(int offset, int length, const KSyntaxHighlighting::Format& format)
{
    if (length == 0 || format.isDefaultTextStyle(theme()))
        return;
    QTextCharFormat look;
    if (format.hasTextColor(theme()))
        look.setForeground(format.textColor(theme()));
    if (format.hasBackgroundColor(theme()))
        look.setBackground(format.backgroundColor(theme()));
    if (format.isBold(theme()))
        look.setFontWeight(QFont::Bold);
    if (format.isItalic(theme()))
        look.setFontItalic(true);
    if (format.isUnderline(theme()))
        look.setFontUnderline(true);
    m_formats.append({ offset, length, look });
}

void Highlighter::applyFolding(int, int, KSyntaxHighlighting::FoldingRegion region)
{
    m_regions.push_back(region);
}

} // namespace isol8::ui
