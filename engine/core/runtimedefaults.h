// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

namespace isol8 {

/// Raises the defaults in @p options to what @p runtime needs: the agent starts programs of its own
/// (200 processes) and keeps repositories and packages (2 GiB in `/sandbox`). Before a user's own
/// choice is read into them.
void applyRuntimeDefaults(ExecutionOptions& options, Runtime runtime);

} // namespace isol8
