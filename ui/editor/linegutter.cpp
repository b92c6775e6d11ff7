// SPDX-License-Identifier: MIT
#include "ui/editor/linegutter.h"

#include "ui/editor/codeeditor.h"
#include "ui/editor/folding.h"

#include <QApplication>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

namespace isol8::ui {

namespace {
constexpr int sidePadding = 8;
constexpr int fewestDigits = 3;
} // namespace

LineGutter::LineGutter(CodeEditor* editor)
    : QWidget(editor)
    , m_editor(editor)
{
    setFocusPolicy(Qt::NoFocus);
    setAccessibleName(tr("Line numbers"));
}

int LineGutter::foldWidth() const
{
    return m_editor->fontMetrics().height();
}

QSize LineGutter::sizeHint() const
{
    const auto digits
        = std::max<qsizetype>(fewestDigits, QString::number(m_editor->numberedLines()).size());
    const int number = m_editor->fontMetrics().horizontalAdvance(QChar(u'9')) * int(digits);
    return { number + sidePadding + foldWidth(), 0 };
}

void LineGutter::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(m_editor->font());
    const auto& colours = m_editor->colours();
    painter.fillRect(event->rect(), colours.gutter);
    const int current = m_editor->textCursor().blockNumber();
    const int fold = foldWidth();
    m_editor->forEachVisibleBlock([&](const QTextBlock& block, const QRectF& area) {
        if (area.bottom() < event->rect().top() || area.top() > event->rect().bottom())
            return;
        const bool isCurrent = block.blockNumber() == current;
        painter.setPen(isCurrent ? colours.currentLineNumber : colours.lineNumber);
        const int height = m_editor->fontMetrics().height();
        painter.drawText(QRectF(0, area.top(), width() - fold, height),
            Qt::AlignRight | Qt::AlignVCenter, QString::number(block.blockNumber() + 1));
        if (!folding::canFold(block, m_editor->foldStyle()))
            return;
        QPainterPath mark;
        const double size = fold / 5.0;
        const QPointF centre(width() - fold / 2.0, area.top() + height / 2.0);
        if (folding::isFolded(block)) {
            mark.moveTo(centre + QPointF(-size / 2, -size));
            mark.lineTo(centre + QPointF(size / 2, 0));
            mark.lineTo(centre + QPointF(-size / 2, size));
        } else {
            mark.moveTo(centre + QPointF(-size, -size / 2));
            mark.lineTo(centre + QPointF(0, size / 2));
            mark.lineTo(centre + QPointF(size, -size / 2));
        }
        painter.setPen(QPen(colours.lineNumber, 1.4));
        painter.drawPath(mark);
    });
}

void LineGutter::mousePressEvent(QMouseEvent* event)
{
    const auto block = m_editor->blockAt(int(event->position().y()));
    if (!block.isValid())
        return;
    const bool isOnMark = event->position().x() > width() - foldWidth();
    if (isOnMark && folding::canFold(block, m_editor->foldStyle())) {
        m_editor->toggleFold(block);
        return;
    }
    QTextCursor cursor(block);
    cursor.movePosition(QTextCursor::NextBlock, QTextCursor::KeepAnchor);
    m_editor->setTextCursor(cursor);
}

void LineGutter::wheelEvent(QWheelEvent* event)
{
    QApplication::sendEvent(m_editor->viewport(), event);
}

} // namespace isol8::ui
