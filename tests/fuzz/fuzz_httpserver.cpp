// SPDX-License-Identifier: MIT
// A connection of the server hears arbitrary bytes. The first byte says how the rest is cut; which
// requests are found, and how each is answered, does not depend on it. Paths tell the handler what
// to do.
#include "engine/core/completion.h"
#include "engine/http/connection.h"

#include <QCoreApplication>
#include <QPointer>
#include <QTcpSocket>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxBodyBytes = 4096;

/// What one connection saw and said.
struct Talk {
    QByteArrayList requests;
    QByteArrayList answers; ///< Their first lines.
    std::vector<std::unique_ptr<QTcpSocket>> upgraded;
};

QCoro::Task<> handle(std::shared_ptr<Exchange> exchange, std::shared_ptr<Talk> talk)
{
    const auto& head = exchange->head();
    talk->requests << head.method + ' ' + head.target;
    const auto index = talk->requests.size() - 1;
    if (head.isUpgrade && head.path.startsWith("/upgrade"_L1)) {
        talk->upgraded.emplace_back(exchange->takeSocketForUpgrade());
        co_return;
    }
    if (head.path.startsWith("/drop"_L1))
        co_return;
    if (head.path.startsWith("/unread"_L1)) {
        exchange->respond(204);
        co_return;
    }
    const auto body = co_await exchange->readBody(maxBodyBytes);
    if (body && body->size() > maxBodyBytes)
        std::abort();
    talk->requests[index] += ' ' + (body ? QByteArray::number(body->size()) : "?"_ba);
    if (!body) {
        exchange->respond(body.error().httpStatus == 0 ? 500 : body.error().httpStatus);
    } else if (head.path.startsWith("/stream"_L1)) {
        exchange->startStream(200);
        exchange->write("piece");
        exchange->write(*body);
        exchange->endStream();
    } else {
        exchange->respond(200, { { "X-Query", head.query } }, "answer");
    }
}

/// The client's end of the connection.
struct Client {
    int descriptor = -1;
    QByteArray received;

    ~Client() { ::close(descriptor); }
    void hear()
    {
        char buffer[16384];
        for (;;) {
            const auto size = ::read(descriptor, buffer, sizeof buffer);
            if (size <= 0)
                return;
            received.append(buffer, size);
        }
    }
};

/// One turn of both sides; whether the client heard anything.
bool turn(Client& client)
{
    const auto before = client.received.size();
    QCoreApplication::processEvents();
    client.hear();
    return client.received.size() != before;
}

/// Lets both sides act until nothing happens any more.
void settle(Client& client)
{
    // An answer takes some turns of the event loop that nobody outside sees.
    constexpr int quietTurns = 5;
    for (int quiet = 0; quiet < quietTurns; ++quiet) {
        if (turn(client))
            quiet = 0;
    }
}

std::shared_ptr<Talk> converse(const QByteArray& bytes, qsizetype pieceBytes)
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        std::abort();
    Client client { ends[1], {} };
    auto socket = std::make_unique<QTcpSocket>();
    if (!socket->setSocketDescriptor(ends[0]))
        std::abort();
    HttpLimits limits;
    limits.maxHeaderBytes = 1024;
    limits.maxHeaderFields = 20;
    limits.maxBodyBytes = 2 * maxBodyBytes;
    // A machine that stalls must not decide what is answered.
    for (auto* limit :
        { &limits.headerTimeout, &limits.idleTimeout, &limits.bodyTimeout, &limits.writeTimeout })
        *limit = std::chrono::hours(1);
    const auto talk = std::make_shared<Talk>();
    QPointer connection(new Connection(std::move(socket), limits));
    QObject::connect(connection, &Connection::requestReceived, connection,
        [talk](const std::shared_ptr<Exchange>& exchange) { (void)handle(exchange, talk); });

    for (qsizetype at = 0; at < bytes.size(); at += pieceBytes) {
        const auto piece = bytes.mid(at, pieceBytes);
        if (::send(client.descriptor, piece.constData(), size_t(piece.size()), MSG_NOSIGNAL) < 0)
            break;
        // The next piece may well come before the answer to this one.
        (void)turn(client);
    }
    settle(client);
    ::shutdown(client.descriptor, SHUT_WR);
    for (int i = 0; i < 2; ++i)
        (void)turn(client);
    delete connection;
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);

    // No handler's own words look like this.
    for (qsizetype at = client.received.indexOf("HTTP/1.1 "); at >= 0;
        at = client.received.indexOf("HTTP/1.1 ", at + 1))
        talk->answers << client.received.mid(at, 12);
    talk->upgraded.clear();
    return talk;
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments)
{
    static QCoreApplication application(*count, *arguments);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t maxBytes = 16384; // More would only fill the socket.
    if (size < 2 || size > maxBytes)
        return 0;
    const QByteArray bytes(
        reinterpret_cast<const char*>(data) + 1, static_cast<qsizetype>(size) - 1);
    const auto whole = converse(bytes, bytes.size());
    const auto cut = converse(bytes, 1 + data[0]);
    if (whole->requests != cut->requests || whole->answers != cut->answers)
        std::abort();
    if (whole->answers.size() > 2 * whole->requests.size() + 1) // 100 Continue, and a refusal.
        std::abort();
    return 0;
}
