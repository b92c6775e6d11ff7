// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/http/bodydecoder.h"
#include "engine/http/exchange.h"
#include "engine/http/headparser.h"
#include "engine/http/httplimits.h"

#include <QObject>
#include <QTimer>

#include <memory>
#include <optional>

QT_BEGIN_NAMESPACE
class QTcpSocket;
QT_END_NAMESPACE

namespace isol8::http {

/// One accepted connection of an HttpServer, which owns it: finds the requests in the bytes, gives
/// out their exchanges one at a time and writes the answers. Deletes itself after closed(). Acts on
/// its socket's signals from the event loop only, so that whoever it calls may destroy the server.
class Connection final : public QObject {
    Q_OBJECT

public:
    /// Takes @p socket, connected, in the middle of the TLS handshake, or (local) a Unix socket.
    Connection(std::unique_ptr<QTcpSocket> socket, const HttpLimits& limits);
    ~Connection() override;
    Q_DISABLE_COPY_MOVE(Connection)

    /// Others than so far, for what comes from now on.
    void setLimits(const HttpLimits& limits);
    /// Answers with an error of the connection's own and closes.
    void refuse(int status, const QString& message);
    void closeAfterAnswer() { m_isClosingWhenIdle = true; }
    /// Closes when nothing is under way, otherwise after the answer.
    void closeWhenIdle();

Q_SIGNALS:
    void requestReceived(const std::shared_ptr<isol8::http::Exchange>& exchange);
    /// refuse() was called, by the server or by this itself.
    void refused(int status);
    /// The socket is not in use any more or, after an upgrade, belongs to @p upgraded.
    void closed(QTcpSocket* upgraded);

private:
    friend class Exchange;
    enum class State {
        Head, ///< Waits for a request, or is in its head.
        Busy, ///< An exchange is under way.
        Flushing, ///< The last answer is being sent; then the connection ends.
        Lingering, ///< Sent; what the client still sends is dropped, so that it can read the
                   ///< answer.
        Closed,
    };

    // For Exchange.
    void readBody(qint64 maxBytes, const Completion<QByteArray>& completion);
    void respond(int status, Fields fields, const QByteArray& body);
    void startStream(int status, Fields fields);
    void write(const QByteArray& bytes);
    void endStream();
    [[nodiscard]] qint64 pendingBytes() const;
    [[nodiscard]] QTcpSocket* takeSocket();
    void abort();

    void process();
    void processHead();
    void startExchange(RequestHead head);
    void processBody();
    void processLingering();
    void finishBody(Result<QByteArray> result);
    void startAnswer(int status, Fields fields);
    void endAnswer();
    void nextRequest();
    void flush();
    void hangUp();
    void onWritten();
    void onTimeout();
    void onDisconnected();
    void watchForFullBuffer();
    void close(QTcpSocket* upgraded = nullptr);
    [[nodiscard]] bool isBodyRead() const;
    [[nodiscard]] bool isAnswerable() const;

    HttpLimits m_limits;
    std::unique_ptr<QTcpSocket> m_socket;
    State m_state = State::Head;
    std::weak_ptr<Exchange> m_exchange;

    HeadScanner m_scanner;
    RequestHead m_head;
    std::optional<BodyDecoder> m_body;
    std::optional<Completion<QByteArray>> m_bodyCompletion;

    bool m_hasHeadBegun = false;
    bool m_hasSkippedLine = false; ///< An empty line before it; there may be one.
    bool m_isBodyBegun = false;
    bool m_isKeptAlive = true;
    bool m_isChunkedAnswer = false;
    bool m_isOverHighWater = false;
    bool m_isClosingWhenIdle = false;
    bool m_mustLinger = false; ///< The client may still be sending.
    qint64 m_lingeredBytes = 0;

    QTimer m_timer; ///< Head, idle, body or linger, as the state says.
    QTimer m_writeTimer;
    QTimer m_hangUpTimer;
};

} // namespace isol8::http
