// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/http/httplimits.h"
#include "engine/http/requesthead.h"

namespace isol8::http {

/// Finds the end of a request's head in bytes that grow, and refuses at the first byte that no head
/// can hold: control characters, a CR or LF alone, a folded line (RFC 9112, section 5.2). Pure.
class HeadScanner {
public:
    explicit HeadScanner(const HttpLimits& limits)
        : m_limits(limits)
    {
    }

    /// @p bytes begins with the same bytes as in the call before. The length of the head with its
    /// empty line, or 0 when that has not arrived. Errors carry 400, 414 or 431 in httpStatus.
    [[nodiscard]] Result<qint64> scan(QByteArrayView bytes);

private:
    HttpLimits m_limits;
    qint64 m_scannedBytes = 0;
    qint64 m_lineStart = 0;
    bool m_isInRequestLine = true;
};

/// What a request may ask for.
enum class TargetForm {
    Path, ///< Of this server; fills in path and query.
    Any, ///< Of a proxy, which reads the target itself; visible ASCII without `#`.
};

/// Parses a head that HeadScanner found. Errors carry the status of the answer in httpStatus: 400,
/// 417, 431, 501, 505.
[[nodiscard]] Result<RequestHead> parseHead(
    QByteArrayView head, const HttpLimits& limits, TargetForm form = TargetForm::Path);

} // namespace isol8::http
