// SPDX-License-Identifier: MIT
#include "engine/sandbox/guestlink.h"
#include "engine/sandbox/guestrunprivate.h"

#include <QPointer>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Stream;
using guest::Type;

// Given back in larger pieces than it is used up, so that small output is not doubled by credit.
constexpr quint32 creditPieceBytes = guest::outputWindowBytes / 8;

constexpr int scriptMode = 0644;
constexpr quint64 maxMicroseconds = 1ULL << 52;
constexpr quint64 maxMemoryBytes = 1ULL << 52;

Error protocolError(const QString& what)
{
    return { Kind::Protocol, u"the sandbox's guest sent %1"_s.arg(what) };
}

void appendU32(QByteArray& to, qsizetype value)
{
    unsigned char bytes[4];
    guest::storeU32(bytes, static_cast<quint32>(value));
    to.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

void appendU16(QByteArray& to, int value)
{
    unsigned char bytes[2];
    guest::storeU16(bytes, static_cast<quint16>(qBound(0, value, 0xffff)));
    to.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

void appendText(QByteArray& to, const QByteArray& text)
{
    appendU32(to, text.size());
    to.append(text);
}

void appendList(QByteArray& to, const QByteArrayList& list)
{
    appendU32(to, list.size());
    for (const auto& text : list)
        appendText(to, text);
}

qint64 encodedBytes(const GuestRunSpec& spec)
{
    qint64 bytes = 64 + spec.workingDirectory.size();
    for (const auto* list : { &spec.arguments, &spec.environment }) {
        for (const auto& text : *list)
            bytes += 4 + text.size();
    }
    return bytes;
}

bool isPlausible(const guest::RunReport& report)
{
    if (report.wallMicroseconds > maxMicroseconds || report.userMicroseconds > maxMicroseconds
        || report.systemMicroseconds > maxMicroseconds || report.peakMemoryBytes > maxMemoryBytes)
        return false;
    switch (report.outcome) {
    case guest::Outcome::NotStarted: {
        const quint32 number = report.value & ~(guest::workingDirectoryFlag | guest::listenerFlag);
        return number > 0 && number < 4096;
    }
    case guest::Outcome::Exited:
        return report.value <= 255;
    case guest::Outcome::Signalled:
        return report.value >= 1 && report.value <= 64;
    case guest::Outcome::TimedOut:
    case guest::Outcome::Killed:
        return report.value == 0;
    }
    return false;
}

} // namespace

QByteArray encodedRunSpec(const GuestRunSpec& spec)
{
    QByteArray bytes;
    quint32 flags = 0;
    if (spec.hasTerminal)
        flags |= guest::Terminal;
    if (spec.isStdinOpen)
        flags |= guest::StdinOpen;
    if (spec.areConnectionsCarried)
        flags |= guest::CarryConnections;
    if (spec.isUsageReported)
        flags |= guest::UsageReports;
    if (spec.mayTrace)
        flags |= guest::MayTrace;
    appendU32(bytes, flags);
    appendU16(bytes, spec.hasTerminal ? spec.rows : 0);
    appendU16(bytes, spec.hasTerminal ? spec.columns : 0);
    appendText(bytes, spec.workingDirectory);
    appendList(bytes, spec.arguments);
    appendList(bytes, spec.environment);
    return bytes;
}

GuestRun::GuestRun(GuestConnection*)
    : d(std::make_unique<Private>(this))
{
}

GuestRun::~GuestRun()
{
    if (d->isOver)
        return;
    d->link->send(Type::Kill, d->id);
    d->link->forget(d->id);
    d->isOver = true;
    d->link->loseConnections({ Kind::Cancelled, u"the program was ended"_s });
}

void GuestRun::Private::start(std::shared_ptr<GuestLink> over, const GuestRunSpec& spec)
{
    link = std::move(over);
    id = link->takeId();
    hasTerminal = spec.hasTerminal;
    areConnectionsCarried = spec.areConnectionsCarried;
    isStdinClosed = !spec.isStdinOpen;
    Error refusal;
    if (!link->isOpen()) {
        refusal = link->reason();
    } else if (encodedBytes(spec) > static_cast<qint64>(guest::maxSpecBytes)) {
        refusal = { Kind::Limit,
            u"arguments and environment are larger than %1 MiB together"_s.arg(
                guest::maxSpecBytes >> 20) };
    } else {
        link->expect(id, this);
        if (!spec.scriptPath.isEmpty()) {
            script = std::make_unique<ScriptPut>(link, spec.scriptPath);
            script->send(spec.script, scriptMode);
        }
        const QByteArray bytes = encodedRunSpec(spec);
        for (qsizetype at = 0; at < bytes.size(); at += guest::maxPayloadBytes)
            link->send(Type::Spec, id, QByteArrayView(bytes).mid(at, guest::maxPayloadBytes));
        unsigned char start[8 + 4];
        guest::storeU64(start, static_cast<quint64>(std::max<qint64>(0, spec.timeout.count())));
        guest::storeU32(start + 8, script ? script->id() : 0);
        link->send(Type::Start, id, QByteArrayView(start, script ? sizeof start : 8));
        return;
    }
    QMetaObject::invokeMethod(
        run, [this, refusal] { finish(std::unexpected(refusal)); }, Qt::QueuedConnection);
}

Result<> GuestRun::Private::receive(const guest::Header& header, const QByteArray& payload)
{
    guest::Reader reader(reinterpret_cast<const unsigned char*>(payload.constData()),
        static_cast<std::size_t>(payload.size()));
    switch (header.type) {
    case Type::Started:
        if (isStarted)
            return std::unexpected(protocolError(u"the start of a run twice"_s));
        isStarted = true;
        reader.u32(); // the process id
        isAhead = reader.left() > 0 && reader.u32() == 1;
        Q_EMIT run->started();
        return {};
    case Type::Output:
        return receiveOutput(header.stream, payload);
    case Type::Credit: {
        const quint32 bytes = reader.u32();
        if (!reader.isValid() || header.stream != Stream::Stdin
            || bytes > guest::stdinWindowBytes - stdinCredit)
            return std::unexpected(protocolError(u"credit for more than it was sent"_s));
        stdinCredit += bytes;
        sendStdin();
        return {};
    }
    case Type::Usage: {
        const quint64 cpu = reader.u64();
        const quint64 memory = reader.u64();
        if (!isStarted || !reader.isValid() || cpu > maxMicroseconds || memory > maxMemoryBytes)
            return std::unexpected(protocolError(u"an impossible use of resources"_s));
        Q_EMIT run->usageReported({ std::chrono::microseconds(cpu), static_cast<qint64>(memory) });
        return {};
    }
    case Type::Exited: {
        guest::RunReport report;
        if (!report.decode(reader) || !isPlausible(report)
            || (report.outcome == guest::Outcome::NotStarted) == isStarted)
            return std::unexpected(protocolError(u"an impossible report"_s));
        link->forget(id);
        const QPointer<GuestRun> guard(run);
        link->loseConnections({ Kind::Unreachable, u"the program has ended"_s });
        if (!guard)
            return {};
        if (script && script->failure())
            finish(
                std::unexpected(script->failure()->within(u"putting the code into the sandbox"_s)));
        else
            finish(report);
        return {};
    }
    case Type::ConnectionOpened:
        return receiveConnection(header.id);
    default:
        return std::unexpected(protocolError(u"a frame that does not belong to a run"_s));
    }
}

Result<> GuestRun::Private::receiveOutput(Stream stream, const QByteArray& payload)
{
    const bool isStdout = stream == Stream::Stdout;
    if (!isStarted || (!isStdout && (stream != Stream::Stderr || hasTerminal)))
        return std::unexpected(protocolError(u"output where none can be"_s));
    auto& channel = isStdout ? standardOutput : standardError;
    const auto size = static_cast<quint32>(payload.size());
    if (size > guest::outputWindowBytes - channel.unacknowledged)
        return std::unexpected(protocolError(u"more output than it may"_s));
    channel.unacknowledged += size;
    const QPointer<GuestRun> guard(run);
    Q_EMIT run->outputReceived(isStdout ? Channel::Stdout : Channel::Stderr, payload);
    if (guard && !isOver)
        giveCredit(channel, creditPieceBytes);
    return {};
}

Result<> GuestRun::Private::receiveConnection(quint32 connection)
{
    if (!isStarted || !areConnectionsCarried)
        return std::unexpected(protocolError(u"a connection where none can be"_s));
    connections.push_back(std::make_unique<CarriedConnection>(link, connection));
    Q_EMIT run->connectionOpened();
    return {};
}

void GuestRun::Private::giveCredit(Window& channel, quint32 atLeast)
{
    if (isPaused || channel.unacknowledged < atLeast || channel.unacknowledged == 0)
        return;
    link->sendU32(Type::Credit, id, std::exchange(channel.unacknowledged, 0),
        &channel == &standardOutput ? Stream::Stdout : Stream::Stderr);
}

void GuestRun::Private::sendStdin()
{
    if (isOver || !link->isOpen())
        return;
    const qint64 before = stdinPending;
    while (stdinCredit > 0 && !stdinQueue.isEmpty()) {
        const auto& first = stdinQueue.constFirst();
        const qsizetype size = std::min<qsizetype>({ first.size() - stdinOffset, stdinCredit,
            static_cast<qsizetype>(guest::maxPayloadBytes) });
        link->send(Type::Stdin, id, QByteArrayView(first).mid(stdinOffset, size));
        stdinCredit -= static_cast<quint32>(size);
        stdinPending -= size;
        stdinOffset += size;
        if (stdinOffset == first.size()) {
            stdinQueue.removeFirst();
            stdinOffset = 0;
        }
    }
    if (isStdinClosing && stdinQueue.isEmpty()) {
        isStdinClosing = false;
        link->send(Type::StdinEnd, id);
    }
    if (stdinPending < before)
        Q_EMIT run->stdinAccepted(stdinPending);
}

void GuestRun::Private::lose(const Error& error)
{
    finish(std::unexpected(error));
}

void GuestRun::Private::finish(const Result<guest::RunReport>& report)
{
    if (isOver)
        return;
    isOver = true;
    stdinQueue.clear();
    stdinPending = 0;
    connections.clear();
    Q_EMIT run->finished(report);
}

void GuestRun::writeStdin(const QByteArray& bytes)
{
    if (d->isOver || d->isStdinClosed || bytes.isEmpty())
        return;
    d->stdinQueue.append(bytes);
    d->stdinPending += bytes.size();
    // Not at once: whoever writes is not called back from within.
    QMetaObject::invokeMethod(this, [this] { d->sendStdin(); }, Qt::QueuedConnection);
}

void GuestRun::closeStdin()
{
    if (d->isOver || d->isStdinClosed)
        return;
    d->isStdinClosed = true;
    d->isStdinClosing = true;
    QMetaObject::invokeMethod(this, [this] { d->sendStdin(); }, Qt::QueuedConnection);
}

qint64 GuestRun::pendingStdinBytes() const
{
    return d->stdinPending;
}

void GuestRun::sendSignal(int number)
{
    if (!d->isOver && number > 0)
        d->link->sendU32(Type::Signal, d->id, static_cast<quint32>(number));
}

void GuestRun::resizeTerminal(int rows, int columns)
{
    QByteArray payload;
    appendU16(payload, rows);
    appendU16(payload, columns);
    if (!d->isOver)
        d->link->send(Type::Resize, d->id, payload);
}

void GuestRun::kill()
{
    if (!d->isOver)
        d->link->send(Type::Kill, d->id);
}

std::unique_ptr<ByteStream> GuestRun::takeConnection()
{
    if (d->connections.empty())
        return nullptr;
    auto connection = std::move(d->connections.front());
    d->connections.pop_front();
    return connection;
}

bool GuestRun::wasAhead() const
{
    return d->isAhead;
}

void GuestRun::setOutputPaused(bool isPaused)
{
    d->isPaused = isPaused;
    if (d->isOver)
        return;
    // What was held back while paused goes out whole: less than a piece would be stuck.
    d->giveCredit(d->standardOutput, 1);
    d->giveCredit(d->standardError, 1);
}

} // namespace isol8
