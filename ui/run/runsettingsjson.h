// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runplan.h"

#include <QJsonObject>

namespace isol8::ui {

/// Without the values of secrets: their names remain, with empty values.
[[nodiscard]] QJsonObject toJson(const RunSettings& settings);
/// What cannot be read keeps its default.
[[nodiscard]] RunSettings runSettingsFromJson(
    const QJsonObject& object, const ExecutionOptions& defaults);

} // namespace isol8::ui
