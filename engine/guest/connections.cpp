// SPDX-License-Identifier: MIT
#include "engine/guest/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace isol8::guest {

namespace {

// What the kernel keeps of connections that found no place; more are not answered.
constexpr int waitingConnections = 256;
constexpr int acceptedAtOnce = 16;
// Given back in larger pieces than it is used up; what is left over is never the whole window.
constexpr std::uint32_t creditPieceBytes = connectionWindowBytes / 4;

// Given back to the kernel, and so zeroed, when a connection ends that has used its part.
alignas(4096) unsigned char buffers[maxConnections][connectionWindowBytes];

template <typename T> void setOption(int fd, int level, int name, const T& value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

Descriptor streamSocket(int family)
{
    return Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Nobody shall be able to take the other half of the port; where there is no IPv6 nobody can.
Descriptor guardSocket()
{
    Descriptor guard = streamSocket(AF_INET6);
    sockaddr_in6 address {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(carriedPort);
    if (guard.isOpen()) {
        setOption(guard.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
        (void)bind(guard.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    return guard;
}

/// A socket on the port; closed, with errno set, where it cannot be had.
Descriptor boundSocket()
{
    Descriptor socket = streamSocket(AF_INET);
    if (!socket.isOpen())
        return socket;
    // Else connections of an earlier run that the kernel still remembers would keep us out. It lets
    // nobody in beside a socket that listens.
    setOption(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(carriedPort);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        socket.close();
    return socket;
}

} // namespace

int Connections::listen(std::uint32_t runId)
{
    closeAll();
    Descriptor listener = boundSocket();
    if (!listener.isOpen() || ::listen(listener.fd(), waitingConnections) < 0)
        return errno;
    m_listener = static_cast<Descriptor&&>(listener);
    m_guard = guardSocket();
    m_runId = runId;
    return 0;
}

void Connections::closeAll()
{
    m_listener.close();
    m_guard.close();
    for (auto& connection : m_connections) {
        if (!connection.isFree())
            release(connection, /*isReset=*/true);
    }
}

bool Connections::data(std::uint32_t id, const unsigned char* bytes, std::size_t size)
{
    Connection* connection = find(id);
    if (!connection)
        return true;
    if (connection->isFromHostEnding
        || size > connectionWindowBytes - connection->waiting() - connection->owed)
        return false;
    if (connection->waiting() == 0) {
        const ssize_t given = give(*connection, bytes, size);
        if (given < 0)
            return true;
        bytes += given;
        size -= static_cast<std::size_t>(given);
    }
    if (size > 0) {
        unsigned char* buffer = bufferOf(*connection);
        if (size > connectionWindowBytes - connection->end) {
            std::memmove(buffer, buffer + connection->begin, connection->waiting());
            connection->end -= connection->begin;
            connection->begin = 0;
        }
        std::memcpy(buffer + connection->end, bytes, size);
        connection->end += static_cast<std::uint32_t>(size);
        connection->hasUsedBuffer = true;
    }
    returnCredit(*connection);
    return true;
}

bool Connections::dataEnd(std::uint32_t id)
{
    Connection* connection = find(id);
    if (!connection)
        return true;
    if (connection->isFromHostEnding)
        return false;
    connection->isFromHostEnding = true;
    feed(*connection);
    return true;
}

bool Connections::credit(std::uint32_t id, std::uint32_t bytes)
{
    Connection* connection = find(id);
    if (!connection)
        return true;
    if (bytes > connectionWindowBytes - connection->credit)
        return false;
    connection->credit += bytes;
    return true;
}

void Connections::reset(std::uint32_t id)
{
    if (Connection* connection = find(id))
        finish(*connection, ECANCELED);
}

void Connections::addTo(PollSet& set)
{
    m_listenerPollIndex
        = freePlace() && m_host.hasRoomForControl() ? set.add(m_listener, POLLIN) : -1;
    const bool hasRoom = m_host.hasRoomForData();
    for (auto& connection : m_connections) {
        connection.pollIndex = -1;
        if (connection.isFree())
            continue;
        int events = 0;
        if (hasRoom && connection.credit > 0 && !connection.isFromProgramOver)
            events |= POLLIN;
        if (connection.waiting() > 0)
            events |= POLLOUT;
        // Without a wish it is left out: its hang-up alone would wake us for ever.
        if (events != 0)
            connection.pollIndex = set.add(connection.socket, events);
    }
}

void Connections::serve(const PollSet& set)
{
    // Each gets one frame a round; the first of a round is another one each time, since the room
    // for data may be gone before the last.
    m_first = (m_first + 1) % maxConnections;
    for (int i = 0; i < maxConnections; ++i) {
        Connection& connection = m_connections[(m_first + i) % maxConnections];
        if (connection.isFree() || !set.events(connection.pollIndex))
            continue;
        if (connection.waiting() > 0)
            feed(connection);
        if (!connection.isFree() && set.events(connection.pollIndex) != POLLOUT)
            passOn(connection);
    }
    if (set.events(m_listenerPollIndex))
        acceptSome();
}

Connections::Connection* Connections::find(std::uint32_t id)
{
    for (auto& connection : m_connections) {
        if (!connection.isFree() && connection.id == id)
            return &connection;
    }
    return nullptr;
}

Connections::Connection* Connections::freePlace()
{
    if (!m_listener.isOpen() || m_lastNumber == ~connectionIdBit)
        return nullptr;
    for (auto& connection : m_connections) {
        if (connection.isFree())
            return &connection;
    }
    return nullptr;
}

unsigned char* Connections::bufferOf(const Connection& connection)
{
    return buffers[&connection - m_connections];
}

void Connections::acceptSome()
{
    for (int i = 0; i < acceptedAtOnce && m_host.hasRoomForControl(); ++i) {
        Connection* place = freePlace();
        if (!place)
            return;
        Descriptor socket(accept4(m_listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket.isOpen())
            return;
        setOption(socket.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
        *place = {};
        place->socket = static_cast<Descriptor&&>(socket);
        place->id = ++m_lastNumber | connectionIdBit;
        place->credit = connectionWindowBytes;
        unsigned char payload[4];
        storeU32(payload, m_runId);
        m_host.control(Type::ConnectionOpened, place->id, payload, sizeof payload);
    }
}

/// From the program to the host: one frame.
void Connections::passOn(Connection& connection)
{
    if (connection.credit == 0 || connection.isFromProgramOver || !m_host.hasRoomForData())
        return;
    const std::size_t wanted
        = connection.credit < maxPayloadBytes ? connection.credit : maxPayloadBytes;
    const ssize_t size = read(connection.socket.fd(), m_host.beginData(), wanted);
    if (size > 0) {
        connection.credit -= static_cast<std::uint32_t>(size);
        m_host.commitData(
            Type::ConnectionData, connection.id, Stream::None, static_cast<std::size_t>(size));
    } else if (size == 0) {
        connection.isFromProgramOver = true;
        m_host.control(Type::ConnectionEnd, connection.id, nullptr, 0);
        if (connection.isFromHostOver)
            finish(connection, 0);
    } else if (errno != EAGAIN && errno != EINTR) {
        finish(connection, errno);
    }
}

/// From the host to the program: what waits, and then the end.
void Connections::feed(Connection& connection)
{
    const ssize_t given
        = give(connection, bufferOf(connection) + connection.begin, connection.waiting());
    if (given < 0)
        return;
    connection.begin += static_cast<std::uint32_t>(given);
    if (connection.waiting() == 0)
        connection.begin = connection.end = 0;
    returnCredit(connection);
    if (!connection.isFromHostEnding || connection.isFromHostOver || connection.waiting() > 0)
        return;
    connection.isFromHostOver = true;
    shutdown(connection.socket.fd(), SHUT_WR);
    if (connection.isFromProgramOver)
        finish(connection, 0);
}

ssize_t Connections::give(Connection& connection, const unsigned char* bytes, std::size_t size)
{
    std::size_t done = 0;
    while (done < size) {
        const ssize_t sent = send(connection.socket.fd(), bytes + done, size - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0) {
            finish(connection, errno);
            return -1;
        }
        done += static_cast<std::size_t>(sent);
    }
    connection.owed += static_cast<std::uint32_t>(done);
    return static_cast<ssize_t>(done);
}

void Connections::returnCredit(Connection& connection)
{
    if (connection.owed < creditPieceBytes || connection.isFromHostEnding)
        return;
    unsigned char payload[4];
    storeU32(payload, connection.owed);
    connection.owed = 0;
    m_host.control(Type::ConnectionCredit, connection.id, payload, sizeof payload);
}

void Connections::finish(Connection& connection, int error)
{
    unsigned char payload[4];
    storeU32(payload, static_cast<std::uint32_t>(error));
    m_host.control(Type::ConnectionClosed, connection.id, payload, sizeof payload);
    release(connection, /*isReset=*/error != 0);
}

void Connections::release(Connection& connection, bool isReset)
{
    if (isReset)
        setOption(connection.socket.fd(), SOL_SOCKET, SO_LINGER, linger { 1, 0 });
    connection.socket.close();
    if (connection.hasUsedBuffer)
        madvise(bufferOf(connection), connectionWindowBytes, MADV_DONTNEED);
}

} // namespace isol8::guest
