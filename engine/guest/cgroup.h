// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/system.h"

namespace isol8::guest {

/// The counters of the container's own control groups, version 1 or 2, as far as they can be read.
class Cgroup {
public:
    Cgroup();

    /// Of the memory controller: 0 (none found), 1 or 2.
    [[nodiscard]] std::uint32_t version() const { return m_version; }

    struct Counters {
        std::uint64_t peakBytes = 0; ///< Since the container started; 0: not known.
        std::uint64_t oomKills = 0;
        std::uint64_t pidsRefused = 0;
    };
    [[nodiscard]] Counters read() const;

    /// What is used at the moment; zeroes where it cannot be told.
    struct Usage {
        std::uint64_t cpuMicroseconds = 0; ///< Since the container started.
        std::uint64_t memoryBytes = 0; ///< Without the cache of files on disk, where that is told.
    };
    [[nodiscard]] Usage usage() const;

    /// Whether so much more memory can be used before the limit. False where it cannot be told.
    [[nodiscard]] bool hasRoomFor(std::uint64_t bytes) const;

private:
    std::uint32_t m_version = 0;
    Descriptor m_peak;
    Descriptor m_oom;
    Descriptor m_statistics;
    Descriptor m_pids;
    Descriptor m_cpu;
    Descriptor m_memory;
    Descriptor m_limit;
};

} // namespace isol8::guest
