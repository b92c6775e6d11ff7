// SPDX-License-Identifier: MIT
// Process 1 of a sandbox hears arbitrary frames, while the program, the children that work on files
// and the clock do whatever the input says: it may end, and nothing else. All of its main loop is
// here but what needs a process of its own: the program's start, the work on files and the cleaning
// are played by guestparts.cpp, as is the kernel by this file where guestseam.h says so.
//
// Input: u8 how (bits 0 to 3: how the frames are cut, 5: they come many times over, 6: no Hello
// ahead of them, 7: it lingers), u8 count, as many events, and then the frames.
#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace {
// The kernel's, which have other names below.
int (*const truePair)(int, int, int, int*) = &::socketpair;
int (*const truePart)(int) = &::close;
} // namespace

#include "tests/fuzz/guestworld.h"

using namespace isol8::guest;

namespace {

constexpr int maxRounds = 20'000; ///< without a byte from the host
constexpr std::size_t times = 256; ///< that frames may come, as long as they are not more than
constexpr std::size_t maxFramesBytes = 4 << 20;

} // namespace

World* world = nullptr;

void closeEnd(int& fd)
{
    if (fd >= 0)
        truePart(fd);
    fd = -1;
}

int connected(int type, int& theirs)
{
    int ends[2] = { -1, -1 };
    if (truePair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        std::abort();
    theirs = ends[1];
    return ends[0];
}

#undef accept4
#undef bind
#undef clock_gettime
#undef close
#undef fcntl
#undef fork
#undef kill
#undef listen
#undef lstat
#undef open
#undef ppoll
#undef read
#undef signalfd
#undef sigprocmask
#undef socketpair
#undef unlink
#undef waitid
#undef waitpid
#undef write

namespace {

void readAll(int fd)
{
    char bytes[4096];
    while (fd >= 0 && ::recv(fd, bytes, sizeof bytes, 0) > 0) { }
}

void say(int fd, std::size_t size)
{
    static const std::vector<char> bytes(32 << 10, 'x');
    if (fd >= 0)
        (void)::send(fd, bytes.data(), size, MSG_NOSIGNAL);
}

int* chosen(std::vector<int>& ends, unsigned which)
{
    return ends.empty() ? nullptr : &ends[which % ends.size()];
}

void signalGuest(int number)
{
    signalfd_siginfo info {};
    info.ssi_signo = static_cast<std::uint32_t>(number);
    (void)::send(world->signals, &info, sizeof info, MSG_NOSIGNAL);
}

/// What a child that works on files may say, in one packet of its own.
void answer(std::size_t which, Type type, std::size_t size)
{
    int& worker = world->workers[which];
    std::vector<unsigned char> packet(headerBytes + maxPayloadBytes);
    const auto got = worker < 0 ? -1 : ::recv(worker, packet.data(), packet.size(), 0);
    if (got >= static_cast<ssize_t>(headerBytes))
        world->workerIds[which] = loadU32(packet.data() + 4);
    unsigned char header[headerBytes];
    encodeHeader(
        header, { type, Stream::None, world->workerIds[which], static_cast<std::uint32_t>(size) });
    std::copy(std::begin(header), std::end(header), packet.begin());
    if (worker >= 0)
        (void)::send(worker, packet.data(), headerBytes + size, MSG_NOSIGNAL);
}

void happen(std::uint8_t event)
{
    const unsigned which = event >> 4;
    int* const connection = chosen(world->connections, which);
    int* const worker = chosen(world->workers, which);
    switch (event & 15) {
    case 0:
        world->waiting += 1 + static_cast<int>(which);
        break;
    case 1:
        say(connection ? *connection : -1, 1 + which * 2000);
        break;
    case 2:
        readAll(connection ? *connection : -1);
        break;
    case 3:
        if (connection && *connection >= 0)
            ::shutdown(*connection, SHUT_WR);
        break;
    case 4:
        if (connection)
            closeEnd(*connection);
        break;
    case 5:
    case 6:
    case 7:
        if (worker)
            answer(which % world->workers.size(),
                (event & 15) == 5       ? Type::Done
                    : (event & 15) == 6 ? Type::FileData
                                        : Type::FileEntry,
                (event & 15) == 5 ? 4 : which * 1000);
        break;
    case 8:
        if (worker)
            closeEnd(*worker);
        break;
    case 9:
        readAll(world->streams[0]);
        say(world->streams[1 + which % 2], 1 + which * 2000);
        break;
    case 10:
        for (int& end : world->streams)
            closeEnd(end);
        break;
    case 11:
        world->isProgramOver = true;
        world->programStatus = static_cast<int>(which) << (which % 2 ? 8 : 0);
        signalGuest(SIGCHLD);
        break;
    case 12:
        if (which % 2)
            world->isNewHost = true;
        else
            signalGuest(SIGIO);
        break;
    case 13:
        world->isOutputBlocked = which % 2;
        break;
    case 14:
        world->doesForkFail = which % 2;
        world->isStubborn = which == 15;
        closeEnd(world->scrub);
        break;
    default:
        world->microseconds += 1000LL << which;
        break;
    }
}

/// Where the host's frames come.
int source()
{
    return world->direct >= 0 && !world->isNewHost ? world->direct : 0;
}

/// A program that reads the guest's frames; the host would end the conversation over any other.
void check(const unsigned char* bytes, std::size_t size)
{
    for (;;) {
        const auto status = world->output.feed(bytes, size);
        if (status == FrameParser::Status::NeedMore)
            return;
        if (status == FrameParser::Status::Malformed
            || world->output.header().type > Type::Prestarted)
            std::abort();
    }
}

} // namespace

extern "C" {

int seamAccept(int, sockaddr*, socklen_t*, int)
{
    if (world->waiting == 0) {
        errno = EAGAIN;
        return -1;
    }
    --world->waiting;
    int theirs = -1;
    const int ours = connected(SOCK_STREAM, theirs);
    world->connections.push_back(theirs);
    return ours;
}

int seamBind(int, const sockaddr*, socklen_t)
{
    return 0;
}

int seamClock(clockid_t, timespec* time)
{
    ++world->microseconds;
    time->tv_sec = world->microseconds / 1'000'000;
    time->tv_nsec = world->microseconds % 1'000'000 * 1000;
    return 0;
}

int seamClose(int fd)
{
    if (fd == world->direct) {
        world->direct = -1;
        world->output.reset(); // It may have been in the middle of a frame.
    }
    return fd > 2 ? ::close(fd) : 0; // Those are the fuzzer's own.
}

int seamFcntl(int, int, ...)
{
    return 0;
}

pid_t seamFork()
{
    if (!world->doesForkFail)
        return fakePid + ++world->pids;
    errno = EAGAIN;
    return -1;
}

int seamKill(pid_t, int)
{
    return 0;
}

int seamListen(int fd, int)
{
    world->listener = fd;
    return 0;
}

int seamLstat(const char*, struct stat*)
{
    errno = ENOENT;
    return -1;
}

int seamOpen(const char* path, int, ...)
{
    if (std::strncmp(path, "/sandbox/", 9) != 0 || std::strchr(path + 9, '/'))
        std::abort();
    return ::memfd_create("awaited", MFD_CLOEXEC);
}

int seamPoll(pollfd* entries, nfds_t count, const timespec* limit, const sigset_t*)
{
    world->microseconds += 50;
    if (++world->rounds > maxRounds)
        std::abort();
    const bool hasEvent = world->eventsLeft > 0;
    if (hasEvent) {
        --world->eventsLeft;
        happen(*world->events++);
    } else {
        world->isOutputBlocked = false;
    }
    // The host's stream is always ready.
    pollfd others[256];
    for (nfds_t i = 0; i < count; ++i)
        others[i] = { entries[i].fd > 2 ? entries[i].fd : -1, entries[i].events, 0 };
    ::poll(others, count, 0);
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
        if (entries[i].fd == world->listener)
            others[i].revents = world->waiting > 0 ? POLLIN : 0;
        const bool isOutput = entries[i].events == POLLOUT;
        const bool isHost = isOutput ? !world->isOutputBlocked : entries[i].fd == source();
        const bool isStream = entries[i].fd == world->direct || entries[i].fd <= 2;
        entries[i].revents = !isStream ? others[i].revents : isHost ? entries[i].events : 0;
        ready += entries[i].revents ? 1 : 0;
    }
    if (ready == 0 && limit)
        world->microseconds += limit->tv_sec * 1'000'000 + limit->tv_nsec / 1000 + 1;
    else if (ready == 0 && !hasEvent)
        signalGuest(SIGTERM); // Nothing will happen any more.
    return ready;
}

ssize_t seamRead(int fd, void* to, std::size_t size)
{
    if (fd != 0 && fd != world->direct)
        return ::read(fd, to, size);
    const auto taken = std::min({ size, world->pieceBytes, world->framesLeft });
    if (taken > 0)
        std::memcpy(to, world->frames, taken);
    world->frames += taken;
    world->framesLeft -= taken;
    if (taken > 0)
        world->rounds = 0;
    return static_cast<ssize_t>(taken);
}

int seamSignalfd(int, const sigset_t*, int)
{
    return connected(SOCK_SEQPACKET, world->signals);
}

int seamSignalMask(int, const sigset_t*, sigset_t*)
{
    return 0;
}

int seamSocketpair(int, int type, int, int* ends)
{
    int theirs = -1;
    ends[0] = connected(type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), theirs);
    ends[1] = ::dup(theirs); // for the caller to close
    world->workers.push_back(theirs);
    world->workerIds.push_back(0);
    return 0;
}

