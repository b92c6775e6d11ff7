// SPDX-License-Identifier: MIT
#include "engine/guest/guest.h"

#include "engine/guest/hostsocket.h"

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
    sigaddset(&wanted, SIGIO);
    return Descriptor(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

void setNonBlocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/// The value of two hexadecimal digits, or -1.
int byteOf(const char* digits)
{
    int value = 0;
    for (int i = 0; i < 2; ++i) {
        const char* const all = "0123456789abcdef";
        const char* const found = digits[i] ? strchr(all, digits[i]) : nullptr;
        if (!found)
            return -1;
        value = value * 16 + static_cast<int>(found - all);
    }
    return value;
}

bool appendHexadecimal(RunSpec& spec, const char* digits)
{
    for (; *digits; digits += 2) {
        const int value = byteOf(digits);
        const auto byte = static_cast<unsigned char>(value);
        if (value < 0 || !spec.append(&byte, 1))
            return false;
    }
    return true;
}

} // namespace

Guest::Guest(const Life& life)
    : m_isLingering(life.lingerSeconds > 0)
    , m_isSpare(life.isSpare)
    , m_linger(life.lingerSeconds * microsecondsPerSecond)
    , m_lastFrame(now())
    , m_signals(watchSignals())
{
    setNonBlocking(0);
    setNonBlocking(1);
    if (life.prestartSpec && appendHexadecimal(m_run.pendingSpec(), life.prestartSpec))
        prestart(0, 0, reinterpret_cast<const unsigned char*>(life.prestartPath),
            strlen(life.prestartPath));
}

int Guest::serve()
{
    while (round() == Verdict::GoOn) { }
    m_prestart.endZygote();
    m_processes.killAll();
    return m_exitCode;
}

Guest::Verdict Guest::round()
{
    m_poll.clear();
    const bool isTaking = m_host.hasRoomForControl() && !m_run.isDue();
    // Beside the direct socket it only tells of its end, or of a new host.
    const bool isInputRead = (isTaking || m_direct.isOpen()) && !m_isInputClosed;
    const int input = isInputRead ? m_poll.add(m_input, POLLIN) : -1;
    const int direct = isTaking ? m_poll.add(m_direct, POLLIN) : -1;
    const int meeting = m_poll.add(m_meeting, POLLIN);
    const int output = m_host.isEmpty() ? -1 : m_poll.add(this->output(), POLLOUT);
    const int signals = m_poll.add(m_signals, POLLIN);
    m_run.addTo(m_poll);
    m_connections.addTo(m_poll);
    m_files.addTo(m_poll);
    m_scrub.addTo(m_poll);
    m_prestart.addTo(m_poll);
    if (m_isLingering) {
        m_poll.wakeAt(m_lastFrame + m_linger);
        if (m_run.isActive())
            m_poll.wakeAt(m_lastFrame + leaseSeconds * microsecondsPerSecond);
        if (m_isInputClosed)
            m_poll.wakeAt(now() + closedInputPause);
    }
    m_poll.wait();
    m_isInputClosed = false;

    if (m_poll.events(output) && flush() == Verdict::Finished)
        return Verdict::Finished;
    if (m_poll.events(signals) && takeSignals() == Verdict::Finished)
        return Verdict::Finished;
    if (m_poll.events(meeting))
        meet();
    if (m_poll.events(input) && takeInput(m_input) == Verdict::Finished)
        return Verdict::Finished;
    if (m_poll.events(direct) && m_direct.isOpen() && takeInput(m_direct) == Verdict::Finished)
        return Verdict::Finished;
    m_files.serve(m_poll);
    m_scrub.serve(m_poll);
    m_prestart.serve();
    if (m_run.isDue()) {
        beginDueRun();
        if (takePending() == Verdict::Finished)
            return Verdict::Finished;
    }
    m_run.serve(m_poll); // before the connections, which can use up all room for data
    m_connections.serve(m_poll);
    if (m_run.isLost())
        return fault("a process could not be killed");
    if (m_run.isActive() && !m_run.isDue())
        m_files.dismissIdle();
    if (checkHost() == Verdict::Finished)
        return Verdict::Finished;
    return flush();
}

