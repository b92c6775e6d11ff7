// SPDX-License-Identifier: MIT
#include "engine/guest/privileges.h"

#include "engine/guest/protocol.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace isol8::guest {

namespace {

constexpr int maxCapability = 63;
constexpr std::uint32_t guestCapabilities = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
constexpr std::uint32_t zygoteCapabilities = 1U << CAP_SETUID;

// System calls directly: the library's own functions look for threads to take along, and these run
// in a child that shares its parent's memory.
bool setCapabilities(std::uint32_t permitted, std::uint32_t inheritable = 0)
{
    __user_cap_header_struct header { _LINUX_CAPABILITY_VERSION_3, 0 };
    __user_cap_data_struct data[2] = {};
    data[0].effective = permitted;
    data[0].permitted = permitted;
    data[0].inheritable = inheritable;
    return syscall(SYS_capset, &header, data) == 0;
}

/// The container's filter lets process 1 trace what it has started (zygote.h), and so everybody.
bool denyTracing()
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program { sizeof code / sizeof *code, code };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
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
    // What is to be inheritable has to be so while it is in the bounding set.
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        && setCapabilities(guestCapabilities | 1U << CAP_SETPCAP, zygoteCapabilities)
        && emptyBoundingSet() && setCapabilities(guestCapabilities, zygoteCapabilities);
}

bool becomeProgramUser(bool mayTrace)
{
    if (syscall(SYS_setgroups, 0, nullptr) < 0
        || syscall(SYS_setresgid, sandboxGid, sandboxGid, sandboxGid) < 0
        || syscall(SYS_setresuid, sandboxUid, sandboxUid, sandboxUid) < 0 || !setCapabilities(0))
        return false;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && (mayTrace || denyTracing());
}

bool becomeZygoteUser()
{
    // A change of the user empties the effective set, and the ambient one always.
    if (syscall(SYS_setgroups, 0, nullptr) < 0
        || syscall(SYS_setresgid, sandboxGid, sandboxGid, sandboxGid) < 0
        || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0
        || syscall(SYS_setresuid, zygoteUid, zygoteUid, zygoteUid) < 0
        || !setCapabilities(zygoteCapabilities, zygoteCapabilities)
        || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) < 0)
        return false;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
        && syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0 && denyTracing();
}

void killAllOfProgramUser()
{
    // With that effective user the capabilities are not in effect, so that only its own processes
    // can be meant. Nobody may signal or trace this process meanwhile: its other ids are root's.
    constexpr auto same = static_cast<uid_t>(-1);
    if (syscall(SYS_setresuid, same, sandboxUid, same) == 0)
        kill(-1, SIGKILL);
    syscall(SYS_setresuid, same, 0, same);
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
