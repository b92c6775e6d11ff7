// SPDX-License-Identifier: MIT
#include "engine/guest/prestart.h"

#include "engine/guest/privileges.h"

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>

namespace isol8::guest {

namespace {

// Far beyond any interpreter's start; one that never opens its file is of no use.
constexpr Time startLimit = 20 * microsecondsPerSecond;

} // namespace

void Prestart::start(std::uint32_t id, RunSpec& spec, std::uint32_t flags,
    const unsigned char* path, std::size_t pathSize)
{
    if (isActive() || m_file.isOpen()) {
        spec.clear();
        m_host.verdict(Type::Prestarted, id, EBUSY, "");
        return;
    }
    m_id = id;
    const int error = m_file.make(reinterpret_cast<const char*>(path), pathSize)
        ? begin(spec, flags & PrestartFlag::KeepZygote)
        : errno;
    spec.clear();
    if (error == 0)
        return;
    m_file.leave();
    forget();
    answer(error);
}

int Prestart::begin(RunSpec& spec, bool isZygoteWanted)
{
    if (spec.size() > sizeof m_spec)
        return E2BIG;
    m_specSize = spec.size();
    std::memcpy(m_spec, spec.bytes(), m_specSize);
    const int error = spec.parse();
    if (error != 0)
        return error;
    if (spec.hasTerminal())
        return EINVAL;
    if (isZygoteWanted && m_zygote.isReadyFor(m_spec, m_specSize) && beginCopy() == 0)
        return 0;
    if (isZygoteWanted && m_zygote.start(spec, m_spec, m_specSize) == 0) {
        m_deadline = now() + startLimit;
        m_state = State::Hatching;
        return 0;
    }
    const pid_t pid = startProgram(spec, m_streams);
    if (pid < 0)
        return static_cast<int>(static_cast<std::uint32_t>(-pid) & ~workingDirectoryFlag);
    watch(pid, State::Starting);
    return 0;
}

/// A copy stands still already, and its call to open the file has not begun.
int Prestart::beginCopy()
{
    const pid_t pid = m_zygote.copy(m_streams);
    if (pid < 0)
        return -pid;
    watch(pid, State::Held);
    m_isCopy = true;
    m_file.endLease();
    answer(0);
    return 0;
}

void Prestart::watch(pid_t pid, State state)
{
    m_child.pid = pid;
    m_processes.watch(m_child);
    m_deadline = now() + startLimit;
    m_state = state;
}

bool Prestart::isFor(const RunSpec& spec) const
{
    return isActive() && (m_state == State::Hatching || !m_child.hasEnded)
        && spec.size() == m_specSize && std::memcmp(spec.bytes(), m_spec, m_specSize) == 0;
}

void Prestart::fileWanted()
{
    if (m_state == State::Hatching)
        m_zygote.fileWanted();
    else if (m_state == State::Starting)
        hold();
}

bool Prestart::hold()
{
    // To the whole group: the program may be a script that has started the interpreter.
    if (m_state == State::Starting) {
        kill(-m_child.pid, SIGSTOP);
        m_state = State::Stopping;
    }
    return m_state != State::Stopping && m_state != State::Hatching;
}

bool Prestart::hasStopped() const
{
    siginfo_t info {};
    return waitid(P_PID, static_cast<id_t>(m_child.pid), &info, WSTOPPED | WNOHANG) == 0
        && info.si_pid == m_child.pid;
}

void Prestart::addTo(PollSet& set) const
{
    if (isActive() && m_state != State::Held)
        set.wakeAt(m_deadline);
}

void Prestart::serve()
{
    m_zygote.serve();
    if (!isActive())
        return;
    if (m_state == State::Hatching && m_zygote.isReadyFor(m_spec, m_specSize))
        (void)beginCopy();
    if (m_state == State::Hatching ? !m_zygote.isStarting() : m_child.hasEnded) {
        abandonFile();
        forget();
        answer(ECHILD);
        return;
    }
    // Only a process that stands still may lose the lease: its open(2) was interrupted and begins
    // anew when it goes on. Else that would go on with the empty file.
    if (m_state == State::Stopping && hasStopped()) {
        m_file.endLease();
        m_state = State::Held;
        answer(0);
    } else if (m_state != State::Held && now() >= m_deadline) {
        discard();
    }
}

pid_t Prestart::release(ProgramStreams& streams)
{
    const pid_t pid = m_child.pid;
    const bool isCopy = m_isCopy;
    streams = static_cast<ProgramStreams&&>(m_streams);
    m_file.leave();
    forget();
    if (isCopy)
        Zygote::letGo(pid);
    else
        kill(-pid, SIGCONT);
    return pid;
}

bool Prestart::discard()
{
    if (!isActive())
        return false;
    if (m_state == State::Hatching)
        m_zygote.discard(); // It may have looked for other files, too.
    else
        kill(-m_child.pid, SIGKILL);
    abandonFile();
    forget();
    answer(ECANCELED);
    return true;
}

void Prestart::reset()
{
    m_file.leave();
    if (!isActive())
        return;
    if (m_state == State::Hatching)
        m_zygote.discard();
    forget();
    m_id = 0;
}

/// It stays while it is being put: that is the host's, whatever became of the program.
void Prestart::abandonFile()
{
    if (m_file.putId() != 0)
        m_file.endLease();
    else
        m_file.leave();
}

void Prestart::forget()
{
    m_processes.forget(m_child);
    m_streams = {};
    m_isCopy = false;
    m_state = State::None;
    m_deadline = never;
    m_specSize = 0;
}

void Prestart::answer(int error)
{
    if (m_id == 0)
        return;
    unsigned char payload[4 + 8];
    storeU32(payload, static_cast<std::uint32_t>(error));
    storeU64(payload + 4, m_cgroup.usage().memoryBytes);
    m_host.control(Type::Prestarted, m_id, payload, sizeof payload);
    m_id = 0;
}

} // namespace isol8::guest
