// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QWidget>

namespace isol8::ui {

/// Whether a file of that name is shown by a viewer instead of the editor.
[[nodiscard]] bool hasViewer(const QString& fileName);

/// A widget that shows an image (PNG, JPEG, GIF, SVG) or a table (CSV, TSV), owned by the caller.
/// The content is hostile: only these formats are decoded, and only up to a size. Kind::Limit and
/// Kind::Invalid say why it cannot be shown.
[[nodiscard]] Result<QWidget*> makeViewer(
    const QString& fileName, const QByteArray& content, QWidget* parent);

} // namespace isol8::ui
