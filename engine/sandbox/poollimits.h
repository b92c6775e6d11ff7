// SPDX-License-Identifier: MIT
#pragma once

#include <QtTypes>

#include <chrono>
#include <limits>

namespace isol8 {

/// How a pool is kept.
struct PoolLimits {
    bool isReusing = true; ///< Clean and use again; else each sandbox is used once.
    bool isPrestarting = true;
    int ready = 1; ///< Sandboxes that nobody has used, kept of each configuration that is wanted.
    int maxSandboxes = 20; ///< That nobody uses now, of all configurations together.
    std::chrono::milliseconds idle { 300'000 }; ///< Unused for so long, one beyond `ready` ends.
    int maxUses = 1000; ///< Of one sandbox.
    /// Programs that are starting, or sandboxes that are made ready for the next, at a time; see
    /// StartGate.
    int maxStarting = std::numeric_limits<int>::max();
    qint64 maxMemoryBytes = 2LL << 30; ///< Of those that nobody uses now.
};

/// What a pool is doing, and what it has done since it was made.
struct PoolFigures {
    int unused = 0; ///< Ready, and never used.
    int used = 0; ///< Ready again.
    int cleaning = 0;
    int making = 0;
    int taken = 0; ///< In use.
    int waiting = 0; ///< Who wait for one.
    qint64 memoryBytes = 0; ///< Of those that are ready, as far as it is known.
    qint64 hits = 0; ///< Asked for, and there at once.
    qint64 waits = 0; ///< Asked for, and waited for.
    qint64 ahead = 0; ///< Runs whose interpreter had been started before they came.
    qint64 made = 0;
    qint64 cleaned = 0;
    qint64 discarded = 0;
    qint64 failures = 0; ///< To make or to clean one.
};

} // namespace isol8
