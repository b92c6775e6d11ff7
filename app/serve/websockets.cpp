// SPDX-License-Identifier: MIT
#include "app/serve/websockets.h"

#include "app/serve/websocketexecution.h"

#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

namespace isol8::serve {

using namespace Qt::StringLiterals;

Result<Answer> acceptWebSocket(const Request& request)
{
    if (!request.exchange->head().isUpgrade)
        return failure(Kind::Invalid, u"This path speaks WebSocket only"_s, 426);
    auto* socket = request.exchange->takeSocketForUpgrade();
    if (!socket)
        return sentAnswer();

    // One server a connection: it tells whose handshake has ended, and goes with its socket.
    auto* handshake
        = new QWebSocketServer(QStringLiteral("isol8"), QWebSocketServer::NonSecureMode, socket);
    request.record->entry.status = 400; // Unless the handshake succeeds.
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    QObject::connect(handshake, &QWebSocketServer::newConnection, handshake,
        [handshake, socket, service = request.service, principal = request.principal,
            record = request.record]() mutable {
            std::unique_ptr<QWebSocket> accepted(handshake->nextPendingConnection());
            if (!accepted)
                return;
            accepted->setParent(nullptr);
            // Deletes itself at the end of its connection.
            auto* execution = new WebSocketExecution(
                std::move(accepted), service, principal, std::move(record));
            QObject::connect(
                socket, &QTcpSocket::readyRead, execution, &WebSocketExecution::checkBacklog);
        });
    handshake->handleConnection(socket);
    Q_EMIT socket->readyRead();
    return sentAnswer();
}

} // namespace isol8::serve