Guest::Verdict Guest::takeInput(const Descriptor& from)
{
    static unsigned char buffer[maxPayloadBytes];
    const bool isDirect = from.fd() == m_direct.fd();
    const ssize_t size = read(from.fd(), buffer, sizeof buffer);
    if (size > 0) {
        if (!isDirect && m_direct.isOpen())
            leaveDirect(); // for a new host
        m_pending = buffer;
        m_pendingSize = static_cast<std::size_t>(size);
        return takePending();
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return Verdict::GoOn;
    if (isDirect)
        return directEnded();
    m_isInputClosed = true;
    return m_isLingering ? Verdict::GoOn : Verdict::Finished;
}

Guest::Verdict Guest::takePending()
{
    while (!m_run.isDue()) {
        switch (m_parser.feed(m_pending, m_pendingSize)) {
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
    return Verdict::GoOn;
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
    case Type::Connect:
        return connect(reader);
    case Type::Scrub:
        return scrub(header.id);
    case Type::Prestart:
        return handlePrestart(header, reader) ? Verdict::GoOn : fault("unexpected frame");
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
    case Type::Start:
        return handleStart(header, reader);
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

bool Guest::handleStart(const Header& header, Reader reader)
{
    const std::uint64_t timeout = reader.u64();
    const std::uint32_t awaitedFile = reader.left() > 0 ? reader.u32() : 0;
    if (!reader.isValid() || reader.left() > 0)
        return false;
    if (m_scrub.isActive()) {
        m_run.refuse(header.id, EBUSY);
        return true;
    }
    m_run.start(header.id, timeout, awaitedFile);
    if (m_run.isDue())
        beginDueRun();
    return true;
}

bool Guest::handlePrestart(const Header& header, Reader reader)
{
    const std::uint32_t flags = reader.u32();
    const std::size_t size = reader.left();
    const unsigned char* path = reader.bytes(size);
    if (!reader.isValid())
        return false;
    prestart(header.id, flags, path, size);
    return true;
}

/// Nothing but the guest's own children may run beside the one that is started ahead.
void Guest::prestart(
    std::uint32_t id, std::uint32_t flags, const unsigned char* path, std::size_t size)
{
    const int error = m_run.isActive() || m_scrub.isActive() ? EBUSY
        : id != 0 && !m_run.hasSpecOf(id)                    ? EINVAL
                                                             : 0;
    if (error != 0) {
        m_host.verdict(Type::Prestarted, id, error, "");
        return;
    }
    m_prestart.start(id, m_run.pendingSpec(), flags, path, size);
}

void Guest::beginDueRun()
{
    const std::uint32_t awaited = m_run.awaitedFile();
    if (m_prestart.file().isPutBy(awaited))
        return;
    const auto progress = awaited != 0 ? m_files.progressOf(awaited) : Files::Progress::Done;
    if (progress == Files::Progress::Pending)
        return;
    if (progress == Files::Progress::Failed) {
        m_run.giveUp(ECANCELED);
        return;
    }
    if (m_prestart.isFor(m_run.pendingSpec())) {
        if (!m_prestart.hold())
            return;
    } else if (m_prestart.discard() || m_hasDiscarded) {
        m_processes.killAll();
    }
    m_hasDiscarded = false;
    interruptAwaitedFile();
    m_files.dismissIdle();
    m_run.begin(m_prestart);
}

bool Guest::handleFile(const Header& header, Reader reader, const unsigned char* payload)
{
    if (m_prestart.file().isPutBy(header.id))
        return handleAwaitedFile(header, reader, payload);
    const bool isBegun = header.type >= Type::FilePut && header.type <= Type::FileRemove
        && header.type != Type::FileData && header.type != Type::FileEnd;
    if (isBegun && m_prestart.isActive()) {
        Reader fields = reader;
        const auto mode = static_cast<mode_t>(fields.u32() & permissionBits);
        const std::uint64_t size = fields.u64();
        if (header.type == Type::FilePut && fields.isValid()
            && m_prestart.file().isAt(payload + (header.length - fields.left()), fields.left())
            && m_prestart.file().beginPut(header.id, mode, size))
            return true;
        // The program may have looked for other files already.
        m_hasDiscarded = m_prestart.discard() || m_hasDiscarded;
    }

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
        m_files.answer(header.id, EBUSY);
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

bool Guest::handleAwaitedFile(const Header& header, Reader reader, const unsigned char* payload)
{
    auto& file = m_prestart.file();
    int error = 0;
    switch (header.type) {
    case Type::FileData: {
        error = file.data(payload, header.length);
        unsigned char taken[4];
        storeU32(taken, header.length);
        m_host.control(Type::Credit, header.id, taken, sizeof taken, Stream::File);
        break;
    }
    case Type::FileEnd:
        error = file.endPut();
        break;
    case Type::FileAbort:
        file.abortPut();
        error = ECANCELED;
        break;
    case Type::Credit:
        return reader.u32() == 0 && reader.isValid(); // All of the window is there.
    default:
        return false;
    }
    if (file.putId() != 0)
        return true;
    m_files.answer(header.id, error);
    if (!m_prestart.isActive())
        file.leave();
    return true;
}

void Guest::interruptAwaitedFile()
{
    const std::uint32_t id = m_prestart.file().putId();
    if (id == 0)
        return;
    m_prestart.file().abortPut();
    m_files.answer(id, EINTR);
    if (!m_prestart.isActive())
        m_prestart.file().leave();
}

bool Guest::handleConnection(const Header& header, Reader reader, const unsigned char* payload)
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
    interruptAwaitedFile();
    if (m_run.isLost() || !m_processes.killAll())
        return fault("a process could not be killed");
    m_prestart.reset();
    m_hasDiscarded = false;
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
    // Two commands have claimed it at once: it can be neither's.
    if (m_isSpare && m_isGreeted)
        return fault("somebody else has claimed the sandbox, too");
    // The first host of a spare takes over what was started ahead for it.
    if (!m_isSpare) {
        m_prestart.endZygote();
        if (!m_processes.killAll())
            return fault("a process could not be killed");
        m_run.reset();
        m_prestart.reset();
        m_files.reset();
        m_scrub.reset();
    }
    m_connections.countAnew();
    m_meeting.close();
    m_host.clear();

    unsigned char payload[4 + nonceBytes + 4];
    storeU32(payload, protocolVersion);
    std::memcpy(payload + 4, nonce, nonceBytes);
    storeU32(payload + 4 + nonceBytes, m_cgroup.version());
    m_host.control(Type::Hello, 0, payload, sizeof payload);
    m_isGreeted = version == protocolVersion;
    if (m_isSpare)
        m_isLingering = false;
    return Verdict::GoOn;
}

Guest::Verdict Guest::connect(Reader reader)
{
    const unsigned char* token = reader.bytes(tokenBytes);
    if (!token || reader.left() > 0 || m_direct.isOpen() || m_meeting.isOpen())
        return fault("unexpected Connect");
    m_meeting = connectToHost(token);
    if (!m_meeting.isOpen())
        m_host.verdict(Type::Connected, 0, errno, "");
    return Verdict::GoOn;
}

void Guest::meet()
{
    m_direct = takeFromHost(m_meeting);
    const int error = m_direct.isOpen() ? 0 : errno;
    if (error == EAGAIN || error == EINTR)
        return;
    m_meeting.close();
    if (m_direct.isOpen()) {
        // Nothing is under way: the host has waited for this.
        m_host.switchTo(m_direct.fd());
        m_parser.reset();
        m_pendingSize = 0;
    }
    m_host.verdict(Type::Connected, 0, error, "");
}

void Guest::leaveDirect()
{
    m_direct.close();
    m_host.switchTo(m_output.fd());
    m_parser.reset();
    m_pendingSize = 0;
}

Guest::Verdict Guest::directEnded()
{
    leaveDirect();
    return m_isLingering ? Verdict::GoOn : Verdict::Finished;
}

const Descriptor& Guest::output() const
{
    return m_direct.isOpen() ? m_direct : m_output;
}

Guest::Verdict Guest::flush()
{
    if (m_host.flush())
        return Verdict::GoOn;
    if (m_direct.isOpen())
        return directEnded();
    return m_isLingering ? Verdict::GoOn : Verdict::Finished;
}

Guest::Verdict Guest::takeSignals()
{
    signalfd_siginfo info {};
    bool isTerminating = false;
    while (read(m_signals.fd(), &info, sizeof info) == sizeof info) {
        isTerminating = isTerminating || info.ssi_signo == SIGTERM;
        if (info.ssi_signo == SIGIO)
            m_prestart.fileWanted();
    }
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
        m_poll.add(output(), POLLOUT);
        m_poll.wakeAt(limit);
        m_poll.wait();
    }
    return Verdict::Finished;
}

} // namespace isol8::guest
