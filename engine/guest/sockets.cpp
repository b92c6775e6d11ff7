// SPDX-License-Identifier: MIT
#include "engine/guest/sockets.h"

#include "engine/guest/system.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>

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

/// What can be read at once. A file that is not there is empty.
const char* readText(const char* path, char* text, std::size_t capacity)
{
    const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
    const ssize_t size = file.isOpen() ? read(file.fd(), text, capacity - 1) : 0;
    text[size > 0 ? size : 0] = 0;
    return text;
}

/// The first lines of a table of the kernel.
const char* beginOf(const char* path, char* text, std::size_t capacity)
{
    const char* afterHead = strchr(readText(path, text, capacity), '\n');
    return afterHead ? afterHead + 1 : "";
}

/// Whether every number behind @p word in @p text is 0, and there is one.
bool areAllZero(const char* text, const char* word)
{
    bool isFound = false;
    while ((text = strstr(text, word))) {
        text += strlen(word);
        isFound = true;
        if (atol(text) != 0)
            return false;
    }
    return isFound;
}

/// The counts of this network namespace: to look through a table, the kernel walks that of the
/// whole machine, which takes longer than all the rest of cleaning an empty sandbox.
bool areSocketsCountedOut()
{
    char text[4096];
    for (const auto* path : { "/proc/net/sockstat", "/proc/net/sockstat6" }) {
        const char* head = readText(path, text, sizeof text);
        // Without IPv6 there is no second one.
        if (*head ? !areAllZero(head, " inuse ") || strstr(head, " tw ") != strstr(head, " tw 0 ")
                  : path[strlen(path) - 1] != '6')
            return false;
    }
    return true;
}

const char* look()
{
    char text[4096];
    if (!areSocketsCountedOut()) {
        for (const auto& table : tables) {
            if (*beginOf(table.path, text, sizeof text))
                return table.what;
        }
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
