// SPDX-License-Identifier: MIT
#include "engine/http/connection.h"

#include "engine/http/answerhead.h"
#include "engine/http/listener.h"

#include <QSslSocket>
#include <QTcpSocket>

#include <poll.h>
#include <sys/socket.h>

namespace isol8::http {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qint64 readBufferBytes = 64 << 10;
// More than two sockets hold: so much may be under way before a client can have seen the answer.
constexpr qint64 maxLingerBytes = 16 << 20;
constexpr auto lingerTimeout = 2s;
constexpr auto hangUpInterval = 250ms;

bool hasHungUp(qintptr descriptor)
{
    pollfd entry { int(descriptor), POLLRDHUP, 0 };
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

} // namespace

Connection::Connection(std::unique_ptr<QTcpSocket> socket, const HttpLimits& limits)
    : m_limits(limits)
    , m_socket(std::move(socket))
    , m_scanner(limits)
{
    setLimits(limits);
    // Queued: a handler may destroy the socket, which must not be on the stack then.
    connect(
        m_socket.get(), &QTcpSocket::readyRead, this, &Connection::process, Qt::QueuedConnection);
    connect(m_socket.get(), &QTcpSocket::disconnected, this, &Connection::onDisconnected,
        Qt::QueuedConnection);
    connect(
        m_socket.get(), &QTcpSocket::errorOccurred, this,
        [this] {
            if (m_socket && m_socket->state() != QTcpSocket::ConnectedState)
                onDisconnected();
        },
        Qt::QueuedConnection);
    connect(m_socket.get(), &QTcpSocket::bytesWritten, this, &Connection::onWritten,
        Qt::QueuedConnection);
    if (const auto* tls = qobject_cast<QSslSocket*>(m_socket.get())) {
        connect(tls, &QSslSocket::encryptedBytesWritten, this, &Connection::onWritten,
            Qt::QueuedConnection);
        connect(tls, &QSslSocket::encrypted, this, &Connection::process, Qt::QueuedConnection);
    }
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &Connection::onTimeout);
    m_timer.start(m_limits.headerTimeout);
    m_writeTimer.setSingleShot(true);
    connect(&m_writeTimer, &QTimer::timeout, this, &Connection::abort);
    connect(&m_hangUpTimer, &QTimer::timeout, this, &Connection::watchForFullBuffer);
}

Connection::~Connection()
{
    if (m_socket) {
        m_socket->disconnect(this);
        m_socket->abort();
    }
    if (const auto exchange = m_exchange.lock())
        exchange->m_isClientGone = exchange->m_state != Exchange::State::Ended;
    finishBody(std::unexpected(cancelled()));
}

void Connection::setLimits(const HttpLimits& limits)
{
    m_limits = limits;
    if (!m_hasHeadBegun)
        m_scanner = HeadScanner(m_limits);
    if (m_socket)
        m_socket->setReadBufferSize(std::max(readBufferBytes, m_limits.maxHeaderBytes + 4096));
}

void Connection::process()
{
    switch (m_state) {
    case State::Head:
        processHead();
        break;
    case State::Busy:
        processBody();
        break;
    case State::Lingering:
        processLingering();
        break;
    case State::Flushing:
    case State::Closed:
        break;
    }
}

void Connection::processHead()
{
    // Asking for more than the buffer can hold makes the socket read on where it had paused.
    QByteArray bytes = m_socket->peek(2 * m_socket->readBufferSize());
    // An empty line before a request line is left over from a body (RFC 9112, section 2.2).
    if (bytes.startsWith("\r\n") && !std::exchange(m_hasSkippedLine, true)) {
        m_socket->read(2);
        m_scanner = HeadScanner(m_limits);
        bytes = m_socket->peek(2 * m_socket->readBufferSize());
    }
    if (bytes.isEmpty())
        return;
    if (!m_hasHeadBegun) {
        m_hasHeadBegun = true;
        m_timer.start(m_limits.headerTimeout);
    }
    if (bytes == "\r")
        return;
    const auto headBytes = m_scanner.scan(bytes);
    if (!headBytes)
        return refuse(headBytes.error().httpStatus, headBytes.error().message);
    if (*headBytes == 0)
        return;
    auto head = parseHead(QByteArrayView(bytes).first(*headBytes), m_limits);
    if (!head)
        return refuse(head.error().httpStatus, head.error().message);
    head->peerAddress = peerOf(*m_socket);
    head->isEncrypted = qobject_cast<QSslSocket*>(m_socket.get()) != nullptr;
    m_socket->read(*headBytes);
    startExchange(std::move(*head));
}

void Connection::startExchange(RequestHead head)
{
    m_timer.stop();
    m_state = State::Busy;
    m_isKeptAlive = head.isKeepAlive && !m_isClosingWhenIdle;
    m_head = head;
    const auto exchange = std::make_shared<Exchange>(this, std::move(head));
    m_exchange = exchange;
    watchForFullBuffer();
    Q_EMIT requestReceived(exchange);
}

