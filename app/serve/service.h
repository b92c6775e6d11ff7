// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/accesslog.h"
#include "app/serve/authenticator.h"
#include "app/serve/executiontable.h"
#include "app/serve/metrics.h"
#include "app/serve/runqueue.h"
#include "app/serve/sessiontable.h"
#include "app/serve/underway.h"
#include "engine/core/engine.h"
#include "engine/core/settings.h"

namespace isol8::serve {

class KeyStore;

/// What the server needs beside an Engine; tests give their own.
struct Backend {
    std::shared_ptr<Engine> engine;

    /// An image that code can run in, for GET /runtimes.
    struct RuntimeState {
        Runtime runtime = Runtime::Python;
        QString version; ///< Of the runtime; empty: unknown.
        QString image;
        bool isImageReady = false;
        QStringList packages; ///< Baked in.
    };
    std::function<Task<QList<RuntimeState>>()> runtimes;

    struct Removal {
        int removed = 0;
        QStringList errors;
    };
    /// Removes containers that are of no use any more, but no session.
    std::function<Task<Removal>()> removeContainers;
    std::function<Task<Removal>()> removeImages;
};

/// What all requests share. Kept alive by each of them.
struct Service {
    Service(
        Settings theSettings, Backend theBackend, std::shared_ptr<Authenticator> theAuthenticator);
    Q_DISABLE_COPY_MOVE(Service)

    /// Puts other settings into effect for what comes from now on.
    void apply(const Settings& theSettings);

    Settings settings;
    Backend backend;
    std::shared_ptr<Authenticator> authenticator;
    std::shared_ptr<KeyStore> keyStore; ///< Null: keys are not kept in a database.
    RunQueue queue;
    Metrics metrics;
    SessionTable sessions;
    ExecutionTable executions;
    AccessLog accessLog;
    Underway requests;
    Underway adoptions; ///< Of sessions that an earlier server left; requests wait for them.
    CancelToken draining; ///< Cancelled when the server begins to end: what is new is refused.
    CancelToken ended; ///< Cancelled at the end: whoever is still connected is cut off.
    /// Proxies close connections that say nothing for a minute.
    std::chrono::milliseconds heartbeat = std::chrono::seconds(15);
    QString cancelReason; ///< Why the server cancels what runs; empty: it does not.
};

} // namespace isol8::serve
