// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QByteArrayList>

namespace isol8 {

/// How the agent (pi) is started on a valid request: its code is the prompt, and never a flag.
[[nodiscard]] QByteArrayList agentCommand(const ExecutionRequest& request);

} // namespace isol8