void Connection::readBody(qint64 maxBytes, const Completion<QByteArray>& completion)
{
    m_isBodyBegun = false; // An empty or too large body is known without a byte.
    m_body.emplace(m_head, std::min(maxBytes, m_limits.maxBodyBytes));
    m_bodyCompletion = completion;
    if (m_head.expectsContinue && m_head.contentLength <= maxBytes)
        m_socket->write("HTTP/1.1 100 Continue\r\n\r\n");
    m_timer.start(m_limits.bodyTimeout);
    // Not at once: the caller is not waiting yet, and what it does next may end the exchange.
    QMetaObject::invokeMethod(this, &Connection::processBody, Qt::QueuedConnection);
}

void Connection::processBody()
{
    if (m_state != State::Busy || !m_bodyCompletion)
        return watchForFullBuffer();
    const auto bodyBytes = m_body->body().size();
    for (;;) {
        const QByteArray bytes = m_socket->peek(readBufferBytes);
        if (bytes.isEmpty() && m_isBodyBegun)
            break;
        m_isBodyBegun = true;
        const auto taken = m_body->feed(bytes);
        if (!taken) {
            m_timer.stop();
            return finishBody(std::unexpected(taken.error()));
        }
        m_socket->read(*taken);
        if (m_body->isComplete()) {
            m_timer.stop();
            watchForFullBuffer();
            return finishBody(m_body->body());
        }
    }
    if (m_body->body().size() > bodyBytes)
        m_timer.start(m_limits.bodyTimeout);
}

void Connection::finishBody(Result<QByteArray> result)
{
    if (const auto completion = std::exchange(m_bodyCompletion, std::nullopt))
        completion->deliver(std::move(result));
}

bool Connection::isBodyRead() const
{
    return !m_head.hasBody() || (m_body && m_body->isComplete());
}

void Connection::startAnswer(int status, Fields fields)
{
    m_isKeptAlive = m_isKeptAlive && isBodyRead() && !m_isClosingWhenIdle;
    if (!m_isKeptAlive)
        fields.append(Field { "Connection", "close" });
    else if (m_head.minorVersion == 0)
        fields.append(Field { "Connection", "keep-alive" });
    m_socket->write(answerHead(status, fields));
}

bool Connection::isAnswerable() const
{
    return m_state == State::Busy && m_socket->state() == QTcpSocket::ConnectedState;
}

void Connection::respond(int status, Fields fields, const QByteArray& body)
{
    if (!isAnswerable())
        return;
    const bool hasNoBody = status == 204 || status == 304;
    if (!hasNoBody)
        fields.append(Field { "Content-Length", QByteArray::number(body.size()) });
    startAnswer(status, std::move(fields));
    if (!hasNoBody && m_head.method != "HEAD")
        m_socket->write(body);
    endAnswer();
}

void Connection::startStream(int status, Fields fields)
{
    if (!isAnswerable())
        return;
    m_isChunkedAnswer = m_head.minorVersion > 0;
    if (m_isChunkedAnswer)
        fields.append(Field { "Transfer-Encoding", "chunked" });
    else
        m_isKeptAlive = false;
    startAnswer(status, std::move(fields));
    onWritten();
}

void Connection::write(const QByteArray& bytes)
{
    if (bytes.isEmpty() || m_head.method == "HEAD" || !isAnswerable())
        return;
    if (pendingBytes() + bytes.size() > m_limits.maxPendingBytes)
        return abort();
    if (m_isChunkedAnswer)
        m_socket->write(QByteArray::number(bytes.size(), 16) + "\r\n" + bytes + "\r\n");
    else
        m_socket->write(bytes);
    m_isOverHighWater = m_isOverHighWater || pendingBytes() > Exchange::highWaterBytes;
    if (!m_writeTimer.isActive())
        m_writeTimer.start(m_limits.writeTimeout);
}

void Connection::endStream()
{
    if (!isAnswerable())
        return;
    if (m_isChunkedAnswer && m_head.method != "HEAD")
        m_socket->write("0\r\n\r\n");
    endAnswer();
}

void Connection::endAnswer()
{
    m_exchange.reset();
    m_hangUpTimer.stop();
    m_timer.stop();
    m_isOverHighWater = false;
    if (!isBodyRead())
        m_mustLinger = true;
    flush();
    finishBody(std::unexpected(cancelled()));
}

void Connection::flush()
{
    m_state = State::Flushing;
    m_writeTimer.start(m_limits.writeTimeout);
    QMetaObject::invokeMethod(this, &Connection::onWritten, Qt::QueuedConnection);
}

void Connection::nextRequest()
{
    m_state = State::Head;
    m_scanner = HeadScanner(m_limits);
    m_body.reset();
    m_hasHeadBegun = false;
    m_hasSkippedLine = false;
    m_timer.start(m_limits.idleTimeout);
    processHead();
}

