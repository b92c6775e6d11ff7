// SPDX-License-Identifier: MIT
#include "engine/guest/guest.h"

#include <csignal>
#include <fcntl.h>
#include <sys/signalfd.h>

namespace isol8::guest {

namespace {

constexpr Time closedInputPause = microsecondsPerSecond / 4;
constexpr Time faultFlushTime = 2 * microsecondsPerSecond;
constexpr int faultExitCode = 3;

Descriptor watchSignals()
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    return Descriptor(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

void setNonBlocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

} // namespace

Guest::Guest(int lingerSeconds)
    : m_isLingering(lingerSeconds > 0)
    , m_linger(lingerSeconds * microsecondsPerSecond)
    , m_lastFrame(now())
    , m_signals(watchSignals())
{
    setNonBlocking(0);
    setNonBlocking(1);
}

int Guest::serve()
{
    while (round() == Verdict::GoOn) { }
    m_processes.killAll();
    return m_exitCode;
}

Guest::Verdict Guest::round()
{
    m_poll.clear();
    const bool isTaking = m_host.hasRoomForControl() && !m_isInputClosed;
    const int input = isTaking ? m_poll.add(m_input, POLLIN) : -1;
    const int output = m_host.isEmpty() ? -1 : m_poll.add(m_output, POLLOUT);
    const int signals = m_poll.add(m_signals, POLLIN);
    m_run.addTo(m_poll);
    m_connections.addTo(m_poll);
    m_files.addTo(m_poll);
    m_scrub.addTo(m_poll);
    if (m_isLingering) {
        m_poll.wakeAt(m_lastFrame + m_linger);
        if (m_run.isActive())
            m_poll.wakeAt(m_lastFrame + leaseSeconds * microsecondsPerSecond);
        if (m_isInputClosed)
            m_poll.wakeAt(now() + closedInputPause);
    }
    m_poll.wait();
    m_isInputClosed = false;

    if (m_poll.events(output) && !m_host.flush() && !m_isLingering)
        return Verdict::Finished;
    if (m_poll.events(signals) && takeSignals() == Verdict::Finished)
        return Verdict::Finished;
    if (m_poll.events(input) && takeInput() == Verdict::Finished)
        return Verdict::Finished;
    m_files.serve(m_poll);
    m_scrub.serve(m_poll);
    m_run.serve(m_poll); // before the connections, which can use up all room for data
    m_connections.serve(m_poll);
    if (m_run.isLost())
        return fault("a process could not be killed");
    if (m_run.isActive())
        m_files.dismissIdle();
    if (checkHost() == Verdict::Finished)
        return Verdict::Finished;
    if (!m_host.flush() && !m_isLingering)
        return Verdict::Finished;
    return Verdict::GoOn;
}

Guest::Verdict Guest::takeInput()
{
    static unsigned char buffer[maxPayloadBytes];
    const ssize_t size = read(0, buffer, sizeof buffer);
    if (size > 0)
        return take(buffer, static_cast<std::size_t>(size));
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return Verdict::GoOn;
    m_isInputClosed = true;
    return m_isLingering ? Verdict::GoOn : Verdict::Finished;
}

Guest::Verdict Guest::take(const unsigned char* data, std::size_t size)
{
    for (;;) {
        switch (m_parser.feed(data, size)) {
        case FrameParser::Status::NeedMore:
            return Verdict::GoOn;
        case FrameParser::Status::Malformed:
            return fault("malformed frame");
        case FrameParser::Status::Frame:
            break;
        }
        const Header& header = m_parser.header();
        m_lastFrame = now();
        if (handle(header, Reader(m_parser.payload(), header.length), m_parser.payload())
            == Verdict::Finished)
            return Verdict::Finished;
    }
}

Guest::Verdict Guest::handle(const Header& header, Reader reader, const unsigned char* payload)
{
    if (header.type == Type::Hello)
        return hello(reader);
    if (!m_isGreeted)
        return Verdict::GoOn; // what a dead host left half said

    switch (header.type) {
    case Type::Ping:
        m_host.control(Type::Pong, header.id, nullptr, 0);
        return Verdict::GoOn;
    case Type::Shutdown:
        return Verdict::Finished;
    case Type::Scrub:
        return scrub(header.id);
    default:
        break;
    }
    const bool isFile = (header.type >= Type::FilePut && header.type <= Type::Done)
        || (header.type == Type::Credit && header.stream == Stream::File);
    const bool isConnection
        = header.type >= Type::ConnectionOpened && header.type <= Type::ConnectionClosed;
    const bool isGood = isFile ? handleFile(header, reader, payload)
        : isConnection         ? handleConnection(header, reader, payload)
                               : handleRun(header, reader, payload);
    return isGood ? Verdict::GoOn : fault("unexpected frame");
}

bool Guest::handleRun(const Header& header, Reader reader, const unsigned char* payload)
{
    switch (header.type) {
    case Type::Spec:
        return m_run.spec(header.id, payload, header.length);
    case Type::Start: {
        const std::uint64_t timeout = reader.u64();
        if (!reader.isValid())
            return false;
        m_files.dismissIdle();
        if (m_scrub.isActive())
            m_run.refuse(header.id, EBUSY);
        else
            m_run.start(header.id, timeout);
        return true;
    }
    case Type::Stdin:
        return m_run.standardInput(header.id, payload, header.length);
    case Type::StdinEnd:
        m_run.standardInputEnd(header.id);
        return true;
    case Type::Credit: {
        const std::uint32_t bytes = reader.u32();
        return reader.isValid() && m_run.credit(header.id, header.stream, bytes);
    }
    case Type::Signal: {
        const std::uint32_t number = reader.u32();
        m_run.signal(header.id, number);
        return reader.isValid();
    }
    case Type::Resize: {
        const std::uint16_t rows = reader.u16();
        const std::uint16_t columns = reader.u16();
        if (reader.isValid())
            m_run.resize(header.id, rows, columns);
        return reader.isValid();
    }
    case Type::Kill:
        m_run.kill(header.id);
        return true;
    default:
        return false;
    }
}

bool Guest::handleFile(const Header& header, Reader reader, const unsigned char* payload)
{
    switch (header.type) {
    case Type::FilePut:
    case Type::FileGet:
    case Type::FileList:
    case Type::FileStat:
    case Type::FileMakeDirectory:
    case Type::FileRename:
    case Type::FileRemove:
        if (!m_scrub.isActive())
            return m_files.start(header, payload);
        m_host.verdict(Type::Done, header.id, EBUSY, "");
        return true;
    case Type::FileData:
        return m_files.data(header.id, payload, header.length);
    case Type::FileEnd:
        m_files.dataEnd(header.id);
        return true;
    case Type::FileAbort:
        m_files.abort(header.id);
        return true;
    case Type::Credit: {
        const std::uint32_t bytes = reader.u32();
        return reader.isValid() && m_files.credit(header.id, bytes);
    }
    default:
        return false;
    }
}

bool Guest::handleConnection(
    const Header& header, Reader reader, const unsigned char* payload)
{
    if (!(header.id & connectionIdBit))
        return false;
    switch (header.type) {
    case Type::ConnectionData:
        return m_connections.data(header.id, payload, header.length);
    case Type::ConnectionCredit: {
        const std::uint32_t bytes = reader.u32();
        return reader.isValid() && m_connections.credit(header.id, bytes);
    }
    case Type::ConnectionEnd:
        return m_connections.dataEnd(header.id);
    case Type::ConnectionReset:
        m_connections.reset(header.id);
        return true;
    default:
        return false;
    }
}

Guest::Verdict Guest::scrub(std::uint32_t id)
{
    if (m_scrub.isActive()) {
        m_host.verdict(Type::Scrubbed, id, EBUSY, "already at it");
        return Verdict::GoOn;
    }
    m_run.killCurrent();
    m_files.cancelAll();
    if (m_run.isLost() || !m_processes.killAll())
        return fault("a process could not be killed");
    m_scrub.start(id);
    return Verdict::GoOn;
}

/// A new host: nothing of an earlier one goes on, and none of its bytes go out any more.
Guest::Verdict Guest::hello(Reader reader)
{
    const std::uint32_t version = reader.u32();
    const unsigned char* nonce = reader.bytes(nonceBytes);
    if (!reader.isValid() || reader.left() > 0)
        return fault("malformed Hello");
    if (!m_processes.killAll())
        return fault("a process could not be killed");
    m_run.reset();
    m_connections.countAnew();
    m_files.reset();
    m_scrub.reset();
    m_host.clear();

    unsigned char payload[4 + nonceBytes + 4];
    storeU32(payload, protocolVersion);
    std::memcpy(payload + 4, nonce, nonceBytes);
    storeU32(payload + 4 + nonceBytes, m_cgroup.version());
    m_host.control(Type::Hello, 0, payload, sizeof payload);
    m_isGreeted = version == protocolVersion;
    return Verdict::GoOn;
}

Guest::Verdict Guest::takeSignals()
{
    signalfd_siginfo info {};
    bool isTerminating = false;
    while (read(m_signals.fd(), &info, sizeof info) == sizeof info)
        isTerminating = isTerminating || info.ssi_signo == SIGTERM;
    m_processes.reap();
    return isTerminating ? Verdict::Finished : Verdict::GoOn;
}

/// The lease of a lingering guest.
Guest::Verdict Guest::checkHost()
{
    if (!m_isLingering)
        return Verdict::GoOn;
    const Time silence = now() - m_lastFrame;
    if (m_run.isActive() && silence > leaseSeconds * microsecondsPerSecond)
        m_run.killCurrent();
    return silence > m_linger ? Verdict::Finished : Verdict::GoOn;
}

Guest::Verdict Guest::fault(const char* text)
{
    m_exitCode = faultExitCode;
    m_processes.killAll();
    m_host.control(Type::Fault, 0, text, strlen(text));
    const Time limit = now() + faultFlushTime;
    while (m_host.flush() && !m_host.isEmpty() && now() < limit) {
        m_poll.clear();
        m_poll.add(m_output, POLLOUT);
        m_poll.wakeAt(limit);
        m_poll.wait();
    }
    return Verdict::Finished;
}

} // namespace isol8::guest
