// SPDX-License-Identifier: MIT
#include "engine/guest/processes.h"

#include "engine/guest/directory.h"
#include "engine/guest/privileges.h"
#include "engine/guest/system.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace isol8::guest {

namespace {

// Killing takes microseconds; a process in an uninterruptible wait is the reason for the bound.
constexpr Time killLimit = 8 * microsecondsPerSecond;

std::uint64_t microseconds(const timeval& time)
{
    return static_cast<std::uint64_t>(time.tv_sec) * microsecondsPerSecond
        + static_cast<std::uint64_t>(time.tv_usec);
}

Processes::Usage childrenUsage()
{
    rusage usage {};
    getrusage(RUSAGE_CHILDREN, &usage);
    return { microseconds(usage.ru_utime), microseconds(usage.ru_stime), 0 };
}

} // namespace

bool Processes::watch(Child& child)
{
    for (auto& slot : m_watched) {
        if (!slot) {
            slot = &child;
            child.hasEnded = false;
            return true;
        }
    }
    return false;
}

void Processes::forget(Child& child)
{
    for (auto& slot : m_watched) {
        if (slot == &child)
            slot = nullptr;
    }
}

bool Processes::reapOne()
{
    int status = 0;
    rusage usage {};
    const pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
    if (pid <= 0)
        return false;
    if (WIFSTOPPED(status)) {
        for (auto* child : m_watched) {
            if (child && child->pid == pid)
                child->stopSignal = WSTOPSIG(status);
        }
        return true;
    }
    if (pid == m_spared)
        m_spared = 0;
    const auto bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    if (bytes > m_largestBytes)
        m_largestBytes = bytes;
    for (auto& slot : m_watched) {
        if (slot && slot->pid == pid) {
            slot->status = status;
            slot->hasEnded = true;
            slot = nullptr;
        }
    }
    return true;
}

void Processes::reap()
{
    while (reapOne()) { }
}

bool Processes::killAll()
{
    const Time limit = now() + killLimit;
    for (int round = 0;; ++round) {
        // Signals also stopped, traced and half-dead ones; ESRCH says that process 1 is alone.
        const bool isAlone
            = m_spared != 0 ? killAllButSpared() : kill(-1, SIGKILL) < 0 && errno == ESRCH;
        reap();
        if (isAlone)
            return true;
        if (now() > limit)
            return false;
        if (round >= 2) {
            const timespec pause { 0, round < 50 ? 100'000 : 2'000'000 };
            nanosleep(&pause, nullptr);
        }
    }
}

/// True when nobody else was left.
bool Processes::killAllButSpared()
{
    // All programs in one sweep, which a program that forks without end does not outrun.
    killAllOfProgramUser();
    reap();
    // Whoever is there now: dying, or one of ours that is not of that user yet.
    const Descriptor directory(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen())
        return false;
    DirectoryReader reader(directory.fd());
    bool isAlone = true;
    while (const char* name = reader.next()) {
        const int pid = atoi(name); // 0 for what is no process
        if (pid <= 1 || pid == m_spared)
            continue;
        kill(pid, SIGKILL);
        isAlone = false;
    }
    return isAlone && reader.error() == 0;
}

void Processes::startCounting()
{
    m_atStart = childrenUsage();
    m_largestBytes = 0;
}

Processes::Usage Processes::usage() const
{
    const Usage total = childrenUsage();
    return { total.userMicroseconds - m_atStart.userMicroseconds,
        total.systemMicroseconds - m_atStart.systemMicroseconds, m_largestBytes };
}

} // namespace isol8::guest
