// SPDX-License-Identifier: MIT
#include "engine/sandbox/directaccess.h"

#include "engine/core/logging.h"
#include "engine/guest/protocol.h"

#include <QDir>
#include <QFile>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

// A socket's name has at most 107 bytes; the folder's has 16, and the socket's own 6.
constexpr qsizetype maxBaseBytes = 76;
constexpr int maxStale = 10'000;

/// Makes it if need be. False where somebody else has made it, or may enter.
bool isPrivate(const QString& folder)
{
    const auto name = QFile::encodeName(folder);
    if (name.size() > maxBaseBytes || !name.startsWith('/'))
        return false;
    ::mkdir(name.constData(), S_IRWXU);
    struct stat found {};
    return ::lstat(name.constData(), &found) == 0 && S_ISDIR(found.st_mode)
        && found.st_uid == ::geteuid() && (found.st_mode & 0777) == S_IRWXU;
}

QString findBase()
{
    QStringList places;
    for (const auto* variable : { "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR" }) {
        if (const auto value = qEnvironmentVariable(variable); !value.isEmpty())
            places << value.section(u':', 0, 0) + u"/isol8"_s;
    }
    if (::geteuid() == 0)
        places << u"/run/isol8"_s;
    places << QDir::tempPath() + u"/isol8-%1"_s.arg(::geteuid());
    for (const auto& place : std::as_const(places)) {
        if (isPrivate(place))
            return place;
    }
    return {};
}

} // namespace

DirectAccess::DirectAccess(const docker::Endpoint& endpoint)
    : m_isUsable(endpoint.transport == docker::Endpoint::Transport::Local)
{
}

std::unique_ptr<DirectSocket> DirectAccess::makeSocket()
{
    if (!m_isUsable)
        return nullptr;
    if (m_base.isEmpty()) {
        m_base = findBase();
        if (m_base.isEmpty()) {
            giveUp(u"there is no folder for them"_s);
            return nullptr;
        }
        removeStaleSockets(m_base);
    }
    auto socket = DirectSocket::make(m_base);
    if (socket)
        return std::move(*socket);
    giveUp(socket.error().message);
    return nullptr;
}

void DirectAccess::giveUp(const QString& why)
{
    if (std::exchange(m_isUsable, false))
        qCInfo(logSandbox).noquote() << "sandboxes get no direct sockets:" << why;
}

void removeStaleSockets(const QString& base)
{
    const auto names = QDir(base).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const auto& name : names.first(std::min<qsizetype>(names.size(), maxStale))) {
        const auto folder = QFile::encodeName(base + u'/' + name);
        const int fd = ::open(folder.constData(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
            ::unlinkat(fd, guest::hostSocketName, 0);
            ::rmdir(folder.constData());
        }
        ::close(fd);
    }
}

} // namespace isol8
