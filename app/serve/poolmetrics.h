// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/metrics.h"
#include "engine/sandbox/poollimits.h"

#include <optional>

namespace isol8::serve {

/// Shows what the pool of sandboxes does: `isol8_pool_…`. Nothing without a pool.
void addPoolMetrics(Metrics& metrics, const std::function<std::optional<PoolFigures>()>& read);

} // namespace isol8::serve