int seamUnlink(const char*)
{
    return 0;
}

int seamWaitid(idtype_t, id_t id, siginfo_t* info, int)
{
    info->si_pid = static_cast<pid_t>(id); // It has stopped.
    return 0;
}

pid_t seamWaitpid(pid_t pid, int*, int)
{
    return pid;
}

ssize_t seamWrite(int fd, const void* from, std::size_t size)
{
    if (fd != 1 && fd != world->direct)
        return ::write(fd, from, size);
    if (world->isOutputBlocked) {
        errno = EAGAIN;
        return -1;
    }
    check(static_cast<const unsigned char*>(from), size);
    return static_cast<ssize_t>(size);
}

int LLVMFuzzerInitialize(int*, char***)
{
    (void)std::signal(SIGPIPE, SIG_IGN); // blocked in process 1
    return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2 || size < 2U + data[1])
        return 0;
    const int freeBefore = ::dup(2);
    ::close(freeBefore);

    const auto current = std::make_unique<World>();
    world = current.get();
    world->pieceBytes = (data[0] & 15) && !(data[0] & 32) ? 1U << (data[0] & 15) : maxPayloadBytes;
    world->events = data + 2;
    world->eventsLeft = data[1];
    std::vector<std::uint8_t> frames;
    if (!(data[0] & 64)) {
        frames.resize(headerBytes + 4 + nonceBytes);
        unsigned char header[headerBytes];
        encodeHeader(header, { Type::Hello, Stream::None, 0, 4 + nonceBytes });
        std::copy(std::begin(header), std::end(header), frames.begin());
        storeU32(frames.data() + headerBytes, protocolVersion);
    }
    const auto* const given = data + 2 + data[1];
    const auto bytes = static_cast<std::size_t>(data + size - given);
    for (std::size_t i = 0;
        i < (data[0] & 32 ? times : 1) && (i == 0 || frames.size() < maxFramesBytes); ++i)
        frames.insert(frames.end(), given, given + bytes);
    world->frames = frames.data();
    world->framesLeft = frames.size();

    // As in process 1: in fixed memory.
    alignas(Guest) static unsigned char memory[sizeof(Guest)];
    auto* const guest = new (memory) Guest({ .lingerSeconds = data[0] & 128 ? 2 : 0 });
    (void)guest->serve();
    guest->~Guest();

    for (auto* const ends : { &world->connections, &world->workers }) {
        for (int& end : *ends)
            closeEnd(end);
    }
    for (int* const end : { world->streams, world->streams + 1, world->streams + 2, &world->signals,
             &world->scrub, &world->directPeer, &world->meetingPeer })
        closeEnd(*end);
    const int freeAfter = ::dup(2);
    ::close(freeAfter);
    if (freeAfter != freeBefore)
        std::abort(); // It has lost a descriptor.
    return 0;
}
}
