// SPDX-License-Identifier: MIT
#include "engine/guest/run.h"

#include <csignal>
#include <sys/wait.h>

namespace isol8::guest {

namespace {

// A program that writes byte by byte must not become a frame for each byte: after a small read the
// stream is left alone for this long, while more gathers in the pipe.
constexpr Time gatherTime = 2000;
constexpr std::size_t smallReadBytes = 4096;

constexpr Time usageInterval = microsecondsPerSecond / 4;

constexpr unsigned char endOfTransmission = 4; // what a terminal's reader gets as end of file

} // namespace

bool Run::spec(std::uint32_t id, const unsigned char* piece, std::size_t size)
{
    if (isActive())
        return true; // Start will be refused
    if (id != m_specId)
        m_spec.clear();
    m_specId = id;
    return m_spec.append(piece, size);
}

void Run::start(std::uint32_t id, std::uint64_t timeoutMilliseconds, std::uint32_t awaitedFile)
{
    if (isActive()) {
        sendReport(id, { .value = EBUSY });
        return;
    }
    m_id = id;
    m_state = State::Due;
    m_timeoutMilliseconds = timeoutMilliseconds;
    m_awaitedFile = awaitedFile;
}

void Run::begin(Prestart& prestart)
{
    const bool isAhead = prestart.isFor(m_spec);
    std::uint32_t error = m_id == m_specId ? static_cast<std::uint32_t>(m_spec.parse()) : EINVAL;
    if (error == 0 && m_spec.carriesConnections()) {
        error = static_cast<std::uint32_t>(m_connections.listen(m_id));
        error |= error != 0 ? listenerFlag : 0;
    }
    if (error != 0) {
        giveUp(error);
        return;
    }
    m_before = m_cgroup.read();
    m_cpuBefore = m_cgroup.usage().cpuMicroseconds;
    m_processes.startCounting();
    m_started = now();
    const pid_t pid = isAhead ? prestart.release(m_streams) : startProgram(m_spec, m_streams);
    m_hasTerminal = m_spec.hasTerminal();
    m_isInputEnding = !m_spec.isStdinOpen();
    m_nextUsage = m_spec.isUsageWanted() ? m_started + usageInterval : never;
    m_spec.clear();
    if (pid < 0)
        giveUp(static_cast<std::uint32_t>(-pid));
    else
        watch(pid, isAhead);
}

void Run::giveUp(std::uint32_t error)
{
    const std::uint32_t id = m_id;
    reset();
    sendReport(id, { .value = error });
}

void Run::watch(pid_t pid, bool isAhead)
{
    m_state = State::Running;
    m_report = {};
    m_child.pid = pid;
    m_processes.watch(m_child);
    constexpr auto longest = static_cast<std::uint64_t>(never / 4000);
    m_deadline = m_timeoutMilliseconds == 0 || m_timeoutMilliseconds > longest
        ? never
        : m_started + static_cast<Time>(m_timeoutMilliseconds) * 1000;
    m_channels[0] = { &m_streams.output, Stream::Stdout, outputWindowBytes, 0, -1 };
    m_channels[1] = { &m_streams.errorOutput, Stream::Stderr, outputWindowBytes, 0, -1 };
    m_inputBegin = m_inputEnd = 0;

    unsigned char payload[4 + 4];
    storeU32(payload, static_cast<std::uint32_t>(pid));
    storeU32(payload + 4, isAhead ? 1 : 0);
    m_host.control(Type::Started, m_id, payload, sizeof payload);
    feed();
}

bool Run::standardInput(std::uint32_t id, const unsigned char* bytes, std::size_t size)
{
    if (!isCurrent(id) || m_isInputEnding)
        return true;
    if (!m_streams.input.isOpen()) { // the program closed it
        giveInputCredit(size);
        return true;
    }
    if (m_inputEnd + size > sizeof m_input) {
        std::memmove(m_input, m_input + m_inputBegin, m_inputEnd - m_inputBegin);
        m_inputEnd -= m_inputBegin;
        m_inputBegin = 0;
    }
    if (m_inputEnd + size > sizeof m_input)
        return false; // more than the window
    std::memcpy(m_input + m_inputEnd, bytes, size);
    m_inputEnd += size;
    feed();
    return true;
}

void Run::standardInputEnd(std::uint32_t id)
{
    if (!isCurrent(id))
        return;
    m_isInputEnding = true;
    feed();
}

bool Run::credit(std::uint32_t id, Stream stream, std::uint32_t bytes)
{
    if (id != m_id || !isActive())
        return true;
    for (auto& channel : m_channels) {
        if (channel.stream != stream)
            continue;
        if (bytes > outputWindowBytes - channel.credit)
            return false;
        channel.credit += bytes;
    }
    return true;
}

void Run::signal(std::uint32_t id, std::uint32_t number)
{
    if (isCurrent(id) && number >= 1 && number <= 64)
        ::kill(-m_child.pid, static_cast<int>(number));
}

void Run::resize(std::uint32_t id, std::uint16_t rows, std::uint16_t columns)
{
    if (isCurrent(id) && m_hasTerminal)
        resizeTerminal(m_streams.output.fd(), rows, columns);
}

void Run::kill(std::uint32_t id)
{
    if (id == m_id)
        killCurrent();
}

void Run::killCurrent()
{
    if (m_state == State::Due)
        giveUp(ECANCELED);
    else if (m_state == State::Running)
        end(Outcome::Killed, 0);
    else if (m_state == State::Draining)
        report(); // nobody waits for the rest of the output
}

void Run::reset()
{
    m_processes.forget(m_child);
    m_connections.closeAll();
    m_streams = {};
    m_spec.clear();
    m_specId = 0;
    m_state = State::Idle;
    m_deadline = never;
    m_nextUsage = never;
    explicit_bzero(m_input, m_inputEnd);
    m_inputBegin = m_inputEnd = 0;
}

void Run::addTo(PollSet& set)
{
    m_inputPollIndex = -1;
    for (auto& channel : m_channels)
        channel.pollIndex = -1;
    if (m_state == State::Idle || m_state == State::Due)
        return;
    if (m_state == State::Running) {
        set.wakeAt(m_deadline);
        set.wakeAt(m_nextUsage);
    }
    if (m_inputEnd > m_inputBegin)
        m_inputPollIndex = set.add(m_streams.input, POLLOUT);
    if (!m_host.hasRoomForData())
        return;
    const Time time = now();
    for (auto& channel : m_channels) {
        if (channel.credit == 0 || !channel.from->isOpen())
            continue;
        if (channel.nextRead > time && m_state == State::Running)
            set.wakeAt(channel.nextRead);
        else
            channel.pollIndex = set.add(*channel.from, POLLIN);
    }
}

void Run::serve(const PollSet& set)
{
    if (m_state == State::Idle || m_state == State::Due)
        return;
    if (set.events(m_inputPollIndex))
        feed();
    for (auto& channel : m_channels) {
        if (set.events(channel.pollIndex) || m_state == State::Draining)
            pump(channel);
    }
    if (m_state == State::Running) {
        if (m_child.hasEnded)
            endByStatus(m_child.status);
        else if (now() >= m_deadline)
            end(Outcome::TimedOut, 0);
        else if (now() >= m_nextUsage)
            reportUsage();
    }
    if (m_state == State::Draining && !m_streams.output.isOpen() && !m_streams.errorOutput.isOpen())
        report();
}

void Run::endByStatus(int status)
{
    if (WIFSIGNALED(status))
        end(Outcome::Signalled, static_cast<std::uint32_t>(WTERMSIG(status)));
    else
        end(Outcome::Exited, static_cast<std::uint32_t>(WEXITSTATUS(status)));
}

/// Leaves no process of the run; only its output may still be on its way.
void Run::end(Outcome outcome, std::uint32_t value)
{
    m_report.outcome = outcome;
    m_report.value = value;
    m_report.wallMicroseconds = static_cast<std::uint64_t>(now() - m_started);
    m_processes.forget(m_child);
    m_isLost = !m_processes.killAll();
    m_connections.closeAll();

    const auto usage = m_processes.usage();
    const auto after = m_cgroup.read();
    m_report.userMicroseconds = usage.userMicroseconds;
    m_report.systemMicroseconds = usage.systemMicroseconds;
    m_report.oomKills = static_cast<std::uint32_t>(after.oomKills - m_before.oomKills);
    m_report.pidsRefused = static_cast<std::uint32_t>(after.pidsRefused - m_before.pidsRefused);
    // The cgroup's peak is that of the container's whole life: it tells of this run only if it
    // grew, or if this run came to the limit.
    const bool isPeakOurs = after.peakBytes > m_before.peakBytes || m_report.oomKills > 0;
    m_report.peakMemoryBytes = isPeakOurs ? after.peakBytes : usage.largestBytes;

    m_streams.input.close();
    explicit_bzero(m_input, m_inputEnd);
    m_inputBegin = m_inputEnd = 0;
    m_state = State::Draining;
    for (auto& channel : m_channels)
        pump(channel);
    const bool isDrained = !m_streams.output.isOpen() && !m_streams.errorOutput.isOpen();
    if (isDrained || outcome == Outcome::Killed)
        report();
}

void Run::pump(Channel& channel)
{
    while (channel.from->isOpen() && channel.credit > 0 && m_host.hasRoomForData()) {
        unsigned char* to = m_host.beginData();
        const std::size_t wanted
            = channel.credit < maxPayloadBytes ? channel.credit : maxPayloadBytes;
        const ssize_t size = read(channel.from->fd(), to, wanted);
        if (size > 0) {
            channel.credit -= static_cast<std::uint32_t>(size);
            m_host.commitData(Type::Output, m_id, channel.stream, static_cast<std::size_t>(size));
            if (m_state == State::Draining)
                continue;
            if (static_cast<std::size_t>(size) < smallReadBytes)
                channel.nextRead = now() + gatherTime;
            return;
        }
        if (size < 0 && errno == EINTR)
            continue;
        // Once everything is dead, "nothing yet" is the end too: a descriptor of the other end may
        // linger inside the kernel.
        if (size == 0 || errno != EAGAIN || m_state == State::Draining)
            channel.from->close();
        return;
    }
}

void Run::feed()
{
    while (m_inputEnd > m_inputBegin && m_streams.input.isOpen()) {
        const ssize_t size
            = write(m_streams.input.fd(), m_input + m_inputBegin, m_inputEnd - m_inputBegin);
        if (size < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
                return;
            m_streams.input.close();
            giveInputCredit(m_inputEnd - m_inputBegin);
            m_inputBegin = m_inputEnd = 0;
            return;
        }
        m_inputBegin += static_cast<std::size_t>(size);
        giveInputCredit(static_cast<std::size_t>(size));
    }
    if (m_inputBegin == m_inputEnd)
        m_inputBegin = m_inputEnd = 0;
    if (m_isInputEnding && m_streams.input.isOpen())
        finishInput();
}

void Run::finishInput()
{
    if (m_hasTerminal)
        (void)!write(m_streams.input.fd(), &endOfTransmission, 1);
    m_streams.input.close();
}

void Run::giveInputCredit(std::size_t bytes)
{
    if (bytes == 0 || m_isInputEnding)
        return;
    unsigned char payload[4];
    storeU32(payload, static_cast<std::uint32_t>(bytes));
    m_host.control(Type::Credit, m_id, payload, sizeof payload, Stream::Stdin);
}

/// Left out while the host does not keep up: it is only of interest now.
void Run::reportUsage()
{
    m_nextUsage = now() + usageInterval;
    if (!m_host.hasRoomForControl())
        return;
    const auto usage = m_cgroup.usage();
    if (usage.memoryBytes == 0)
        return;
    unsigned char payload[16];
    storeU64(payload, usage.cpuMicroseconds - m_cpuBefore);
    storeU64(payload + 8, usage.memoryBytes);
    m_host.control(Type::Usage, m_id, payload, sizeof payload);
}

void Run::report()
{
    const RunReport report = m_report;
    const std::uint32_t id = m_id;
    reset();
    sendReport(id, report);
}

void Run::sendReport(std::uint32_t id, const RunReport& report)
{
    unsigned char payload[RunReport::encodedBytes];
    report.encode(payload);
    m_host.control(Type::Exited, id, payload, sizeof payload);
}

} // namespace isol8::guest
