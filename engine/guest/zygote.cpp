// SPDX-License-Identifier: MIT
#include "engine/guest/zygote.h"

#include "engine/guest/directory.h"
#include "engine/guest/protocol.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace isol8::guest {

namespace {

constexpr int streamCount = 3;

// Mappings that are worth a call of their own, and what a copy may be given at once.
constexpr std::uint64_t minWrittenBytes = 32 * 1024;
constexpr std::uint64_t minReadBytes = 1024 * 1024;
constexpr std::uint64_t maxWrittenBytes = 16 * 1024 * 1024;
constexpr std::uint64_t maxReadBytes = 64 * 1024 * 1024;

// madvise(2), Linux 5.14; where it is not known nothing is lost but time.
constexpr int populateRead = 22;
constexpr int populateWrite = 23;

/// What system calls of a copy read and write, in the zygote's unused memory.
struct Scratch {
    msghdr message;
    iovec part;
    alignas(8) unsigned char control[CMSG_SPACE(streamCount * sizeof(int))];
    __user_cap_header_struct header;
    __user_cap_data_struct none[2];
    std::uint64_t tid;
    std::uint64_t robustList;
    std::uint64_t robustListBytes;
    std::uint64_t byte;
    alignas(8) char path[16];
};
static_assert(sizeof(Scratch) <= Tracee::scratchBytes && sizeof(Scratch) % sizeof(long) == 0);

Scratch scratchAt(std::uint64_t address)
{
    Scratch scratch {};
    const auto at
        = [address](std::size_t offset) { return reinterpret_cast<void*>(address + offset); };
    scratch.part = { at(offsetof(Scratch, byte)), 1 };
    scratch.message.msg_iov = static_cast<iovec*>(at(offsetof(Scratch, part)));
    scratch.message.msg_iovlen = 1;
    scratch.message.msg_control = at(offsetof(Scratch, control));
    scratch.message.msg_controllen = sizeof scratch.control;
    scratch.header.version = _LINUX_CAPABILITY_VERSION_3;
    return scratch;
}

/// A byte, and descriptors beside it.
struct Parcel {
    Parcel()
    {
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }

