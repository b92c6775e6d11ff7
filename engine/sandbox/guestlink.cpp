// SPDX-License-Identifier: MIT
#include "engine/sandbox/guestlink.h"

#include "engine/core/escape.h"
#include "engine/core/logging.h"
#include "engine/sandbox/directsocket.h"
#include "engine/sandbox/directtransport.h"

#include <QRandomGenerator>

#include <algorithm>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Header;
using guest::Type;

constexpr qsizetype greetingPayloadBytes = 4 + guest::nonceBytes + 4;
constexpr qsizetype maxFaultBytes = 512;
// Of data that waits for the transport. With less, one fast stream would run dry between two rounds
// of the event loop.
constexpr qint64 maxWaitingBytes = 512 << 10;
constexpr qsizetype maxBatchBytes = maxWaitingBytes + guest::maxPayloadBytes + 4096;

Error protocolError(const QString& what)
{
    return { Kind::Protocol, u"the sandbox's guest sent %1"_s.arg(what) };
}

const unsigned char* raw(const QByteArray& bytes, qsizetype at = 0)
{
    return reinterpret_cast<const unsigned char*>(bytes.constData()) + at;
}

QByteArray randomBytes(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (qsizetype i = 0; i < size; i += 4)
        guest::storeU32(reinterpret_cast<unsigned char*>(bytes.data()) + i,
            QRandomGenerator::system()->generate());
    return bytes;
}

} // namespace

GuestLink::GuestLink(std::unique_ptr<GuestTransport> transport, const GuestLimits& limits)
    : m_transport(std::move(transport))
    , m_limits(limits)
    , m_places(guest::maxFileOperations)
{
    listenTo(m_transport.get());
    m_greetingTimer.setSingleShot(true);
    m_silenceTimer.setSingleShot(true);
    connect(&m_greetingTimer, &QTimer::timeout, this,
        [this] { fail({ Kind::Timeout, u"the sandbox's guest does not answer"_s }); });
    connect(&m_silenceTimer, &QTimer::timeout, this,
        [this] { fail({ Kind::Timeout, u"the sandbox's guest has fallen silent"_s }); });
    connect(&m_pingTimer, &QTimer::timeout, this, &GuestLink::ping);
    // The guest then finds nobody, and says so.
    m_offerTimer.setSingleShot(true);
    connect(&m_offerTimer, &QTimer::timeout, this, [this] { m_offered.reset(); });
}

GuestLink::~GuestLink() = default;

void GuestLink::offer(std::unique_ptr<DirectSocket> socket)
{
    m_offered = std::move(socket);
    if (m_offered)
        connect(m_offered.get(), &DirectSocket::connected, this, &GuestLink::changeOver);
}

void GuestLink::greet(bool mayHaveHistory, bool isLeased, const Completion<>& opened)
{
    if (m_state != State::New) {
        opened.fail(
            m_state == State::Dead ? m_reason : Error { Kind::Conflict, u"already greeted"_s });
        return;
    }
    m_state = State::Greeting;
    m_isLeased = isLeased;
    m_opened = opened;
    m_nonce = randomBytes(guest::nonceBytes);
    if (mayHaveHistory)
        m_batch.append(QByteArray(guest::resyncBytes, 0));
    QByteArray payload(4, 0);
    guest::storeU32(reinterpret_cast<unsigned char*>(payload.data()), guest::protocolVersion);
    send(Type::Hello, 0, payload + m_nonce);
    m_greetingTimer.start(m_limits.greeting);
}

Error GuestLink::reason() const
{
    if (m_state == State::Dead)
        return m_reason;
    return { Kind::Conflict, u"the connection to the sandbox's guest is not open yet"_s };
}

void GuestLink::send(Type type, quint32 id, QByteArrayView payload, guest::Stream stream)
{
    if (m_state == State::Dead)
        return;
    unsigned char header[guest::headerBytes];
    guest::encodeHeader(header, { type, stream, id, static_cast<quint32>(payload.size()) });
    m_batch.append(reinterpret_cast<const char*>(header), sizeof header);
    m_batch.append(payload);
    scheduleFlush();
}

