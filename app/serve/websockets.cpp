// SPDX-License-Identifier: MIT
#include "app/serve/websockets.h"

#include "app/serve/websocketexecution.h"

#include <QPointer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

namespace isol8::serve {

using namespace Qt::StringLiterals;

Result<Answer> acceptWebSocket(
    std::shared_ptr<http::Exchange> exchange, std::shared_ptr<Service> service, Principal principal)
{
    if (!exchange->head().isUpgrade)
        return failure(Kind::Invalid, u"This path speaks WebSocket only"_s, 426);
    auto* socket = exchange->takeSocketForUpgrade();
    if (!socket)
        return sentAnswer();

    // One server a connection: it tells whose handshake has ended, and goes with its socket.
    auto* handshake
        = new QWebSocketServer(QStringLiteral("isol8"), QWebSocketServer::NonSecureMode, socket);
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    QObject::connect(handshake, &QWebSocketServer::newConnection, handshake,
        [handshake, service = std::move(service), principal = std::move(principal)] {
            std::unique_ptr<QWebSocket> accepted(handshake->nextPendingConnection());
            if (!accepted)
                return;
            accepted->setParent(nullptr);
            // Deletes itself at the end of its connection.
            new WebSocketExecution(std::move(accepted), service, principal);
        });
    handshake->handleConnection(socket);
    Q_EMIT socket->readyRead();
    return sentAnswer();
}

} // namespace isol8::serve
