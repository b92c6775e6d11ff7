// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8 {

/// Appends what a program printed as a string of JSON (RFC 8259) with its quotation marks: decoded
/// as UTF-8, bad bytes as U+FFFD. The same text as QJsonDocument writes, but never in memory as
/// anything else, so that many megabytes of output hold nobody up.
void appendJsonString(QByteArray& json, QByteArrayView output);

/// Appends bytes as a string of JSON in base64.
void appendBase64String(QByteArray& json, QByteArrayView bytes);

/// @p output without the white space at its end, as it is after decoding (QChar::isSpace()).
[[nodiscard]] QByteArrayView withoutTrailingSpace(QByteArrayView output);

} // namespace isol8