void GuestLink::sendU32(Type type, quint32 id, quint32 value, guest::Stream stream)
{
    unsigned char payload[4];
    guest::storeU32(payload, value);
    send(type, id, QByteArrayView(payload, sizeof payload), stream);
}

void GuestLink::queue(GuestSender* sender)
{
    if (m_state == State::Dead || m_senders.contains(sender))
        return;
    m_senders.append(sender);
    scheduleFlush();
}

void GuestLink::scheduleFlush()
{
    if (std::exchange(m_isFlushQueued, true))
        return;
    QMetaObject::invokeMethod(this, &GuestLink::flush, Qt::QueuedConnection);
}

void GuestLink::flush()
{
    if (!m_transport)
        return;
    m_isFlushQueued = true; // what is sent meanwhile goes out below
    qint64 room = maxWaitingBytes - m_transport->pendingBytes() - m_batch.size();
    if (room > 0 && !m_senders.isEmpty())
        m_batch.reserve(maxBatchBytes);
    while (room > 0 && !m_senders.isEmpty()) {
        auto* sender = m_senders.takeFirst();
        const auto before = m_batch.size();
        if (sender->sendPiece())
            m_senders.append(sender);
        room -= m_batch.size() - before;
    }
    m_isFlushQueued = false;
    if (m_batch.isEmpty())
        return;
    m_transport->write(m_batch);
    if (!m_senders.isEmpty() && m_transport->pendingBytes() < maxWaitingBytes)
        scheduleFlush(); // All of it has gone at once, and nobody will say so later.
    // The next one comes at once, and its memory is here already.
    if (m_senders.isEmpty())
        m_batch = {};
    else
        m_batch.resize(0);
}

void GuestLink::loseConnections(const Error& error)
{
    const auto self = shared_from_this();
    const auto ids = m_receivers.keys();
    for (const auto id : ids) {
        if (!(id & guest::connectionIdBit))
            continue;
        if (auto* receiver = m_receivers.take(id)) // else gone with one before it
            receiver->lose(error);
    }
}

void GuestLink::fail(const Error& error)
{
    if (m_state == State::Dead)
        return;
    const auto self = shared_from_this();
    flush(); // a Shutdown may be in there
    m_state = State::Dead;
    m_reason = error;
    m_greetingTimer.stop();
    m_offerTimer.stop();
    m_pingTimer.stop();
    m_silenceTimer.stop();
    retire(m_transport);
    retire(m_attached);
    m_offered.reset();
    while (!m_receivers.isEmpty()) {
        auto* receiver = m_receivers.take(m_receivers.begin().key());
        receiver->lose(error);
    }
    for (const auto& waiter : std::exchange(m_waiting, {}))
        waiter.fail(error);
    m_opened.fail(error);
    Q_EMIT failed(error);
}

void GuestLink::retire(std::unique_ptr<GuestTransport>& transport)
{
    if (!transport)
        return;
    transport->disconnect(this);
    transport->close();
    transport.release()->deleteLater(); // it may be the one that is signalling
}

Completion<> GuestLink::takePlace()
{
    Completion<> place;
    if (m_state != State::Open) {
        place.fail(reason());
    } else if (m_places > 0) {
        --m_places;
        place.deliver({});
    } else {
        m_waiting.append(place);
    }
    return place;
}

void GuestLink::givePlace()
{
    if (m_waiting.isEmpty())
        ++m_places;
    else
        m_waiting.takeFirst().deliver({});
}

