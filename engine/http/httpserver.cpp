// SPDX-License-Identifier: MIT
#include "engine/http/httpserver.h"

#include "engine/core/logging.h"
#include "engine/http/connection.h"
#include "engine/http/listener.h"

#include <QHash>
#include <QSet>
#include <QSslSocket>
#include <QTcpSocket>

#include <sys/socket.h>
#include <unistd.h>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

/// Connections over the limits that are told so; more of them are just closed.
constexpr int maxRefusedConnections = 64;

/// What counts as one address: null for a local socket, the network of an IPv6 address.
QHostAddress countedAddress(const QTcpSocket& socket)
{
    const auto peer = peerOf(socket);
    if (peer.isNull() || peer.protocol() == QAbstractSocket::IPv4Protocol)
        return peer;
    auto bytes = peer.toIPv6Address();
    for (int i = 8; i < 16; ++i)
        bytes[i] = 0;
    return QHostAddress(bytes);
}

std::optional<QHostAddress> hostAddress(const QString& host)
{
    if (host == "localhost"_L1)
        return QHostAddress(QHostAddress::LocalHost);
    const QHostAddress address(host);
    return address.isNull() ? std::nullopt : std::optional(address);
}

} // namespace

struct HttpServer::Private {
    HttpServer* q;
    HttpLimits limits;
    std::vector<std::unique_ptr<TcpListener>> tcpListeners;
    std::vector<std::unique_ptr<LocalListener>> localListeners;
    QSet<Connection*> connections;
    QHash<QHostAddress, int> perAddress;
    int count = 0;
    int refusedCount = 0;

    Result<Accepted> acceptor(const std::optional<TlsFiles>& tls);
    void accept(qintptr descriptor, const std::optional<QSslConfiguration>& tls);
    void refuse(std::unique_ptr<QTcpSocket> socket, bool isTotal);
    void release(const QHostAddress& address);
};

Result<Accepted> HttpServer::Private::acceptor(const std::optional<TlsFiles>& tls)
{
    std::optional<QSslConfiguration> configuration;
    if (tls) {
        const auto loaded = tlsConfiguration(*tls);
        if (!loaded)
            return std::unexpected(loaded.error());
        configuration = *loaded;
    }
    return [this, configuration](qintptr descriptor) { accept(descriptor, configuration); };
}

void HttpServer::Private::accept(qintptr descriptor, const std::optional<QSslConfiguration>& tls)
{
    auto socket = tls ? std::make_unique<QSslSocket>() : std::make_unique<QTcpSocket>();
    if (!socket->setSocketDescriptor(descriptor)) {
        ::close(int(descriptor));
        return;
    }
    const auto address = countedAddress(*socket);
    const bool isOverTotal = count >= limits.maxConnections;
    if (isOverTotal
        || (!address.isNull() && perAddress.value(address) >= limits.maxConnectionsPerAddress)) {
        // Over TLS a handshake would come first, which is what the limit is to spare.
        if (!tls)
            refuse(std::move(socket), isOverTotal);
        return;
    }
    ++count;
    ++perAddress[address];
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    auto* const tlsSocket = tls ? static_cast<QSslSocket*>(socket.get()) : nullptr;
    auto* const connection = new Connection(std::move(socket), limits);
    connection->setParent(q);
    connections.insert(connection);
    QObject::connect(connection, &Connection::requestReceived, q, &HttpServer::requestReceived);
    QObject::connect(
        connection, &Connection::closed, q, [this, connection, address](QTcpSocket* upgraded) {
            connections.remove(connection);
            if (upgraded)
                QObject::connect(
                    upgraded, &QObject::destroyed, q, [this, address] { release(address); });
            else
                release(address);
        });
    if (tlsSocket) {
        tlsSocket->setSslConfiguration(*tls);
        tlsSocket->startServerEncryption();
    }
}

