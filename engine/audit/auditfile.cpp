// SPDX-License-Identifier: MIT
#include "engine/audit/auditfile.h"

#include "engine/core/escape.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QTimeZone>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr int maxFilesOfADay = 100'000;
constexpr int maxOpenAttempts = 16;
constexpr auto ownerOnly = QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ExeOwner;

/// Names of files put aside: `executions-2025-11-28.log`, `executions-2025-11-28.2.log`.
QString asideName(const QDate& date, int number)
{
    const QString suffix = number == 1 ? QString() : u".%1"_s.arg(number);
    return u"executions-%1%2.log"_s.arg(date.toString(Qt::ISODate), suffix);
}

std::unexpected<Error> systemFailure(const QString& what, const QString& path, int number)
{
    const auto kind = number == ENOSPC || number == EDQUOT || number == EFBIG ? Kind::Limit
        : number == EACCES || number == EPERM || number == EROFS              ? Kind::Denied
                                                                              : Kind::Internal;
    return failure(kind,
        u"%1 %2: %3"_s.arg(what, printable(path), QString::fromLocal8Bit(std::strerror(number))));
}

QDateTime modified(const struct stat& status)
{
    return QDateTime::fromSecsSinceEpoch(status.st_mtim.tv_sec, QTimeZone::UTC);
}

/// Renames unless @p to is there: false with errno.
bool renameNew(const QByteArray& from, const QByteArray& to)
{
    if (::renameat2(AT_FDCWD, from.constData(), AT_FDCWD, to.constData(), RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    // Some file systems cannot do both in one step. Whoever writes has the lock, so nobody is in
    // between.
    struct stat status {};
    if (::lstat(to.constData(), &status) == 0) {
        errno = EEXIST;
        return false;
    }
    return ::rename(from.constData(), to.constData()) == 0;
}

/// Appends @p line whole, or leaves the file as it was.
Result<> appendLine(int fd, const QString& path, QByteArray line)
{
    struct stat status {};
    (void)::fstat(fd, &status);
    const qint64 size = status.st_size;
    char last = '\n';
    if (size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n')
        line.prepend('\n'); // Of a line that a crash or a power cut left unfinished.
    const ssize_t count = ::write(fd, line.constData(), size_t(line.size()));
    if (count == line.size())
        return {};
    const int number = count < 0 ? errno : ENOSPC;
    if (count > 0)
        (void)::ftruncate(fd, size); // Safe: whoever writes has to have the lock.
    return systemFailure(u"cannot write"_s, path, number);
}

} // namespace

/// An open, locked file; unlocked and closed at its end.
class AuditFile::LockedFile {
public:
    LockedFile() = default;
    explicit LockedFile(int fd)
        : m_fd(fd)
    {
    }
    LockedFile(LockedFile&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {
    }
    LockedFile& operator=(LockedFile&& other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    LockedFile(const LockedFile&) = delete;
    LockedFile& operator=(const LockedFile&) = delete;
    ~LockedFile()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    [[nodiscard]] int fd() const { return m_fd; }
    [[nodiscard]] struct stat status() const
    {
        struct stat status {};
        (void)::fstat(m_fd, &status);
        return status;
    }

private:
    int m_fd = -1;
};

AuditFile::AuditFile(const QString& directory, Rules rules)
    : m_directory(directory)
    , m_rules(rules)
{
}

QString AuditFile::path() const
{
    return m_directory + u"/executions.log"_s;
}

/// Another process may put the file aside between opening and locking: then the next one is opened.
Result<AuditFile::LockedFile> AuditFile::openLocked() const
{
    const QByteArray name = QFile::encodeName(path());
    if (!m_rules.isLinkFollowed && QFileInfo(m_directory).isSymLink())
        return failure(
            Kind::Denied, u"%1 is a link; audit.logDir can name it"_s.arg(printable(m_directory)));
    for (int attempt = 0; attempt < maxOpenAttempts; ++attempt) {
        // Where this fails, the opening tells why.
        if (!QFile::exists(m_directory) && QDir().mkpath(QFileInfo(m_directory).path()))
            QDir().mkdir(m_directory, ownerOnly);
        LockedFile file(::open(name.constData(),
            O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
        if (file.fd() < 0)
            return systemFailure(u"cannot open"_s, path(), errno);
        if (!S_ISREG(file.status().st_mode) || file.status().st_nlink > 1)
            return failure(Kind::Invalid, u"%1 is not a file of its own"_s.arg(printable(path())));
        while (::flock(file.fd(), LOCK_EX) != 0) {
            if (errno != EINTR)
                return systemFailure(u"cannot lock"_s, path(), errno);
        }
        struct stat named {};
        if (::stat(name.constData(), &named) == 0 && named.st_ino == file.status().st_ino
            && named.st_dev == file.status().st_dev)
            return file;
    }
    return failure(Kind::Conflict, u"%1 changes all the time"_s.arg(printable(path())));
}

/// Gives the file a name that no other has.
Result<> AuditFile::putAside(const QDate& date) const
{
    for (int number = 1; number <= maxFilesOfADay; ++number) {
        const QString to = m_directory + u'/' + asideName(date, number);
        if (renameNew(QFile::encodeName(path()), QFile::encodeName(to)))
            return {};
        if (errno != EEXIST)
            return systemFailure(u"cannot put aside"_s, path(), errno);
    }
    return failure(Kind::Limit, u"too many files in %1"_s.arg(printable(m_directory)));
}

Result<> AuditFile::check() const
{
    const auto file = openLocked();
    return file ? Result<>() : std::unexpected(file.error());
}

Result<qsizetype> AuditFile::append(const QByteArrayList& lines, const QDateTime& now)
{
    auto file = openLocked();
    if (!file)
        return std::unexpected(file.error());
    const QDate today = now.toUTC().date();
    qsizetype written = 0;
    for (const QByteArray& line : lines) {
        const struct stat status = file->status();
        const QDate lastDay = modified(status).date();
        const bool isFull = status.st_size + line.size() > m_rules.maxFileBytes;
        if (status.st_size > 0 && (isFull || lastDay < today)) {
            const auto aside = putAside(lastDay);
            file = aside ? openLocked() : std::unexpected(aside.error());
            if (!file)
                return written > 0 ? Result<qsizetype>(written) : std::unexpected(file.error());
        }
        if (const auto done = appendLine(file->fd(), path(), line); !done)
            return written > 0 ? Result<qsizetype>(written) : std::unexpected(done.error());
        ++written;
    }
    if (m_lastCleaning != today) {
        m_lastCleaning = today;
        removeOldFiles(now);
    }
    return written;
}

/// Only files of our own names are looked at: the directory may hold others'.
void AuditFile::removeOldFiles(const QDateTime& now)
{
    static const QRegularExpression ours(
        u"\\Aexecutions-\\d{4}-\\d{2}-\\d{2}(\\.\\d+)?\\.log\\z"_s);
    const QDateTime limit = now.addDays(-m_rules.retentionDays);
    const auto files = QDir(m_directory).entryInfoList({ u"executions-*.log"_s }, QDir::Files);
    for (const QFileInfo& file : files) {
        if (!file.isSymLink() && ours.match(file.fileName()).hasMatch()
            && file.lastModified() < limit)
            QFile::remove(file.filePath());
    }
}

} // namespace isol8
