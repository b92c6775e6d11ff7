// SPDX-License-Identifier: MIT
#include "engine/guest/tracee.h"

#include "engine/guest/system.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace isol8::guest {

#if defined(__x86_64__)

namespace {

// The System V ABI: so much below its stack pointer a function may use without saying so.
constexpr std::uint64_t redZoneBytes = 128;
// The instruction "syscall", and its length.
constexpr std::uint64_t systemCallCode = 0x050f;
constexpr std::uint64_t systemCallBytes = 2;
// What an interrupted call that is to begin anew has as its result (the kernel's errno.h).
constexpr long restartSystemCall = -512;
// It takes microseconds; where tracing is only half there it may never come.
constexpr Time stopLimit = 5 * microsecondsPerSecond;

bool hasStoppedFor(int status, int event)
{
    return status >> 8 == (SIGTRAP | event << 8);
}

} // namespace

bool Tracee::waitForStop(int& status) const
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD); // It is blocked, so each stop is seen here.
    const Time limit = now() + stopLimit;
    for (;;) {
        const pid_t found = waitpid(m_pid, &status, WNOHANG | __WALL);
        if (found == m_pid)
            return WIFSTOPPED(status);
        const Time left = limit - now();
        if (found < 0 || left <= 0)
            return false;
        const timespec span { left / microsecondsPerSecond, left % microsecondsPerSecond * 1000 };
        sigtimedwait(&children, nullptr, &span);
    }
}

bool Tracee::hasStoppedInOpen()
{
    if (ptrace(PTRACE_GETREGS, m_pid, nullptr, &m_place) < 0)
        return false;
    const auto call = static_cast<long>(m_place.orig_rax);
    if (static_cast<long>(m_place.rax) != restartSystemCall
        || (call != SYS_openat && call != SYS_open))
        return false;
    m_place.rip -= systemCallBytes;
    m_place.rax = m_place.orig_rax;
    m_place.orig_rax = static_cast<unsigned long long>(-1); // Or the kernel would start it too.
    std::uint64_t code = 0;
    return load(m_place.rip, &code, sizeof code) && (code & 0xffff) == systemCallCode;
}

long Tracee::call(long number, std::uint64_t first, std::uint64_t second, std::uint64_t third,
    std::uint64_t fourth, std::uint64_t fifth) const
{
    auto registers = m_place;
    registers.rax = static_cast<std::uint64_t>(number);
    registers.rdi = first;
    registers.rsi = second;
    registers.rdx = third;
    registers.r10 = fourth;
    registers.r8 = fifth;
    int status = 0;
    if (ptrace(PTRACE_SETREGS, m_pid, nullptr, &registers) < 0
        || ptrace(PTRACE_SINGLESTEP, m_pid, nullptr, nullptr) < 0 || !waitForStop(status)
        || !hasStoppedFor(status, 0) || ptrace(PTRACE_GETREGS, m_pid, nullptr, &registers) < 0)
        return -ESRCH;
    return static_cast<long>(registers.rax);
}

pid_t Tracee::fork(std::uint64_t tid) const
{
    auto registers = m_place;
    registers.rax = SYS_clone;
    // As our own child, not its. Its library has its thread id from the place at @p tid.
    registers.rdi = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    registers.rsi = 0;
    registers.rdx = 0;
    registers.r10 = tid;
    registers.r8 = 0;
    int status = 0;
    if (ptrace(PTRACE_SETOPTIONS, m_pid, nullptr, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL) < 0
        || ptrace(PTRACE_SETREGS, m_pid, nullptr, &registers) < 0
        || ptrace(PTRACE_SINGLESTEP, m_pid, nullptr, nullptr) < 0 || !waitForStop(status))
        return -ESRCH;
    if (!hasStoppedFor(status, PTRACE_EVENT_FORK)) {
        const bool isOver
            = hasStoppedFor(status, 0) && ptrace(PTRACE_GETREGS, m_pid, nullptr, &registers) == 0;
        return isOver ? static_cast<pid_t>(registers.rax) : -ESRCH;
    }
    unsigned long message = 0;
    if (ptrace(PTRACE_GETEVENTMSG, m_pid, nullptr, &message) < 0)
        return -ESRCH;
    const auto child = static_cast<pid_t>(message);
    const bool isHeld = Tracee(child).waitForStop(status) && WSTOPSIG(status) == SIGSTOP;
    // The end of the call, here.
    if (!isHeld || ptrace(PTRACE_SINGLESTEP, m_pid, nullptr, nullptr) < 0 || !waitForStop(status)
        || !hasStoppedFor(status, 0)) {
        kill(child, SIGKILL);
        return -ESRCH;
    }
    return child;
}

std::uint64_t Tracee::scratch() const
{
    return (m_place.rsp - redZoneBytes - scratchBytes) & ~15ULL;
}

bool Tracee::store(std::uint64_t to, const void* from, std::size_t size) const
{
    const auto* at = static_cast<const unsigned char*>(from);
    for (; size >= sizeof(long); size -= sizeof(long), to += sizeof(long), at += sizeof(long)) {
        long word = 0;
        std::memcpy(&word, at, sizeof word);
        if (ptrace(PTRACE_POKEDATA, m_pid, to, word) < 0)
            return false;
    }
    return true;
}

bool Tracee::load(std::uint64_t from, void* to, std::size_t size) const
{
    auto* at = static_cast<unsigned char*>(to);
    for (; size >= sizeof(long); size -= sizeof(long), from += sizeof(long), at += sizeof(long)) {
        long word = 0;
        if (syscall(SYS_ptrace, PTRACE_PEEKDATA, m_pid, from, &word) < 0)
            return false;
        std::memcpy(at, &word, sizeof word);
    }
    return true;
}

bool Tracee::rewind() const
{
    return ptrace(PTRACE_SETREGS, m_pid, nullptr, &m_place) == 0;
}

bool Tracee::letGo() const
{
    return ptrace(PTRACE_DETACH, m_pid, nullptr, nullptr) == 0;
}

#else // Only what compiles: without support nothing of this is called.

bool Tracee::waitForStop(int&) const
{
    return false;
}
bool Tracee::hasStoppedInOpen()
{
    return false;
}
long Tracee::call(
    long, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) const
{
    return -ENOSYS;
}
pid_t Tracee::fork(std::uint64_t) const
{
    return -ENOSYS;
}
std::uint64_t Tracee::scratch() const
{
    return 0;
}
bool Tracee::store(std::uint64_t, const void*, std::size_t) const
{
    return false;
}
bool Tracee::load(std::uint64_t, void*, std::size_t) const
{
    return false;
}
bool Tracee::rewind() const
{
    return false;
}
bool Tracee::letGo() const
{
    return false;
}

#endif

} // namespace isol8::guest