void GuestLink::take(const QByteArray& bytes)
{
    const auto self = shared_from_this();
    if (m_silenceTimer.isActive())
        m_silenceTimer.start(m_limits.silence);
    QByteArray frames = bytes;
    if (m_state == State::Greeting)
        frames = findGreeting(bytes);
    const unsigned char* data = raw(frames);
    auto size = static_cast<std::size_t>(frames.size());
    while (m_state == State::Open || m_state == State::Connecting) {
        const auto status = m_parser.feed(data, size);
        if (status == guest::FrameParser::Status::NeedMore)
            return;
        if (status == guest::FrameParser::Status::Malformed) {
            fail(protocolError(u"a malformed frame"_s));
            return;
        }
        dispatch();
    }
}

QByteArray GuestLink::findGreeting(const QByteArray& bytes)
{
    constexpr qsizetype before = guest::headerBytes + 4;
    constexpr qsizetype whole = guest::headerBytes + greetingPayloadBytes;
    m_scanned.append(bytes);
    qsizetype found = -1;
    for (qsizetype at = m_scanned.indexOf(m_nonce); at >= 0;
        at = m_scanned.indexOf(m_nonce, at + 1)) {
        const qsizetype start = at - before;
        if (start < 0 || *raw(m_scanned, start) != static_cast<unsigned char>(Type::Hello)
            || guest::loadU32(raw(m_scanned, start + 8)) != greetingPayloadBytes)
            continue;
        if (start + whole > m_scanned.size())
            return {}; // the rest is on its way
        found = start;
        break;
    }
    if (found < 0) {
        m_scanned = m_scanned.last(std::min(m_scanned.size(), whole));
        return {};
    }

    guest::Reader reader(raw(m_scanned, found + guest::headerBytes), greetingPayloadBytes);
    const quint32 version = reader.u32();
    reader.bytes(guest::nonceBytes);
    const quint32 cgroupVersion = reader.u32();
    const QByteArray rest = m_scanned.sliced(found + whole);
    m_scanned.clear();
    if (version != guest::protocolVersion || cgroupVersion > 2) {
        fail(protocolError(u"a greeting of version %1"_s.arg(version)));
        return {};
    }
    m_cgroupVersion = static_cast<int>(cgroupVersion);
    if (m_offered)
        connectDirectly();
    else
        beOpen();
    return rest;
}

void GuestLink::beOpen()
{
    m_state = State::Open;
    m_greetingTimer.stop();
    if (m_isLeased)
        m_pingTimer.start(m_limits.pingInterval);
    m_opened.deliver({});
}

void GuestLink::connectDirectly()
{
    const auto token = randomBytes(guest::tokenBytes);
    const auto listening = m_offered->listen(token);
    if (!listening) {
        qCDebug(logSandbox) << "no direct socket:" << listening.error().message;
        m_offered.reset();
        beOpen();
        return;
    }
    m_state = State::Connecting;
    m_greetingTimer.start(m_limits.greeting);
    m_offerTimer.start(m_limits.offer);
    send(Type::Connect, 0, token);
}

void GuestLink::listenTo(GuestTransport* transport)
{
    connect(transport, &GuestTransport::received, this, &GuestLink::take);
    connect(transport, &GuestTransport::closed, this, &GuestLink::fail);
    connect(transport, &GuestTransport::written, this, &GuestLink::flush);
}

/// The guest has been given its end; its answer says whether it has got it.
void GuestLink::changeOver(int fd)
{
    m_offerTimer.stop();
    m_offered.release()->deleteLater(); // it is signalling
    auto direct = std::make_unique<DirectTransport>(fd);
    m_transport->disconnect(this);
    connect(m_transport.get(), &GuestTransport::received, this, [this](const QByteArray& bytes) {
        if (m_state != State::Connecting) {
            fail(protocolError(u"something beside the direct socket"_s));
            return;
        }
        goBack();
        take(bytes);
    });
    // What it said before its end is on the way here.
    connect(m_transport.get(), &GuestTransport::closed, this,
        [this, direct = direct.get()](const Error& error) {
            const auto self = shared_from_this();
            direct->drain();
            fail(error);
        });
    connect(direct.get(), &GuestTransport::received, this, &GuestLink::take);
    connect(direct.get(), &GuestTransport::written, this, &GuestLink::flush);
    connect(direct.get(), &GuestTransport::closed, this, [this](const Error& error) {
        if (m_state == State::Connecting)
            goBack();
        else
            fail(error);
    });
    m_attached = std::exchange(m_transport, std::move(direct));
}

