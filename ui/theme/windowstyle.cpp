// SPDX-License-Identifier: MIT
#include "ui/theme/windowstyle.h"

#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QStyleOption>
#include <QTabWidget>

#include <algorithm>

namespace isol8::ui {

namespace {

bool isDark(const QStyleOption* option)
{
    return option->palette.color(QPalette::Window).lightness() < 128;
}

/// Fusion outlines with a darker shade of the window, which nobody sees on a dark one.
void drawOutline(
    const QStyleOption* option, QPainter* painter, QPalette::ColorRole role, double radius)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(option->palette.color(role));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
    painter->restore();
}

/// What the buttons of a dock show, in the colour that text has at the moment. (Fusion has pictures
/// of dark grey.)
class DockButton : public QIconEngine {
public:
    explicit DockButton(QStyle::StandardPixmap shape)
        : m_shape(shape)
    {
    }

    void paint(QPainter* painter, const QRect& area, QIcon::Mode, QIcon::State) override
    {
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(QGuiApplication::palette().color(QPalette::PlaceholderText), 1.2));
        const double reach = std::min(area.width(), area.height()) * 0.28;
        const auto centre = QRectF(area).center();
        if (m_shape == QStyle::SP_TitleBarCloseButton) {
            painter->drawLine(centre + QPointF(-reach, -reach), centre + QPointF(reach, reach));
            painter->drawLine(centre + QPointF(-reach, reach), centre + QPointF(reach, -reach));
        } else { // One window before another.
            const double side = reach * 1.4;
            painter->drawRect(QRectF(centre + QPointF(-reach, reach - side), QSizeF(side, side)));
            painter->drawPolyline(QPolygonF { centre + QPointF(reach - side, -reach),
                centre + QPointF(reach, -reach), centre + QPointF(reach, side - reach) });
        }
        painter->restore();
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap drawn(size);
        drawn.fill(Qt::transparent);
        QPainter painter(&drawn);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return drawn;
    }

    [[nodiscard]] QIconEngine* clone() const override { return new DockButton(*this); }

private:
    QStyle::StandardPixmap m_shape;
};

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
        if (!isDark(option))
            return;
        // A box is nothing but its outline; a line has its ground and text, too.
        if (element == PE_IndicatorCheckBox)
            drawOutline(option, painter, QPalette::PlaceholderText, 2);
        else if (element == PE_FrameLineEdit && !(option->state & State_HasFocus))
            drawOutline(option, painter, QPalette::Mid, 2); // Else it has the accent's.
        else if (element == PE_Frame)
            drawOutline(option, painter, QPalette::Mid, 0);
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

void WindowStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
    const QWidget* widget) const
{
    const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option);
    if (element != CE_TabBarTabLabel || !tab || (tab->state & State_Selected)) {
        QProxyStyle::drawControl(element, option, painter, widget);
        return;
    }
    // Two pixels of height do not tell which tab is in front.
    auto quiet = *tab;
    quiet.palette.setColor(QPalette::WindowText, tab->palette.color(QPalette::PlaceholderText));
    QProxyStyle::drawControl(element, &quiet, painter, widget);
}

void WindowStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
    QPainter* painter, const QWidget* widget) const
{
    QProxyStyle::drawComplexControl(control, option, painter, widget);
    if (control == CC_SpinBox && isDark(option) && !(option->state & State_HasFocus))
        drawOutline(option, painter, QPalette::Mid, 2);
}

QIcon WindowStyle::standardIcon(
    StandardPixmap standardIcon, const QStyleOption* option, const QWidget* widget) const
{
    if (standardIcon == SP_TitleBarCloseButton || standardIcon == SP_TitleBarNormalButton)
        return QIcon(new DockButton(standardIcon)); // The icon owns it.
    return QProxyStyle::standardIcon(standardIcon, option, widget);
}

QRect WindowStyle::subElementRect(
    SubElement element, const QStyleOption* option, const QWidget* widget) const
{
    const auto area = QProxyStyle::subElementRect(element, option, widget);
    const auto* tabs = qobject_cast<const QTabWidget*>(widget);
    if (element != SE_TabWidgetTabContents || !tabs || tabs->documentMode())
        return area;
    return area.adjusted(0, 0, 0, -1); // Fusion's reaches over the lower outline.
}

int WindowStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
    QStyleHintReturn* returned) const
{
    if (hint == SH_DialogButtonBox_ButtonsHaveIcons)
        return 0;
    return QProxyStyle::styleHint(hint, option, widget, returned);
}

} // namespace isol8::ui
