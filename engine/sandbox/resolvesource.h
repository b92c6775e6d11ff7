// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/runcontext.h"

namespace isol8 {

/// The first step of a run: what its URL gives becomes the request's code. Nothing for a request
/// that brings its code. The time it takes counts in the run's time limit; where that is what ends
/// it, RunContext::isDeadlinePassed says so.
[[nodiscard]] Task<> resolveSource(std::shared_ptr<RunContext> context);

} // namespace isol8
