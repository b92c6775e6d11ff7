// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

namespace isol8::cli {

/// The network log of a run for people, one line an entry with a headline: what was asked for,
/// whether it was let through, how long it took and which rule decided. Not yet masked and not yet
/// fit for a terminal.
[[nodiscard]] QStringList networkLogLines(const ExecutionResult& result);

} // namespace isol8::cli
