// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "ui/run/runjob.h"

#include <optional>

namespace isol8::ui {

/// The text to be run.
struct RunSource {
    QByteArray code;
    QString fileName; ///< Tells the runtime.
    QString path; ///< On this machine; empty: none.
};

/// The runtime that a text would run in; none when nothing tells.
[[nodiscard]] std::optional<Runtime> runtimeOf(
    const RunSettings& settings, const QString& fileName);

/// A run of @p source. Kind::Invalid with a sentence for the user when it cannot be.
[[nodiscard]] Result<RunJob> planRun(
    const RunSource& source, const RunSettings& settings, const QString& sessionId);

} // namespace isol8::ui
