// SPDX-License-Identifier: MIT
#include "app/serve/maskcheck.h"

#include <QtEndian>

namespace isol8::serve {

namespace {

constexpr char maskFlag = char(0x80);
constexpr qsizetype maskBytes = 4;

/// Bytes that a length of 126 or 127 stands for (RFC 6455, section 5.2).
qsizetype extendedBytes(char length)
{
    return length == 126 ? 2 : length == 127 ? 8 : 0;
}

quint64 payloadLength(const QByteArray& header)
{
    const char length = char(header[1] & ~maskFlag);
    switch (extendedBytes(length)) {
    case 2:
        return qFromBigEndian<quint16>(header.constData() + 2);
    case 8:
        return qFromBigEndian<quint64>(header.constData() + 2);
    default:
        return quint64(length);
    }
}

} // namespace

bool MaskCheck::feed(QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        if (m_payloadLeft > 0) {
            const auto skipped = std::min(m_payloadLeft, quint64(bytes.size()));
            skip(skipped);
            bytes = bytes.sliced(qsizetype(skipped));
            continue;
        }
        m_header += bytes.front();
        bytes = bytes.sliced(1);
        if (m_header.size() < 2)
            continue;
        if ((m_header[1] & maskFlag) == 0)
            return false;
        if (m_header.size() == 2 + extendedBytes(char(m_header[1] & ~maskFlag)) + maskBytes) {
            m_payloadLeft = payloadLength(m_header);
            m_header.clear();
        }
    }
    return true;
}

} // namespace isol8::serve
