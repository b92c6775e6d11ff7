// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/types.h"

namespace isol8::cli {

/// Sentences about known holes of an old Docker or runc; empty: none known.
[[nodiscard]] QStringList dockerAgeWarnings(const docker::ServerVersion& version);

} // namespace isol8::cli
