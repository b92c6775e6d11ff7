// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8::serve {

/// Looks whether every frame of a WebSocket client is masked (RFC 6455, section 5.1), which Qt does
/// not. Pure.
class MaskCheck {
public:
    /// The client's next bytes. False at the first frame that is not masked.
    [[nodiscard]] bool feed(QByteArrayView bytes);
    /// The same for bytes that nobody needs to look at: at most payloadLeft().
    void skip(quint64 bytes) { m_payloadLeft -= bytes; }
    /// What is left of the frame that the last bytes belonged to.
    [[nodiscard]] quint64 payloadLeft() const { return m_payloadLeft; }

private:
    QByteArray m_header; ///< Of the next frame, as far as it is there.
    quint64 m_payloadLeft = 0;
};

} // namespace isol8::serve
