// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runjob.h"
#include "ui/targets/target.h"

namespace isol8::ui {

/// The same run as a command for a shell. Secrets are named; their values come from its
/// environment.
[[nodiscard]] QString commandLineOf(
    const RunJob& job, const Target& target, const ExecutionOptions& defaults);
/// The same run as a request to a server. Keys and secrets come from the shell's environment.
[[nodiscard]] QString curlOf(const RunJob& job, const Target& target);

} // namespace isol8::ui
