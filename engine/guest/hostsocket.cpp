// SPDX-License-Identifier: MIT
#include "engine/guest/hostsocket.h"

#include "engine/guest/protocol.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace isol8::guest {

Descriptor connectToHost(const unsigned char* token)
{
    Descriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!connection.isOpen())
        return connection;
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    static_assert(sizeof hostSocketPath <= sizeof address.sun_path);
    memcpy(address.sun_path, hostSocketPath, sizeof hostSocketPath);
    // Never waits: a host that does not accept has not been there.
    if (connect(connection.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0
        || send(connection.fd(), token, tokenBytes, MSG_NOSIGNAL)
            != static_cast<ssize_t>(tokenBytes))
        connection.close();
    return connection;
}

Descriptor takeFromHost(const Descriptor& connection)
{
    char byte = 0;
    iovec bytes { &byte, sizeof byte };
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(connection.fd(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return {};
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (size == 0 || !head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS
        || head->cmsg_len != CMSG_LEN(sizeof(int))) {
        errno = ECONNREFUSED;
        return {};
    }
    int fd = -1;
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return Descriptor(fd);
}

} // namespace isol8::guest
