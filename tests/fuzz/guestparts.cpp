// SPDX-License-Identifier: MIT
// The parts of process 1 that need a process of their own, as fuzz_guest plays them.
#include "tests/fuzz/guestworld.h"

#include "engine/guest/fileworker.h"
#include "engine/guest/hostsocket.h"
#include "engine/guest/privileges.h"

namespace isol8::guest {

bool Processes::watch(Child& child)
{
    child.hasEnded = false;
    for (auto& place : m_watched) {
        if (!place) {
            place = &child;
            return true;
        }
    }
    std::abort(); // more than a guest ever has
}

void Processes::forget(Child& child)
{
    for (auto& place : m_watched) {
        if (place == &child)
            place = nullptr;
    }
    child = {};
}

void Processes::reap()
{
    if (!world->isProgramOver)
        return;
    for (auto*& place : m_watched) {
        if (!place)
            continue;
        place->hasEnded = true;
        place->status = world->programStatus;
        place = nullptr;
    }
}

bool Processes::killAll()
{
    world->isProgramOver = true;
    world->programStatus = SIGKILL;
    reap();
    return !world->isStubborn;
}

void Processes::startCounting() { }

Processes::Usage Processes::usage() const
{
    return {};
}

Cgroup::Cgroup() = default;

Cgroup::Counters Cgroup::read() const
{
    return {};
}

Cgroup::Usage Cgroup::usage() const
{
    return { 1, 1 };
}

bool Cgroup::hasRoomFor(std::uint64_t) const
{
    return true;
}

Mounts::Mounts() = default;

ProgramOwnership::ProgramOwnership() = default;
ProgramOwnership::~ProgramOwnership() = default;

Scrub::Scrub(FrameWriter& host, Processes& processes, const Cgroup& cgroup)
    : m_host(host)
    , m_processes(processes)
    , m_cgroup(cgroup)
{
}

void Scrub::start(std::uint32_t id)
{
    m_id = id;
    m_result.reset(connected(SOCK_STREAM, world->scrub));
}

void Scrub::reset()
{
    m_result.close();
}

void Scrub::addTo(PollSet& set)
{
    m_pollIndex = set.add(m_result, POLLIN);
}

void Scrub::serve(const PollSet& set)
{
    if (!set.events(m_pollIndex))
        return;
    m_result.close();
    m_host.verdict(Type::Scrubbed, m_id, m_processes.killAll() ? 0 : EBUSY, "");
}

Descriptor connectToHost(const unsigned char*)
{
    if (world->doesForkFail) {
        errno = ENOENT;
        return {};
    }
    closeEnd(world->meetingPeer);
    Descriptor connection(connected(SOCK_STREAM, world->meetingPeer));
    (void)::send(world->meetingPeer, "x", 1, MSG_NOSIGNAL);
    return connection;
}

Descriptor takeFromHost(const Descriptor&)
{
    if (world->doesForkFail) {
        errno = ECONNREFUSED;
        return {};
    }
    closeEnd(world->directPeer);
    world->direct = connected(SOCK_STREAM, world->directPeer);
    world->isNewHost = false;
    world->output.reset();
    return Descriptor(world->direct);
}

void serveFiles(int)
{
    std::abort(); // Nothing is forked.
}

namespace {

pid_t started(bool hasTerminal, bool isStdinOpen, ProgramStreams& streams)
{
    for (int& end : world->streams) {
        if (end >= 0)
            ::close(end);
    }
    if (hasTerminal || isStdinOpen)
        streams.input.reset(connected(SOCK_STREAM, world->streams[0]));
    streams.output.reset(connected(SOCK_STREAM, world->streams[1]));
    if (!hasTerminal)
        streams.errorOutput.reset(connected(SOCK_STREAM, world->streams[2]));
    world->isProgramOver = false;
    return fakePid + ++world->pids;
}

} // namespace

pid_t startProgram(const RunSpec& spec, ProgramStreams& streams)
{
    // Every string is there to its end.
    std::size_t length = strlen(spec.workingDirectory());
    for (auto* const list : { spec.arguments(), spec.environment() }) {
        for (char** text = list; *text; ++text)
            length += strlen(*text);
    }
    if (world->doesForkFail || length > maxSpecBytes)
        return -EAGAIN;
    return started(spec.hasTerminal(), spec.isStdinOpen(), streams);
}

// A zygote that is ready as soon as it has come to its file.
int Zygote::start(const RunSpec& spec, const unsigned char* bytes, std::size_t size)
{
    discard();
    if (world->doesForkFail || size > sizeof m_spec)
        return ENOTSUP;
    m_state = State::Starting;
    m_processes.watch(m_child);
    m_isStdinOpen = spec.isStdinOpen();
    std::memcpy(m_spec, bytes, size);
    m_specSize = size;
    return 0;
}

void Zygote::fileWanted()
{
    if (m_state == State::Starting)
        m_state = State::Stopping;
}

void Zygote::serve()
{
    if (m_state != State::None && m_child.hasEnded)
        discard();
    else if (m_state == State::Stopping)
        m_state = State::Ready;
}

void Zygote::discard()
{
    if (m_state != State::None)
        m_processes.forget(m_child);
    m_state = State::None;
}

bool Zygote::isReadyFor(const unsigned char* bytes, std::size_t size) const
{
    return m_state == State::Ready && size == m_specSize && std::memcmp(bytes, m_spec, size) == 0;
}

pid_t Zygote::copy(ProgramStreams& streams)
{
    if (!world->doesForkFail)
        return started(false, m_isStdinOpen, streams);
    discard();
    return -EAGAIN;
}

void Zygote::letGo(pid_t) { }

bool resizeTerminal(int, std::uint16_t, std::uint16_t)
{
    return true;
}

} // namespace isol8::guest
