// SPDX-License-Identifier: MIT
#include "engine/remote/websocketstream.h"

#include "engine/http/headparser.h"
#include "engine/http/websockethandshake.h"
#include "engine/remote/eventreader.h"
#include "engine/remote/failures.h"

#include <QJsonDocument>
#include <QNetworkRequest>
#include <QSslSocket>

namespace isol8::remote {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr auto openLimit = 15s;
/// A server that did not answer a ping until the next one is gone.
constexpr auto pingInterval = 30s;

} // namespace

WebSocketStream::WebSocketStream(std::shared_ptr<Connection> connection)
    : m_connection(std::move(connection))
{
    m_openLimit.setSingleShot(true);
    connect(&m_openLimit, &QTimer::timeout, this,
        [this] { end(noAnswerInTime(m_connection->address(), openLimit)); });
    connect(&m_pinger, &QTimer::timeout, this, &WebSocketStream::checkAlive);
}

WebSocketStream::~WebSocketStream()
{
    if (m_opening) {
        m_opening->disconnect(this);
        m_opening->abort();
        m_opening.release()->deleteLater();
    }
    if (!m_socket)
        return;
    m_socket->disconnect(this);
    if (!m_isEnded)
        m_socket->close(http::closecode::normal, {});
    // May be within a signal of its own.
    m_socket.release()->deleteLater();
}

void WebSocketStream::start(const QJsonObject& execution)
{
    m_execution = execution;
    m_execution.insert(u"type"_s, u"execute"_s);
    const auto& url = m_connection->address().url;
    const bool isEncrypted = url.scheme() == "https"_L1;
    m_opening = isEncrypted ? std::make_unique<QSslSocket>() : std::make_unique<QTcpSocket>();
    // Queued: the socket does not like to be destroyed within its own signals.
    connect(m_opening.get(), &QTcpSocket::readyRead, this, &WebSocketStream::readAnswer,
        Qt::QueuedConnection);
    const auto fail = [this] {
        if (m_opening)
            end(lostConnection(m_connection->address(), m_opening->errorString()));
    };
    connect(m_opening.get(), &QTcpSocket::errorOccurred, this, fail, Qt::QueuedConnection);
    connect(m_opening.get(), &QTcpSocket::disconnected, this, fail, Qt::QueuedConnection);
    m_openLimit.start(openLimit);
    if (isEncrypted) {
        auto* const socket = static_cast<QSslSocket*>(m_opening.get());
        connect(socket, &QSslSocket::encrypted, this, &WebSocketStream::ask);
        socket->connectToHostEncrypted(url.host(), quint16(url.port(443)));
    } else {
        connect(m_opening.get(), &QTcpSocket::connected, this, &WebSocketStream::ask);
        m_opening->connectToHost(url.host(), quint16(url.port(80)));
    }
}

void WebSocketStream::ask()
{
    const auto request = m_connection->request(u"/execute/ws"_s);
    http::Fields fields;
    for (const auto& name : request.rawHeaderList())
        fields << http::Field { name, request.rawHeader(name) };
    m_key = http::newWebSocketKey();
    m_opening->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_opening->write(http::webSocketRequest(request.url().path(QUrl::FullyEncoded).toLatin1(),
        request.url().authority(QUrl::FullyEncoded).toLatin1(), fields, m_key));
}

void WebSocketStream::readAnswer()
{
    if (m_isEnded || !m_opening)
        return;
    const http::HttpLimits limits;
    const auto bytes = m_opening->peek(2 * limits.maxHeaderBytes);
    const auto size = http::HeadScanner(limits).scan(bytes);
    if (size && *size == 0)
        return;
    const auto head = size ? http::parseResponseHead(QByteArrayView(bytes).first(*size), limits)
                           : Result<http::ResponseHead>(std::unexpected(size.error()));
    if (!head || !http::isWebSocketAnswer(*head, m_key))
        return end(lostConnection(m_connection->address(), u"it opens no WebSocket"_s));
    m_opening->skip(*size);
    open();
}

void WebSocketStream::open()
{
    m_opening->disconnect(this);
    m_socket = std::make_unique<http::WebSocket>(
        std::move(m_opening), http::WebSocketRole::Client, maxEventBytes);
    m_socket->setPaused(m_isPaused);
    connect(
        m_socket.get(), &http::WebSocket::messageReceived, this, [this](const QByteArray& message) {
            m_isAnswered = true;
            if (!m_isEnded)
                Q_EMIT eventReceived(message);
        });
    connect(m_socket.get(), &http::WebSocket::pongReceived, this, [this] { m_isAnswered = true; });
    connect(m_socket.get(), &http::WebSocket::bytesWritten, this, &EventStream::bytesSent);
    connect(m_socket.get(), &http::WebSocket::disconnected, this,
        [this] { end(lostConnection(m_connection->address(), m_socket->problem())); });
    m_openLimit.stop();
    m_pinger.start(pingInterval);
    send(std::exchange(m_execution, {}));
    Q_EMIT opened();
}

void WebSocketStream::send(const QJsonObject& message)
{
    if (canSend())
        m_socket->sendText(QJsonDocument(message).toJson(QJsonDocument::Compact));
}

qint64 WebSocketStream::pendingBytes() const
{
    return m_socket ? m_socket->bytesToWrite() : 0;
}

void WebSocketStream::setPaused(bool isPaused)
{
    if (m_isPaused == isPaused)
        return;
    m_isPaused = isPaused;
    m_isAnswered = true; // Pongs wait as well.
    if (m_socket)
        m_socket->setPaused(isPaused);
}

void WebSocketStream::checkAlive()
{
    if (m_isPaused)
        return;
    if (std::exchange(m_isAnswered, false))
        m_socket->ping();
    else
        end(lostConnection(m_connection->address(), u"the server is silent"_s));
}

void WebSocketStream::end(const Error& reason)
{
    if (std::exchange(m_isEnded, true))
        return;
    m_openLimit.stop();
    m_pinger.stop();
    Q_EMIT ended(reason);
}

} // namespace isol8::remote
