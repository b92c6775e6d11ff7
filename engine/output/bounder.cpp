// SPDX-License-Identifier: MIT
#include "engine/output/bounder.h"

#include "engine/output/utf8.h"

#include <algorithm>

namespace isol8 {

Bounder::Bounder(qint64 maxBytes)
    : m_remaining(std::max<qint64>(0, maxBytes))
{
}

QByteArray Bounder::feed(const QByteArray& bytes)
{
    if (m_isTruncated || bytes.isEmpty())
        return {};
    if (bytes.size() < m_remaining) {
        // A character that is not whole yet must find room for its rest.
        const int begun = incompleteUtf8Bytes(bytes);
        const qint64 missing
            = begun == 0 ? 0 : utf8Length(quint8(bytes[bytes.size() - begun])) - begun;
        if (bytes.size() + missing <= m_remaining) {
            m_remaining -= bytes.size();
            return bytes;
        }
        m_isTruncated = true;
        return bytes.chopped(begun);
    }
    QByteArray kept = bytes.first(m_remaining);
    kept.chop(incompleteUtf8Bytes(kept));
    m_isTruncated = kept.size() < bytes.size();
    m_remaining = 0;
    return kept;
}

} // namespace isol8
