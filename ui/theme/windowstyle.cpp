// SPDX-License-Identifier: MIT
#include "ui/theme/windowstyle.h"

#include <QPainter>
#include <QStyleOption>

#include <algorithm>

namespace isol8::ui {

namespace {

void drawOutline(QStyle::PrimitiveElement element, const QStyleOption* option, QPainter* painter)
{
    if (element == QStyle::PE_FrameLineEdit && (option->state & QStyle::State_HasFocus))
        return; // It has the accent's.
    // A box is nothing but its outline; a line has its ground and text, too.
    const auto role
        = element == QStyle::PE_IndicatorCheckBox ? QPalette::PlaceholderText : QPalette::Mid;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(option->palette.color(role));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
    painter->restore();
}

} // namespace

WindowStyle::WindowStyle()
    : QProxyStyle(QStringLiteral("Fusion"))
{
}

void WindowStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option,
    QPainter* painter, const QWidget* widget) const
{
    if (element != PE_IndicatorTabClose) {
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        // Fusion outlines with a darker shade of the window, which nobody sees on a dark one.
        if (option->palette.color(QPalette::Window).lightness() < 128
            && (element == PE_IndicatorCheckBox || element == PE_FrameLineEdit))
            drawOutline(element, option, painter);
        return;
    }
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF area(option->rect);
    const double side = std::min(area.width(), area.height());
    if (option->state & State_Raised) { // under the mouse
        auto ground = option->palette.color(QPalette::Mid);
        painter->setPen(Qt::NoPen);
        painter->setBrush(ground);
        painter->drawRoundedRect(area.adjusted(1, 1, -1, -1), 3, 3);
    }
    const bool isQuiet = !(option->state & (State_Selected | State_Raised));
    painter->setPen(QPen(
        option->palette.color(isQuiet ? QPalette::PlaceholderText : QPalette::WindowText), 1.4));
    const double reach = side / 5;
    const auto centre = area.center();
    painter->drawLine(centre + QPointF(-reach, -reach), centre + QPointF(reach, reach));
    painter->drawLine(centre + QPointF(-reach, reach), centre + QPointF(reach, -reach));
    painter->restore();
}

int WindowStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
    QStyleHintReturn* returned) const
{
    if (hint == SH_DialogButtonBox_ButtonsHaveIcons)
        return 0;
    return QProxyStyle::styleHint(hint, option, widget, returned);
}

} // namespace isol8::ui