void GuestLink::goBack()
{
    retire(m_transport);
    m_transport = std::move(m_attached);
    m_transport->disconnect(this);
    listenTo(m_transport.get());
}

void GuestLink::takeConnected(const Header& header)
{
    guest::Reader reader(m_parser.payload(), header.length);
    const quint32 number = reader.u32();
    if (!reader.isValid() || reader.left() > 0 || (number == 0) != isDirect()) {
        fail(protocolError(u"that it is connected, and is not"_s));
        return;
    }
    m_offerTimer.stop();
    m_offered.reset();
    if (number != 0)
        qCDebug(logSandbox) << "the guest cannot reach the direct socket:" << number;
    beOpen();
}

void GuestLink::dispatch()
{
    const Header header = m_parser.header();
    const auto* data = reinterpret_cast<const char*>(m_parser.payload());
    if (m_state == State::Connecting && header.type == Type::Connected) {
        takeConnected(header);
        return;
    }
    if (m_state == State::Connecting && header.type != Type::Fault) {
        fail(protocolError(u"something before it was connected"_s));
        return;
    }
    switch (header.type) {
    case Type::Pong:
        m_silenceTimer.stop();
        if (header.id == 0)
            return;
        break;
    case Type::Fault:
        fail({ Kind::Internal,
            u"the sandbox's guest gave up: %1"_s.arg(printable(
                QString::fromUtf8(data, std::min<qsizetype>(header.length, maxFaultBytes)))) });
        return;
    case Type::Started:
    case Type::Output:
    case Type::Credit:
    case Type::Exited:
    case Type::Usage:
    case Type::FileData:
    case Type::FileStat:
    case Type::FileEntry:
    case Type::Done:
    case Type::Scrubbed:
    case Type::ConnectionOpened:
    case Type::ConnectionData:
    case Type::ConnectionCredit:
    case Type::ConnectionEnd:
    case Type::ConnectionClosed:
    case Type::Prestarted:
        break;
    default:
        fail(protocolError(u"a frame of type %1"_s.arg(static_cast<int>(header.type))));
        return;
    }
    auto* receiver
        = header.type == Type::ConnectionOpened ? receiverOfOpened(header) : receiverOf(header);
    if (!receiver)
        return;
    const auto accepted = receiver->receive(header, QByteArray(data, header.length));
    if (!accepted)
        fail(accepted.error());
}

GuestReceiver* GuestLink::receiverOf(const Header& header)
{
    const bool isConnection = header.id & guest::connectionIdBit;
    const bool isUsed
        = isConnection ? header.id <= m_lastConnection : header.id > 0 && header.id < m_nextId;
    auto* receiver = m_receivers.value(header.id);
    // Late frames of something that was given up; ids that were never used are nobody's.
    if (!receiver && !isUsed)
        fail(protocolError(u"a frame for nobody"_s));
    return receiver;
}

GuestReceiver* GuestLink::receiverOfOpened(const Header& header)
{
    guest::Reader reader(m_parser.payload(), header.length);
    const quint32 run = reader.u32();
    const auto open = std::ranges::count_if(
        m_receivers.keys(), [](quint32 id) { return (id & guest::connectionIdBit) != 0; });
    if (!reader.isValid() || header.id != m_lastConnection + 1 || header.id == 0 || run == 0
        || run >= m_nextId || open >= guest::maxConnections) {
        fail(protocolError(u"a connection that cannot be"_s));
        return nullptr;
    }
    m_lastConnection = header.id;
    return m_receivers.value(run);
}

void GuestLink::ping()
{
    send(Type::Ping, 0);
    if (!m_silenceTimer.isActive())
        m_silenceTimer.start(m_limits.silence);
}

} // namespace isol8
