// SPDX-License-Identifier: MIT
#include "engine/sandbox/directsocket.h"

#include "engine/guest/protocol.h"

#include <QFile>
#include <QRandomGenerator>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

constexpr int backlog = 4;
const QString lastingMark = u"s"_s; // No hexadecimal digit.

Error systemError(const QString& what)
{
    return { Kind::Internal, what + u": "_s + QString::fromLocal8Bit(std::strerror(errno)) };
}

void closeEnd(int& fd)
{
    if (fd >= 0)
        ::close(fd);
    fd = -1;
}

bool sendDescriptor(int connection, int fd)
{
    char byte = 0;
    iovec bytes { &byte, sizeof byte };
    alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof fd)> control {};
    msghdr message {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return ::sendmsg(connection, &message, MSG_NOSIGNAL) == sizeof byte;
}

/// Notifiers may be the ones that are calling.
void release(std::unique_ptr<QSocketNotifier>& notifier)
{
    if (!notifier)
        return;
    notifier->setEnabled(false);
    notifier.release()->deleteLater();
}

} // namespace

DirectSocket::DirectSocket(const QString& folder, bool isLasting)
    : m_folder(folder)
    , m_isLasting(isLasting)
    , m_lock(::open(
          QFile::encodeName(folder).constData(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
{
}

DirectSocket::~DirectSocket()
{
    close();
}

Result<std::unique_ptr<DirectSocket>> DirectSocket::make(const QString& base, bool isLasting)
{
    const auto folder = base + u'/' + (isLasting ? lastingMark : QString())
        + QString::number(QRandomGenerator::system()->generate64(), 16);
    if (::mkdir(QFile::encodeName(folder).constData(), S_IRWXU) < 0)
        return std::unexpected(systemError(folder));
    std::unique_ptr<DirectSocket> made(new DirectSocket(folder, isLasting));
    // The guest is another user where user names are mapped.
    constexpr mode_t forAll = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
    if (made->m_lock < 0 || ::flock(made->m_lock, LOCK_EX | LOCK_NB) < 0
        || ::fchmod(made->m_lock, forAll) < 0)
        return std::unexpected(systemError(folder));
    return made;
}

Result<std::unique_ptr<DirectSocket>> DirectSocket::reopen(const QString& folder)
{
    std::unique_ptr<DirectSocket> found(new DirectSocket(folder, /*isLasting=*/true));
    found->m_isKept = true;
    struct stat state {};
    if (found->m_lock < 0 || ::fstat(found->m_lock, &state) < 0)
        return std::unexpected(systemError(folder));
    if (state.st_uid != ::geteuid())
        return failure(Kind::Denied, folder + u": another user's"_s);
    if (::flock(found->m_lock, LOCK_EX | LOCK_NB) < 0)
        return failure(Kind::Conflict, folder + u": in use"_s);
    // Of a host that died while it waited.
    ::unlink(found->path().constData());
    return found;
}

QByteArray DirectSocket::path() const
{
    return QFile::encodeName(m_folder) + '/' + guest::hostSocketName;
}

Result<> DirectSocket::listen(const QByteArray& token)
{
    const auto name = path();
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    if (name.size() >= qsizetype(sizeof address.sun_path))
        return failure(Kind::Invalid, m_folder + u": the name is too long"_s);
    std::memcpy(address.sun_path, name.constData(), static_cast<std::size_t>(name.size()));
    m_token = token;
    m_listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    constexpr mode_t forAll = 0666;
    if (m_listener < 0
        || ::bind(m_listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0
        || ::chmod(name.constData(), forAll) < 0 || ::listen(m_listener, backlog) < 0)
        return std::unexpected(systemError(QFile::decodeName(name)));
    m_listenerNotifier = std::make_unique<QSocketNotifier>(m_listener, QSocketNotifier::Read);
    connect(m_listenerNotifier.get(), &QSocketNotifier::activated, this, &DirectSocket::accept);
    return {};
}

void DirectSocket::close()
{
    release(m_listenerNotifier);
    release(m_candidateNotifier);
    closeEnd(m_candidate);
    if (m_listener >= 0)
        ::unlink(path().constData());
    closeEnd(m_listener);
    if (m_lock >= 0 && !m_isKept)
        ::rmdir(QFile::encodeName(m_folder).constData());
    closeEnd(m_lock);
}

void DirectSocket::accept()
{
    if (m_candidate >= 0)
        return;
    m_candidate = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (m_candidate < 0)
        return;
    m_listenerNotifier->setEnabled(false); // One after the other.
    m_candidateNotifier = std::make_unique<QSocketNotifier>(m_candidate, QSocketNotifier::Read);
    connect(m_candidateNotifier.get(), &QSocketNotifier::activated, this, &DirectSocket::readToken);
}

void DirectSocket::readToken()
{
    QByteArray bytes(m_token.size() - m_read.size(), Qt::Uninitialized);
    // What follows the token is the conversation.
    const auto got = ::recv(m_candidate, bytes.data(), static_cast<std::size_t>(bytes.size()), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        dropCandidate();
        return;
    }
    m_read += bytes.first(got);
    if (!m_token.startsWith(m_read)) {
        dropCandidate();
        return;
    }
    if (m_read.size() < m_token.size())
        return;
    passSocket();
}

void DirectSocket::passSocket()
{
    int ends[2] = { -1, -1 };
    const bool isPassed
        = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0
        && sendDescriptor(m_candidate, ends[1]);
    closeEnd(ends[1]);
    if (!isPassed) {
        closeEnd(ends[0]);
        dropCandidate();
        return;
    }
    m_isKept = m_isKept || m_isLasting;
    close();
    Q_EMIT connected(ends[0]);
}

void DirectSocket::dropCandidate()
{
    release(m_candidateNotifier);
    closeEnd(m_candidate);
    m_read.clear();
    m_listenerNotifier->setEnabled(true);
}

} // namespace isol8
