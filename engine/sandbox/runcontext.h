// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/core/engine.h"
#include "engine/proxy/filterednetwork.h"
#include "engine/sandbox/enginestate.h"
#include "engine/sandbox/guestconnection.h"
#include "engine/sandbox/runoutput.h"

#include <QDeadlineTimer>
#include <QPointer>

namespace isol8 {

/// The state of one run, shared by its DockerRun (which the caller owns) and the coroutine that
/// performs its steps.
struct RunContext {
    RunContext(EngineState engineState, ExecutionRequest theRequest, ExecutionOptions theOptions,
        QString theSessionId);

    EngineState engine;
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId;
    SecretSet secrets;
    RunOutput output;
    RunOutput installOutput; ///< Told as the run's, but no part of its result unless that fails.
    ExecutionResult result; ///< Filled in on the way.
    QPointer<Run> view; ///< Null once the caller has let go of the run.

    CancelToken steps; ///< Ends whatever is awaited: by the caller's cancel, or the deadline.
    bool isCancelled = false; ///< The caller asked for the end.
    bool isDeadlinePassed = false; ///< The sandbox did not keep the time limit itself.
    std::chrono::milliseconds timeLimit; ///< What is left of the run's own.
    QDeadlineTimer deadline { QDeadlineTimer::Forever }; ///< Of install, set-up and run together.

    QByteArray caBundle; ///< For programs to trust; empty: they have their own.
    std::unique_ptr<proxy::FilteredNetwork> network; ///< Of set-up and code; null: not filtered.
    std::unique_ptr<proxy::FilteredNetwork> installNetwork; ///< The same, of an install.

    GuestRun* program = nullptr; ///< While something runs in the sandbox.
    Phase phase = Phase::Code;
    QByteArray earlyStdin; ///< Written before the program was there.
    bool isStdinClosed = false;
    bool isOutputPaused = false;
    int rows = 24;
    int columns = 80;

    void cancel();
    /// A network for programs of this run; Kind::Invalid when a rule cannot be used.
    [[nodiscard]] Result<std::unique_ptr<proxy::FilteredNetwork>> makeNetwork(
        const NetworkFilter& filter) const;
};

} // namespace isol8