    char byte = 0;
    iovec part { &byte, 1 };
    alignas(8) unsigned char control[CMSG_SPACE(streamCount * sizeof(int))] = {};
    msghdr message {};
};

bool sendStreams(const Descriptor& channel, const ProgramEnds& streams)
{
    const int each[streamCount]
        = { streams.input.fd(), streams.output.fd(), streams.errorOutput.fd() };
    Parcel parcel;
    auto* head = CMSG_FIRSTHDR(&parcel.message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof each);
    std::memcpy(CMSG_DATA(head), each, sizeof each);
    return sendmsg(channel.fd(), &parcel.message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

Descriptor receiveDescriptor(const Descriptor& channel)
{
    Parcel parcel;
    if (recvmsg(channel.fd(), &parcel.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
        return Descriptor();
    const auto* head = CMSG_FIRSTHDR(&parcel.message);
    if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int)))
        return Descriptor();
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return Descriptor(fd);
}

bool hasOneThread(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    const Descriptor directory(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen())
        return false;
    DirectoryReader reader(directory.fd());
    return reader.next() && !reader.next();
}

} // namespace

int Zygote::start(const RunSpec& spec, const unsigned char* bytes, std::size_t size)
{
    discard();
    if (m_isRefused || size > sizeof m_spec)
        return ENOTSUP;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    m_channel.reset(ends[0]);
    const Descriptor theirs(ends[1]);
    const pid_t pid = startZygote(spec, theirs.fd());
    if (pid < 0) {
        refuse();
        return ENOTSUP;
    }
    m_child.pid = pid;
    m_processes.watch(m_child);
    m_processes.spare(m_child);
    m_state = State::Starting;
    m_isStdinOpen = spec.isStdinOpen();
    std::memcpy(m_spec, bytes, size);
    m_specSize = size;
    return 0;
}

void Zygote::fileWanted()
{
    if (m_state != State::Starting)
        return;
    kill(m_child.pid, SIGSTOP);
    m_state = State::Stopping;
}

void Zygote::serve()
{
    if (m_state == State::None)
        return;
    if (m_child.hasEnded) {
        if (m_state != State::Ready)
            m_isRefused = true;
        discard();
        return;
    }
    const int signal = m_child.stopSignal;
    m_child.stopSignal = 0;
    if (signal == 0)
        return;
    if (m_state == State::Stopping && signal == SIGSTOP) {
        if (capture())
            m_state = State::Ready;
        else
            refuse();
        m_processes.reap();
    } else if (m_state != State::Ready) {
        // An execve(2), or a signal of its own.
        ptrace(PTRACE_CONT, m_child.pid, nullptr, signal == SIGTRAP ? 0 : signal);
    }
}

bool Zygote::capture()
{
    m_tracee = Tracee(m_child.pid);
    if (!m_tracee.hasStoppedInOpen() || !hasOneThread(m_child.pid))
        return false;
    const std::uint64_t address = m_tracee.scratch();
    Scratch scratch = scratchAt(address);
    if (!m_tracee.store(address, &scratch, sizeof scratch)
        || m_tracee.call(SYS_prctl, PR_GET_TID_ADDRESS, address + offsetof(Scratch, tid)) != 0
        || m_tracee.call(SYS_get_robust_list, 0, address + offsetof(Scratch, robustList),
               address + offsetof(Scratch, robustListBytes))
            != 0
        || !m_tracee.load(address, &scratch, sizeof scratch))
        return false;
    m_tid = scratch.tid;
    m_robustList = scratch.robustList;
    m_robustListBytes = scratch.robustListBytes;
    return m_tid != 0 && findRanges(address);
}

/// Only the zygote itself may open the list of its mappings; it sends it. False: no more is known
/// of what it does.
bool Zygote::findRanges(std::uint64_t address)
{
    m_rangeCount = 0;
    Scratch scratch = scratchAt(address);
    std::memcpy(scratch.path, "/proc/self/maps", sizeof scratch.path);
    if (!m_tracee.store(address, &scratch, sizeof scratch))
        return false;
    const long opened = m_tracee.call(SYS_openat, static_cast<std::uint64_t>(AT_FDCWD),
        address + offsetof(Scratch, path), O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return true;
    cmsghdr head {};
    head.cmsg_len = CMSG_LEN(sizeof(int));
    head.cmsg_level = SOL_SOCKET;
    head.cmsg_type = SCM_RIGHTS;
    const int number = static_cast<int>(opened);
    std::memcpy(scratch.control, &head, sizeof head);
    std::memcpy(scratch.control + CMSG_LEN(0), &number, sizeof number);
    scratch.message.msg_controllen = CMSG_SPACE(sizeof(int));
    const bool isSent = m_tracee.store(address, &scratch, sizeof scratch)
        && m_tracee.call(SYS_sendmsg, zygoteChannel, address, MSG_DONTWAIT) == 1;
    const Scratch anew = scratchAt(address);
    if (m_tracee.call(SYS_close, static_cast<std::uint64_t>(opened)) != 0
        || !m_tracee.store(address, &anew, sizeof anew))
        return false;
    const Descriptor maps = isSent ? receiveDescriptor(m_channel) : Descriptor();
    char text[16 * 1024];
    std::size_t size = 0;
    for (ssize_t got = 1; maps.isOpen() && got > 0 && size < sizeof text - 1;
        size += static_cast<std::size_t>(got > 0 ? got : 0))
        got = read(maps.fd(), text + size, sizeof text - 1 - size);
    text[size] = 0;
    for (const char* line = text; line && *line;) {
        addRange(line);
        line = strchr(line, '\n');
        line = line ? line + 1 : nullptr;
    }
    return true;
}

/// @p line as in proc_pid_maps(5): "BEGIN-END rwxp …", in hexadecimal.
void Zygote::addRange(const char* line)
{
    char* at = nullptr;
    Range range;
    range.begin = strtoull(line, &at, 16);
    if (*at != '-')
        return;
    range.bytes = strtoull(at + 1, &at, 16) - range.begin;
    if (*at != ' ' || at[1] != 'r' || at[4] != 'p')
        return;
    range.isWritable = at[2] == 'w';
    const bool isWorthIt = range.isWritable
        ? range.bytes >= minWrittenBytes && range.bytes <= maxWrittenBytes
        : range.bytes >= minReadBytes && range.bytes <= maxReadBytes;
    if (isWorthIt && m_rangeCount < maxRanges)
        m_ranges[m_rangeCount++] = range;
}

bool Zygote::isReadyFor(const unsigned char* bytes, std::size_t size) const
{
    return m_state == State::Ready && !m_child.hasEnded && size == m_specSize
        && std::memcmp(bytes, m_spec, size) == 0;
}

pid_t Zygote::copy(ProgramStreams& streams)
{
    ProgramEnds theirs;
    if (!makePipes(m_isStdinOpen, streams, theirs) || !sendStreams(m_channel, theirs)) {
        const int error = errno;
        discard();
        return -error;
    }
    const pid_t pid = m_tracee.fork(m_tid);
    if (pid < 0) {
        discard();
        return pid;
    }
    Tracee copy(pid);
    copy.takePlaceOf(m_tracee);
    const bool isProgram = becomeProgram(copy);
    m_processes.reap();
    if (isProgram)
        return pid;
    // There is not enough memory for it, for one; then the next one would end so too.
    kill(pid, SIGKILL); // reaped with all others
    refuse();
    return -ECHILD;
}

/// The copy is what startProgram() would have made by now.
bool Zygote::becomeProgram(Tracee& copy) const
{
    // Closing these first, so that it gets the new ones under their numbers.
    for (std::uint64_t fd = 0; fd < streamCount; ++fd) {
        if (copy.call(SYS_close, fd) != 0)
            return false;
    }
    const std::uint64_t address = copy.scratch();
    const std::uint64_t numbers = address + offsetof(Scratch, control) + CMSG_LEN(0);
    if (copy.call(SYS_recvmsg, zygoteChannel, address, 0) != 1)
        return false;
    int received[streamCount + 1] {};
    static_assert(CMSG_LEN(0) + sizeof received == CMSG_SPACE(streamCount * sizeof(int)));
    if (!copy.load(numbers, received, sizeof received) || received[0] != 0 || received[1] != 1
        || received[2] != 2 || copy.call(SYS_close, zygoteChannel) != 0
        || copy.call(SYS_setsid) != copy.pid()
        || copy.call(SYS_set_robust_list, m_robustList, m_robustListBytes) != 0)
        return false;
    makeMemoryReady(copy);
    // For good: the saved ones change too, and the bounding set is empty.
    return copy.call(SYS_setresuid, sandboxUid, sandboxUid, sandboxUid) == 0
        && copy.call(
               SYS_capset, address + offsetof(Scratch, header), address + offsetof(Scratch, none))
        == 0
        && copy.call(SYS_prctl, PR_SET_DUMPABLE, 1) == 0 && copy.rewind();
}

/// Now, while nobody waits: an interpreter writes to most of its memory when it ends at the latest,
/// and each page that it has to get for that costs it more than all of this.
void Zygote::makeMemoryReady(Tracee& copy) const
{
    for (int i = 0; i < m_rangeCount; ++i) {
        (void)copy.call(SYS_madvise, m_ranges[i].begin, m_ranges[i].bytes,
            m_ranges[i].isWritable ? populateWrite : populateRead);
    }
}

void Zygote::letGo(pid_t copy)
{
    (void)Tracee(copy).letGo();
}

void Zygote::discard()
{
    if (m_state == State::None)
        return;
    m_processes.forget(m_child);
    m_processes.spareNobody();
    if (!m_child.hasEnded)
        kill(m_child.pid, SIGKILL);
    m_child = {};
    m_channel.close();
    m_specSize = 0;
    m_state = State::None;
}

void Zygote::refuse()
{
    discard();
    m_isRefused = true;
}

} // namespace isol8::guest
