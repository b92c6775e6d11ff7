// SPDX-License-Identifier: MIT
#include "app/serve/websockets.h"

#include "app/serve/maskcheck.h"
#include "app/serve/websocketexecution.h"

#include <QPointer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// What Qt would refuse without a word, or not at all (RFC 6455, section 4.2.1).
Result<> checkHandshake(const http::RequestHead& head)
{
    if (!head.isUpgrade)
        return failure(Kind::Invalid, u"This path speaks WebSocket only"_s, 426);
    const auto versions = head.headers("sec-websocket-version");
    const auto nonces = head.headers("sec-websocket-key");
    constexpr qsizetype nonceBytes = 16;
    const bool hasNonce = nonces.size() == 1
        && QByteArray::fromBase64(nonces.front(), QByteArray::AbortOnBase64DecodingErrors).size()
            == nonceBytes;
    if (versions.size() != 1 || !hasNonce)
        return failure(Kind::Invalid, u"The WebSocket handshake is malformed"_s, 400);
    if (versions.front() != "13")
        return failure(Kind::Invalid, u"The only version of WebSocket known is 13"_s, 426);
    return {};
}

/// What is known of the bytes in a socket.
struct Watch {
    MaskCheck check;
    qint64 seenBytes = 0; ///< Those that Qt left there the last time.
    QPointer<WebSocketExecution> execution; ///< Null until the handshake has ended.
};

/// Looks at what has come before Qt does.
void look(QTcpSocket& socket, Watch& watch)
{
    const auto available = socket.bytesAvailable();
    const auto fresh = available - watch.seenBytes;
    if (!watch.execution || fresh <= 0)
        return;
    if (watch.check.payloadLeft() >= quint64(fresh))
        return watch.check.skip(quint64(fresh));
    const auto bytes = socket.peek(available);
    if (!watch.check.feed(QByteArrayView(bytes).sliced(watch.seenBytes)))
        watch.execution->refuseFrames();
}

} // namespace

Result<Answer> acceptWebSocket(const Request& request)
{
    if (const auto valid = checkHandshake(request.exchange->head()); !valid)
        return std::unexpected(valid.error());
    auto* socket = request.exchange->takeSocketForUpgrade();
    if (!socket)
        return sentAnswer();

    // One server a connection: it tells whose handshake has ended, and goes with its socket.
    auto* handshake
        = new QWebSocketServer(QStringLiteral("isol8"), QWebSocketServer::NonSecureMode, socket);
    request.record->entry.status = 400; // Unless the handshake succeeds.
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    const auto watch = std::make_shared<Watch>();
    QObject::connect(
        socket, &QTcpSocket::readyRead, socket, [socket, watch] { look(*socket, *watch); });
    QObject::connect(handshake, &QWebSocketServer::newConnection, handshake,
        [handshake, socket, watch, service = request.service, principal = request.principal,
            record = request.record]() mutable {
            std::unique_ptr<QWebSocket> accepted(handshake->nextPendingConnection());
            if (!accepted)
                return;
            accepted->setParent(nullptr);
            // Deletes itself at the end of its connection.
            auto* execution = new WebSocketExecution(
                std::move(accepted), service, principal, std::move(record));
            watch->execution = execution;
            QObject::connect(socket, &QTcpSocket::readyRead, execution, [socket, watch] {
                watch->seenBytes = socket->bytesAvailable();
                watch->execution->checkBacklog();
            });
        });
    handshake->handleConnection(socket);
    Q_EMIT socket->readyRead();
    return sentAnswer();
}

} // namespace isol8::serve
