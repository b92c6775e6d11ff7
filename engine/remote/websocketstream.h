// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/websocket.h"
#include "engine/remote/eventstream.h"

#include <QTimer>

QT_BEGIN_NAMESPACE
class QTcpSocket;
QT_END_NAMESPACE

namespace isol8::remote {

/// GET /execute/ws: events, and messages to the program.
class WebSocketStream final : public EventStream {
    Q_OBJECT

public:
    explicit WebSocketStream(std::shared_ptr<Connection> connection);
    ~WebSocketStream() override;

    void start(const QJsonObject& execution) override;
    void send(const QJsonObject& message) override;
    [[nodiscard]] bool canSend() const override { return m_socket && !m_isEnded; }
    [[nodiscard]] qint64 pendingBytes() const override;
    void setPaused(bool isPaused) override;

private:
    void ask();
    void readAnswer();
    void open();
    void checkAlive();
    void end(const Error& reason);

    std::shared_ptr<Connection> m_connection;
    std::unique_ptr<QTcpSocket> m_opening; ///< Until the server has agreed.
    std::unique_ptr<http::WebSocket> m_socket; ///< From then on.
    QByteArray m_key;
    QJsonObject m_execution;
    QTimer m_openLimit;
    QTimer m_pinger;
    bool m_isPaused = false;
    bool m_isAnswered = true; ///< Something has come since the last ping.
    bool m_isEnded = false;
};

} // namespace isol8::remote
