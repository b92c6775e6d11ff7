// SPDX-License-Identifier: MIT
#include "engine/http/websockethandshake.h"

#include "engine/http/answerhead.h"

#include <QCryptographicHash>
#include <QRandomGenerator>

#include <algorithm>
#include <array>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype keyBytes = 16;

/// What proves that the other side knows the protocol; the constant is its own (section 1.3).
QByteArray acceptOf(const QByteArray& key)
{
    return QCryptographicHash::hash(
        key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1)
        .toBase64();
}

} // namespace

Result<> checkWebSocketRequest(const RequestHead& head)
{
    if (!head.isUpgrade)
        return failure(Kind::Invalid, u"This path speaks WebSocket only"_s, 426);
    const auto versions = head.headers("sec-websocket-version");
    const auto keys = head.headers("sec-websocket-key");
    const bool hasKey = keys.size() == 1
        && QByteArray::fromBase64(keys.front(), QByteArray::AbortOnBase64DecodingErrors).size()
            == keyBytes;
    if (versions.size() != 1 || !hasKey)
        return failure(Kind::Invalid, u"The WebSocket handshake is malformed"_s, 400);
    if (versions.front() != "13")
        return failure(Kind::Invalid, u"The only version of WebSocket known is 13"_s, 426);
    return {};
}

QByteArray webSocketAnswer(const RequestHead& head)
{
    return answerHead(101,
        { { "Upgrade", "websocket" }, { "Connection", "Upgrade" },
            { "Sec-WebSocket-Accept", acceptOf(head.header("sec-websocket-key")) } });
}

QByteArray newWebSocketKey()
{
    std::array<quint32, keyBytes / sizeof(quint32)> numbers {};
    QRandomGenerator::system()->fillRange(numbers.data(), numbers.size());
    return QByteArray(reinterpret_cast<const char*>(numbers.data()), keyBytes).toBase64();
}

QByteArray webSocketRequest(
    const QByteArray& target, const QByteArray& host, const Fields& fields, const QByteArray& key)
{
    QByteArray request = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
    for (const auto& field : fields)
        request += field.name + ": " + field.value + "\r\n";
    return request
        + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: "
        + key + "\r\n\r\n";
}

bool isWebSocketAnswer(const ResponseHead& head, const QByteArray& key)
{
    const auto value = [&head](const char* name) {
        const auto found = std::ranges::find_if(head.fields, [name](const Field& field) {
            return field.name.compare(name, Qt::CaseInsensitive) == 0;
        });
        return found == head.fields.end() ? QByteArray() : found->value;
    };
    return head.status == 101 && value("Upgrade").compare("websocket", Qt::CaseInsensitive) == 0
        && value("Sec-WebSocket-Accept") == acceptOf(key);
}

} // namespace isol8::http
