// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedguest.h"

namespace isol8::test {

using guest::Type;

void ScriptedTransport::write(const QByteArray& bytes)
{
    m_written.append(bytes);
}

QList<SentFrame> ScriptedTransport::frames() const
{
    QList<SentFrame> list;
    const auto parser = std::make_unique<guest::FrameParser>();
    const auto* data = reinterpret_cast<const unsigned char*>(m_written.constData());
    auto size = static_cast<std::size_t>(m_written.size());
    while (parser->feed(data, size) == guest::FrameParser::Status::Frame) {
        const auto& header = parser->header();
        list.append({ header.type, header.stream, header.id,
            QByteArray(reinterpret_cast<const char*>(parser->payload()), header.length) });
    }
    return list;
}

SentFrame ScriptedTransport::lastFrame(Type type) const
{
    const auto all = frames();
    for (auto it = all.crbegin(); it != all.crend(); ++it) {
        if (it->type == type)
            return *it;
    }
    return {};
}

void ScriptedTransport::greet(quint32 version, quint32 cgroupVersion)
{
    const auto nonce = lastFrame(Type::Hello).payload.mid(4);
    say(frame(Type::Hello, 0, u32(version) + nonce + u32(cgroupVersion)));
}

QByteArray ScriptedTransport::frame(
    Type type, quint32 id, const QByteArray& payload, guest::Stream stream)
{
    unsigned char header[guest::headerBytes];
    guest::encodeHeader(header, { type, stream, id, static_cast<quint32>(payload.size()) });
    return QByteArray(reinterpret_cast<const char*>(header), sizeof header) + payload;
}

QByteArray ScriptedTransport::report(quint32 id, const guest::RunReport& report)
{
    unsigned char payload[guest::RunReport::encodedBytes];
    report.encode(payload);
    return frame(
        Type::Exited, id, QByteArray(reinterpret_cast<const char*>(payload), sizeof payload));
}

QByteArray ScriptedTransport::u32(quint32 value)
{
    unsigned char bytes[4];
    guest::storeU32(bytes, value);
    return QByteArray(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

QByteArray ScriptedTransport::entry(char kind, quint64 size, const QByteArray& name)
{
    unsigned char bytes[21] = { static_cast<unsigned char>(kind) };
    guest::storeU32(bytes + 1, 0644);
    guest::storeU64(bytes + 5, size);
    guest::storeU64(bytes + 13, 1'700'000'000);
    return QByteArray(reinterpret_cast<const char*>(bytes), sizeof bytes) + name;
}

} // namespace isol8::test
