// SPDX-License-Identifier: MIT
#include "engine/output/utf8.h"

#include <QStringDecoder>

#include <algorithm>

namespace isol8 {

namespace {

QString decoded(const QByteArray& bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8,
        QStringDecoder::Flag::Stateless | QStringDecoder::Flag::ConvertInitialBom);
    return decoder(bytes);
}

} // namespace

int utf8Length(quint8 byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return 2;
    if (byte >= 0xe0 && byte <= 0xef)
        return 3;
    if (byte >= 0xf0 && byte <= 0xf4)
        return 4;
    return 1;
}

int incompleteUtf8Bytes(QByteArrayView bytes)
{
    const int most = int(std::min<qsizetype>(3, bytes.size()));
    for (int count = 1; count <= most; ++count) {
        const auto byte = quint8(bytes[bytes.size() - count]);
        if ((byte & 0xc0) != 0x80)
            return utf8Length(byte) > count ? count : 0;
    }
    return 0;
}

QString Utf8Decoder::feed(const QByteArray& bytes)
{
    const QByteArray all = m_waiting + bytes;
    const qsizetype complete = all.size() - incompleteUtf8Bytes(all);
    m_waiting = all.sliced(complete);
    return decoded(all.first(complete));
}

QString Utf8Decoder::finish()
{
    return decoded(std::exchange(m_waiting, {}));
}

} // namespace isol8
