// SPDX-License-Identifier: MIT
#pragma once

#include "engine/audit/auditlog.h"
#include "engine/core/owner.h"
#include "engine/core/task.h"
#include "engine/docker/client.h"
#include "engine/sandbox/dockerengine.h"

#include <QHash>

namespace isol8 {

/// What all runs of one DockerEngine share. Kept alive by the engine and by each coroutine.
struct DockerEngine::State {
    State(docker::Endpoint endpoint, DockerEngineSettings chosen);

    DockerEngineSettings settings;
    std::shared_ptr<docker::Client> client;
    AuditLog audit;
    QString owner; ///< Owner::self() as a string.
    bool hasReaped = false;
    bool isShuttingDown = false;

    /// One for each thing under way, run by run; shutdown() cancels them and waits until none is
    /// left.
    QHash<quint64, CancelToken> activities;
    quint64 nextActivity = 1;
    std::vector<std::function<void()>> idleWaiters;

    [[nodiscard]] quint64 begin(const CancelToken& cancel);
    void end(quint64 activity);
};

using EngineState = std::shared_ptr<DockerEngine::State>;

} // namespace isol8
