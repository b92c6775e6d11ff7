// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/http/requesthead.h"

#include <QObject>
#include <QPointer>

#include <memory>

QT_BEGIN_NAMESPACE
class QTcpSocket;
QT_END_NAMESPACE

namespace isol8::http {

class Connection;

/// One request and its answer. Given out by HttpServer when the header is in and nothing of the
/// body is read; shared by whoever works on the answer. Dropping the last reference before an
/// answer sends 500; dropping it in mid-stream cuts the connection, so the client sees that the
/// stream is incomplete. Every member may be called at any time, also after the client or the
/// server has gone: then it does nothing.
class Exchange final : public QObject {
    Q_OBJECT

public:
    /// Only HttpServer makes exchanges.
    Exchange(Connection* connection, RequestHead head);
    ~Exchange() override;
    Q_DISABLE_COPY_MOVE(Exchange)

    [[nodiscard]] const RequestHead& head() const { return m_head; }

    /// Reads the body, at most @p maxBytes and HttpLimits::maxBodyBytes; once. Sends 100 Continue
    /// where the client waits for it. Empty when there is none. A body that is never asked for is
    /// never read. Errors carry in httpStatus what to answer: 413 (Limit), 408 (Timeout), 400
    /// (Invalid); Cancelled with status 0 when the client has gone or the exchange was answered
    /// meanwhile.
    [[nodiscard]] Task<QByteArray> readBody(qint64 maxBytes);

    /// The whole answer; ends the exchange. Content-Length, Date and Connection are added; for HEAD
    /// @p body only gives the length. Later calls do nothing.
    void respond(int status, const Fields& fields = {}, const QByteArray& body = {});

    /// Starts an answer of unknown length: chunked, or up to the end of the connection for
    /// HTTP/1.0.
    void startStream(int status, const Fields& fields = {});
    /// The next piece. When pendingBytes() is over highWaterBytes, stop and wait for drained(); a
    /// stream that goes on to HttpLimits::maxPendingBytes is cut off (clientGone).
    void write(const QByteArray& bytes);
    /// Bytes handed to write() or respond() that the kernel has not taken.
    [[nodiscard]] qint64 pendingBytes() const;
    /// Bytes of the body handed to respond() and write(), sent or not.
    [[nodiscard]] qint64 bodyBytes() const { return m_bodyBytes; }
    /// Ends the stream and the exchange.
    void endStream();
    /// Cuts the connection without a proper end: the client learns that something is missing.
    void abort();

    [[nodiscard]] bool isAnswerStarted() const { return m_state != State::Open; }
    [[nodiscard]] bool isClientGone() const { return m_isClientGone; }

    /// For head().isUpgrade, before an answer: gives the socket away, to answer and to read on,
    /// without parent, still counted as a connection of the server until it is destroyed. Null when
    /// the client has gone or this is no upgrade.
    [[nodiscard]] QTcpSocket* takeSocketForUpgrade();

    static constexpr qint64 highWaterBytes = 256 << 10;
    static constexpr qint64 lowWaterBytes = 64 << 10;

Q_SIGNALS:
    /// pendingBytes() had been over highWaterBytes and is now at most lowWaterBytes.
    void drained();
    /// The client closed, failed or was cut off before the answer ended. At most once, from the
    /// event loop, never inside a call of this class.
    void clientGone();

private:
    friend class Connection;
    enum class State { Open, Streaming, Ended };

    QPointer<Connection> m_connection;
    RequestHead m_head;
    State m_state = State::Open;
    qint64 m_bodyBytes = 0;
    bool m_isClientGone = false;
    bool m_isBodyAsked = false;
};

} // namespace isol8::http
