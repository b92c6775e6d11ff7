// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/httpserver.h"

#include <QTcpSocket>
#include <QTest>

#include <memory>
#include <vector>

namespace isol8::http {

constexpr int patience = 60'000; ///< Milliseconds; only a failing test waits so long.

/// A client that sends raw bytes to a server on 127.0.0.1 and keeps what comes back.
class RawClient {
public:
    explicit RawClient(quint16 port, const QByteArray& bytes = {})
    {
        QObject::connect(
            &socket, &QTcpSocket::readyRead, &socket, [this] { received += socket.readAll(); });
        QObject::connect(&socket, &QTcpSocket::disconnected, &socket, [this] { isClosed = true; });
        socket.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
        if (!bytes.isEmpty())
            send(bytes);
    }

    void send(const QByteArray& bytes)
    {
        if (socket.state() == QTcpSocket::ConnectedState)
            socket.write(bytes);
        else
            QObject::connect(
                &socket, &QTcpSocket::connected, &socket, [this, bytes] { socket.write(bytes); });
    }

    [[nodiscard]] int answers() const { return int(received.count("HTTP/1.1 ")); }

    QTcpSocket socket;
    QByteArray received;
    bool isClosed = false;
};

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
