// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/websocketreader.h"

#include <QObject>
#include <QTimer>

#include <memory>

QT_BEGIN_NAMESPACE
class QTcpSocket;
QT_END_NAMESPACE

namespace isol8::http {

/// One end of a WebSocket. (Qt's own reads every certificate authority of the machine when it is
/// made, gives up when a frame stops half-way for five seconds, as it does while nobody reads,
/// refuses texts with a character over two frames, takes frames of clients without a mask, and
/// leaves frames lying that come together with the handshake.) To be deleted by deleteLater() only,
/// or outside of its signals. Answers pings and Close frames by itself.
class WebSocket final : public QObject {
    Q_OBJECT

public:
    /// Takes @p socket over, with the handshake read.
    WebSocket(std::unique_ptr<QTcpSocket> socket, WebSocketRole role, qint64 maxMessageBytes);
    ~WebSocket() override;
    Q_DISABLE_COPY_MOVE(WebSocket)

    void sendText(const QByteArray& utf8);
    void ping();
    /// Says why, and ends the connection when the client has said that it knows, or at last after a
    /// minute. No message is received any more.
    void close(int code, const QString& reason);
    /// Ends the connection at once.
    void abort();
    /// While paused nothing is read, and the other side has to wait.
    void setPaused(bool isPaused);
    /// What the other side said of the end, or else what went wrong; may be empty.
    [[nodiscard]] QString problem() const;
    [[nodiscard]] qint64 bytesToWrite() const;

Q_SIGNALS:
    /// A text, or anything at all as a binary message.
    void messageReceived(const QByteArray& message);
    void pongReceived();
    /// bytesToWrite() has become less.
    void bytesWritten();
    /// Once, and the last.
    void disconnected();

private:
    void process();
    void handle(const WebSocketReader::Item& item);
    void fail(const WebSocketReader::Fault& fault);
    void send(WebSocketOpcode opcode, const QByteArray& payload);
    void onWritten();
    void onDisconnected();

    std::unique_ptr<QTcpSocket> m_socket;
    const WebSocketRole m_role;
    WebSocketReader m_reader;
    QString m_closeReason;
    QTimer m_limit; ///< Of the end.
    bool m_isClosing = false; ///< A Close has been sent.
    bool m_isFailed = false; ///< And what comes is not read any more.
    bool m_isPaused = false;
    bool m_isDisconnected = false;
};

} // namespace isol8::http
