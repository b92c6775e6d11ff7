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

/// 0 for none, -1 for a command line that is not ours.
int lingerSeconds(int count, char** arguments)
{
    if (count == 1)
        return 0;
    if (count != 3 || strcmp(arguments[1], "--linger") != 0)
        return -1;
    char* end = nullptr;
    const long seconds = strtol(arguments[2], &end, 10);
    return *end == 0 && seconds > 0 && seconds <= 86400 * 366 ? static_cast<int>(seconds) : -1;
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
    const int linger = lingerSeconds(count, arguments);
    // It kills every process that it can see: anywhere but in a sandbox of its own that would be
    // ours.
    if (getpid() != 1 || getuid() != 0 || linger < 0)
        return misuseExitCode;
    tidyDescriptors();
    if (!isol8::guest::secureSelf())
        return misuseExitCode;
    auto* guest = new (guestMemory) isol8::guest::Guest(linger);
    _exit(guest->serve());
}
