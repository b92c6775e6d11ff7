// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "engine/core/settings.h"
#include "engine/images/imagetypes.h"

namespace isol8::cli {

/// Shows what an ImageBuilder reports. @p console must outlive the handler.
[[nodiscard]] ImageEventHandler imageProgress(Console* console);

/// What images are made with by these settings. @p source as typed: auto, registry or debian.
[[nodiscard]] Result<ImageSettings> imageSettings(
    const Settings& settings, const std::optional<QString>& source);

/// A comma-separated list (or several) of packages of @p runtime, each checked.
[[nodiscard]] Result<QStringList> packageList(Runtime runtime, const QStringList& typed);

} // namespace isol8::cli
