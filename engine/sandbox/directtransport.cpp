// SPDX-License-Identifier: MIT
#include "engine/sandbox/directtransport.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

constexpr qsizetype chunkBytes = 256 << 10;
// After so much the event loop gets a turn, whatever is still there to be read.
constexpr int chunksATurn = 4;
// More than a socket holds.
constexpr int chunksAtTheEnd = 256;

} // namespace

DirectTransport::DirectTransport(int fd)
    : m_fd(fd)
    , m_readNotifier(fd, QSocketNotifier::Read)
    , m_writeNotifier(fd, QSocketNotifier::Write)
{
    m_writeNotifier.setEnabled(false);
    connect(&m_readNotifier, &QSocketNotifier::activated, this, &DirectTransport::read);
    connect(&m_writeNotifier, &QSocketNotifier::activated, this, &DirectTransport::writePending);
}

DirectTransport::~DirectTransport()
{
    close();
}

void DirectTransport::write(const QByteArray& bytes)
{
    if (m_fd < 0)
        return;
    if (pendingBytes() > 0) {
        m_pending.remove(0, std::exchange(m_at, 0));
        m_pending.append(bytes);
        return;
    }
    m_pending = bytes;
    m_at = 0;
    const auto sent
        = ::send(m_fd, bytes.constData(), static_cast<std::size_t>(bytes.size()), MSG_NOSIGNAL);
    // A broken socket is told of by the reader.
    m_at = std::max<qsizetype>(sent, 0);
    if (m_at == m_pending.size()) {
        m_pending.clear();
        m_at = 0;
    }
    m_writeNotifier.setEnabled(pendingBytes() > 0);
}

void DirectTransport::writePending()
{
    const auto sent = ::send(
        m_fd, m_pending.constData() + m_at, static_cast<std::size_t>(pendingBytes()), MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            m_writeNotifier.setEnabled(false);
        return;
    }
    m_at += sent;
    if (pendingBytes() == 0) {
        m_pending.clear();
        m_at = 0;
        m_writeNotifier.setEnabled(false);
    }
    Q_EMIT written();
}

void DirectTransport::setReading(bool isReading)
{
    m_isReading = isReading;
    m_readNotifier.setEnabled(isReading && m_fd >= 0);
}

void DirectTransport::close()
{
    if (m_fd < 0)
        return;
    m_readNotifier.setEnabled(false);
    m_writeNotifier.setEnabled(false);
    ::close(std::exchange(m_fd, -1));
    m_pending.clear();
    m_at = 0;
}

void DirectTransport::read()
{
    for (int i = 0; i < chunksATurn && m_isReading && readOnce() == chunkBytes; ++i) { }
}

void DirectTransport::drain()
{
    for (int i = 0; i < chunksAtTheEnd && readOnce() > 0; ++i) { }
}

qsizetype DirectTransport::readOnce()
{
    if (m_fd < 0)
        return 0;
    // One for all, since its memory is there already. A listener may let another one read.
    static QByteArray shared;
    QByteArray bytes = std::exchange(shared, {});
    bytes.resizeForOverwrite(chunkBytes);
    const auto got = ::recv(m_fd, bytes.data(), chunkBytes, 0);
    const int error = got < 0 ? errno : 0;
    if (got > 0) {
        bytes.truncate(got);
        Q_EMIT received(bytes);
    }
    shared = std::move(bytes);
    if (got <= 0 && error != EAGAIN && error != EINTR)
        finish(error);
    return std::max<qsizetype>(got, 0);
}

void DirectTransport::finish(int error)
{
    close();
    Q_EMIT closed({ Kind::Internal,
        u"the sandbox ended: "_s
            + (error ? QString::fromLocal8Bit(std::strerror(error))
                     : u"its guest closed the connection"_s) });
}

} // namespace isol8
