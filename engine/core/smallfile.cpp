// SPDX-License-Identifier: MIT
#include "engine/core/smallfile.h"

#include "engine/core/escape.h"
#include "engine/core/units.h"

#include <QFile>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

class FileDescriptor {
public:
    explicit FileDescriptor(int fd)
        : m_fd(fd)
    {
    }
    ~FileDescriptor()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    Q_DISABLE_COPY_MOVE(FileDescriptor)

    [[nodiscard]] int value() const { return m_fd; }

private:
    int m_fd;
};

std::unexpected<Error> systemFailure(const QString& shown, int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return failure(Kind::NotFound, u"file not found: %1"_s.arg(shown));
    case EACCES:
    case EPERM:
        return failure(Kind::Denied, u"no permission to read %1"_s.arg(shown));
    case ENXIO: // A socket.
        return failure(Kind::Invalid, u"%1 is not a regular file"_s.arg(shown));
    default:
        return failure(Kind::Internal,
            u"cannot read %1: %2"_s.arg(shown, QString::fromLocal8Bit(std::strerror(number))));
    }
}

} // namespace

Result<QByteArray> readSmallFile(const QString& path, qint64 maxBytes)
{
    const QString shown = printable(path);
    if (path.isEmpty() || path.contains(QChar(u'\0')))
        return failure(Kind::Invalid, u"invalid file name \"%1\""_s.arg(shown));
    // O_NONBLOCK: opening a FIFO without a writer must not wait for one.
    const FileDescriptor file(
        ::open(QFile::encodeName(path).constData(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (file.value() < 0)
        return systemFailure(shown, errno);
    struct stat status {};
    if (::fstat(file.value(), &status) != 0)
        return systemFailure(shown, errno);
    if (S_ISDIR(status.st_mode))
        return failure(Kind::Invalid, u"%1 is a directory, not a file"_s.arg(shown));
    if (!S_ISREG(status.st_mode))
        return failure(Kind::Invalid, u"%1 is not a regular file"_s.arg(shown));
    const auto tooLarge = [&] {
        return failure(Kind::Limit,
            u"%1 is too large: at most %2 are allowed"_s.arg(shown, formatSize(maxBytes)));
    };
    if (status.st_size > maxBytes)
        return tooLarge();

    // The size is only a hint: files of /proc say 0, and a file may grow while it is read.
    QByteArray content(qMax<qint64>(status.st_size, 4095) + 1, Qt::Uninitialized);
    qint64 used = 0;
    for (;;) {
        const ssize_t count
            = ::read(file.value(), content.data() + used, size_t(content.size() - used));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemFailure(shown, errno);
        if (count == 0)
            break;
        used += count;
        if (used > maxBytes)
            return tooLarge();
        if (used == content.size())
            content.resize(qMin(content.size() * 2, maxBytes + 1));
    }
    content.truncate(used);
    return content;
}

} // namespace isol8
