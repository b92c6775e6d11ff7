// SPDX-License-Identifier: MIT
#include "app/cli/fdwriter.h"

#include <QSocketNotifier>

#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::cli {

namespace {

constexpr qint64 wholePieceBytes = 1 << 20;

/// pipe(7): a write of at most PIPE_BUF bytes does not block when poll() says that there is room.
/// Files are always ready and take everything.
qint64 pieceBytesOf(int descriptor)
{
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        return wholePieceBytes;
    return PIPE_BUF;
}

} // namespace

FdWriter::FdWriter(int descriptor, QObject* parent)
    : QObject(parent)
    , m_descriptor(descriptor)
    , m_pieceBytes(pieceBytesOf(descriptor))
{
}

FdWriter::~FdWriter() = default;

void FdWriter::write(const QByteArray& bytes)
{
    if (m_failure != 0 || bytes.isEmpty())
        return;
    m_waiting += bytes;
    if (!m_notifier || !m_notifier->isEnabled())
        advance();
}

qint64 FdWriter::writeSome(QByteArrayView bytes) const
{
    // poll() waits for ever on a pipe's other end.
    if ((::fcntl(m_descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return -1;
    }
    pollfd ready { m_descriptor, POLLOUT, 0 };
    const int count = ::poll(&ready, 1, 0);
    if (count == 0 || (count < 0 && errno == EINTR))
        return 0;
    const auto written
        = ::write(m_descriptor, bytes.data(), size_t(std::min<qint64>(bytes.size(), m_pieceBytes)));
    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return written;
}

void FdWriter::advance()
{
    qint64 written = 1;
    const auto before = m_offset;
    while (written > 0 && m_offset < m_waiting.size()) {
        written = writeSome(QByteArrayView(m_waiting).sliced(m_offset));
        m_offset += std::max<qint64>(written, 0);
    }
    if (written < 0) {
        m_failure = errno;
        m_waiting.clear();
        m_offset = 0;
        if (m_notifier)
            m_notifier->setEnabled(false);
        QMetaObject::invokeMethod(this, [this] { Q_EMIT failed(m_failure); }, Qt::QueuedConnection);
        return;
    }
    const bool hasProgress = m_offset != before;
    if (m_offset == m_waiting.size()) {
        m_waiting.clear();
        m_offset = 0;
        if (m_notifier)
            m_notifier->setEnabled(false);
    } else {
        if (m_offset > wholePieceBytes) {
            m_waiting.remove(0, m_offset);
            m_offset = 0;
        }
        if (!m_notifier) {
            m_notifier = std::make_unique<QSocketNotifier>(m_descriptor, QSocketNotifier::Write);
            connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { advance(); });
        }
        m_notifier->setEnabled(true);
    }
    if (hasProgress)
        Q_EMIT progressed();
}

} // namespace isol8::cli
