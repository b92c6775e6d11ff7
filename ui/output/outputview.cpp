// SPDX-License-Identifier: MIT
#include "ui/output/outputview.h"

#include "ui/output/outputaccessible.h"

#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QTextOption>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int updateInterval = 16; // ms: no more often than a screen shows
constexpr int dragInterval = 40; // ms
constexpr qsizetype maxCachedLines = 600;
constexpr qsizetype maxCopiedCharacters = 64LL << 20;
constexpr int textIndent = 6;
constexpr int barWidth = 3;
constexpr int tabColumns = 8;

} // namespace

OutputView::OutputView(QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_palette(palette())
{
    installOutputAccessibility();
    setObjectName(u"outputView"_s);
    setAccessibleName(tr("Output"));
    setAccessibleDescription(tr("What the program has printed"));
    setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    setFocusPolicy(Qt::StrongFocus);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
    viewport()->setCursor(Qt::IBeamCursor);
    viewport()->setMouseTracking(true);
}

OutputView::~OutputView() = default;

void OutputView::append(Channel channel, const QByteArray& bytes)
{
    m_buffer.append(channel, bytes);
    scheduleUpdate();
}

void OutputView::appendNote(const QString& text)
{
    m_buffer.appendNote(text);
    scheduleUpdate();
}

void OutputView::clear()
{
    m_buffer.clear();
    m_cache.clear();
    m_contentWidth = 0;
    select({});
    setFollowing(true);
    updateScrollBars();
    viewport()->update();
}

void OutputView::scheduleUpdate()
{
    if (!m_updateTimer.isActive())
        m_updateTimer.start(updateInterval, this);
}

void OutputView::timerEvent(QTimerEvent* event)
{
    if (event->timerId() == m_updateTimer.timerId()) {
        m_updateTimer.stop();
        updateScrollBars();
        viewport()->update();
    } else if (event->timerId() == m_dragTimer.timerId()) {
        scrollAside(viewport()->mapFromGlobal(QCursor::pos()));
    } else {
        QAbstractScrollArea::timerEvent(event);
    }
}

int OutputView::lineHeight() const
{
    return fontMetrics().lineSpacing();
}

int OutputView::visibleLines() const
{
    return std::max(1, viewport()->height() / lineHeight());
}

int OutputView::marginWidth() const
{
    return barWidth + fontMetrics().horizontalAdvance(u'!') + textIndent * 2;
}

qint64 OutputView::topLine() const
{
    return m_scrolledFirst + verticalScrollBar()->value();
}

void OutputView::updateScrollBars()
{
    m_isUpdatingBars = true;
    auto* bar = verticalScrollBar();
    const auto lines = m_buffer.endLine() - m_buffer.firstLine();
    const auto top = topLine();
    m_scrolledFirst = m_buffer.firstLine();
    bar->setPageStep(visibleLines());
    bar->setRange(0, int(std::max<qint64>(0, lines - visibleLines())));
    bar->setValue(m_isFollowing ? bar->maximum() : int(std::max<qint64>(0, top - m_scrolledFirst)));
    auto* across = horizontalScrollBar();
    across->setPageStep(viewport()->width());
    across->setSingleStep(fontMetrics().averageCharWidth() * 4);
    across->setRange(0, std::max(0, m_contentWidth + marginWidth() - viewport()->width()));
    m_isUpdatingBars = false;
}

void OutputView::scrollContentsBy(int, int)
{
    if (!m_isUpdatingBars)
        setFollowing(verticalScrollBar()->value() == verticalScrollBar()->maximum());
    viewport()->update();
}

void OutputView::setFollowing(bool isFollowing)
{
    if (m_isFollowing == isFollowing)
        return;
    m_isFollowing = isFollowing;
    if (isFollowing)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
    Q_EMIT followingChanged(isFollowing);
}

void OutputView::resizeEvent(QResizeEvent* event)
{
    QAbstractScrollArea::resizeEvent(event);
    updateScrollBars();
}

void OutputView::changeEvent(QEvent* event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::StyleChange) {
        m_palette = OutputPalette(palette());
        m_cache.clear();
        m_contentWidth = 0;
        updateScrollBars();
        viewport()->update();
    }
}

