// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "engine/core/execution.h"

namespace isol8::cli {

/// Says what the program's own output does not: limits that ended it, truncation, what the sandbox
/// refused, where a kept container is.
void describeResult(
    const ExecutionResult& result, const ExecutionOptions& options, Console& console);

} // namespace isol8::cli
