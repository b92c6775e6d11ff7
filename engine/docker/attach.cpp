// SPDX-License-Identifier: MIT
#include "engine/docker/failures.h"
#include "engine/docker/socketstream.h"
#include "engine/http/upgradeparser.h"

#include <QTimer>

namespace isol8::docker {

using namespace Qt::StringLiterals;
using http::UpgradeParser;

namespace {

constexpr std::chrono::seconds attachLimit { 60 };
constexpr qint64 chunkBytes = 16 << 10;

/// The upgrade on a socket that is being opened; settles its completion once.
struct Handshake {
    QByteArray request;
    UpgradeParser parser;
    Completion<> done;
    bool isSent = false;
    bool isOver = false;
};

/// Settles @p handshake from the event loop: a signal of @p socket may be on the stack.
void settle(const std::shared_ptr<Handshake>& handshake, EndpointSocket* socket, Result<> result)
{
    if (std::exchange(handshake->isOver, true))
        return;
    QMetaObject::invokeMethod(
        socket, [handshake, result] { handshake->done.deliver(result); }, Qt::QueuedConnection);
}

void advance(const std::shared_ptr<Handshake>& handshake, EndpointSocket* socket)
{
    while (!handshake->isOver) {
        const auto bytes = socket->device().read(chunkBytes);
        if (bytes.isEmpty() && !socket->closeReason())
            return;
        const auto state
            = bytes.isEmpty() ? handshake->parser.finish() : handshake->parser.feed(bytes);
        if (!state && bytes.isEmpty())
            settle(handshake, socket, std::unexpected(brokenConnection(u"the attach"_s)));
        else if (!state)
            settle(handshake, socket, std::unexpected(state.error().within(u"attaching"_s)));
        else if (*state == UpgradeParser::State::Upgraded)
            settle(handshake, socket, {});
        else if (*state == UpgradeParser::State::Refused)
            settle(handshake, socket,
                std::unexpected(
                    errorFromAnswer(handshake->parser.status(), handshake->parser.body())));
    }
}

/// The streams of a container without a terminal are binary-clean: Docker looks for detach keys in
/// terminals only (its copyEscapable is used with Tty), and Podman not when the parameter is there
/// but empty.
QByteArray attachRequest(const Transport& transport, const QString& id)
{
    const auto target
        = makeTarget("/containers/%/attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys=", id);
    return "POST " + transport.prefix() + target
        + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: isol8/" ISOL8_VERSION
          "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
}

} // namespace

Task<std::shared_ptr<AttachedStream>> attachContainer(
    std::shared_ptr<Transport> transport, QString id, CancelToken cancel)
{
    if (id.isEmpty())
        co_return failure(Kind::Invalid, u"a name or id for Docker is empty"_s);
    const auto settled = co_await settleVersion(transport, cancel);
    if (!settled)
        co_return std::unexpected(settled.error());

    const std::shared_ptr<EndpointSocket> socket(new EndpointSocket(transport->endpoint()),
        [](EndpointSocket* each) { each->deleteLater(); });
    const auto handshake = std::make_shared<Handshake>();
    handshake->request = attachRequest(*transport, id);
    auto* const raw = socket.get();
    QObject::connect(raw, &EndpointSocket::opened, raw, [handshake, raw] {
        handshake->isSent = true;
        raw->device().write(handshake->request);
    });
    QObject::connect(
        raw, &EndpointSocket::readyRead, raw, [handshake, raw] { advance(handshake, raw); });
    QObject::connect(raw, &EndpointSocket::closed, raw, [handshake, raw] {
        if (handshake->isSent)
            advance(handshake, raw);
        else
            settle(handshake, raw, std::unexpected(*raw->closeReason()));
    });
    QTimer limit;
    limit.setSingleShot(true);
    QObject::connect(&limit, &QTimer::timeout, raw, [handshake, raw] {
        settle(handshake, raw,
            failure(Kind::Timeout,
                u"Docker did not answer the attach within %1 s"_s.arg(attachLimit.count())));
    });
    limit.start(attachLimit);
    raw->open();

    const auto whenCancelled = cancel.onCancel(
        [handshake, raw] { settle(handshake, raw, std::unexpected(cancelled())); });
    const auto whenClosing = transport->closing().onCancel([handshake] {
        handshake->isOver = true;
        handshake->done.fail(cancelled());
    });
    const auto done = co_await handshake->done.wait();
    QObject::disconnect(raw, nullptr, raw, nullptr);
    if (!done) {
        raw->abort();
        co_return std::unexpected(done.error());
    }
    co_return std::make_shared<SocketStream>(socket, handshake->parser.rest());
}

} // namespace isol8::docker
