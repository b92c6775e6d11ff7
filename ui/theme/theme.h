// SPDX-License-Identifier: MIT
#pragma once

#include "ui/settings/uisettings.h"

#include <QIcon>
#include <QPalette>

class QApplication;

namespace isol8::ui {

/// Whether the application is to be dark with this choice and this system.
[[nodiscard]] bool isDark(UiSettings::ColourScheme scheme);
[[nodiscard]] QPalette paletteFor(bool isDark);
/// Style and palette of the whole application.
void applyTheme(QApplication& application, UiSettings::ColourScheme scheme);

/// A drawing of resources/icons/actions in the colour of the palette's text.
[[nodiscard]] QIcon actionIcon(const QString& name, const QPalette& palette);
/// The same in a colour of its own.
[[nodiscard]] QIcon actionIcon(const QString& name, const QColor& colour);

} // namespace isol8::ui
