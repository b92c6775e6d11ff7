// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/sandbox/enginestate.h"
#include "engine/sandbox/pool.h"
#include "engine/sandbox/sandbox.h"
#include "engine/sandbox/sessionlock.h"

namespace isol8 {

/// What a run asks for when it needs a sandbox.
struct SandboxRequest {
    Runtime runtime = Runtime::Python;
    ExecutionOptions options;
    QString sessionId; ///< Empty: a sandbox for one run.
    QString executionId;
    /// The same without anything of its own: what the next one will probably be. None: no idea.
    std::optional<ExecutionRequest> likely {};
    QString tenant {}; ///< A used sandbox is only ever used again for the same one.
};

/// A sandbox in hand, with what it was made from.
struct AcquiredSandbox {
    std::shared_ptr<Sandbox> sandbox;
    std::shared_ptr<SessionLock> lock; ///< Of a session, while it is used.
    QString imageId;
    QStringList imageEnvironment;
    bool isLingering = false; ///< Stays after the run: a session, or kept.
    std::shared_ptr<Pool> pool {}; ///< Where it came from and goes back to; null: it was made.
    std::shared_ptr<Pool::Item> pooled {};
};

/// A sandbox of the pool, a new one, or a session's, made if there is none. Waits for the session's
/// other users. Kind::Conflict when the session has another runtime.
[[nodiscard]] Task<AcquiredSandbox> acquireSandbox(
    EngineState engine, SandboxRequest request, CancelToken cancel);

/// A new sandbox, whether or not there is a pool.
[[nodiscard]] Task<AcquiredSandbox> makeForOneRun(
    EngineState engine, SandboxRequest request, CancelToken cancel);

/// The existing sandbox of session @p sessionId; Kind::NotFound without one.
[[nodiscard]] Task<AcquiredSandbox> acquireSession(
    EngineState engine, QString sessionId, CancelToken cancel);

/// Gives a lingering sandbox or one of the pool back, destroys any other. Destroys all when @p
/// isBroken.
[[nodiscard]] Task<> giveBack(EngineState engine, AcquiredSandbox acquired, bool isBroken);

/// The container's name of a session of this user.
[[nodiscard]] QString sessionContainerName(const QString& sessionId);

} // namespace isol8
