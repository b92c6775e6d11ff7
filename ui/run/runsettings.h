// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <optional>

namespace isol8::ui {

/// What the user chose for running one text; kept with its file. Everything but secrets' values.
struct RunSettings {
    std::optional<Runtime> runtime; ///< None: by the file's name.
    ExecutionOptions options; ///< With the secrets' values, which are never stored.
    QStringList arguments;
    QMap<QString, QString> environment;
    std::optional<QString> stdinText; ///< None: live standard input.
    QStringList packages;
    QString setupScript;
    QString workingDirectory = QStringLiteral("/sandbox");
};

} // namespace isol8::ui
