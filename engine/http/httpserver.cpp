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

/// The certificate of an address, which can be replaced while it listens.
struct Tls {
    TlsFiles files;
    QSslConfiguration configuration;
};
using TlsPointer = std::shared_ptr<Tls>; ///< Null: plain.

Result<TlsPointer> loadTls(const std::optional<TlsFiles>& files)
{
    if (!files)
        return TlsPointer();
    const auto configuration = tlsConfiguration(*files);
    if (!configuration)
        return std::unexpected(configuration.error());
    return std::make_shared<Tls>(*files, *configuration);
}

} // namespace

struct HttpServer::Private {
    HttpServer* q;
    HttpLimits limits;
    std::vector<std::unique_ptr<TcpListener>> tcpListeners;
    std::vector<std::unique_ptr<LocalListener>> localListeners;
    std::vector<TlsPointer> tls; ///< Of the listeners that have one.
    QSet<Connection*> connections;
    QHash<QHostAddress, int> perAddress;
    int count = 0;
    int refusedCount = 0;
    bool isEnding = false;

    Result<> listenTcp(const ListenAddress& address, Accepted accepted);
    Result<> listenLocal(const ListenAddress& address, Accepted accepted);
    Accepted acceptor(const TlsPointer& tls);
    void accept(qintptr descriptor, const TlsPointer& tls);
    void refuse(std::unique_ptr<QTcpSocket> socket, bool isTotal);
    Connection* makeConnection(std::unique_ptr<QTcpSocket> socket);
    void release(const QHostAddress& address);
};

Accepted HttpServer::Private::acceptor(const TlsPointer& tls)
{
    return [this, tls](qintptr descriptor) { accept(descriptor, tls); };
}

Connection* HttpServer::Private::makeConnection(std::unique_ptr<QTcpSocket> socket)
{
    const auto peer = peerOf(*socket);
    auto* const connection = new Connection(std::move(socket), limits);
    connection->setParent(q);
    connections.insert(connection);
    QObject::connect(connection, &Connection::refused, q,
        [this, peer](int status) { Q_EMIT q->connectionRefused(status, peer); });
    return connection;
}

void HttpServer::Private::accept(qintptr descriptor, const TlsPointer& tls)
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
    auto* const connection = makeConnection(std::move(socket));
    if (isEnding)
        connection->closeAfterAnswer();
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
        tlsSocket->setSslConfiguration(tls->configuration);
        tlsSocket->startServerEncryption();
    }
}

void HttpServer::Private::refuse(std::unique_ptr<QTcpSocket> socket, bool isTotal)
{
    if (refusedCount >= maxRefusedConnections)
        return;
    ++refusedCount;
    auto* const connection = makeConnection(std::move(socket));
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
    , d(std::make_unique<Private>(this, limits))
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
    const auto tls = loadTls(address.tls);
    if (!tls)
        return std::unexpected(tls.error());
    const auto listening = address.localPath.isEmpty() ? d->listenTcp(address, d->acceptor(*tls))
                                                       : d->listenLocal(address, d->acceptor(*tls));
    if (listening && *tls)
        d->tls.push_back(*tls);
    return listening;
}

Result<> HttpServer::Private::listenLocal(const ListenAddress& address, Accepted accepted)
{
    auto listener = std::make_unique<LocalListener>(std::move(accepted));
    const auto bound = listener->bindPath(address.localPath);
    if (bound)
        localListeners.push_back(std::move(listener));
    return bound;
}

Result<> HttpServer::Private::listenTcp(const ListenAddress& address, Accepted accepted)
{
    const auto host = hostAddress(address.host);
    if (!host)
        return failure(Kind::Invalid, u"%1 is no IP address"_s.arg(address.host));
    auto listener = std::make_unique<TcpListener>(std::move(accepted));
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
    tcpListeners.push_back(std::move(listener));
    return {};
}

Result<> HttpServer::listenOn(int descriptor, const std::optional<TlsFiles>& files)
{
    sockaddr_storage name {};
    socklen_t nameBytes = sizeof name;
    int isListening = 0;
    int type = 0;
    socklen_t flagBytes = sizeof isListening;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &nameBytes) != 0
        || ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &flagBytes) != 0
        || ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &flagBytes) != 0 || isListening == 0
        || type != SOCK_STREAM)
        return failure(Kind::Invalid, u"descriptor %1 is no listening socket"_s.arg(descriptor));
    const auto tls = loadTls(files);
    if (!tls)
        return std::unexpected(tls.error());
    if (name.ss_family == AF_UNIX) {
        auto listener = std::make_unique<LocalListener>(d->acceptor(*tls));
        listener->take(descriptor);
        d->localListeners.push_back(std::move(listener));
    } else {
        auto listener = std::make_unique<TcpListener>(d->acceptor(*tls));
        if (!listener->setSocketDescriptor(descriptor))
            return failure(Kind::Invalid, listener->errorString());
        d->tcpListeners.push_back(std::move(listener));
    }
    if (*tls)
        d->tls.push_back(*tls);
    return {};
}

void HttpServer::setLimits(const HttpLimits& limits)
{
    d->limits = limits;
    for (auto* const connection : std::as_const(d->connections))
        connection->setLimits(limits);
}

Result<> HttpServer::reloadTls()
{
    std::vector<QSslConfiguration> loaded;
    for (const auto& tls : d->tls) {
        const auto configuration = tlsConfiguration(tls->files);
        if (!configuration)
            return std::unexpected(configuration.error());
        loaded.push_back(*configuration);
    }
    for (size_t i = 0; i < loaded.size(); ++i)
        d->tls[i]->configuration = loaded[i];
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
    d->tls.clear();
}

void HttpServer::closeIdle()
{
    d->isEnding = true;
    const auto connections = d->connections;
    for (auto* const connection : connections)
        connection->closeWhenIdle();
}

int HttpServer::connectionCount() const
{
    return d->count;
}

} // namespace isol8::http
