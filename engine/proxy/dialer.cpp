// SPDX-License-Identifier: MIT
#include "engine/proxy/dialer.h"

#include "engine/core/completion.h"
#include "engine/proxy/socketstream.h"

#include <QDeadlineTimer>
#include <QSocketNotifier>
#include <QTimer>

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8::proxy {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// More addresses of one name are not tried.
constexpr qsizetype maxAddresses = 8;
/// The least that an address which does not answer takes from the others.
constexpr std::chrono::milliseconds minShare = 1s;

Error unreachable(int error)
{
    return { Kind::Unreachable, QString::fromLocal8Bit(std::strerror(error)) };
}

struct SocketAddress {
    sockaddr_storage storage {};
    socklen_t size = 0;
};

SocketAddress socketAddress(const QHostAddress& address, quint16 port)
{
    SocketAddress made;
    if (address.protocol() == QAbstractSocket::IPv4Protocol) {
        auto* ipv4 = reinterpret_cast<sockaddr_in*>(&made.storage);
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        ipv4->sin_addr.s_addr = htonl(address.toIPv4Address());
        made.size = sizeof *ipv4;
        return made;
    }
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
    const auto bytes = address.toIPv6Address();
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    std::memcpy(&ipv6->sin6_addr, &bytes, sizeof ipv6->sin6_addr);
    made.size = sizeof *ipv6;
    return made;
}

/// A socket that is being connected, closed unless taken.
class Attempt {
public:
    Attempt(const QHostAddress& address, quint16 port)
    {
        const auto to = socketAddress(address, port);
        m_descriptor = ::socket(
            to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
        const bool isBegun = m_descriptor >= 0
            && (::connect(m_descriptor, reinterpret_cast<const sockaddr*>(&to.storage), to.size)
                    == 0
                || errno == EINPROGRESS);
        m_error = isBegun ? 0 : errno;
    }
    ~Attempt()
    {
        if (m_descriptor >= 0)
            ::close(m_descriptor);
    }
    Q_DISABLE_COPY_MOVE(Attempt)

    [[nodiscard]] int descriptor() const { return m_descriptor; }
    [[nodiscard]] int error() const { return m_error; }
    /// Why the connection was not made; 0: it was.
    [[nodiscard]] int outcome() const
    {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(m_descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        return error;
    }
    /// Small writes go out at once, and a peer that has vanished is noticed.
    [[nodiscard]] int take()
    {
        const int on = 1;
        ::setsockopt(m_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(m_descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        return std::exchange(m_descriptor, -1);
    }

private:
    int m_descriptor = -1;
    int m_error = 0;
};

Task<> connected(
    std::shared_ptr<Attempt> attempt, std::chrono::milliseconds timeout, CancelToken cancel)
{
    if (attempt->error() != 0)
        co_return std::unexpected(unreachable(attempt->error()));
    const Completion<> decided;
    QSocketNotifier notifier(attempt->descriptor(), QSocketNotifier::Write);
    // Queued: the notifier must not be destroyed within its own signal.
    QObject::connect(
        &notifier, &QSocketNotifier::activated, &notifier,
        [decided, attempt, &notifier] {
            notifier.setEnabled(false);
            const int error = attempt->outcome();
            decided.deliver(error == 0 ? Result<>() : std::unexpected(unreachable(error)));
        },
        Qt::QueuedConnection);
    QTimer timer;
    timer.setSingleShot(true);
    QObject::connect(&timer, &QTimer::timeout, &timer,
        [decided] { decided.fail({ Kind::Timeout, u"it does not answer"_s }); });
    timer.start(timeout);
    const auto linked = cancel.onCancel([decided] { decided.fail(cancelled()); });
    co_return co_await decided.wait();
}

} // namespace

Task<std::shared_ptr<ByteStream>> dial(QList<QHostAddress> addresses, quint16 port,
    std::chrono::milliseconds timeout, CancelToken cancel)
{
    addresses = addresses.first(std::min(addresses.size(), maxAddresses));
    const QDeadlineTimer deadline(timeout);
    Error last { Kind::Unreachable, u"it has no address"_s };
    while (!addresses.isEmpty()) {
        const std::chrono::milliseconds left(deadline.remainingTime());
        if (left <= 0ms)
            break;
        const auto share = std::min(
            left, std::max<std::chrono::milliseconds>(minShare, left / addresses.size()));
        const auto attempt = std::make_shared<Attempt>(addresses.takeFirst(), port);
        const auto made = co_await connected(attempt, share, cancel);
        if (made)
            co_return std::shared_ptr<ByteStream>(std::make_shared<SocketStream>(attempt->take()));
        last = made.error();
        if (last.kind == Kind::Cancelled)
            break;
    }
    co_return std::unexpected(last);
}

} // namespace isol8::proxy
