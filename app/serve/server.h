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
    /// Of the first TCP address; 0 without one.
    [[nodiscard]] quint16 port() const;

    /// Takes up the sessions that an earlier server left; not for a second server beside another.
    [[nodiscard]] Task<> adoptSessions();

    /// Stops listening, refuses what is new, gives what runs some time (serve.drainTimeoutMs, or
    /// until @p hurry is cancelled), then cancels it, ends the sessions and shuts the engine down.
    [[nodiscard]] Task<> shutdown(CancelToken hurry = {});

private:
    std::shared_ptr<Service> m_service;
    std::unique_ptr<http::HttpServer> m_http;
    QTimer m_pruning;
};

} // namespace isol8::serve
