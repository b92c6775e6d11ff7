// SPDX-License-Identifier: MIT
#include "tests/engine/proxy/peer.h"

#include "engine/core/completion.h"
#include "engine/proxy/socketstream.h"

#include <QCoreApplication>
#include <QTimer>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8::test {

using namespace Qt::StringLiterals;

Peer::Peer(std::unique_ptr<ByteStream> stream)
    : m_stream(std::move(stream))
{
    connect(m_stream.get(), &ByteStream::received, this, [this](const QByteArray& bytes) {
        m_receivedBytes += bytes.size();
        if (m_isKeeping)
            m_received += bytes;
    });
    connect(m_stream.get(), &ByteStream::finishedReading, this, [this] { m_hasFinished = true; });
    connect(m_stream.get(), &ByteStream::closed, this,
        [this](const Result<>& ending) { m_ending = ending; });
    m_stream->setReading(true);
}

namespace {

std::unique_ptr<ByteStream> streamOf(int descriptor)
{
    const int size = 128 << 10;
    for (const int option : { SO_SNDBUF, SO_RCVBUF })
        ::setsockopt(descriptor, SOL_SOCKET, option, &size, sizeof size);
    ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return std::make_unique<proxy::SocketStream>(descriptor);
}

} // namespace

StreamPair streamPair()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0
        || ::getsockname(listener, generic, &size) != 0 || ::connect(one, generic, size) != 0)
        qFatal("connecting to myself");
    const int other = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
    return { streamOf(one), streamOf(other) };
}

RawServer::RawServer(const QString& address, quint16 port)
{
    if (!listen(QHostAddress(address), port))
        qFatal("listen");
    m_authority = serverAddress().toString().toLatin1() + ':' + QByteArray::number(serverPort());
}

void RawServer::incomingConnection(qintptr descriptor)
{
    m_peers.push_back(std::make_unique<Peer>(streamOf(int(descriptor))));
    m_peers.back()->stream().setReading(m_isReading);
}

namespace {

Task<QList<QHostAddress>> afterTheEvent(Completion<QList<QHostAddress>> found, CancelToken cancel)
{
    const auto linked = cancel.onCancel([found] { found.fail(cancelled()); });
    co_return co_await found.wait();
}

} // namespace

Task<QList<QHostAddress>> StubResolver::resolve(
    QString name, std::chrono::milliseconds timeout, CancelToken cancel)
{
    asked << name;
    const Completion<QList<QHostAddress>> found;
    const auto known = addresses.value(name);
    if (isSilent)
        QTimer::singleShot(timeout, qApp,
            [found] { found.fail({ Kind::Timeout, u"resolving takes too long"_s }); });
    else
        QTimer::singleShot(0, qApp, [found, known, name] {
            found.deliver(known.isEmpty() ? Result<QList<QHostAddress>>(failure(
                                                Kind::NotFound, name + u" cannot be resolved"_s))
                                          : known);
        });
    return afterTheEvent(found, cancel);
}

ProxyFixture::ProxyFixture()
    : resolver(std::make_shared<StubResolver>())
{
    settings.resolver = resolver;
    settings.isLogged = true;
    filter.isPrivateAllowed = true;
}

proxy::FilteredNetwork& ProxyFixture::network()
{
    if (!m_network) {
        auto made = proxy::FilteredNetwork::create(filter, settings);
        if (!made)
            qFatal("%s", qPrintable(made.error().message));
        m_network = std::move(*made);
    }
    return *m_network;
}

std::unique_ptr<Peer> ProxyFixture::connect()
{
    auto pair = streamPair();
    network().accept(std::move(pair.one));
    return std::make_unique<Peer>(std::move(pair.other));
}

} // namespace isol8::test
