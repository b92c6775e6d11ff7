// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/httpserver.h"

#include <QSslConfiguration>
#include <QTcpServer>
#include <QTimer>

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QSocketNotifier;
QT_END_NAMESPACE

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

/// The same for a Unix socket, whose connections a QTcpSocket can serve just as well. Not a
/// QLocalServer: that one closes for good when descriptors run out, and removes the file of a
/// socket that was passed in by somebody who goes on using it.
class LocalListener final : public QObject {
    Q_OBJECT

public:
    explicit LocalListener(Accepted accepted);
    /// Removes the socket's file if bindPath() made it and it is still the same.
    ~LocalListener() override;
    Q_DISABLE_COPY_MOVE(LocalListener)

    /// Binds @p path with mode 0600. Errors as HttpServer::listen().
    [[nodiscard]] Result<> bindPath(const QString& path);
    /// Takes a socket that listens already; its file stays another's.
    void take(int descriptor);

private:
    void accept();

    Accepted m_accepted;
    int m_descriptor = -1;
    QByteArray m_ownPath; ///< Of the file to remove; empty: none.
    quint64 m_inode = 0; ///< Of that file.
    std::unique_ptr<QSocketNotifier> m_notifier;
    QTimer m_retry;
};

/// Null for a local socket, whose address Qt makes up; IPv4 in IPv6 is given as IPv4.
[[nodiscard]] QHostAddress peerOf(const QTcpSocket& socket);

/// Invalid when the files do not hold a certificate and a key that belong together, NotFound when
/// one cannot be read.
[[nodiscard]] Result<QSslConfiguration> tlsConfiguration(const TlsFiles& files);

} // namespace isol8::http
