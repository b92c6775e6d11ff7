// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QString>

#include <functional>
#include <optional>

namespace isol8::cli {

/// What a plan is made from beside the flags and the settings.
struct Surroundings {
    /// Content of a file; Kind::NotFound when there is none.
    std::function<Result<QByteArray>(const QString& path)> readFile;
    std::function<Result<QByteArray>()> readStdin;
    /// A variable of isol8's own environment.
    std::function<std::optional<QString>(const QString& name)> variable;
    std::function<bool(const QString& path)> isDirectory;
};

/// This process's.
[[nodiscard]] Surroundings realSurroundings();

} // namespace isol8::cli
