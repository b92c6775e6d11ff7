// SPDX-License-Identifier: MIT
#include "engine/guest/privileges.h"

#include "engine/guest/protocol.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace isol8::guest {

namespace {

constexpr int maxCapability = 63;

// System calls directly: the library's own functions look for threads to take along, and these run
// in a child that shares its parent's memory.
bool setCapabilities(std::uint32_t permitted)
{
    __user_cap_header_struct header { _LINUX_CAPABILITY_VERSION_3, 0 };
    __user_cap_data_struct data[2] = {};
    data[0].effective = permitted;
    data[0].permitted = permitted;
    return syscall(SYS_capset, &header, data) == 0;
}

bool emptyBoundingSet()
{
    for (int capability = 0; capability <= maxCapability; ++capability) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1
            && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return false;
    }
    return true;
}

} // namespace

bool secureSelf()
{
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number <= SIGRTMAX; ++number)
        sigaction(number, &action, nullptr);
    umask(022);
    const rlimit none { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && emptyBoundingSet()
        && setCapabilities(1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL);
}

bool becomeProgramUser()
{
    if (syscall(SYS_setgroups, 0, nullptr) < 0
        || syscall(SYS_setresgid, sandboxGid, sandboxGid, sandboxGid) < 0
        || syscall(SYS_setresuid, sandboxUid, sandboxUid, sandboxUid) < 0 || !setCapabilities(0))
        return false;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

void volunteerForOomKiller(OomPreference preference)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, preference == OomPreference::First ? "1000" : "500",
        preference == OomPreference::First ? 4 : 3);
    close(fd);
}

ProgramOwnership::ProgramOwnership()
{
    syscall(SYS_setfsgid, sandboxGid);
    syscall(SYS_setfsuid, sandboxUid);
}

ProgramOwnership::~ProgramOwnership()
{
    const int saved = errno;
    syscall(SYS_setfsuid, 0);
    syscall(SYS_setfsgid, 0);
    errno = saved;
}

} // namespace isol8::guest
