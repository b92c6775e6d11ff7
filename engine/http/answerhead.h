// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/requesthead.h"

namespace isol8::http {

/// Status line and fields of an answer with Date (RFC 9110, section 6.6.1), up to and with the
/// empty line. Line breaks in a field become spaces, so that no value can add a field.
[[nodiscard]] QByteArray answerHead(int status, const Fields& fields);

/// `{"error": "<message>"}` and the fields that go with it.
[[nodiscard]] QByteArray errorBody(const QString& message);

} // namespace isol8::http
