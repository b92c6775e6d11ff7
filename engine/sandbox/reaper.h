// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/client.h"
#include "engine/sandbox/directaccess.h"

#include <memory>

namespace isol8 {

/// Removes what provably dead isol8 processes left: their run and helper containers, never a
/// session or a kept container, never anything of a living process or another machine. How many
/// were removed. Folders of direct sockets that no container has any more go too.
[[nodiscard]] Task<int> reapLeftovers(std::shared_ptr<docker::Client> client,
    std::shared_ptr<DirectAccess> access, CancelToken cancel);

} // namespace isol8
