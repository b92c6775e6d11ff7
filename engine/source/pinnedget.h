// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/source/sourcerules.h"

namespace isol8 {

/// One GET to an address that has been checked: no name is resolved, no proxy used, no redirect
/// followed, no cookie kept.
struct PinnedRequest {
    SourceTarget target; ///< Named in the request and proven by the server's certificate.
    QHostAddress address; ///< What is connected to.
    QByteArray caBundle; ///< PEM, trusted in addition to this machine's own.
    qint64 maxBytes = 0; ///< Of the body, as it is sent and as it is decoded.
    std::chrono::milliseconds connectTimeout { 0 }; ///< Until the request is sent; 0: none.
};

struct PinnedAnswer {
    int status = 0;
    QByteArray location; ///< Of a redirect, as sent.
    QByteArray body; ///< Decoded; only of status 200.
};

/// Ends with the answer's head for every status but 200. Kind::Unreachable when the server cannot
/// be talked to (another address may do), Denied for a certificate that is not trusted, Limit for
/// too large a body, Protocol for a broken answer, Cancelled.
[[nodiscard]] Task<PinnedAnswer> pinnedGet(PinnedRequest request, CancelToken cancel);

/// Undoes a Content-Encoding; Kind::Limit as soon as there are more than @p maxBytes.
[[nodiscard]] Result<QByteArray> decodedBody(
    const QByteArray& body, const QByteArray& encoding, qint64 maxBytes);

} // namespace isol8