std::shared_ptr<OutputView::ShownLine> OutputView::layOut(qint64 number) const
{
    auto shown = std::make_shared<ShownLine>();
    shown->line = m_buffer.line(number);
    shown->link = findLink(shown->line.text);
    const auto& line = shown->line;
    shown->layout = std::make_unique<QTextLayout>(line.text, font());
    QTextOption option;
    option.setWrapMode(QTextOption::NoWrap);
    option.setTextDirection(Qt::LeftToRight);
    option.setTabStopDistance(fontMetrics().horizontalAdvance(u' ') * tabColumns);
    shown->layout->setTextOption(option);

    QList<QTextLayout::FormatRange> formats;
    for (qsizetype i = 0; i < line.spans.size(); ++i) {
        const auto begin = line.spans[i].begin;
        const auto end = i + 1 < line.spans.size() ? line.spans[i + 1].begin : line.text.size();
        if (line.spans[i].style != TextStyle())
            formats.append({ int(begin), int(end - begin), m_palette.format(line.spans[i].style) });
    }
    if (shown->link) {
        QTextCharFormat format;
        format.setFontUnderline(true);
        format.setForeground(palette().link());
        formats.append({ int(shown->link->begin), int(shown->link->length), format });
    }
    shown->layout->setFormats(formats);
    shown->layout->beginLayout();
    auto textLine = shown->layout->createLine();
    if (textLine.isValid()) {
        textLine.setLineWidth(std::numeric_limits<int>::max() / 256);
        textLine.setPosition({ 0, 0 });
    }
    shown->layout->endLayout();
    return shown;
}

std::shared_ptr<OutputView::ShownLine> OutputView::shownLine(qint64 number) const
{
    if (const auto found = m_cache.constFind(number); found != m_cache.constEnd())
        return *found;
    auto shown = layOut(number);
    if (number < m_buffer.unfinishedLine()) { // Those after it still change.
        if (m_cache.size() > maxCachedLines)
            m_cache.clear();
        m_cache.insert(number, shown);
    }
    return shown;
}

void OutputView::paintEvent(QPaintEvent*)
{
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), palette().base());
    const int height = lineHeight();
    const auto first = std::max(topLine(), m_buffer.firstLine());
    int top = 0;
    for (auto number = first; number < m_buffer.endLine() && top < viewport()->height(); ++number) {
        paintLine(painter, number, top);
        top += height;
    }
    if (hasFocus() && m_buffer.endLine() == m_buffer.firstLine()) {
        painter.setPen(palette().color(QPalette::PlaceholderText));
        painter.drawText(marginWidth(), fontMetrics().ascent(), tr("No output yet"));
    }
}

void OutputView::paintLine(QPainter& painter, qint64 number, int top) const
{
    const auto shown = shownLine(number);
    const auto source = shown->line.source;
    const int height = lineHeight();
    const QRect row(0, top, viewport()->width(), height);
    painter.fillRect(row, m_palette.groundColour(source));

    QList<QTextLayout::FormatRange> selected;
    if (hasSelection() && number >= m_selection.begin().line && number <= m_selection.end().line) {
        const auto from = number == m_selection.begin().line ? m_selection.begin().column : 0;
        const auto to
            = number == m_selection.end().line ? m_selection.end().column : shown->line.text.size();
        QTextCharFormat format;
        format.setBackground(palette().highlight());
        format.setForeground(palette().highlightedText());
        selected.append({ int(from), int(to - from), format });
    }
    const int left = marginWidth() - horizontalScrollBar()->value();
    painter.setPen(m_palette.textColour(source));
    shown->layout->draw(&painter, QPointF(left, top), selected);

    const QRect margin(0, top, marginWidth() - textIndent, height);
    painter.fillRect(margin, m_palette.groundColour(source));
    painter.fillRect(QRect(0, top, barWidth, height), m_palette.marginColour(source));
    if (source != OutputLine::Source::Stdout) {
        painter.setPen(m_palette.marginColour(source));
        painter.drawText(margin.adjusted(barWidth + textIndent / 2, 0, 0, 0),
            Qt::AlignLeft | Qt::AlignVCenter,
            source == OutputLine::Source::Stderr ? u"!"_s : u"›"_s);
    }
    const int width = shown->layout->lineCount() > 0
        ? int(shown->layout->lineAt(0).naturalTextWidth()) + textIndent
        : 0;
    if (width > m_contentWidth) {
        auto* self = const_cast<OutputView*>(this);
        self->m_contentWidth = width;
        self->scheduleUpdate();
    }
}

