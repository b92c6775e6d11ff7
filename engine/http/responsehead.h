// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/bodydecoder.h"
#include "engine/http/httplimits.h"

namespace isol8::http {

/// The checked status line and fields of one answer, final or interim (RFC 9112).
struct ResponseHead {
    int status = 0; ///< 100 to 599.
    int minorVersion = 1; ///< HTTP/1.x
    QByteArray reason;
    Fields fields; ///< In the order sent; values without the white space around them.
    /// How its body ends. Only the request tells whether there is one: see hasBody().
    BodyDecoder::Framing framing = BodyDecoder::Framing::UntilClose;
    std::optional<qint64> contentLength;

    /// False after HEAD, for 204, 304 and interim answers, and when the length is 0.
    [[nodiscard]] bool hasBody(QByteArrayView requestMethod) const;
    [[nodiscard]] bool isInterim() const { return status < 200 && status != 101; }
};

/// Parses a head that HeadScanner found. Kind::Protocol when this is no answer, or two readers
/// could see different ends of its body.
[[nodiscard]] Result<ResponseHead> parseResponseHead(QByteArrayView head, const HttpLimits& limits);

} // namespace isol8::http
