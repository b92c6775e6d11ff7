// SPDX-License-Identifier: MIT
#include "engine/output/outputstream.h"

namespace isol8 {

OutputStream::OutputStream(SecretSet secrets, qint64 maxBytes)
    : m_masker(std::move(secrets))
    , m_bounder(maxBytes)
{
}

QByteArray OutputStream::feed(const QByteArray& bytes)
{
    if (m_bounder.isTruncated())
        return {};
    return m_bounder.feed(m_masker.feed(bytes));
}

QByteArray OutputStream::finish()
{
    return m_bounder.feed(m_masker.flush());
}

} // namespace isol8
