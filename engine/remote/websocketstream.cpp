// SPDX-License-Identifier: MIT
#include "engine/remote/websocketstream.h"

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
/// What waits for a paused reader.
constexpr qint64 pausedBytes = 1 << 20;

QByteArray text(const QJsonObject& message)
{
    return QJsonDocument(message).toJson(QJsonDocument::Compact);
}

} // namespace

WebSocketStream::WebSocketStream(std::shared_ptr<Connection> connection)
    : m_connection(std::move(connection))
    , m_socket(std::make_unique<QWebSocket>())
{
    m_socket->setMaxAllowedIncomingFrameSize(maxEventBytes);
    m_socket->setMaxAllowedIncomingMessageSize(maxEventBytes);
    connect(m_socket.get(), &QWebSocket::connected, this, [this] {
        m_openLimit.stop();
        m_pinger.start(pingInterval);
        m_isOpen = true;
        send(std::exchange(m_execution, {}));
        // Everything else happens first, since the message must be written.
        if (m_isPaused)
            QMetaObject::invokeMethod(this, [this] { silence(m_isPaused); }, Qt::QueuedConnection);
        Q_EMIT opened();
    });
    connect(m_socket.get(), &QWebSocket::textMessageReceived, this, [this](const QString& message) {
        m_isAnswered = true;
        if (!m_isEnded)
            Q_EMIT eventReceived(message.toUtf8());
    });
    connect(m_socket.get(), &QWebSocket::pong, this, [this] { m_isAnswered = true; });
    connect(m_socket.get(), &QWebSocket::bytesWritten, this, &EventStream::bytesSent);
    // Queued: the socket does not like to be destroyed within its own signals.
    connect(m_socket.get(), &QWebSocket::errorOccurred, this,
        [this] { m_problem = m_socket->errorString(); });
    connect(m_socket.get(), &QWebSocket::disconnected, this, &WebSocketStream::handleEnd,
        Qt::QueuedConnection);
    connect(m_socket.get(), &QWebSocket::errorOccurred, this, &WebSocketStream::handleEnd,
        Qt::QueuedConnection);
    connect(&m_openLimit, &QTimer::timeout, this,
        [this] { end(noAnswerInTime(m_connection->address(), openLimit)); });
    connect(&m_pinger, &QTimer::timeout, this, &WebSocketStream::checkAlive);
}

WebSocketStream::~WebSocketStream()
{
    m_socket->disconnect(this);
    if (m_isOpen && !m_isEnded)
        m_socket->close();
    // May be within a signal of its own.
    m_socket.release()->deleteLater();
}

void WebSocketStream::start(const QJsonObject& execution)
{
    m_execution = execution;
    m_execution.insert(u"type"_s, u"execute"_s);
    auto request = m_connection->request(u"/execute/ws"_s);
    auto url = request.url();
    url.setScheme(url.scheme() == "https"_L1 ? u"wss"_s : u"ws"_s);
    request.setUrl(url);
    m_openLimit.setSingleShot(true);
    m_openLimit.start(openLimit);
    m_socket->open(request);
}

void WebSocketStream::send(const QJsonObject& message)
{
    if (canSend())
        m_socket->sendTextMessage(QString::fromUtf8(text(message)));
}

void WebSocketStream::setPaused(bool isPaused)
{
    if (m_isPaused == isPaused)
        return;
    m_isPaused = isPaused;
    if (!m_isOpen)
        return;
    silence(isPaused);
    if (!isPaused)
        QMetaObject::invokeMethod(this, &WebSocketStream::readOn, Qt::QueuedConnection);
}

void WebSocketStream::silence(bool isSilent)
{
    // QWebSocket reads whatever its socket announces; a silent socket fills its buffer and stops.
    // Without a limit otherwise: Qt takes a frame out of the buffer in one piece.
    auto* socket = m_socket->findChild<QTcpSocket*>({}, Qt::FindDirectChildrenOnly);
    if (!socket)
        return;
    socket->setReadBufferSize(isSilent ? pausedBytes : 0);
    socket->blockSignals(isSilent);
}

void WebSocketStream::readOn()
{
    auto* socket = m_socket->findChild<QTcpSocket*>({}, Qt::FindDirectChildrenOnly);
    if (m_isPaused || m_isEnded || !socket)
        return;
    m_isAnswered = true;
    const QPointer alive(this);
    socket->flush(); // Of TLS: decrypts what waits too.
    if (alive && socket->bytesAvailable() > 0)
        Q_EMIT socket->readyRead();
    // Its end may have been announced meanwhile, to nobody.
    if (alive && !m_isPaused && socket->state() == QAbstractSocket::UnconnectedState)
        handleEnd();
    else if (alive)
        Q_EMIT bytesSent();
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

void WebSocketStream::handleEnd()
{
    if (m_isPaused && m_isOpen)
        return; // Comes again with readOn().
    auto detail = m_socket->closeReason();
    if (detail.isEmpty() && m_socket->error() != QAbstractSocket::UnknownSocketError
        && m_socket->error() != QAbstractSocket::RemoteHostClosedError)
        detail = m_problem;
    end(lostConnection(m_connection->address(), detail));
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
