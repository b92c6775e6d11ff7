// SPDX-License-Identifier: MIT
#include "engine/http/websocket.h"

#include <QSslSocket>
#include <QTcpSocket>

#include <sys/socket.h>

namespace isol8::http {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qint64 readBufferBytes = 64 << 10;
/// A client that lets more than this wait only sends and never reads.
constexpr qint64 maxBacklogBytes = 4 << 20;
/// What a client may take to read the end.
constexpr auto closeLimit = 60s;
/// What one may take to hang up that has been told of its mistake.
constexpr auto lingerLimit = 2s;

} // namespace

WebSocket::WebSocket(std::unique_ptr<QTcpSocket> socket, WebSocketRole role, qint64 maxMessageBytes)
    : m_socket(std::move(socket))
    , m_role(role)
    , m_reader(role, maxMessageBytes)
{
    m_socket->setReadBufferSize(readBufferBytes);
    // Queued: whoever hears a signal of this may let go of the socket.
    connect(
        m_socket.get(), &QTcpSocket::readyRead, this, &WebSocket::process, Qt::QueuedConnection);
    connect(m_socket.get(), &QTcpSocket::disconnected, this, &WebSocket::onDisconnected,
        Qt::QueuedConnection);
    connect(m_socket.get(), &QTcpSocket::bytesWritten, this, &WebSocket::onWritten,
        Qt::QueuedConnection);
    if (const auto* tls = qobject_cast<QSslSocket*>(m_socket.get()))
        connect(tls, &QSslSocket::encryptedBytesWritten, this, &WebSocket::onWritten,
            Qt::QueuedConnection);
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, &WebSocket::abort);
    // What came together with the handshake.
    QMetaObject::invokeMethod(this, &WebSocket::process, Qt::QueuedConnection);
}

WebSocket::~WebSocket()
{
    m_socket->disconnect(this);
    m_socket->flush();
    m_socket->abort();
}

void WebSocket::setPaused(bool isPaused)
{
    m_isPaused = isPaused;
    if (!isPaused)
        QMetaObject::invokeMethod(this, &WebSocket::process, Qt::QueuedConnection);
}

void WebSocket::process()
{
    while (!m_isPaused && !m_isDisconnected && m_socket->bytesAvailable() > 0) {
        const auto bytes = m_socket->read(readBufferBytes);
        if (m_isFailed)
            continue;
        const auto reading = m_reader.feed(bytes);
        for (const auto& item : reading.items)
            handle(item);
        if (reading.fault)
            fail(*reading.fault);
    }
    if (m_role == WebSocketRole::Server && bytesToWrite() > maxBacklogBytes)
        abort();
    if (m_socket->state() == QTcpSocket::UnconnectedState)
        onDisconnected();
}

void WebSocket::handle(const WebSocketReader::Item& item)
{
    switch (item.opcode) {
    case WebSocketOpcode::Ping:
        return send(WebSocketOpcode::Pong, item.payload);
    case WebSocketOpcode::Pong:
        Q_EMIT pongReceived();
        return;
    case WebSocketOpcode::Close:
        m_closeReason = QString::fromUtf8(item.payload.mid(2));
        // The same code comes back (section 5.5.1).
        if (!std::exchange(m_isClosing, true))
            m_socket->write(webSocketFrame(m_role, WebSocketOpcode::Close, item.payload.left(2)));
        m_limit.start(closeLimit);
        m_socket->disconnectFromHost();
        return;
    default:
        if (!m_isClosing)
            Q_EMIT messageReceived(item.payload);
    }
}

void WebSocket::send(WebSocketOpcode opcode, const QByteArray& payload)
{
    if (!m_isClosing && m_socket->state() == QTcpSocket::ConnectedState)
        m_socket->write(webSocketFrame(m_role, opcode, payload));
}

void WebSocket::sendText(const QByteArray& utf8)
{
    send(WebSocketOpcode::Text, utf8);
}

void WebSocket::ping()
{
    send(WebSocketOpcode::Ping, {});
}

void WebSocket::close(int code, const QString& reason)
{
    send(WebSocketOpcode::Close, closePayload(code, reason));
    m_isClosing = true;
    m_limit.start(closeLimit);
}

void WebSocket::fail(const WebSocketReader::Fault& fault)
{
    m_isFailed = true;
    m_closeReason = fault.reason;
    close(fault.code, fault.reason);
    QMetaObject::invokeMethod(this, &WebSocket::onWritten, Qt::QueuedConnection);
}

void WebSocket::abort()
{
    m_socket->abort();
}

QString WebSocket::problem() const
{
    const bool isEnd = m_socket->error() == QTcpSocket::UnknownSocketError
        || m_socket->error() == QTcpSocket::RemoteHostClosedError;
    return m_closeReason.isEmpty() && !isEnd ? m_socket->errorString() : m_closeReason;
}

qint64 WebSocket::bytesToWrite() const
{
    const auto* tls = qobject_cast<QSslSocket*>(m_socket.get());
    return m_socket->bytesToWrite() + (tls ? tls->encryptedBytesToWrite() : 0);
}

void WebSocket::onWritten()
{
    if (m_isDisconnected)
        return;
    if (m_isFailed && bytesToWrite() == 0) {
        // Closing with unread bytes would destroy the Close frame on its way.
        ::shutdown(int(m_socket->socketDescriptor()), SHUT_WR);
        m_limit.start(lingerLimit);
    }
    Q_EMIT bytesWritten();
}

void WebSocket::onDisconnected()
{
    // What has come before is read first.
    if (m_isPaused && m_socket->bytesAvailable() > 0)
        return;
    if (std::exchange(m_isDisconnected, true))
        return;
    m_limit.stop();
    Q_EMIT disconnected();
}

} // namespace isol8::http