void HttpServer::Private::refuse(std::unique_ptr<QTcpSocket> socket, bool isTotal)
{
    if (refusedCount >= maxRefusedConnections)
        return;
    ++refusedCount;
    auto* const connection = new Connection(std::move(socket), limits);
    connection->setParent(q);
    connections.insert(connection);
    QObject::connect(connection, &Connection::closed, q, [this, connection] {
        connections.remove(connection);
        --refusedCount;
    });
    if (isTotal)
        connection->refuse(503, u"too many connections"_s);
    else
        connection->refuse(429, u"too many connections from this address"_s);
}

void HttpServer::Private::release(const QHostAddress& address)
{
    if (--perAddress[address] == 0)
        perAddress.remove(address);
    if (--count == 0)
        Q_EMIT q->lastConnectionClosed();
}

HttpServer::HttpServer(HttpLimits limits, QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(Private { this, limits, {}, {}, {}, {} }))
{
}

HttpServer::~HttpServer()
{
    stopListening();
    const auto connections = std::exchange(d->connections, {});
    for (auto* const connection : connections) {
        connection->disconnect(this);
        delete connection;
    }
}

Result<> HttpServer::listen(const ListenAddress& address)
{
    auto accepted = d->acceptor(address.tls);
    if (!accepted)
        return std::unexpected(accepted.error());
    if (!address.localPath.isEmpty()) {
        auto listener = std::make_unique<LocalListener>(std::move(*accepted));
        const auto bound = listener->bindPath(address.localPath);
        if (bound)
            d->localListeners.push_back(std::move(listener));
        return bound;
    }
    const auto host = hostAddress(address.host);
    if (!host)
        return failure(Kind::Invalid, u"%1 is no IP address"_s.arg(address.host));
    auto listener = std::make_unique<TcpListener>(std::move(*accepted));
    listener->setListenBacklogSize(SOMAXCONN);
    if (!listener->listen(*host, address.port)) {
        const auto error = listener->serverError();
        const auto kind = error == QAbstractSocket::AddressInUseError ? Kind::Conflict
            : error == QAbstractSocket::SocketAccessError             ? Kind::Denied
                                                                      : Kind::Invalid;
        return failure(kind,
            u"cannot listen on %1 port %2: %3"_s.arg(address.host)
                .arg(address.port)
                .arg(listener->errorString()));
    }
    d->tcpListeners.push_back(std::move(listener));
    return {};
}

Result<> HttpServer::listenOn(int descriptor, const std::optional<TlsFiles>& tls)
{
    sockaddr_storage name {};
    socklen_t nameBytes = sizeof name;
    int isListening = 0;
    socklen_t flagBytes = sizeof isListening;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &nameBytes) != 0
        || ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &flagBytes) != 0
        || isListening == 0)
        return failure(Kind::Invalid, u"descriptor %1 is no listening socket"_s.arg(descriptor));
    auto accepted = d->acceptor(tls);
    if (!accepted)
        return std::unexpected(accepted.error());
    if (name.ss_family == AF_UNIX) {
        auto listener = std::make_unique<LocalListener>(std::move(*accepted));
        if (!listener->QLocalServer::listen(qintptr(descriptor)))
            return failure(Kind::Invalid, listener->errorString());
        d->localListeners.push_back(std::move(listener));
        return {};
    }
    auto listener = std::make_unique<TcpListener>(std::move(*accepted));
    if (!listener->setSocketDescriptor(descriptor))
        return failure(Kind::Invalid, listener->errorString());
    d->tcpListeners.push_back(std::move(listener));
    return {};
}

quint16 HttpServer::port() const
{
    return d->tcpListeners.empty() ? 0 : d->tcpListeners.front()->serverPort();
}

void HttpServer::stopListening()
{
    d->tcpListeners.clear();
    d->localListeners.clear();
}

void HttpServer::closeIdle()
{
    const auto connections = d->connections;
    for (auto* const connection : connections)
        connection->closeWhenIdle();
}

int HttpServer::connectionCount() const
{
    return d->count;
}

} // namespace isol8::http
