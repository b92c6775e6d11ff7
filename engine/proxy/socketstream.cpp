// SPDX-License-Identifier: MIT
#include "engine/proxy/socketstream.h"

#include <QPointer>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

namespace {

/// Read at a time, so that other connections have their turn in between.
constexpr qsizetype chunkBytes = 128 << 10;

bool isTemporary(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int pendingError(int descriptor)
{
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace

SocketStream::SocketStream(int descriptor)
    : m_descriptor(descriptor)
    , m_readNotifier(descriptor, QSocketNotifier::Read)
    , m_writeNotifier(descriptor, QSocketNotifier::Write)
    , m_errorNotifier(descriptor, QSocketNotifier::Exception)
{
    m_readNotifier.setEnabled(false);
    m_writeNotifier.setEnabled(false);
    connect(&m_readNotifier, &QSocketNotifier::activated, this, &SocketStream::readSome);
    connect(&m_writeNotifier, &QSocketNotifier::activated, this, &SocketStream::writeSome);
    connect(&m_errorNotifier, &QSocketNotifier::activated, this, &SocketStream::onException);
}

SocketStream::~SocketStream()
{
    close(m_hasWriteEnded && m_writeError == 0 ? Close::InOrder : Close::Reset);
}

void SocketStream::write(const QByteArray& bytes)
{
    if (bytes.isEmpty() || m_isFinishing || m_hasWriteEnded || m_isEnded)
        return;
    m_queue.push_back(bytes);
    m_pendingBytes += bytes.size();
    if (m_queue.size() == 1)
        flush();
}

void SocketStream::setReading(bool isReading)
{
    m_isReading = isReading;
    m_readNotifier.setEnabled(isReading && !m_hasReadEnded && !m_isEnded);
    m_errorNotifier.setEnabled(!isReading && !m_isEnded && !m_hasHungUp);
    if (!isReading && m_writeError != 0)
        fail(m_writeError);
}

void SocketStream::finishWriting()
{
    if (m_isFinishing || m_hasWriteEnded || m_isEnded)
        return;
    m_isFinishing = true;
    if (m_queue.empty())
        endWriting();
}

void SocketStream::abort()
{
    close(Close::Reset);
}

void SocketStream::close(Close how)
{
    m_isEnded = true;
    if (m_descriptor < 0)
        return;
    for (auto* notifier : { &m_readNotifier, &m_writeNotifier, &m_errorNotifier })
        notifier->setEnabled(false);
    m_queue.clear();
    m_pendingBytes = 0;
    if (how == Close::Reset) {
        const linger reset { 1, 0 };
        ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    ::close(m_descriptor);
    m_descriptor = -1;
}

void SocketStream::readSome()
{
    if (!m_isReading || m_hasReadEnded || m_isEnded)
        return;
    // No larger than what is there: what is passed on may be kept for a while.
    int available = 0;
    ::ioctl(m_descriptor, FIONREAD, &available);
    QByteArray bytes(std::clamp<qsizetype>(available, 1, chunkBytes), Qt::Uninitialized);
    const auto count = ::recv(m_descriptor, bytes.data(), size_t(bytes.size()), 0);
    if (count > 0) {
        bytes.truncate(count);
        Q_EMIT received(bytes);
        return;
    }
    if (count < 0)
        return isTemporary(errno) ? void() : fail(errno);
    if (m_writeError != 0)
        return fail(m_writeError);
    m_hasReadEnded = true;
    m_readNotifier.setEnabled(false);
    const QPointer<SocketStream> self(this);
    Q_EMIT finishedReading();
    if (self)
        finishIfEnded();
}

void SocketStream::writeSome()
{
    const auto before = m_pendingBytes;
    if (m_isEnded)
        return;
    flush();
    if (m_queue.empty() && m_isFinishing && !m_hasWriteEnded)
        endWriting();
    if (m_pendingBytes < before)
        Q_EMIT written();
}

/// Sends what the system takes.
void SocketStream::flush()
{
    while (!m_queue.empty()) {
        const auto rest = QByteArrayView(m_queue.front()).sliced(m_sentOfFirst);
        const auto count = ::send(m_descriptor, rest.data(), size_t(rest.size()), MSG_NOSIGNAL);
        if (count < 0 && isTemporary(errno))
            break;
        if (count < 0)
            return failWriting(errno);
        m_pendingBytes -= count;
        m_sentOfFirst += count;
        if (m_sentOfFirst < m_queue.front().size())
            break;
        m_queue.pop_front();
        m_sentOfFirst = 0;
    }
    m_writeNotifier.setEnabled(!m_queue.empty());
}

/// What the other side said before it went away is still to be read: a server refuses an upload and
/// closes.
void SocketStream::failWriting(int error)
{
    m_writeError = error;
    m_queue.clear();
    m_pendingBytes = 0;
    m_writeNotifier.setEnabled(false);
    m_hasWriteEnded = true;
    if (!m_isReading || m_hasReadEnded)
        fail(error);
}

void SocketStream::endWriting()
{
    ::shutdown(m_descriptor, SHUT_WR);
    m_hasWriteEnded = true;
    finishIfEnded();
}

void SocketStream::onException()
{
    if (m_isEnded)
        return;
    if (const int error = pendingError(m_descriptor))
        return fail(error);
    m_hasHungUp = true; // Both directions have ended, which is no error.
    m_errorNotifier.setEnabled(false);
}

void SocketStream::finishIfEnded()
{
    if (m_hasReadEnded && m_hasWriteEnded)
        scheduleEnd({});
}

void SocketStream::fail(int error)
{
    scheduleEnd(failure(Kind::Unreachable,
        u"the connection was lost: %1"_s.arg(QString::fromLocal8Bit(std::strerror(error)))));
}

/// Signalled from the event loop, never within a call of the owner's.
void SocketStream::scheduleEnd(Result<> ending)
{
    if (m_isEnded)
        return;
    close(Close::InOrder); // The other side has ended, too, or is gone.
    QMetaObject::invokeMethod(
        this, [this, ending] { Q_EMIT closed(ending); }, Qt::QueuedConnection);
}

} // namespace isol8::proxy
