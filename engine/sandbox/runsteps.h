// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/runcontext.h"

namespace isol8 {

/// A run of a valid request, step by step: fetch code that comes from
/// a URL, acquire a sandbox, inject files, set up, run, collect
/// files, give back. Emits the signals of the run's view but finished().
/// Whatever happens, no container of the run is left but those that are meant to stay.
[[nodiscard]] Task<ExecutionResult> performRun(std::shared_ptr<RunContext> context);

} // namespace isol8
