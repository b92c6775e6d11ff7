// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/executiondriver.h"
#include "app/serve/requestrecord.h"
#include "app/serve/streamevents.h"

#include <QTimer>

namespace isol8::http {
class WebSocket;
}

namespace isol8::serve {

/// One client of `/execute/ws`: reads its messages and sends it the events of its execution.
/// Deletes itself when the connection has ended, and so cancels what still runs.
class WebSocketExecution : public QObject {
    Q_OBJECT

public:
    /// Takes @p socket over. @p record is held until the execution or the connection has ended.
    WebSocketExecution(std::unique_ptr<http::WebSocket> socket, std::shared_ptr<Service> service,
        Principal principal, std::shared_ptr<RequestRecord> record);
    ~WebSocketExecution() override;

private:
    void goAway();
    void checkLife();
    void close(int code, const QString& reason);
    void read(const QByteArray& text);
    void execute(const QJsonObject& message);
    void takeStdin(const QJsonObject& message);
    void takeSignal(const QJsonObject& message);
    void takeResize(const QJsonObject& message);
    void send(const QList<StreamEvent>& events);
    void sendError(const QString& text);
    void complain(const QString& text);
    void finish(const Result<ExecutionResult>& result);
    void balance();

    std::unique_ptr<http::WebSocket> m_socket;
    std::shared_ptr<Service> m_service;
    Principal m_principal;
    std::shared_ptr<ExecutionDriver> m_driver; ///< Null until there is an `execute`.
    std::shared_ptr<RequestRecord> m_record; ///< Null after the end.
    StreamEvents m_events;
    CancelToken::Registration m_draining;
    CancelToken::Registration m_ended;
    QTimer m_keepAlive;
    QTimer m_idle; ///< Until there is an `execute`.
    int m_complaints = 0;
    bool m_isFinished = false;
    bool m_isPaused = false;
    bool m_isAnswered = true; ///< The last ping has been.
};

} // namespace isol8::serve
