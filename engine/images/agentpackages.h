// SPDX-License-Identifier: MIT
#pragma once

#include "engine/images/recipe.h"

namespace isol8 {

/// The pi coding agent and all that it needs, from resources/images/agent-packages.txt.
[[nodiscard]] QList<Artifact> agentPackages();

} // namespace isol8
