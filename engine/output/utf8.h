// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QString>

namespace isol8 {

/// Bytes of the UTF-8 character that @p byte begins, 1 to 4; 1 for a byte that begins none.
[[nodiscard]] int utf8Length(quint8 byte);

/// Bytes at the end of @p bytes, 0 to 3, that begin a UTF-8 character whose rest is missing.
[[nodiscard]] int incompleteUtf8Bytes(QByteArrayView bytes);

/// Decodes a stream of UTF-8 wherever it was cut. Each bad byte becomes U+FFFD; a byte order mark
/// stays.
class Utf8Decoder {
public:
    [[nodiscard]] QString feed(const QByteArray& bytes);
    /// The end: so does each byte of a character that was only begun.
    [[nodiscard]] QString finish();

private:
    QByteArray m_waiting;
};

} // namespace isol8