void Connection::onWritten()
{
    if (m_state == State::Closed)
        return;
    const auto pending = pendingBytes();
    if (pending == 0)
        m_writeTimer.stop();
    else
        m_writeTimer.start(m_limits.writeTimeout);
    if (m_state == State::Flushing) {
        if (m_isKeptAlive && !m_isClosingWhenIdle && pending <= Exchange::lowWaterBytes)
            nextRequest();
        else if ((!m_isKeptAlive || m_isClosingWhenIdle) && pending == 0)
            hangUp();
        return;
    }
    if (m_isOverHighWater && pending <= Exchange::lowWaterBytes) {
        m_isOverHighWater = false;
        if (const auto exchange = m_exchange.lock())
            Q_EMIT exchange->drained();
    }
}

void Connection::hangUp()
{
    if (!m_mustLinger && m_socket->bytesAvailable() == 0) {
        m_socket->disconnectFromHost();
        if (m_socket->state() == QTcpSocket::UnconnectedState)
            return close();
    }
    // Closing with unread bytes would reset the connection and destroy the answer on its way
    // (RFC 9112, section 9.6).
    m_state = State::Lingering;
    m_timer.start(lingerTimeout);
    if (m_socket->state() == QTcpSocket::ConnectedState)
        ::shutdown(int(m_socket->socketDescriptor()), SHUT_WR);
    processLingering();
}

void Connection::processLingering()
{
    m_lingeredBytes += m_socket->readAll().size();
    if (m_lingeredBytes > maxLingerBytes)
        close();
}

void Connection::refuse(int status, const QString& message)
{
    const QByteArray body = errorBody(message);
    m_socket->write(answerHead(status,
        { { "Content-Type", "application/json" },
            { "Content-Length", QByteArray::number(body.size()) }, { "Connection", "close" } }));
    m_socket->write(body);
    m_timer.stop();
    m_isKeptAlive = false;
    m_mustLinger = true;
    flush();
    Q_EMIT refused(status);
}

void Connection::closeWhenIdle()
{
    closeAfterAnswer();
    if (m_state == State::Head)
        close();
}

void Connection::onTimeout()
{
    if (m_state == State::Head && m_hasHeadBegun)
        return refuse(408, u"the header took too long"_s);
    if (m_state == State::Busy && m_bodyCompletion)
        return finishBody(failure(Kind::Timeout, u"the body took too long"_s, 408));
    close();
}

void Connection::watchForFullBuffer()
{
    if (m_state != State::Busy)
        return m_hangUpTimer.stop();
    // With a full buffer the socket does not look for the end of the connection.
    if (m_socket->bytesAvailable() < m_socket->readBufferSize())
        return m_hangUpTimer.stop();
    if (hasHungUp(m_socket->socketDescriptor()))
        return abort();
    if (!m_hangUpTimer.isActive())
        m_hangUpTimer.start(hangUpInterval);
}

qint64 Connection::pendingBytes() const
{
    if (!m_socket)
        return 0;
    const auto* tls = qobject_cast<QSslSocket*>(m_socket.get());
    return m_socket->bytesToWrite() + (tls ? tls->encryptedBytesToWrite() : 0);
}

QTcpSocket* Connection::takeSocket()
{
    if (m_state != State::Busy || !m_head.isUpgrade
        || m_socket->state() != QTcpSocket::ConnectedState)
        return nullptr;
    m_exchange.reset();
    m_socket->disconnect(this);
    auto* const socket = m_socket.release();
    close(socket);
    return socket;
}

void Connection::abort()
{
    // Queued, like every end: the caller may be the exchange's own handler.
    if (m_state == State::Closed)
        return;
    m_socket->abort();
    QMetaObject::invokeMethod(this, &Connection::onDisconnected, Qt::QueuedConnection);
}

void Connection::onDisconnected()
{
    if (m_state == State::Closed)
        return;
    auto exchange = m_exchange.lock();
    if (exchange && exchange->m_state == Exchange::State::Ended)
        exchange.reset();
    const auto completion = std::exchange(m_bodyCompletion, std::nullopt);
    m_exchange.reset();
    close();
    // The last things done: either may destroy the server and this.
    if (exchange)
        exchange->m_isClientGone = true;
    if (completion)
        completion->deliver(std::unexpected(cancelled()));
    if (exchange)
        Q_EMIT exchange->clientGone();
}

void Connection::close(QTcpSocket* upgraded)
{
    if (m_state == State::Closed)
        return;
    m_state = State::Closed;
    m_timer.stop();
    m_writeTimer.stop();
    m_hangUpTimer.stop();
    if (m_socket)
        m_socket->abort();
    deleteLater();
    Q_EMIT closed(upgraded);
}

} // namespace isol8::http
