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

constexpr char folder[] = "/sandbox/";
constexpr std::size_t folderBytes = sizeof folder - 1;

} // namespace

void Prestart::start(
    std::uint32_t id, RunSpec& spec, const unsigned char* path, std::size_t pathSize)
{
    if (isActive()) {
        spec.clear();
        m_host.verdict(Type::Prestarted, id, EBUSY, "");
        return;
    }
    m_id = id;
    int error = EINVAL;
    // A name right below /sandbox: nobody has been there yet, so it cannot lead anywhere else.
    if (pathSize > folderBytes && pathSize < sizeof m_path
        && std::memcmp(path, folder, folderBytes) == 0
        && !std::memchr(path + folderBytes, '/', pathSize - folderBytes)
        && !std::memchr(path, 0, pathSize)) {
        std::memcpy(m_path, path, pathSize);
        m_path[pathSize] = 0;
        error = begin(spec);
    }
    spec.clear();
    if (error == 0)
        return;
    removeFile();
    forget();
    answer(error);
}

int Prestart::begin(RunSpec& spec)
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
    if (!makeFile())
        return errno;
    const pid_t pid = startProgram(spec, m_streams);
    if (pid < 0)
        return static_cast<int>(static_cast<std::uint32_t>(-pid) & ~workingDirectoryFlag);
    m_child.pid = pid;
    m_processes.watch(m_child);
    m_deadline = now() + startLimit;
    m_state = State::Starting;
    return 0;
}

/// An empty file under a lease: open(2) of it waits, and we get SIGIO, which nobody else can send.
bool Prestart::makeFile()
{
    const ProgramOwnership ownership; // A lease is for the owner of its file.
    m_file.reset(open(m_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    return m_file.isOpen() && fstat(m_file.fd(), &m_fileState) == 0
        && fcntl(m_file.fd(), F_SETOWN, getpid()) == 0
        && fcntl(m_file.fd(), F_SETLEASE, F_WRLCK) == 0;
}

/// Only if it is still the empty one.
void Prestart::removeFile()
{
    struct stat state {};
    if (m_fileState.st_ino != 0 && lstat(m_path, &state) == 0 && state.st_ino == m_fileState.st_ino
        && state.st_dev == m_fileState.st_dev) {
        const ProgramOwnership ownership;
        unlink(m_path);
    }
    m_fileState = {};
    m_file.close();
}

bool Prestart::isFor(const RunSpec& spec) const
{
    return isActive() && !m_child.hasEnded && spec.size() == m_specSize
        && std::memcmp(spec.bytes(), m_spec, m_specSize) == 0;
}

bool Prestart::isItsFile(const unsigned char* path, std::size_t size) const
{
    return isActive() && size == strlen(m_path) && std::memcmp(path, m_path, size) == 0;
}

void Prestart::fileWanted()
{
    if (m_state == State::Starting)
        hold();
}

bool Prestart::hold()
{
    // To the whole group: the program may be a script that has started the interpreter.
    if (m_state == State::Starting) {
        kill(-m_child.pid, SIGSTOP);
        m_state = State::Stopping;
    }
    return m_state != State::Stopping;
}

bool Prestart::hasStopped() const
{
    siginfo_t info {};
    return waitid(P_PID, static_cast<id_t>(m_child.pid), &info, WSTOPPED | WNOHANG) == 0
        && info.si_pid == m_child.pid;
}

void Prestart::addTo(PollSet& set) const
{
    if (m_state == State::Starting || m_state == State::Stopping)
        set.wakeAt(m_deadline);
}

void Prestart::serve()
{
    if (!isActive())
        return;
    if (m_child.hasEnded) {
        removeFile();
        forget();
        answer(ECHILD);
        return;
    }
    // Only a process that stands still may lose the lease: its open(2) was interrupted and begins
    // anew when it goes on. Else that would go on with the empty file.
    if (m_state == State::Stopping && hasStopped()) {
        m_file.close();
        m_state = State::Held;
        answer(0);
    } else if (m_state != State::Held && now() >= m_deadline) {
        discard();
    }
}

pid_t Prestart::release(ProgramStreams& streams)
{
    const pid_t pid = m_child.pid;
    streams = static_cast<ProgramStreams&&>(m_streams);
    removeFile();
    forget();
    kill(-pid, SIGCONT);
    return pid;
}

bool Prestart::discard()
{
    if (!isActive())
        return false;
    kill(-m_child.pid, SIGKILL);
    removeFile();
    forget();
    answer(ECANCELED);
    return true;
}

void Prestart::reset()
{
    if (!isActive())
        return;
    removeFile();
    forget();
    m_id = 0;
}

void Prestart::forget()
{
    m_processes.forget(m_child);
    m_streams = {};
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
