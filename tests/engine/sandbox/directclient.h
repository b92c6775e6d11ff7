// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QFile>
#include <QString>

#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8::test {

/// A guest's end of a direct socket, or somebody else's.
class DirectClient {
public:
    /// Connects to the socket in @p folder.
    explicit DirectClient(const QString& folder)
        : m_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        sockaddr_un address {};
        address.sun_family = AF_UNIX;
        const auto path = QFile::encodeName(folder) + "/socket";
        std::memcpy(address.sun_path, path.constData(), static_cast<std::size_t>(path.size()));
        if (::connect(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
            m_error = errno;
    }
    /// Takes @p fd.
    explicit DirectClient(int fd)
        : m_fd(fd)
    {
        ::fcntl(m_fd, F_SETFL, O_NONBLOCK);
    }
    ~DirectClient() { close(); }
    Q_DISABLE_COPY_MOVE(DirectClient)

    [[nodiscard]] int error() const { return m_error; } ///< errno of the connection; 0: none.
    void close()
    {
        if (m_fd >= 0)
            ::close(std::exchange(m_fd, -1));
    }
    /// Takes the socket that the host passes, which is spoken over from then on. False: none has
    /// come.
    bool takeSocket()
    {
        char byte = 0;
        iovec bytes { &byte, sizeof byte };
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message {};
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (::recvmsg(m_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1
            || !CMSG_FIRSTHDR(&message))
            return false;
        close();
        std::memcpy(&m_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof m_fd);
        return true;
    }
    /// How much of it the other side has room for.
    qsizetype say(const QByteArray& bytes)
    {
        return ::send(
            m_fd, bytes.constData(), static_cast<std::size_t>(bytes.size()), MSG_NOSIGNAL);
    }
    /// What has come; hasEnded() then says whether that was all.
    const QByteArray& hear(qsizetype atMost = 1 << 20)
    {
        QByteArray bytes(atMost, Qt::Uninitialized);
        const auto got = ::recv(m_fd, bytes.data(), static_cast<std::size_t>(atMost), 0);
        m_hasEnded = got == 0 || (got < 0 && errno != EAGAIN);
        m_heard += bytes.first(std::max<qsizetype>(got, 0));
        return m_heard;
    }
    [[nodiscard]] bool hasEnded()
    {
        (void)hear();
        return m_hasEnded;
    }

private:
    int m_fd;
    int m_error = 0;
    bool m_hasEnded = false;
    QByteArray m_heard;
};

} // namespace isol8::test
