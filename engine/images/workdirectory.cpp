// SPDX-License-Identifier: MIT
#include "engine/images/workdirectory.h"

#include "engine/core/completion.h"
#include "engine/core/logging.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTimer>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr std::chrono::milliseconds pollInterval { 100 };
const QString directoryPrefix = u"isol8-images-"_s;

QString lastError()
{
    return QString::fromLocal8Bit(std::strerror(errno));
}

/// True while anything is mounted below @p path: removing it would remove files that are elsewhere.
bool hasMountsBelow(const QString& path)
{
    QFile mounts(u"/proc/self/mountinfo"_s);
    if (!mounts.open(QIODevice::ReadOnly))
        return true;
    const auto prefix = QFile::encodeName(path) + '/';
    for (const auto& line : mounts.readAll().split('\n')) {
        const auto target = line.split(' ').value(4); // proc(5)
        if (target.startsWith(prefix) || target + '/' == prefix)
            return true;
    }
    return false;
}

void removeTree(const QString& path)
{
    if (hasMountsBelow(path)) {
        qCWarning(logImages).noquote() << path << "is not removed: something is mounted in it";
        return;
    }
    if (QDir(path).removeRecursively() || ::geteuid() == 0)
        return;
    // Files of a root file system that was made without root belong to other ids of the user's
    // range.
    QProcess::execute(u"unshare"_s,
        { u"--user"_s, u"--map-auto"_s, u"--map-root-user"_s, u"rm"_s, u"-rf"_s,
            u"--one-file-system"_s, u"--"_s, path });
}

int openLocked(const QString& path)
{
    const auto fd = ::open(
        QFile::encodeName(path).constData(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        ::close(fd);
    return -1;
}

} // namespace

FileLock::FileLock(int fd)
    : m_fd(fd)
{
}

FileLock::~FileLock()
{
    ::close(m_fd);
}

Task<std::shared_ptr<FileLock>> FileLock::acquire(
    QString path, std::function<void()> waiting, CancelToken cancel)
{
    const auto fd = ::open(
        QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        co_return failure(Kind::Denied, u"cannot open %1: %2"_s.arg(path, lastError()));
    const std::shared_ptr<FileLock> lock(new FileLock(fd));
    bool isSaid = false;
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            co_return failure(Kind::Internal, u"cannot lock %1: %2"_s.arg(path, lastError()));
        if (cancel.isCancelled())
            co_return std::unexpected(cancelled());
        if (!isSaid && waiting)
            waiting();
        isSaid = true;
        const Completion<> woken;
        const auto registration
            = cancel.onCancel([woken] { QTimer::singleShot(0, [woken] { woken.deliver({}); }); });
        QTimer::singleShot(pollInterval, [woken] { woken.deliver({}); });
        co_await woken.wait();
    }
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    co_return lock;
}

void WorkDirectory::removeAbandoned(const QString& parent)
{
    const QDir directory(parent);
    for (const auto& name :
        directory.entryList({ directoryPrefix + u'*' }, QDir::Dirs | QDir::NoDotAndDotDot)) {
        const auto path = directory.filePath(name);
        const auto fd = openLocked(path);
        if (fd < 0)
            continue;
        struct stat status {};
        if (::fstat(fd, &status) == 0 && status.st_uid == ::geteuid()) {
            qCInfo(logImages).noquote() << "removing" << path << "of a killed isol8";
            removeTree(path);
        }
        ::close(fd);
    }
}

Result<std::unique_ptr<WorkDirectory>> WorkDirectory::create(const QString& parent)
{
    auto path = QFile::encodeName(parent + u'/' + directoryPrefix + u"XXXXXX"_s);
    if (!::mkdtemp(path.data()))
        return failure(
            Kind::Denied, u"cannot make a directory in %1: %2"_s.arg(parent, lastError()));
    const auto name = QFile::decodeName(path);
    // mmdebstrap without root enters it as another user id.
    ::chmod(path.constData(), 0755);
    const auto fd = openLocked(name);
    if (fd < 0) {
        ::rmdir(path.constData());
        return failure(Kind::Internal, u"cannot lock %1"_s.arg(name));
    }
    return std::unique_ptr<WorkDirectory>(new WorkDirectory(name, fd));
}

WorkDirectory::WorkDirectory(QString path, int fd)
    : m_path(std::move(path))
    , m_fd(fd)
{
}

WorkDirectory::~WorkDirectory()
{
    removeTree(m_path);
    ::close(m_fd);
}

} // namespace isol8
