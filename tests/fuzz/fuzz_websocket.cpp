// SPDX-License-Identifier: MIT
// The other side of a WebSocket sends arbitrary bytes; the first one says which side that is. What
// is read does not depend on how they were cut, is no more than came; what we send is read back.
#include "engine/http/websocketreader.h"

#include <cstdint>
#include <cstdlib>

using namespace isol8::http;

namespace {

constexpr qint64 maxMessageBytes = 4096;

void require(bool condition)
{
    if (!condition)
        std::abort();
}

struct Found {
    QList<WebSocketReader::Item> items;
    int fault = 0;

    bool operator==(const Found&) const = default;
};

Found found(WebSocketRole role, QByteArrayView bytes, qsizetype pieceBytes)
{
    WebSocketReader reader(role, maxMessageBytes);
    Found found;
    for (qsizetype at = 0; at < bytes.size() && found.fault == 0; at += pieceBytes) {
        const auto reading = reader.feed(bytes.mid(at, std::min(pieceBytes, bytes.size() - at)));
        found.items += reading.items;
        if (reading.fault)
            found.fault = reading.fault->code;
    }
    return found;
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const auto role = data[0] % 2 == 0 ? WebSocketRole::Server : WebSocketRole::Client;
    const auto other
        = role == WebSocketRole::Server ? WebSocketRole::Client : WebSocketRole::Server;
    const QByteArrayView bytes(data + 1, static_cast<qsizetype>(size) - 1);
    const auto whole = found(role, bytes, bytes.size() + 1);
    qsizetype payloadBytes = 0;
    for (const auto& item : whole.items) {
        require(item.opcode != WebSocketOpcode::Continuation);
        require(item.payload.size() <= maxMessageBytes);
        payloadBytes += item.payload.size();
        const auto again = found(role, webSocketFrame(other, item.opcode, item.payload), 1);
        require(again.fault == 0 && again.items == QList { item });
    }
    require(payloadBytes <= bytes.size());
    for (const qsizetype pieceBytes : { 1, 2, 5, 64 })
        require(found(role, bytes, pieceBytes) == whole);
    return 0;
}
