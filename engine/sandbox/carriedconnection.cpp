// SPDX-License-Identifier: MIT
#include "engine/sandbox/carriedconnection.h"

#include <QPointer>

#include <cerrno>
#include <cstring>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Type;

// Given back in larger pieces than it is used up; what is left over is never the whole window.
constexpr quint32 creditPieceBytes = guest::connectionWindowBytes / 4;

Error protocolError(const QString& what)
{
    return { Kind::Protocol, u"the sandbox's guest sent %1"_s.arg(what) };
}

} // namespace

CarriedConnection::CarriedConnection(std::shared_ptr<GuestLink> link, quint32 id)
    : m_link(std::move(link))
    , m_id(id)
{
    m_link->expect(m_id, this);
}

CarriedConnection::~CarriedConnection()
{
    leave();
}

void CarriedConnection::write(const QByteArray& bytes)
{
    if (m_isOver || m_outgoing != Direction::Open || bytes.isEmpty())
        return;
    m_queue.append(bytes);
    m_pending += bytes.size();
    if (m_credit > 0)
        m_link->queue(this);
}

void CarriedConnection::finishWriting()
{
    if (m_isOver || m_outgoing != Direction::Open)
        return;
    m_outgoing = Direction::Ending;
    m_link->queue(this);
}

void CarriedConnection::setReading(bool isReading)
{
    m_isReading = isReading;
    if (isReading)
        scheduleDelivery();
}

void CarriedConnection::abort()
{
    m_isOver = true;
    leave();
}

Result<> CarriedConnection::receive(const guest::Header& header, const QByteArray& payload)
{
    guest::Reader reader(reinterpret_cast<const unsigned char*>(payload.constData()),
        static_cast<std::size_t>(payload.size()));
    switch (header.type) {
    case Type::ConnectionData:
        return receiveData(payload);
    case Type::ConnectionCredit: {
        const quint32 bytes = reader.u32();
        if (!reader.isValid() || bytes > guest::connectionWindowBytes - m_credit)
            return std::unexpected(protocolError(u"credit for more than it was sent"_s));
        m_credit += bytes;
        if (m_pending > 0)
            m_link->queue(this);
        return {};
    }
    case Type::ConnectionEnd:
        if (m_incoming != Direction::Open)
            return std::unexpected(protocolError(u"the end of a connection twice"_s));
        m_incoming = Direction::Ending;
        scheduleDelivery();
        return {};
    case Type::ConnectionClosed: {
        const quint32 error = reader.u32();
        if (!reader.isValid())
            return std::unexpected(protocolError(u"a short frame"_s));
        return receiveClosed(error);
    }
    default:
        return std::unexpected(protocolError(u"a frame that does not belong to a connection"_s));
    }
}

Result<> CarriedConnection::receiveData(const QByteArray& payload)
{
    const auto size = static_cast<quint32>(payload.size());
    if (m_incoming != Direction::Open)
        return std::unexpected(protocolError(u"data behind the end of a connection"_s));
    if (size > guest::connectionWindowBytes - m_held)
        return std::unexpected(protocolError(u"more of a connection than it may"_s));
    m_held += size;
    m_received.append(payload);
    if (!m_isDeliveryQueued)
        deliver();
    return {};
}

Result<> CarriedConnection::receiveClosed(quint32 error)
{
    if (error == 0 && (m_incoming == Direction::Open || m_outgoing != Direction::Ended))
        return std::unexpected(protocolError(u"the end of a connection too early"_s));
    m_link->forget(m_id);
    m_isKnownToGuest = false;
    if (error != 0) {
        close(failure(Kind::Unreachable,
            u"the program broke off the connection: %1"_s.arg(
                QString::fromLocal8Bit(std::strerror(static_cast<int>(error))))));
        return {};
    }
    m_isClosedInOrder = true;
    scheduleDelivery();
    return {};
}

void CarriedConnection::lose(const Error& error)
{
    m_isKnownToGuest = false; // nor does it want to hear of it
    close(std::unexpected(error));
}

void CarriedConnection::scheduleDelivery()
{
    if (std::exchange(m_isDeliveryQueued, true))
        return;
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_isDeliveryQueued = false;
            deliver();
        },
        Qt::QueuedConnection);
}

void CarriedConnection::deliver()
{
    const QPointer<CarriedConnection> self(this);
    while (m_isReading && !m_isOver && !m_received.isEmpty()) {
        const QByteArray bytes = m_received.takeFirst();
        m_consumed += static_cast<quint32>(bytes.size());
        Q_EMIT received(bytes);
        if (!self)
            return;
    }
    giveCredit();
    if (!m_isReading || m_isOver || !m_received.isEmpty())
        return;
    if (m_incoming == Direction::Ending) {
        m_incoming = Direction::Ended;
        Q_EMIT finishedReading();
    }
    if (self && !m_isOver && m_isClosedInOrder)
        close({});
}

void CarriedConnection::giveCredit()
{
    if (m_consumed < creditPieceBytes || m_isOver || m_incoming != Direction::Open)
        return;
    m_held -= m_consumed;
    m_link->sendU32(Type::ConnectionCredit, m_id, std::exchange(m_consumed, 0));
}

bool CarriedConnection::sendPiece()
{
    if (!m_queue.isEmpty() && m_credit > 0) {
        const auto& first = m_queue.constFirst();
        const qsizetype size = std::min<qsizetype>(
            { first.size() - m_offset, m_credit, static_cast<qsizetype>(guest::maxPayloadBytes) });
        m_link->send(Type::ConnectionData, m_id, QByteArrayView(first).sliced(m_offset, size));
        m_credit -= static_cast<quint32>(size);
        m_pending -= size;
        m_offset += size;
        if (m_offset == first.size()) {
            m_queue.removeFirst();
            m_offset = 0;
        }
        tellWritten();
    }
    if (m_queue.isEmpty() && m_outgoing == Direction::Ending) {
        m_outgoing = Direction::Ended;
        m_link->send(Type::ConnectionEnd, m_id);
    }
    return !m_queue.isEmpty() && m_credit > 0;
}

/// Not at once: the link is in the middle of its round.
void CarriedConnection::tellWritten()
{
    if (std::exchange(m_isWrittenQueued, true))
        return;
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_isWrittenQueued = false;
            if (!m_isOver)
                Q_EMIT written();
        },
        Qt::QueuedConnection);
}

void CarriedConnection::leave()
{
    m_link->unqueue(this);
    m_queue.clear();
    m_received.clear();
    m_pending = 0;
    if (!std::exchange(m_isKnownToGuest, false))
        return;
    m_link->send(Type::ConnectionReset, m_id);
    m_link->forget(m_id);
}

void CarriedConnection::close(const Result<>& ending)
{
    if (m_isOver)
        return;
    m_isOver = true;
    leave();
    Q_EMIT closed(ending);
}

} // namespace isol8
