// SPDX-License-Identifier: MIT
#include "engine/http/requesthead.h"

#include <QStringDecoder>

#include <algorithm>

namespace isol8::http {

namespace {

int hexValue(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    const char lower = char(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<QByteArray> bytesDecoded(QByteArrayView encoded)
{
    QByteArray decoded;
    decoded.reserve(encoded.size());
    for (qsizetype i = 0; i < encoded.size(); ++i) {
        if (encoded[i] != '%') {
            decoded.append(encoded[i]);
            continue;
        }
        if (i + 2 >= encoded.size())
            return std::nullopt;
        const int high = hexValue(encoded[i + 1]);
        const int low = hexValue(encoded[i + 2]);
        if (high < 0 || low < 0)
            return std::nullopt;
        decoded.append(char(high * 16 + low));
        i += 2;
    }
    return decoded;
}

std::optional<QString> text(QByteArrayView utf8)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    QString decoded = decoder(utf8);
    if (decoder.hasError())
        return std::nullopt;
    return decoded;
}

} // namespace

QByteArray RequestHead::header(QByteArrayView name) const
{
    for (const auto& field : fields) {
        if (field.name.compare(name, Qt::CaseInsensitive) == 0)
            return field.value;
    }
    return {};
}

QList<QByteArray> RequestHead::headers(QByteArrayView name) const
{
    QList<QByteArray> values;
    for (const auto& field : fields) {
        if (field.name.compare(name, Qt::CaseInsensitive) == 0)
            values.append(field.value);
    }
    return values;
}

std::optional<QString> RequestHead::queryItem(QStringView name) const
{
    for (auto item : query.split('&')) {
        item.replace('+', ' ');
        const auto equals = item.indexOf('=');
        const auto bytes
            = bytesDecoded(QByteArrayView(item).first(equals < 0 ? item.size() : equals));
        const auto key = bytes ? text(*bytes) : std::nullopt;
        if (!key || *key != name)
            continue;
        const auto value
            = bytesDecoded(equals < 0 ? QByteArrayView() : QByteArrayView(item).sliced(equals + 1));
        if (!value || value->contains('\0'))
            return std::nullopt;
        return text(*value);
    }
    return std::nullopt;
}

std::optional<QString> percentDecoded(QByteArrayView encoded)
{
    const auto bytes = bytesDecoded(encoded);
    if (!bytes)
        return std::nullopt;
    const auto isControl = [](char c) { return uchar(c) < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(*bytes, isControl))
        return std::nullopt;
    return text(*bytes);
}

} // namespace isol8::http
