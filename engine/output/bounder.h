// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8 {

/// Lets the first @p maxBytes of a stream through and drops the rest. Never ends within a UTF-8
/// character that was whole in the stream, so up to 3 bytes less may pass.
class Bounder {
public:
    explicit Bounder(qint64 maxBytes);

    [[nodiscard]] QByteArray feed(const QByteArray& bytes);
    /// Something was dropped; everything from now on will be.
    [[nodiscard]] bool isTruncated() const { return m_isTruncated; }

private:
    qint64 m_remaining;
    bool m_isTruncated = false;
};

} // namespace isol8
