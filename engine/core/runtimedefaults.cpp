// SPDX-License-Identifier: MIT
#include "engine/core/runtimedefaults.h"

#include <algorithm>

namespace isol8 {

void applyRuntimeDefaults(ExecutionOptions& options, Runtime runtime)
{
    constexpr int agentPids = 200;
    constexpr qint64 agentSandboxBytes = 2LL << 30;
    if (runtime != Runtime::Agent)
        return;
    options.pidsLimit = std::max(options.pidsLimit, agentPids);
    options.sandboxSizeBytes = std::max(options.sandboxSizeBytes, agentSandboxBytes);
}

} // namespace isol8
