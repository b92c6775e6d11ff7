// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <optional>

namespace isol8 {

/// What the output of a package manager that failed means: Kind::Limit (no space), Denied (its TLS
/// certificate), Unreachable, or NotFound, naming the package. None: nothing that is known.
[[nodiscard]] std::optional<Error> explainInstall(const QString& output, Runtime runtime);

} // namespace isol8
