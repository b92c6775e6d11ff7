// SPDX-License-Identifier: MIT
#include "ui/theme/theme.h"

#include "ui/theme/windowstyle.h"

#include <QApplication>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QStyle>
#include <QStyleHints>
#include <QSvgRenderer>

#include <map>
#include <tuple>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

struct Colours {
    QRgb window, base, alternate, text, muted, disabled, button, border, accent, link;
};

constexpr Colours light { 0xfff3f4f6, 0xffffffff, 0xfff7f8fa, 0xff1f2328, 0xff5f6671, 0xff9aa1ab,
    0xffffffff, 0xffd0d5dc, 0xff0b63ce, 0xff0550ae };
constexpr Colours dark { 0xff1d2025, 0xff16181c, 0xff1b1e23, 0xffe4e7eb, 0xff8b929c, 0xff636b76,
    0xff2a2e35, 0xff3a3f47, 0xff2563eb, 0xff79b8ff };

/// One of our drawings in a colour of its own, drawn when it is needed and at the size that is
/// needed.
class Drawing : public QIconEngine {
public:
    Drawing(const QByteArray& drawing, const QColor& colour, const QColor& faint)
        : m_drawing(drawing)
        , m_colour(colour)
        , m_faint(faint)
    {
    }

    void paint(QPainter* painter, const QRect& area, QIcon::Mode mode, QIcon::State) override
    {
        auto coloured = m_drawing;
        const auto colour = mode == QIcon::Disabled ? m_faint
            : mode == QIcon::Selected               ? QColor(Qt::white) // As the text beside it.
                                                    : m_colour;
        coloured.replace("#000000", colour.name().toLatin1());
        QSvgRenderer(coloured).render(painter, area);
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        auto& drawn = m_drawn[{ size.width(), size.height(), int(mode) }];
        if (drawn.isNull()) {
            drawn = QPixmap(size);
            drawn.fill(Qt::transparent);
            QPainter painter(&drawn);
            paint(&painter, QRect(QPoint(), size), mode, state);
        }
        return drawn;
    }

    [[nodiscard]] QIconEngine* clone() const override { return new Drawing(*this); }

private:
    QByteArray m_drawing;
    QColor m_colour;
    QColor m_faint;
    std::map<std::tuple<int, int, int>, QPixmap> m_drawn;
};

QIcon icon(const QString& name, const QColor& colour, const QColor& faint)
{
    QFile file(u":/isol8/actions/%1.svg"_s.arg(name));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return QIcon(new Drawing(file.readAll(), colour, faint)); // The icon owns it.
}

} // namespace

bool isDark(UiSettings::ColourScheme scheme)
{
    if (scheme == UiSettings::ColourScheme::System)
        return QGuiApplication::styleHints()->colorScheme() == Qt::ColorScheme::Dark;
    return scheme == UiSettings::ColourScheme::Dark;
}

QPalette paletteFor(bool isDark)
{
    const auto& colours = isDark ? dark : light;
    QPalette palette;
    const auto set = [&palette](QPalette::ColorRole role, QRgb colour) {
        palette.setColor(role, QColor::fromRgba(colour));
    };
    set(QPalette::Window, colours.window);
    set(QPalette::WindowText, colours.text);
    set(QPalette::Base, colours.base);
    set(QPalette::AlternateBase, colours.alternate);
    set(QPalette::Text, colours.text);
    set(QPalette::PlaceholderText, colours.muted);
    set(QPalette::Button, colours.button);
    set(QPalette::ButtonText, colours.text);
    set(QPalette::BrightText, 0xffffffff);
    set(QPalette::ToolTipBase, colours.text);
    set(QPalette::ToolTipText, colours.base);
    set(QPalette::Highlight, colours.accent);
    set(QPalette::HighlightedText, 0xffffffff);
    set(QPalette::Accent, colours.accent);
    set(QPalette::Link, colours.link);
    set(QPalette::LinkVisited, colours.link);
    set(QPalette::Light, colours.base);
    set(QPalette::Midlight, colours.window);
    set(QPalette::Mid, colours.border);
    set(QPalette::Dark, colours.border);
    set(QPalette::Shadow, colours.border);
    for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
        palette.setColor(QPalette::Disabled, role, QColor::fromRgba(colours.disabled));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor::fromRgba(colours.border));
    return palette;
}

void applyTheme(QApplication& application, UiSettings::ColourScheme scheme)
{
    if (!qobject_cast<WindowStyle*>(QApplication::style()))
        QApplication::setStyle(new WindowStyle); // The application owns it.
    application.setPalette(paletteFor(isDark(scheme)));
}

QIcon actionIcon(const QString& name, const QColor& colour)
{
    return icon(name, colour, colour);
}

QIcon actionIcon(const QString& name, const QPalette& palette)
{
    return icon(name, palette.color(QPalette::WindowText),
        palette.color(QPalette::Disabled, QPalette::WindowText));
}

} // namespace isol8::ui
