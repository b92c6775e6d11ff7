// SPDX-License-Identifier: MIT
#pragma once

#include <QtTypes>

#include <chrono>

namespace isol8::proxy {

/// What the programs of one run may use of its FilteredNetwork. All of it ends with the run.
struct ProxyLimits {
    int maxConnections = 256; ///< Open at the same time; more are answered 503.
    qint64 maxHeadBytes = 256 << 10; ///< Of a request (431) or an answer (502).
    int maxHeadFields = 500; ///< The same.
    int maxLookups = 4; ///< Names resolved at the same time; more wait.

    std::chrono::milliseconds headTimeout { 30'000 }; ///< From a request's first byte on; 408.
    std::chrono::milliseconds idleTimeout { 300'000 }; ///< Between two requests; closes silently.
    std::chrono::milliseconds lookupTimeout { 20'000 }; ///< 504; includes the wait.
    std::chrono::milliseconds connectTimeout { 20'000 }; ///< 504; all addresses together.
    std::chrono::milliseconds answerTimeout { 300'000 }; ///< Silence before and in an answer; 504.
    std::chrono::milliseconds lingerTimeout { 300'000 }; ///< For a slow reader of a last answer.

    qint64 highWaterBytes = 512 << 10; ///< Unsent bytes at which the sender is held back …
    qint64 lowWaterBytes = 128 << 10; ///< … and at which it may go on.
};

} // namespace isol8::proxy
