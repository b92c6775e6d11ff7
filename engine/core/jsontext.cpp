// SPDX-License-Identifier: MIT
#include "engine/core/jsontext.h"

#include "engine/core/largebuffer.h"

#include <QStringDecoder>

#include <algorithm>
#include <cstring>

namespace isol8 {

namespace {

constexpr qsizetype pieceBytes = 64 * 1024;
constexpr int longestCharacter = 4;

bool isPlain(char byte)
{
    return quint8(byte) >= 0x20 && byte != '"' && byte != '\\';
}

/// How many bytes at the beginning of @p text are plain. Nearly all are, so eight are looked at
/// together: in `special` a byte's highest bit is set where it is below 0x20, or one of the two.
qsizetype plainBytes(QByteArrayView text)
{
    constexpr quint64 each = 0x0101010101010101;
    constexpr quint64 highest = each * 0x80;
    qsizetype at = 0;
    for (; at + qsizetype(sizeof(quint64)) <= text.size(); at += sizeof(quint64)) {
        quint64 bytes = 0;
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        const quint64 quote = bytes ^ each * '"';
        const quint64 backslash = bytes ^ each * '\\';
        const quint64 special = ((bytes - each * 0x20) & ~bytes) | ((quote - each) & ~quote)
            | ((backslash - each) & ~backslash);
        if (special & highest)
            break;
    }
    while (at < text.size() && isPlain(text[at]))
        ++at;
    return at;
}

void appendEscape(QByteArray& text, char byte)
{
    switch (byte) {
    case '"':
        text.append("\\\"");
        break;
    case '\\':
        text.append("\\\\");
        break;
    case '\b':
        text.append("\\b");
        break;
    case '\f':
        text.append("\\f");
        break;
    case '\n':
        text.append("\\n");
        break;
    case '\r':
        text.append("\\r");
        break;
    case '\t':
        text.append("\\t");
        break;
    default:
        text.append("\\u00" + QByteArray(1, byte).toHex());
    }
}

void appendEscaped(QByteArray& json, QByteArrayView utf8)
{
    QByteArray text;
    text.reserve(utf8.size() + utf8.size() / 8);
    while (!utf8.isEmpty()) {
        const auto plain = plainBytes(utf8);
        text.append(utf8.first(plain));
        if (plain == utf8.size())
            break;
        appendEscape(text, utf8[plain]);
        utf8 = utf8.sliced(plain + 1);
    }
    appendLarge(json, text);
}

/// Without an early end, so that the compiler can take many bytes at a time.
bool isAscii(QByteArrayView bytes)
{
    quint8 all = 0;
    for (const char byte : bytes)
        all |= quint8(byte);
    return all < 0x80;
}

/// As everywhere in isol8: a byte order mark stays.
QString decoded(QByteArrayView utf8)
{
    QStringDecoder decoder(QStringDecoder::Utf8,
        QStringDecoder::Flag::Stateless | QStringDecoder::Flag::ConvertInitialBom);
    return decoder(utf8);
}

bool goesOn(char byte)
{
    return (quint8(byte) & 0xc0) == 0x80;
}

/// The beginning of @p output, so that it is not cut within a character.
QByteArrayView firstPiece(QByteArrayView output)
{
    if (output.size() <= pieceBytes)
        return output;
    for (auto end = pieceBytes; end > pieceBytes - longestCharacter; --end) {
        if (!goesOn(output[end]))
            return output.first(end);
    }
    return output.first(pieceBytes); // No character has so many bytes.
}

/// Bytes of the character at the end of @p output if that is white space, else 0.
qsizetype trailingSpaceBytes(QByteArrayView output)
{
    for (int size = 1; size <= std::min<qsizetype>(longestCharacter, output.size()); ++size) {
        const auto character = output.last(size);
        if (goesOn(character.front()))
            continue; // It began before.
        const QString text = decoded(character);
        return text.size() == 1 && text.front().isSpace() ? size : 0;
    }
    return 0;
}

} // namespace

void appendJsonString(QByteArray& json, QByteArrayView output)
{
    json.append('"');
    while (!output.isEmpty()) {
        const auto piece = firstPiece(output);
        if (isAscii(piece))
            appendEscaped(json, piece);
        else
            appendEscaped(json, decoded(piece).toUtf8());
        output = output.sliced(piece.size());
    }
    json.append('"');
}

void appendBase64String(QByteArray& json, QByteArrayView bytes)
{
    constexpr qsizetype wholeGroups = pieceBytes / 3 * 3;
    json.append('"');
    while (!bytes.isEmpty()) {
        const auto size = std::min(wholeGroups, bytes.size());
        appendLarge(json, QByteArray::fromRawData(bytes.data(), size).toBase64());
        bytes = bytes.sliced(size);
    }
    json.append('"');
}

QByteArrayView withoutTrailingSpace(QByteArrayView output)
{
    while (const auto size = trailingSpaceBytes(output))
        output.chop(size);
    return output;
}

} // namespace isol8
