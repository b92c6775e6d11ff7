// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/sandbox/enginestate.h"
#include "engine/sandbox/sandbox.h"
#include "engine/sandbox/sessionlock.h"

namespace isol8 {

/// What a run asks for when it needs a sandbox.
struct SandboxRequest {
    Runtime runtime = Runtime::Python;
    ExecutionOptions options;
    QString sessionId; ///< Empty: a sandbox for one run.
    QString executionId;
};

/// A sandbox in hand, with what it was made from.
struct AcquiredSandbox {
    std::shared_ptr<Sandbox> sandbox;
    std::shared_ptr<SessionLock> lock; ///< Of a session, while it is used.
    QString imageId;
    QStringList imageEnvironment;
    bool isLingering = false; ///< Stays after the run: a session, or kept.
};

/// A new sandbox, or a session's, made if there is none. Waits for the session's other users.
/// Kind::Conflict when the session has another runtime.
[[nodiscard]] Task<AcquiredSandbox> acquireSandbox(
    EngineState engine, SandboxRequest request, CancelToken cancel);

/// The existing sandbox of session @p sessionId; Kind::NotFound without one.
[[nodiscard]] Task<AcquiredSandbox> acquireSession(
    EngineState engine, QString sessionId, CancelToken cancel);

/// Gives a lingering sandbox back, destroys any other. Destroys both when @p isBroken.
[[nodiscard]] Task<> giveBack(AcquiredSandbox acquired, bool isBroken);

/// The container's name of a session of this user.
[[nodiscard]] QString sessionContainerName(const QString& sessionId);

} // namespace isol8
