// SPDX-License-Identifier: MIT
#include "engine/guest/program.h"

#include "engine/guest/privileges.h"

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

namespace isol8::guest {

namespace {

constexpr char defaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool makePipe(Descriptor& readEnd, Descriptor& writeEnd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    readEnd.reset(ends[0]);
    writeEnd.reset(ends[1]);
    return true;
}

bool makeTerminal(const RunSpec& spec, ProgramStreams& ours, ProgramEnds& theirs)
{
    Descriptor master(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    int unlock = 0;
    if (!master.isOpen() || ioctl(master.fd(), TIOCSPTLCK, &unlock) < 0)
        return false;
    theirs.input.reset(ioctl(master.fd(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!theirs.input.isOpen())
        return false;
    resizeTerminal(master.fd(), spec.rows(), spec.columns());
    theirs.isTerminal = true;
    ours.input.reset(fcntl(master.fd(), F_DUPFD_CLOEXEC, 3));
    ours.output = static_cast<Descriptor&&>(master);
    return ours.input.isOpen();
}

void setNonBlocking(const Descriptor& descriptor)
{
    if (descriptor.isOpen())
        fcntl(descriptor.fd(), F_SETFL, fcntl(descriptor.fd(), F_GETFL) | O_NONBLOCK);
}

bool makeStreams(const RunSpec& spec, ProgramStreams& ours, ProgramEnds& theirs)
{
    if (!spec.hasTerminal())
        return makePipes(spec.isStdinOpen(), ours, theirs);
    const ProgramOwnership ownership;
    return makeTerminal(spec, ours, theirs);
}

const char* pathOf(char** environment)
{
    for (; *environment; ++environment) {
        if (strncmp(*environment, "PATH=", 5) == 0)
            return *environment + 5;
    }
    return defaultPath;
}

/// Returns only with an errno: as execvp(3) searches, but without ever starting a shell.
int execute(const RunSpec& spec)
{
    char** arguments = spec.arguments();
    const char* name = arguments[0];
    if (strchr(name, '/')) {
        execve(name, arguments, spec.environment());
        return errno;
    }
    int error = ENOENT;
    const std::size_t nameLength = strlen(name);
    for (const char* folder = pathOf(spec.environment());;) {
        const char* end = strchrnul(folder, ':');
        const auto length = static_cast<std::size_t>(end - folder);
        char file[PATH_MAX];
        // An empty entry would be the working directory, which the program's input chose.
        if (length > 0 && length + nameLength + 2 <= sizeof file) {
            memcpy(file, folder, length);
            file[length] = '/';
            memcpy(file + length + 1, name, nameLength + 1);
            execve(file, arguments, spec.environment());
            if (errno != ENOENT && errno != ENOTDIR) {
                if (errno != EACCES)
                    return errno;
                error = EACCES;
            }
        }
        if (!*end)
            return error;
        folder = end + 1;
    }
}

bool takeChannel(int end)
{
    return end == zygoteChannel ? fcntl(end, F_SETFD, 0) == 0
                                : dup2(end, zygoteChannel) == zygoteChannel;
}

/// In the child. Shares the parent's memory: changes nothing but its own stack and *error.
[[noreturn]] void becomeProgram(
    const RunSpec& spec, const ProgramEnds& streams, int zygoteEnd, volatile std::uint32_t* error)
{
    setsid();
    volunteerForOomKiller(OomPreference::First);
    const int output = streams.isTerminal ? streams.input.fd() : streams.output.fd();
    const int errorOutput = streams.isTerminal ? streams.input.fd() : streams.errorOutput.fd();
    bool isReady
        = dup2(streams.input.fd(), 0) == 0 && dup2(output, 1) == 1 && dup2(errorOutput, 2) == 2;
    if (isReady && streams.isTerminal)
        isReady = ioctl(0, TIOCSCTTY, 0) == 0;
    isReady = isReady
        && (zygoteEnd < 0 ? becomeProgramUser(spec.mayTrace())
                          : takeChannel(zygoteEnd) && becomeZygoteUser());
    if (!isReady) {
        *error = static_cast<std::uint32_t>(errno);
        _exit(127);
    }
    if (chdir(spec.workingDirectory()) < 0) {
        *error = static_cast<std::uint32_t>(errno) | workingDirectoryFlag;
        _exit(127);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    *error = static_cast<std::uint32_t>(execute(spec));
    _exit(127);
}

/// A fork that copies no memory: the parent stands still until the child has become the program.
[[gnu::noinline]] pid_t spawn(
    const RunSpec& spec, const ProgramEnds& streams, int zygoteEnd, volatile std::uint32_t* error)
{
    const pid_t pid = vfork();
    if (pid == 0)
        becomeProgram(spec, streams, zygoteEnd, error);
    return pid;
}

/// As startProgram(); @p zygoteEnd is -1 for a program.
pid_t startChild(const RunSpec& spec, ProgramStreams& streams, int zygoteEnd)
{
    ProgramEnds theirs;
    if (!makeStreams(spec, streams, theirs))
        return -errno;
    volatile std::uint32_t error = 0;
    const pid_t pid = spawn(spec, theirs, zygoteEnd, &error);
    if (pid < 0)
        return -errno;
    if (error != 0) {
        waitpid(pid, nullptr, __WALL);
        return -static_cast<pid_t>(error);
    }
    return pid;
}

} // namespace

bool makePipes(bool isStdinOpen, ProgramStreams& ours, ProgramEnds& theirs)
{
    const ProgramOwnership ownership;
    if (isStdinOpen) {
        if (!makePipe(theirs.input, ours.input))
            return false;
    } else {
        theirs.input.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!theirs.input.isOpen()) { // a pipe that nobody writes to is as empty
            Descriptor unused;
            if (!makePipe(theirs.input, unused))
                return false;
        }
    }
    if (!makePipe(ours.output, theirs.output) || !makePipe(ours.errorOutput, theirs.errorOutput))
        return false;
    setNonBlocking(ours.input);
    setNonBlocking(ours.output);
    setNonBlocking(ours.errorOutput);
    return true;
}

pid_t startProgram(const RunSpec& spec, ProgramStreams& streams)
{
    return startChild(spec, streams, -1);
}

pid_t startZygote(const RunSpec& spec, int channel)
{
    ProgramStreams unused; // Every copy gets its own.
    return startChild(spec, unused, channel);
}

bool resizeTerminal(int fd, std::uint16_t rows, std::uint16_t columns)
{
    winsize size {};
    size.ws_row = rows;
    size.ws_col = columns;
    return ioctl(fd, TIOCSWINSZ, &size) == 0;
}

} // namespace isol8::guest
