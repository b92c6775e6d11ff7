// SPDX-License-Identifier: MIT
#include "engine/proxy/socketstream.h"

#include <QPointer>

#include <cerrno>
#include <cstring>

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
    abort();
}

void SocketStream::write(const QByteArray& bytes)
{
    if (bytes.isEmpty() || m_isFinishing || m_isEnded)
        return;
    m_queue.push_back(bytes);
    m_pendingBytes += bytes.size();
    if (m_queue.size() == 1)
        (void)flush();
    watchWriting();
}

void SocketStream::setReading(bool isReading)
{
    m_isReading = isReading;
    m_readNotifier.setEnabled(isReading && !m_hasReadEnded && !m_isEnded);
}

void SocketStream::finishWriting()
{
    if (m_isFinishing || m_isEnded)
        return;
    m_isFinishing = true;
    if (m_queue.empty())
        endWriting();
}

void SocketStream::abort()
{
    m_isEnded = true;
    if (m_descriptor < 0)
        return;
    m_readNotifier.setEnabled(false);
    m_writeNotifier.setEnabled(false);
    m_errorNotifier.setEnabled(false);
    m_queue.clear();
    m_pendingBytes = 0;
    if (!m_hasReadEnded || !m_hasWriteEnded) {
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
    QByteArray bytes(chunkBytes, Qt::Uninitialized);
    const auto count = ::recv(m_descriptor, bytes.data(), size_t(bytes.size()), 0);
    if (count > 0) {
        bytes.truncate(count);
        Q_EMIT received(bytes);
        return;
    }
    if (count < 0)
        return isTemporary(errno) ? void() : fail(errno);
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
    if (m_isEnded || !flush())
        return;
    watchWriting();
    if (m_queue.empty() && m_isFinishing)
        endWriting();
    if (m_pendingBytes < before)
        Q_EMIT written();
}

/// Sends what the system takes; false after an error.
bool SocketStream::flush()
{
    while (!m_queue.empty()) {
        const auto rest = QByteArrayView(m_queue.front()).sliced(m_sentOfFirst);
        const auto count = ::send(m_descriptor, rest.data(), size_t(rest.size()), MSG_NOSIGNAL);
        if (count < 0 && isTemporary(errno))
            return true;
        if (count < 0) {
            fail(errno);
            return false;
        }
        m_pendingBytes -= count;
        m_sentOfFirst += count;
        if (m_sentOfFirst < m_queue.front().size())
            return true;
        m_queue.pop_front();
        m_sentOfFirst = 0;
    }
    return true;
}

void SocketStream::watchWriting()
{
    m_writeNotifier.setEnabled(!m_queue.empty() && !m_isEnded);
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
    m_errorNotifier.setEnabled(false); // Both directions have ended, which is no error.
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
    abort();
    QMetaObject::invokeMethod(
        this, [this, ending] { Q_EMIT closed(ending); }, Qt::QueuedConnection);
}

} // namespace isol8::proxy
