// SPDX-License-Identifier: MIT
#include "engine/http/websocketreader.h"

#include <QRandomGenerator>
#include <QUtf8StringView>
#include <QtEndian>

#include <algorithm>
#include <limits>
#include <utility>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

using Fault = WebSocketReader::Fault;

// The first two bytes of a frame (RFC 6455, section 5.2).
constexpr uchar finalFlag = 0x80;
constexpr uchar reservedFlags = 0x70;
constexpr uchar opcodeBits = 0x0f;
constexpr uchar maskFlag = 0x80;
constexpr uchar lengthBits = 0x7f;
constexpr uchar lengthIn2Bytes = 126;
constexpr uchar lengthIn8Bytes = 127;
constexpr qsizetype maxControlBytes = 125;
constexpr qsizetype maskBytes = 4;

qsizetype extendedBytes(uchar length)
{
    return length == lengthIn2Bytes ? 2 : length == lengthIn8Bytes ? 8 : 0;
}

bool isKnown(int opcode)
{
    return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

/// Codes that may be sent (RFC 6455, section 7.4).
bool isSendable(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
        || (code >= 3000 && code <= 4999);
}

/// @p at: how much of the frame's payload comes before.
void applyMask(char* payload, qsizetype size, const QByteArray& mask, int at)
{
    const char* const key = mask.constData();
    for (qsizetype i = 0; i < size; ++i)
        payload[i] = char(payload[i] ^ key[(at + i) % maskBytes]);
}

std::optional<Fault> checkClose(const QByteArray& payload)
{
    if (payload.isEmpty())
        return std::nullopt;
    if (payload.size() == 1 || !isSendable(qFromBigEndian<quint16>(payload.constData())))
        return Fault { closecode::protocolError, u"The code of the end is none"_s };
    if (!QUtf8StringView(QByteArrayView(payload).sliced(2)).isValidUtf8())
        return Fault { closecode::notUtf8, u"The reason is not UTF-8"_s };
    return std::nullopt;
}

} // namespace

QByteArray webSocketFrame(WebSocketRole sender, WebSocketOpcode opcode, const QByteArray& payload)
{
    const bool isMasked = sender == WebSocketRole::Client;
    const uchar flag = isMasked ? maskFlag : 0;
    QByteArray frame(1, char(finalFlag | uchar(opcode)));
    const auto size = payload.size();
    if (size <= maxControlBytes) {
        frame += char(flag | uchar(size));
    } else if (size <= 0xffff) {
        const auto length = qToBigEndian(quint16(size));
        frame += char(flag | lengthIn2Bytes);
        frame.append(reinterpret_cast<const char*>(&length), sizeof length);
    } else {
        const auto length = qToBigEndian(quint64(size));
        frame += char(flag | lengthIn8Bytes);
        frame.append(reinterpret_cast<const char*>(&length), sizeof length);
    }
    if (!isMasked)
        return frame + payload;
    const auto number = QRandomGenerator::system()->generate();
    const QByteArray mask(reinterpret_cast<const char*>(&number), maskBytes);
    frame += mask;
    const auto begin = frame.size();
    frame += payload;
    applyMask(frame.data() + begin, size, mask, 0);
    return frame;
}

QByteArray closePayload(int code, const QString& reason)
{
    const auto bigEndian = qToBigEndian(quint16(code));
    const QByteArray payload(reinterpret_cast<const char*>(&bigEndian), sizeof bigEndian);
    auto text = reason.toUtf8();
    // No character is cut: the other side would take the frame for a broken one.
    auto room = std::min(text.size(), maxControlBytes - payload.size());
    while (room > 0 && room < text.size() && (uchar(text[room]) & 0xc0) == 0x80)
        --room;
    return payload + text.first(room);
}

WebSocketReader::Reading WebSocketReader::feed(QByteArrayView bytes)
{
    Reading reading;
    while (!bytes.isEmpty() && !m_isEnded && !reading.fault) {
        if (m_payloadLeft < 0) {
            reading.fault = takeHeaderByte(bytes.front());
            bytes = bytes.sliced(1);
        } else {
            const auto taken = qsizetype(std::min<qint64>(bytes.size(), m_payloadLeft));
            takePayload(bytes.first(taken));
            bytes = bytes.sliced(taken);
        }
        if (m_payloadLeft == 0 && !reading.fault)
            reading.fault = endFrame(reading.items);
    }
    m_isEnded = m_isEnded || reading.fault;
    return reading;
}

