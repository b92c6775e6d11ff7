// SPDX-License-Identifier: MIT
#include "app/serve/websockets.h"

#include "app/serve/websocketexecution.h"
#include "engine/http/websocket.h"
#include "engine/http/websockethandshake.h"

#include <QTcpSocket>

namespace isol8::serve {

Result<Answer> acceptWebSocket(const Request& request)
{
    const auto& head = request.exchange->head();
    if (const auto valid = http::checkWebSocketRequest(head); !valid)
        return std::unexpected(valid.error());
    const auto answer = http::webSocketAnswer(head);
    std::unique_ptr<QTcpSocket> socket(request.exchange->takeSocketForUpgrade());
    if (!socket)
        return sentAnswer();
    socket->write(answer);
    auto webSocket = std::make_unique<http::WebSocket>(std::move(socket),
        http::WebSocketRole::Server, request.service->settings.serve.maxBodyBytes);
    // Deletes itself at the end of its connection.
    new WebSocketExecution(
        std::move(webSocket), request.service, request.principal, request.record);
    return sentAnswer();
}

} // namespace isol8::serve
