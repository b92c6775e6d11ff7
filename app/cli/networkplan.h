// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/runoptions.h"
#include "engine/core/error.h"
#include "engine/core/execution.h"

namespace isol8::cli {

/// Gives `--net` and the flags of filtered networking their meaning in @p plan, which begins with
/// what the configuration says: a list that is typed replaces the configured one, globs become
/// patterns. Sentences for the user go to @p warnings. Kind::Invalid for a pattern that cannot be
/// used and for flags that the network does not go with.
[[nodiscard]] Result<> planNetwork(
    const RunOptions& options, ExecutionOptions& plan, QStringList& warnings);

} // namespace isol8::cli
