// SPDX-License-Identifier: MIT
#include "engine/guest/sockets.h"

#include "engine/guest/system.h"

#include <cstring>
#include <fcntl.h>

namespace isol8::guest {

namespace {

// Loopback closes within microseconds; what is still there after this stays for a minute
// (TIME_WAIT), and would keep the next program from its port.
constexpr int maxLooks = 20;
constexpr timespec betweenLooks { 0, 5'000'000 };

struct Table {
    const char* path;
    const char* what;
};
constexpr Table tables[] = {
    { "/proc/net/tcp", "a TCP socket" },
    { "/proc/net/tcp6", "a TCP socket" },
    { "/proc/net/udp", "a UDP socket" },
    { "/proc/net/udp6", "a UDP socket" },
};

/// A table of the kernel: its first lines. A table that is not there is empty.
const char* beginOf(const char* path, char* text, std::size_t capacity)
{
    const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
    const ssize_t size = file.isOpen() ? read(file.fd(), text, capacity - 1) : 0;
    text[size > 0 ? size : 0] = 0;
    const char* afterHead = strchr(text, '\n');
    return afterHead ? afterHead + 1 : "";
}

const char* look()
{
    char text[4096];
    for (const auto& table : tables) {
        if (*beginOf(table.path, text, sizeof text))
            return table.what;
    }
    // Unix sockets without a name belong to the guest itself; a named one to a program.
    return strstr(beginOf("/proc/net/unix", text, sizeof text), " @") ? "an abstract socket"
                                                                      : nullptr;
}

} // namespace

const char* leftoverSocket()
{
    const char* found = look();
    for (int i = 1; found && i < maxLooks; ++i) {
        nanosleep(&betweenLooks, nullptr);
        found = look();
    }
    return found;
}

} // namespace isol8::guest