QRect OutputView::lineRect(qint64 number) const
{
    const auto row = number - topLine();
    if (row < 0 || row > visibleLines() || number >= m_buffer.endLine())
        return {};
    return { 0, int(row) * lineHeight(), viewport()->width(), lineHeight() };
}

OutputPosition OutputView::positionAt(QPoint point) const
{
    const auto last = std::max(m_buffer.firstLine(), m_buffer.endLine() - 1);
    const auto number = std::clamp(
        topLine() + (point.y() >= 0 ? point.y() / lineHeight() : -1), m_buffer.firstLine(), last);
    const auto shown = shownLine(number);
    if (shown->layout->lineCount() == 0)
        return { number, 0 };
    const auto x = point.x() - marginWidth() + horizontalScrollBar()->value();
    return { number, shown->layout->lineAt(0).xToCursor(x) };
}

const LinkLocation* OutputView::linkAt(QPoint point) const
{
    const auto number = topLine() + point.y() / lineHeight();
    if (number < m_buffer.firstLine() || number >= m_buffer.endLine())
        return nullptr;
    m_hovered = shownLine(number);
    if (!m_hovered->link || m_hovered->layout->lineCount() == 0)
        return nullptr;
    const auto& link = *m_hovered->link;
    const auto line = m_hovered->layout->lineAt(0);
    const auto x = point.x() - marginWidth() + horizontalScrollBar()->value();
    const bool isInside = x >= line.cursorToX(int(link.begin))
        && x <= line.cursorToX(int(link.begin + link.length));
    return isInside ? &link : nullptr;
}

void OutputView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    const auto position = positionAt(event->position().toPoint());
    const bool isExtending = event->modifiers() & Qt::ShiftModifier;
    select({ isExtending ? m_selection.anchor : position, position });
    m_isSelecting = true;
    m_dragTimer.start(dragInterval, this);
}

void OutputView::mouseMoveEvent(QMouseEvent* event)
{
    const auto point = event->position().toPoint();
    if (m_isSelecting)
        select({ m_selection.anchor, positionAt(point) });
    else
        viewport()->setCursor(linkAt(point) ? Qt::PointingHandCursor : Qt::IBeamCursor);
}

void OutputView::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_isSelecting = false;
    m_dragTimer.stop();
    const auto* link = linkAt(event->position().toPoint());
    if (link && m_selection.isEmpty())
        Q_EMIT linkActivated(LinkLocation(*link));
}

void OutputView::mouseDoubleClickEvent(QMouseEvent* event)
{
    const auto position = positionAt(event->position().toPoint());
    const auto text = m_buffer.line(position.line).text;
    const auto isWord = [&text](qsizetype at) {
        return at >= 0 && at < text.size() && (text[at].isLetterOrNumber() || text[at] == u'_');
    };
    auto begin = position.column;
    auto end = position.column;
    while (isWord(begin - 1))
        --begin;
    while (isWord(end))
        ++end;
    select({ { position.line, begin }, { position.line, end } });
}

/// Scrolls while the mouse selects beyond an edge.
void OutputView::scrollAside(QPoint point)
{
    const int beyond = point.y() < 0 ? point.y() : std::max(0, point.y() - viewport()->height());
    if (beyond == 0)
        return;
    verticalScrollBar()->setValue(
        verticalScrollBar()->value() + (beyond < 0 ? -1 : 1) * (1 + std::abs(beyond) / 20));
    select({ m_selection.anchor, positionAt(point) });
}

