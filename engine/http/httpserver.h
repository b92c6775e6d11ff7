// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/exchange.h"
#include "engine/http/httplimits.h"

#include <QObject>
#include <QString>

#include <memory>
#include <optional>

namespace isol8::http {

/// PEM files of a TLS server: the certificate with its chain, and the key, RSA or EC without
/// passphrase.
struct TlsFiles {
    QString certificatePath;
    QString keyPath;
};

/// Where a server listens: an IP address (or `localhost`) and a port, or the path of a local
/// socket.
struct ListenAddress {
    QString host = QStringLiteral("127.0.0.1");
    quint16 port = 0; ///< 0: any free one, see HttpServer::port().
    QString localPath {}; ///< Absolute; when set, host and port are not used.
    std::optional<TlsFiles> tls {};
};

/// An HTTP/1.1 server on TCP, TLS or a local socket. Reads headers within HttpLimits and gives each
/// request to requestReceived(), those of one connection in order and one at a time; refuses by
/// itself what is malformed or over a limit. Bodies stay unread until the handler asks for them.
/// Lives on one thread; destroying it cuts every connection, and the exchanges still held see
/// clientGone() no more.
class HttpServer final : public QObject {
    Q_OBJECT

public:
    explicit HttpServer(HttpLimits limits = {}, QObject* parent = nullptr);
    ~HttpServer() override;
    Q_DISABLE_COPY_MOVE(HttpServer)

    /// May be called for several addresses. A local socket gets mode 0600; a stale one is replaced,
    /// one that somebody listens on is Conflict, and so is a port in use. Invalid: no such address,
    /// unusable certificate or key. Denied: no permission.
    [[nodiscard]] Result<> listen(const ListenAddress& address);
    /// Listens on a stream socket that is already bound and listening (socket activation); takes
    /// it.
    [[nodiscard]] Result<> listenOn(int descriptor, const std::optional<TlsFiles>& tls = {});
    /// Port of the first TCP address; 0 when not listening.
    [[nodiscard]] quint16 port() const;

    /// For what comes from now on, over connections that are open too.
    void setLimits(const HttpLimits& limits);
    /// Reads the certificates and keys of all addresses anew, for connections from now on. Errors
    /// as listen(); then the old ones stay in use.
    [[nodiscard]] Result<> reloadTls();

    /// Accepts no more connections; those that exist go on.
    void stopListening();
    /// Closes connections that wait for a request; the others, and those still to come, after their
    /// next answer.
    void closeIdle();
    /// Open connections, upgraded ones included.
    [[nodiscard]] int connectionCount() const;

Q_SIGNALS:
    /// Keep @p exchange until it is answered. Emitted from the event loop.
    void requestReceived(const std::shared_ptr<isol8::http::Exchange>& exchange);
    /// A connection was closed with @p status before it had a whole request: malformed, late or
    /// over a limit. @p peer is null for a local socket.
    void connectionRefused(int status, const QHostAddress& peer);
    /// connectionCount() fell to 0.
    void lastConnectionClosed();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace isol8::http
