// SPDX-License-Identifier: MIT
#include "ui/theme/theme.h"

#include "ui/theme/windowstyle.h"

#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QStyle>
#include <QStyleHints>
#include <QSvgRenderer>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

struct Colours {
    QRgb window, base, alternate, text, muted, button, border, accent, link;
};

constexpr Colours light { 0xfff3f4f6, 0xffffffff, 0xfff7f8fa, 0xff1f2328, 0xff6b7280, 0xffffffff,
    0xffd0d5dc, 0xff0b63ce, 0xff0550ae };
constexpr Colours dark { 0xff1d2025, 0xff16181c, 0xff1b1e23, 0xffe4e7eb, 0xff8b929c, 0xff2a2e35,
    0xff3a3f47, 0xff3b82f6, 0xff79b8ff };

QPixmap drawn(const QByteArray& drawing, const QColor& colour, int size)
{
    auto coloured = drawing;
    coloured.replace("#000000", colour.name().toLatin1());
    QSvgRenderer renderer(coloured);
    QPixmap pixmap(size, size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    renderer.render(&painter);
    return pixmap;
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
        palette.setColor(QPalette::Disabled, role, QColor::fromRgba(colours.muted));
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
    QFile file(u":/isol8/actions/%1.svg"_s.arg(name));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const auto drawing = file.readAll();
    QIcon icon;
    for (const int size : { 16, 20, 24, 32, 48, 64 })
        icon.addPixmap(drawn(drawing, colour, size));
    return icon;
}

QIcon actionIcon(const QString& name, const QPalette& palette)
{
    auto icon = actionIcon(name, palette.color(QPalette::WindowText));
    QFile file(u":/isol8/actions/%1.svg"_s.arg(name));
    if (file.open(QIODevice::ReadOnly)) {
        const auto drawing = file.readAll();
        const auto faint = palette.color(QPalette::Mid);
        for (const int size : { 16, 20, 24, 32, 48, 64 })
            icon.addPixmap(drawn(drawing, faint, size), QIcon::Disabled);
    }
    return icon;
}

} // namespace isol8::ui
