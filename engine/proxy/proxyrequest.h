// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/hostname.h"
#include "engine/http/httplimits.h"
#include "engine/http/requesthead.h"

namespace isol8::proxy {

/// One request to the proxy: what it asks for is in its target alone, never in its Host field.
struct ProxyRequest {
    http::RequestHead head;
    HostAndPort target;
    QByteArray path; ///< With the query, for the host itself; empty for CONNECT.

    [[nodiscard]] bool isConnect() const { return head.method == "CONNECT"; }
};

/// Reads a head that http::HeadScanner found: `CONNECT host:port`, or a method and `http://…`.
/// Errors carry the status of the answer in httpStatus: 400, 417, 431, 501, 505.
[[nodiscard]] Result<ProxyRequest> parseProxyRequest(
    QByteArrayView head, const http::HttpLimits& limits);

} // namespace isol8::proxy
