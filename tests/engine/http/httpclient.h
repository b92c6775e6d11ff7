// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/httpserver.h"
#include "tests/support/rawclient.h"

#include <memory>
#include <vector>

namespace isol8::http {

using tests::RawClient;

constexpr int patience = 60'000; ///< Milliseconds; only a failing test waits so long.

/// A server on a free port that keeps the exchanges it gave out.
class TestServer {
public:
    explicit TestServer(HttpLimits limits = {})
        : server(std::make_unique<HttpServer>(limits))
    {
        QObject::connect(server.get(), &HttpServer::requestReceived, server.get(),
            [this](const std::shared_ptr<Exchange>& exchange) { exchanges.push_back(exchange); });
        if (!server->listen({}))
            qFatal("cannot listen");
    }

    [[nodiscard]] quint16 port() const { return server->port(); }
    [[nodiscard]] Exchange& last() const { return *exchanges.back(); }

    std::unique_ptr<HttpServer> server;
    std::vector<std::shared_ptr<Exchange>> exchanges;
};

} // namespace isol8::http
