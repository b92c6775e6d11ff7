// SPDX-License-Identifier: MIT
#include "engine/docker/endpointsocket.h"

#include "engine/docker/failures.h"

#include <QLocalSocket>
#include <QNetworkProxy>
#include <QSslSocket>
#include <QTcpSocket>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

// What a sender can push ahead of us while nobody reads.
constexpr qint64 readBufferBytes = 256 << 10;

} // namespace

EndpointSocket::EndpointSocket(Endpoint endpoint)
    : m_endpoint(std::move(endpoint))
{
    if (m_endpoint.transport == Endpoint::Transport::Local)
        connectLocal();
    else
        connectRemote();
    connect(m_device, &QIODevice::readyRead, this, &EndpointSocket::readyRead);
    connect(m_device, &QIODevice::bytesWritten, this, &EndpointSocket::bytesWritten);
}

EndpointSocket::~EndpointSocket()
{
    abort();
}

void EndpointSocket::connectLocal()
{
    m_device = m_local = new QLocalSocket(this);
    m_local->setReadBufferSize(readBufferBytes);
    connect(m_local, &QLocalSocket::connected, this, &EndpointSocket::succeed);
    connect(m_local, &QLocalSocket::errorOccurred, this,
        [this] { fail(connectionError(m_endpoint, m_local->errorString())); });
    connect(m_local, &QLocalSocket::disconnected, this, [this] { fail({}); });
}

void EndpointSocket::connectRemote()
{
    auto* const socket = new QSslSocket(this);
    m_device = m_remote = socket;
    socket->setReadBufferSize(readBufferBytes);
    socket->setProxy(QNetworkProxy::NoProxy);
    if (m_endpoint.transport == Endpoint::Transport::Tls) {
        socket->setSslConfiguration(*m_endpoint.tls);
        connect(socket, &QSslSocket::encrypted, this, &EndpointSocket::succeed);
    } else {
        connect(socket, &QAbstractSocket::connected, this, &EndpointSocket::succeed);
    }
    connect(socket, &QAbstractSocket::errorOccurred, this,
        [this, socket](QAbstractSocket::SocketError error) {
            const bool isTls = error == QAbstractSocket::SslHandshakeFailedError;
            fail(isTls ? tlsError(m_endpoint, m_remote->errorString())
                       : connectionError(m_endpoint, m_remote->errorString()));
        });
    connect(m_remote, &QAbstractSocket::disconnected, this, [this] { fail({}); });
}

void EndpointSocket::open()
{
    // A local socket connects, or fails, before connectToServer() returns.
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (m_closeReason)
                return;
            if (m_local)
                m_local->connectToServer(m_endpoint.socketPath);
            else if (m_endpoint.transport == Endpoint::Transport::Tls)
                static_cast<QSslSocket*>(m_remote)->connectToHostEncrypted(
                    m_endpoint.host, m_endpoint.port);
            else
                m_remote->connectToHost(m_endpoint.host, m_endpoint.port);
        },
        Qt::QueuedConnection);
}

void EndpointSocket::abort()
{
    if (!m_closeReason)
        m_closeReason = cancelled();
    disconnect(m_device, nullptr, this, nullptr);
    if (m_local)
        m_local->abort();
    else
        m_remote->abort();
}

void EndpointSocket::succeed()
{
    m_isOpen = true;
    if (m_remote)
        m_remote->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    Q_EMIT opened();
}

void EndpointSocket::fail(Error reason)
{
    if (m_closeReason)
        return;
    if (m_isOpen)
        reason = { Kind::Unreachable, u"Docker closed the connection to the container"_s };
    m_closeReason = std::move(reason);
    Q_EMIT closed();
}

} // namespace isol8::docker
