// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/sandboxsource.h"

namespace isol8 {

/// What the pool of an engine does with its sandboxes.
[[nodiscard]] Pool::Actions poolActions(std::shared_ptr<docker::Client> client,
    std::shared_ptr<DirectAccess> access, QString stateDirectory, QString owner);

/// Whether a sandbox with @p options may come from the pool and go back to it. Those whose root can
/// be written, or that are isolated in another way than usual, are made for one run.
[[nodiscard]] bool isPoolable(const ExecutionOptions& options);

/// A sandbox from the engine's pool; made for this run alone where the image is not isol8's own.
[[nodiscard]] Task<AcquiredSandbox> acquirePooled(
    EngineState engine, SandboxRequest request, CancelToken cancel);

/// Keeps sandboxes ready for the runtimes of EngineState::warm whose images are there, and for no
/// other image any more.
[[nodiscard]] Task<> refreshWarm(EngineState engine);

/// Follows Docker's events for the pool and the catalog of images until the engine ends.
[[nodiscard]] Task<> watchDaemon(EngineState engine);

} // namespace isol8
