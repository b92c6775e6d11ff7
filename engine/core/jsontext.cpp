// SPDX-License-Identifier: MIT
#include "engine/core/jsontext.h"

#include "engine/core/largebuffer.h"

#include <QStringDecoder>

#include <algorithm>

namespace isol8 {

namespace {

constexpr qsizetype pieceBytes = 64 * 1024;
constexpr int longestCharacter = 4;

bool isPlain(char byte)
{
    return quint8(byte) >= 0x20 && byte != '"' && byte != '\\';
}

QByteArray escaped(char byte)
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return "\\u00" + QByteArray(1, byte).toHex();
    }
}

void appendEscaped(QByteArray& json, QByteArrayView utf8)
{
    QByteArray text;
    text.reserve(utf8.size() + utf8.size() / 8);
    for (const auto* at = utf8.begin(); at != utf8.end();) {
        const auto* const end = std::find_if_not(at, utf8.end(), isPlain);
        text.append(QByteArrayView(at, end));
        at = end;
        if (at != utf8.end())
            text.append(escaped(*at++));
    }
    appendLarge(json, text);
}

bool isAscii(QByteArrayView bytes)
{
    return std::ranges::none_of(bytes, [](char byte) { return quint8(byte) >= 0x80; });
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
