// SPDX-License-Identifier: MIT
#include "engine/sandbox/directaccess.h"

#include "engine/core/logging.h"
#include "engine/guest/protocol.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

// A socket's name has at most 107 bytes; the folder's has 17, and the socket's own 6.
constexpr qsizetype maxBaseBytes = 76;
const QRegularExpression lastingName(u"\\As[0-9a-f]{1,16}\\z"_s);

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

QString privateFolder()
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

QStringList foldersIn(const QString& base)
{
    return QDir(base).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
}

void removeUnlocked(const QString& folder)
{
    const auto name = QFile::encodeName(folder);
    const int fd = ::open(name.constData(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
        ::unlinkat(fd, guest::hostSocketName, 0);
        ::rmdir(name.constData());
    }
    ::close(fd);
}

} // namespace

DirectAccess::DirectAccess(const docker::Endpoint& endpoint)
    : m_isUsable(endpoint.transport == docker::Endpoint::Transport::Local)
{
}

bool DirectAccess::findBase()
{
    if (!m_isUsable || !m_base.isEmpty())
        return m_isUsable;
    m_base = privateFolder();
    if (m_base.isEmpty()) {
        giveUp(u"there is no folder for them"_s);
        return false;
    }
    // What dead processes have left.
    for (const auto& name : foldersIn(m_base)) {
        if (!lastingName.match(name).hasMatch())
            removeUnlocked(m_base + u'/' + name);
    }
    return true;
}

std::unique_ptr<DirectSocket> DirectAccess::makeSocket(bool isLasting)
{
    if (!findBase())
        return nullptr;
    auto socket = DirectSocket::make(m_base, isLasting);
    if (socket)
        return std::move(*socket);
    giveUp(socket.error().message);
    return nullptr;
}

std::unique_ptr<DirectSocket> DirectAccess::reopenSocket(const QString& name)
{
    if (!lastingName.match(name).hasMatch() || !findBase())
        return nullptr;
    auto socket = DirectSocket::reopen(m_base + u'/' + name);
    if (socket)
        return std::move(*socket);
    qCDebug(logSandbox).noquote() << "no direct socket:" << socket.error().message;
    return nullptr;
}

QStringList DirectAccess::lastingFolders()
{
    return findBase() ? foldersIn(m_base).filter(lastingName) : QStringList();
}

void DirectAccess::removeFolder(const QString& name)
{
    if (lastingName.match(name).hasMatch() && findBase())
        removeUnlocked(m_base + u'/' + name);
}

void DirectAccess::giveUp(const QString& why)
{
    if (std::exchange(m_isUsable, false))
        qCInfo(logSandbox).noquote() << "sandboxes get no direct sockets:" << why;
}

} // namespace isol8