bool WebSocketReader::isControl() const
{
    return m_opcode >= WebSocketOpcode::Close;
}

std::optional<Fault> WebSocketReader::takeHeaderByte(char byte)
{
    constexpr qsizetype startBytes = 2;
    m_header += byte;
    if (m_header.size() == startBytes) {
        if (auto fault = checkStart())
            return fault;
    }
    const auto keyBytes = m_role == WebSocketRole::Server ? maskBytes : 0;
    if (m_header.size() < startBytes
        || m_header.size() < startBytes + extendedBytes(uchar(m_header[1]) & lengthBits) + keyBytes)
        return std::nullopt;
    return beginFrame();
}

/// Of the first two bytes.
std::optional<Fault> WebSocketReader::checkStart() const
{
    const auto first = uchar(m_header[0]);
    const auto second = uchar(m_header[1]);
    const int opcode = first & opcodeBits;
    const auto protocolError
        = [](const QString& reason) { return Fault { closecode::protocolError, reason }; };
    if ((first & reservedFlags) != 0 || !isKnown(opcode))
        return protocolError(u"A frame has a flag or an opcode that means nothing"_s);
    if (((second & maskFlag) != 0) != (m_role == WebSocketRole::Server))
        return protocolError(m_role == WebSocketRole::Server
                ? u"Frames of clients are masked"_s
                : u"Frames of servers are not masked"_s);
    if (opcode >= int(WebSocketOpcode::Close)) {
        if ((first & finalFlag) == 0 || (second & lengthBits) > maxControlBytes)
            return protocolError(u"A control frame is too large or in pieces"_s);
    } else if ((opcode == int(WebSocketOpcode::Continuation)) != m_isFragmented) {
        return protocolError(u"A message begins within another, or goes on before it begins"_s);
    }
    return std::nullopt;
}

std::optional<Fault> WebSocketReader::beginFrame()
{
    const auto length = uchar(m_header[1]) & lengthBits;
    const char* const extended = m_header.constData() + 2;
    const quint64 size = length == lengthIn2Bytes ? qFromBigEndian<quint16>(extended)
        : length == lengthIn8Bytes                ? qFromBigEndian<quint64>(extended)
                                                  : quint64(length);
    m_opcode = WebSocketOpcode(uchar(m_header[0]) & opcodeBits);
    m_isFinal = (uchar(m_header[0]) & finalFlag) != 0;
    m_mask = m_role == WebSocketRole::Server ? m_header.last(maskBytes) : QByteArray();
    m_maskAt = 0;
    m_header.clear();
    if (size > quint64(std::numeric_limits<qint64>::max()))
        return Fault { closecode::protocolError, u"The length of a frame is none"_s };
    if (!isControl() && size > quint64(m_maxMessageBytes - m_message.size()))
        return Fault { closecode::tooLarge, u"The message is too large"_s };
    m_payloadLeft = qint64(size);
    if (!isControl() && m_opcode != WebSocketOpcode::Continuation)
        m_messageOpcode = m_opcode;
    return std::nullopt;
}

void WebSocketReader::takePayload(QByteArrayView bytes)
{
    auto& target = isControl() ? m_control : m_message;
    const auto begin = target.size();
    target.append(bytes);
    if (!m_mask.isEmpty())
        applyMask(target.data() + begin, bytes.size(), m_mask, m_maskAt);
    m_maskAt = int((m_maskAt + bytes.size()) % maskBytes);
    m_payloadLeft -= bytes.size();
}

std::optional<Fault> WebSocketReader::endFrame(QList<Item>& items)
{
    m_payloadLeft = -1;
    if (isControl()) {
        const auto payload = std::exchange(m_control, {});
        if (m_opcode == WebSocketOpcode::Close) {
            if (auto fault = checkClose(payload))
                return fault;
            m_isEnded = true;
        }
        items << Item { m_opcode, payload };
        return std::nullopt;
    }
    m_isFragmented = !m_isFinal;
    if (m_isFragmented)
        return std::nullopt;
    const auto message = std::exchange(m_message, {});
    if (m_messageOpcode == WebSocketOpcode::Text && !QUtf8StringView(message).isValidUtf8())
        return Fault { closecode::notUtf8, u"A text is not UTF-8"_s };
    items << Item { m_messageOpcode, message };
    return std::nullopt;
}

} // namespace isol8::http
