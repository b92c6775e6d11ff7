// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/httpserver.h"

#include <QLocalServer>
#include <QSslConfiguration>
#include <QTcpServer>

#include <functional>

namespace isol8::http {

/// Called with the descriptor of each accepted connection, which it owns.
using Accepted = std::function<void(qintptr descriptor)>;

/// A QTcpServer that hands out descriptors and survives a lack of them.
class TcpListener final : public QTcpServer {
    Q_OBJECT

public:
    explicit TcpListener(Accepted accepted);

private:
    void incomingConnection(qintptr descriptor) override { m_accepted(descriptor); }

    Accepted m_accepted;
};

/// The same for a Unix socket, whose connections a QTcpSocket can serve just as well.
class LocalListener final : public QLocalServer {
    Q_OBJECT

public:
    explicit LocalListener(Accepted accepted)
        : m_accepted(std::move(accepted))
    {
    }

    /// Binds @p path with mode 0600. Errors as HttpServer::listen().
    [[nodiscard]] Result<> bindPath(const QString& path);

private:
    void incomingConnection(quintptr descriptor) override { m_accepted(qintptr(descriptor)); }

    Accepted m_accepted;
};

/// Null for a local socket, whose address Qt makes up; IPv4 in IPv6 is given as IPv4.
[[nodiscard]] QHostAddress peerOf(const QTcpSocket& socket);

/// Invalid when the files do not hold a certificate and a key, NotFound when one cannot be read.
[[nodiscard]] Result<QSslConfiguration> tlsConfiguration(const TlsFiles& files);

} // namespace isol8::http
