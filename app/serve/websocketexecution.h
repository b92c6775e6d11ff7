// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/executiondriver.h"
#include "app/serve/streamevents.h"

#include <QTimer>

class QWebSocket;

namespace isol8::serve {

/// One client of `/execute/ws`: reads its messages and sends it the events of its execution.
/// Deletes itself when the connection has ended, and so cancels what still runs.
class WebSocketExecution : public QObject {
    Q_OBJECT

public:
    /// Takes @p socket over.
    WebSocketExecution(
        std::unique_ptr<QWebSocket> socket, std::shared_ptr<Service> service, Principal principal);
    ~WebSocketExecution() override;

    /// Ends the connection with code 1001 once what runs has been cancelled.
    void goAway();

private:
    void read(const QString& text);
    void execute(const QJsonObject& message);
    void takeStdin(const QJsonObject& message);
    void takeSignal(const QJsonObject& message);
    void takeResize(const QJsonObject& message);
    void send(const QList<StreamEvent>& events);
    void sendError(const QString& text);
    void finish(const Result<ExecutionResult>& result);
    void balance();

    std::unique_ptr<QWebSocket> m_socket;
    std::shared_ptr<Service> m_service;
    Principal m_principal;
    std::shared_ptr<ExecutionDriver> m_driver; ///< Null until there is an `execute`.
    StreamEvents m_events;
    QTimer m_keepAlive;
    bool m_isFinished = false;
    bool m_isPaused = false;
    bool m_isAnswered = true; ///< The last ping has been.
};

} // namespace isol8::serve
