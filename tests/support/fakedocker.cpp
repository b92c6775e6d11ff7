// SPDX-License-Identifier: MIT
#include "fakedocker.h"

#include <QLocalServer>
#include <QLocalSocket>
#include <QSslServer>
#include <QSslSocket>

namespace isol8::test {

using namespace Qt::StringLiterals;
using docker::Endpoint;

FakeDocker::FakeDocker(Endpoint::Transport transport, const QSslConfiguration& tls)
{
    m_endpoint.transport = transport;
    m_endpoint.origin = u"test"_s;
    if (transport == Endpoint::Transport::Local) {
        m_localServer = std::make_unique<QLocalServer>();
        m_endpoint.socketPath = m_directory.filePath(u"docker.sock"_s);
        if (!m_localServer->listen(m_endpoint.socketPath))
            qFatal("no local socket for the fake daemon");
        connect(m_localServer.get(), &QLocalServer::newConnection, this, [this] {
            while (auto* socket = m_localServer->nextPendingConnection()) {
                connect(
                    socket, &QLocalSocket::disconnected, this, [this, socket] { forget(socket); });
                adopt(socket);
            }
        });
        return;
    }
    if (transport == Endpoint::Transport::Tls) {
        auto server = std::make_unique<QSslServer>();
        server->setSslConfiguration(tls);
        m_tcpServer = std::move(server);
    } else {
        m_tcpServer = std::make_unique<QTcpServer>();
    }
    if (!m_tcpServer->listen(QHostAddress::LocalHost))
        qFatal("no port for the fake daemon");
    m_endpoint.host = u"127.0.0.1"_s;
    m_endpoint.port = m_tcpServer->serverPort();
    connect(m_tcpServer.get(), &QTcpServer::pendingConnectionAvailable, this, [this] {
        while (auto* socket = m_tcpServer->nextPendingConnection()) {
            connect(
                socket, &QAbstractSocket::disconnected, this, [this, socket] { forget(socket); });
            adopt(socket);
        }
    });
}

FakeDocker::~FakeDocker()
{
    die();
}

Endpoint FakeDocker::endpoint() const
{
    return m_endpoint;
}

void FakeDocker::enqueue(const QByteArray& bytes, After after)
{
    m_replies.append({ bytes, after });
}

void FakeDocker::enqueueJson(int status, const QByteArray& json, const QByteArray& headers)
{
    enqueue(answer(status, json, "Content-Type: application/json\r\n" + headers));
}

QByteArray FakeDocker::answer(int status, const QByteArray& body, const QByteArray& headers)
{
    return "HTTP/1.1 " + QByteArray::number(status) + " Said\r\n" + headers
        + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

void FakeDocker::die()
{
    dropAll();
    if (m_localServer)
        m_localServer->close();
    if (m_tcpServer)
        m_tcpServer->close();
}

void FakeDocker::dropAll()
{
    const auto connections = std::exchange(m_connections, {});
    m_lastConnection = nullptr;
    for (auto* connection : connections.keys()) {
        connection->disconnect(this);
        connection->close();
    }
}

void FakeDocker::forget(QIODevice* connection)
{
    m_connections.remove(connection);
    if (m_lastConnection == connection)
        m_lastConnection = nullptr;
}

void FakeDocker::adopt(QIODevice* connection)
{
    m_connections.insert(connection, {});
    connect(connection, &QIODevice::readyRead, this, [this, connection] { read(connection); });
    Q_EMIT accepted();
    if (m_connections.contains(connection))
        read(connection);
}

void FakeDocker::read(QIODevice* connection)
{
    auto& buffer = m_connections[connection];
    buffer += connection->readAll();
    const auto headerEnd = buffer.indexOf("\r\n\r\n");
    if (headerEnd < 0)
        return;
    auto lines = buffer.first(headerEnd).split('\n');
    const auto words = lines.takeFirst().trimmed().split(' ');
    Request request { words.value(0), words.value(1), {}, {} };
    for (const auto& line : std::as_const(lines)) {
        const auto colon = line.indexOf(':');
        request.headers.insert(
            line.first(colon).trimmed().toLower(), line.sliced(colon + 1).trimmed());
    }
    const auto bodyBytes = request.headers.value("content-length").toLongLong();
    if (buffer.size() < headerEnd + 4 + bodyBytes)
        return;
    request.body = buffer.sliced(headerEnd + 4, bodyBytes);
    buffer.clear();
    m_requests.append(request);
    m_lastConnection = connection;
    if (request.headers.contains("upgrade"))
        disconnect(connection, &QIODevice::readyRead, this, nullptr);
    if (!m_replies.isEmpty()) {
        const auto reply = m_replies.takeFirst();
        connection->write(reply.bytes);
        if (reply.after == After::Close) {
            if (auto* local = qobject_cast<QLocalSocket*>(connection))
                local->disconnectFromServer();
            else
                qobject_cast<QAbstractSocket*>(connection)->disconnectFromHost();
        }
    }
    Q_EMIT requested();
}

} // namespace isol8::test
