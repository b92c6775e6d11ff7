// SPDX-License-Identifier: MIT
// isol8-guest: process 1 of every sandbox. protocol.h tells what it does.
#include "engine/guest/guest.h"
#include "engine/guest/privileges.h"

#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <sys/syscall.h>

namespace {

constexpr int misuseExitCode = 2;

/// False for a command line that is not ours.
bool readArguments(int count, char** arguments, isol8::guest::Guest::Life& life)
{
    if (count == 1)
        return true;
    life.isSpare = strcmp(arguments[1], "--spare") == 0;
    const bool isGood = life.isSpare ? count == 3 || count == 5
                                     : count == 3 && strcmp(arguments[1], "--linger") == 0;
    if (!isGood)
        return false;
    if (count == 5) {
        life.prestartPath = arguments[3];
        life.prestartSpec = arguments[4];
    }
    char* end = nullptr;
    const long seconds = strtol(arguments[2], &end, 10);
    life.lingerSeconds = static_cast<int>(seconds);
    return *end == 0 && seconds > 0 && seconds <= 86400 * 366;
}

/// Only the host's stream and standard error are ours; the first three exist whatever we were
/// given.
void tidyDescriptors()
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= 2)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (syscall(SYS_close_range, 3, ~0U, 0) == 0)
        return;
    constexpr int likelyDescriptors = 4096;
    for (fd = 3; fd < likelyDescriptors; ++fd)
        close(fd);
}

// In fixed memory: the guest never allocates, so it works when the sandbox has used all there is.
alignas(isol8::guest::Guest) unsigned char guestMemory[sizeof(isol8::guest::Guest)];

} // namespace

int main(int count, char** arguments)
{
    isol8::guest::Guest::Life life;
    const bool isCommandGood = readArguments(count, arguments, life);
    // It kills every process that it can see: anywhere but in a sandbox of its own that would be
    // ours.
    if (getpid() != 1 || getuid() != 0 || !isCommandGood)
        return misuseExitCode;
    tidyDescriptors();
    if (!isol8::guest::secureSelf())
        return misuseExitCode;
    auto* guest = new (guestMemory) isol8::guest::Guest(life);
    _exit(guest->serve());
}
