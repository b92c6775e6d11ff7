// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/service.h"
#include "engine/http/httpserver.h"

#include <QObject>
#include <QTimer>

namespace isol8::serve {

/// `isol8 serve` without its command line: listens, checks keys, routes, and prunes idle sessions.
/// Await shutdown() before it is destroyed.
class Server : public QObject {
    Q_OBJECT

public:
    explicit Server(std::shared_ptr<Service> service);
    ~Server() override;

    /// As http::HttpServer::listen().
    [[nodiscard]] Result<> listen(const http::ListenAddress& address);
    /// As http::HttpServer::listenOn(): a socket that outlives this server.
    [[nodiscard]] Result<> listenOn(int descriptor, const std::optional<http::TlsFiles>& tls);
    /// Of the first TCP address; 0 without one.
    [[nodiscard]] quint16 port() const;

    /// Takes up the sessions that an earlier server left; not for a second server beside another.
    /// Requests that come meanwhile wait, but for /health.
    [[nodiscard]] Task<> adoptSessions();

    /// What reconfigure() did, as names of keys.
    struct Change {
        QStringList changed;
        QStringList needRestart; ///< Differ too, but stay as they are.
    };
    /// Puts other settings into effect, opens the access log and reads the certificates anew. What
    /// runs or is connected keeps what it has. On an error everything stays as it was.
    [[nodiscard]] Result<Change> reconfigure(Settings settings);

    /// Refuses what is new, gives what runs some time (serve.drainMs, or until @p hurry is
    /// cancelled), then cancels it, ends the sessions and shuts the engine down.
    [[nodiscard]] Task<> shutdown(CancelToken hurry = {});

private:
    void startPruning();

    std::shared_ptr<Service> m_service;
    std::shared_ptr<http::HttpServer> m_http;
    QTimer m_pruning;
    bool m_hasPassedSocket = false;
};

} // namespace isol8::serve
