// SPDX-License-Identifier: MIT
#pragma once

#include "engine/remote/eventstream.h"

#include <QTimer>
#include <QWebSocket>

namespace isol8::remote {

/// GET /execute/ws: events, and messages to the program.
class WebSocketStream final : public EventStream {
    Q_OBJECT

public:
    explicit WebSocketStream(std::shared_ptr<Connection> connection);
    ~WebSocketStream() override;

    void start(const QJsonObject& execution) override;
    void send(const QJsonObject& message) override;
    [[nodiscard]] bool canSend() const override { return m_isOpen && !m_isEnded; }
    [[nodiscard]] qint64 pendingBytes() const override { return m_socket->bytesToWrite(); }
    void setPaused(bool isPaused) override;

private:
    void silence(bool isSilent);
    void readOn();
    void checkAlive();
    void handleEnd();
    void end(const Error& reason);

    std::shared_ptr<Connection> m_connection;
    std::unique_ptr<QWebSocket> m_socket;
    QJsonObject m_execution;
    QTimer m_openLimit;
    QTimer m_pinger;
    QString m_problem; ///< What the socket says went wrong.
    bool m_isOpen = false;
    bool m_isPaused = false;
    bool m_isAnswered = true; ///< Something has come since the last ping.
    bool m_isEnded = false;
};

} // namespace isol8::remote
