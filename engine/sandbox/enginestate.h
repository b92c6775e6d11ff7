// SPDX-License-Identifier: MIT
#pragma once

#include "engine/audit/auditlog.h"
#include "engine/core/owner.h"
#include "engine/core/task.h"
#include "engine/docker/client.h"
#include "engine/sandbox/directaccess.h"
#include "engine/sandbox/dockerengine.h"
#include "engine/sandbox/imagecatalog.h"
#include "engine/sandbox/pool.h"
#include "engine/source/sourcefetcher.h"

#include <QHash>

namespace isol8 {

struct SpareOrder;

/// What all runs of one DockerEngine share. Kept alive by the engine and by each coroutine.
struct DockerEngine::State {
    State(docker::Endpoint endpoint, DockerEngineSettings chosen);

    DockerEngineSettings settings;
    std::shared_ptr<docker::Client> client;
    std::shared_ptr<DirectAccess> access;
    AuditLog audit;
    SourceFetcher sources;
    QString owner; ///< Owner::self() as a string.
    QHash<QString, QStringList> indexUrls; ///< Package indexes by image id and runtime.
    ImageCatalog images;
    std::shared_ptr<Pool> pool; ///< Null: every run has a sandbox made for it.

    struct Warm {
        QList<Runtime> runtimes;
        ExecutionOptions options;
    };
    std::optional<Warm> warm; ///< What the pool keeps ready.
    std::shared_ptr<SpareOrder> nextSpare; ///< What a run would have liked to find.
    CancelToken closing; ///< Cancelled when the engine goes.
    qint64 runsAhead = 0; ///< Whose interpreter had been started before they came.
    bool isRefreshDue = false; ///< Of the warm ones, since images have changed.
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
