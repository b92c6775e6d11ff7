// SPDX-License-Identifier: MIT
#include "engine/docker/socketstream.h"

#include <QPointer>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 chunkBytes = 64 << 10;
// After so much the event loop gets a turn, whatever is still there to be read.
constexpr qint64 turnBytes = 1 << 20;

} // namespace

SocketStream::SocketStream(std::shared_ptr<EndpointSocket> socket, QByteArray early)
    : m_socket(std::move(socket))
    , m_chunk(std::move(early))
{
    connect(m_socket.get(), &EndpointSocket::readyRead, this, &SocketStream::pump);
    connect(m_socket.get(), &EndpointSocket::closed, this, &SocketStream::schedulePump);
    connect(m_socket.get(), &EndpointSocket::bytesWritten, this, &SocketStream::bytesWritten);
}

SocketStream::~SocketStream()
{
    close();
}

void SocketStream::write(const QByteArray& bytes)
{
    if (m_socket && !m_socket->closeReason())
        m_socket->device().write(bytes);
}

qint64 SocketStream::pendingBytes() const
{
    return m_socket && !m_socket->closeReason() ? m_socket->device().bytesToWrite() : 0;
}

void SocketStream::setReading(bool isReading)
{
    m_isReading = isReading;
    if (isReading)
        schedulePump();
}

void SocketStream::close()
{
    if (!m_socket)
        return;
    m_isReading = false;
    disconnect(m_socket.get(), nullptr, this, nullptr);
    m_socket->abort();
    m_socket.reset();
}

void SocketStream::schedulePump()
{
    if (std::exchange(m_isPumpScheduled, true))
        return;
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_isPumpScheduled = false;
            pump();
        },
        Qt::QueuedConnection);
}

void SocketStream::pump()
{
    const QPointer<SocketStream> self(this);
    qint64 passed = 0;
    while (m_isReading && m_socket) {
        if (passed >= turnBytes) {
            schedulePump();
            return;
        }
        if (m_at == m_chunk.size() && !readChunk())
            break;
        auto input = QByteArrayView(m_chunk).sliced(m_at);
        const auto piece = m_demux.next(input);
        m_at = m_chunk.size() - input.size();
        if (!piece) {
            finish(piece.error());
            return;
        }
        if (!*piece)
            continue;
        passed += (*piece)->bytes.size();
        // A listener may stop, close or destroy this stream.
        if ((*piece)->stream == StreamDemux::Stream::Stdout)
            Q_EMIT stdoutReceived((*piece)->bytes.toByteArray());
        else
            Q_EMIT stderrReceived((*piece)->bytes.toByteArray());
        if (!self)
            return;
    }
    if (m_isReading && m_socket && m_socket->closeReason())
        finish(m_demux.isAtFrameEnd()
                ? *m_socket->closeReason()
                : Error { Kind::Unreachable,
                      u"Docker closed the connection in the middle of the output"_s });
}

bool SocketStream::readChunk()
{
    m_at = 0;
    m_chunk.resizeForOverwrite(chunkBytes);
    const auto got = m_socket->device().read(m_chunk.data(), chunkBytes);
    m_chunk.truncate(std::max<qint64>(got, 0));
    return got > 0;
}

void SocketStream::finish(const Error& reason)
{
    const Error copy = reason;
    close();
    Q_EMIT closed(copy);
}

} // namespace isol8::docker
