// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/client.h"

#include <memory>

namespace isol8 {

/// The volume that brings the guest into every sandbox: `isol8-guest-<hash of the guest>`.
[[nodiscard]] QString guestVolumeName();

/// Makes sure that the volume exists and holds our guest, filling or refilling it where needed, and
/// returns its name. The content is compared at most once an hour for each user and volume (a stamp
/// below
/// @p stateDirectory), since that costs a container; its existence is checked every time.
/// @p image: any image of the daemon, for the container that is created (never started) to reach
/// it.
[[nodiscard]] Task<QString> ensureGuestVolume(std::shared_ptr<docker::Client> client, QString image,
    QString stateDirectory, QString owner, CancelToken cancel);

} // namespace isol8
