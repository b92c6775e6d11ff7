// SPDX-License-Identifier: MIT
#pragma once

#include <QtTypes>

#include <chrono>

namespace isol8::http {

/// What one client, and all of them together, may use of an HttpServer. Beyond a bound the client
/// gets the status named here and its connection is closed.
struct HttpLimits {
    int maxHeaderFields = 100; ///< 431
    qint64 maxHeaderBytes
        = 32 << 10; ///< Request line and fields; 414 in the request line, else 431.
    qint64 maxBodyBytes = 64 << 20; ///< 413; an upper bound for every Exchange::readBody().
    int maxConnections = 1024; ///< 503
    int maxConnectionsPerAddress = 64; ///< 429; an IPv6 /64 counts as one. Not for local sockets.
    qint64 maxPendingBytes
        = 16 << 20; ///< Unsent bytes of a stream; beyond it the client is cut off.

    std::chrono::milliseconds headerTimeout { 10'000 }; ///< 408; includes the TLS handshake.
    std::chrono::milliseconds idleTimeout { 60'000 }; ///< Between two requests; closes silently.
    std::chrono::milliseconds bodyTimeout { 30'000 }; ///< 408; between two bytes of a body.
    std::chrono::milliseconds writeTimeout { 30'000 }; ///< Without progress; the client is cut off.
};

} // namespace isol8::http
