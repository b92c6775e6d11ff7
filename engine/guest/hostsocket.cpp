// SPDX-License-Identifier: MIT
#include "engine/guest/hostsocket.h"

#include "engine/guest/protocol.h"

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

} // namespace isol8::guest