void OutputView::keyPressEvent(QKeyEvent* event)
{
    auto* bar = verticalScrollBar();
    if (event->matches(QKeySequence::Copy))
        copy();
    else if (event->matches(QKeySequence::SelectAll))
        selectAll();
    else if (event->key() == Qt::Key_Home)
        bar->setValue(0);
    else if (event->key() == Qt::Key_End)
        setFollowing(true);
    else if (event->key() == Qt::Key_PageUp)
        bar->triggerAction(QAbstractSlider::SliderPageStepSub);
    else if (event->key() == Qt::Key_PageDown)
        bar->triggerAction(QAbstractSlider::SliderPageStepAdd);
    else if (event->key() == Qt::Key_Up)
        bar->triggerAction(QAbstractSlider::SliderSingleStepSub);
    else if (event->key() == Qt::Key_Down)
        bar->triggerAction(QAbstractSlider::SliderSingleStepAdd);
    else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && hasSelection()) {
        if (const auto link = findLink(m_buffer.line(m_selection.begin().line).text))
            Q_EMIT linkActivated(*link);
    } else
        QAbstractScrollArea::keyPressEvent(event);
}

void OutputView::select(const OutputSelection& selection)
{
    if (m_selection.anchor == selection.anchor && m_selection.position == selection.position)
        return;
    m_selection = selection;
    viewport()->update();
    Q_EMIT selectionChanged();
}

void OutputView::reveal(const OutputPosition& position)
{
    updateScrollBars();
    const auto row = position.line - topLine();
    if (row < 0 || row >= visibleLines()) {
        setFollowing(false);
        verticalScrollBar()->setValue(
            int(position.line - m_buffer.firstLine()) - visibleLines() / 2);
    }
    const auto shown = shownLine(position.line);
    if (shown->layout->lineCount() == 0)
        return;
    const auto x = int(shown->layout->lineAt(0).cursorToX(int(position.column)));
    auto* across = horizontalScrollBar();
    const int width = viewport()->width() - marginWidth();
    if (x < across->value() || x > across->value() + width)
        across->setValue(x - width / 2);
}

QString OutputView::selectedText() const
{
    return ui::selectedText(m_buffer, m_selection, maxCopiedCharacters);
}

void OutputView::selectAll()
{
    select(wholeOutput(m_buffer));
}

void OutputView::copy()
{
    if (hasSelection())
        QApplication::clipboard()->setText(selectedText());
}

QString OutputView::visibleText() const
{
    QString text;
    const auto first = std::max(topLine(), m_buffer.firstLine());
    for (auto number = first; number < std::min(first + visibleLines(), m_buffer.endLine());
        ++number) {
        const auto line = m_buffer.line(number);
        text += (line.source == OutputLine::Source::Stderr ? u"! "_s : QString()) + line.text
            + u'\n';
    }
    return text;
}

QString OutputView::text() const
{
    return ui::selectedText(m_buffer, wholeOutput(m_buffer), maxCopiedCharacters);
}

bool OutputView::find(const QString& text, SearchDirection direction)
{
    const auto found = findOutput(m_buffer, text, m_selection, direction);
    if (found.isEmpty())
        return false;
    select(found);
    reveal(found.end());
    return true;
}

bool OutputView::goToLink(SearchDirection direction)
{
    const int step = direction == SearchDirection::Forward ? 1 : -1;
    auto number = hasSelection() ? m_selection.begin().line + step
        : step > 0               ? m_buffer.firstLine()
                                 : m_buffer.endLine() - 1;
    for (; number >= m_buffer.firstLine() && number < m_buffer.endLine(); number += step) {
        const auto link = findLink(m_buffer.line(number).text);
        if (!link)
            continue;
        select({ { number, link->begin }, { number, link->begin + link->length } });
        reveal({ number, link->begin });
        Q_EMIT linkActivated(*link);
        return true;
    }
    return false;
}

} // namespace isol8::ui
