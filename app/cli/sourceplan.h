// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/runplan.h"

namespace isol8::cli {

/// What to run, and with which runtime: the first of --cmd, a URL, --eval, the file, standard
/// input.
[[nodiscard]] Result<> planSource(
    const RunOptions& options, const Surroundings& surroundings, RunPlan& plan);

} // namespace isol8::cli
