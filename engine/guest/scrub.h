// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/cgroup.h"
#include "engine/guest/framewriter.h"
#include "engine/guest/mounts.h"
#include "engine/guest/processes.h"
#include "engine/guest/system.h"

namespace isol8::guest {

/// Makes the sandbox as new, and says so only if it is. A child that has become the program's user
/// empties what programs can write; process 1 only restores times of its own directories.
class Scrub {
public:
    Scrub(FrameWriter& host, Processes& processes, const Cgroup& cgroup);

    [[nodiscard]] bool isActive() const { return m_result.isOpen(); }

    /// Answers with Scrubbed when it is over. The caller has killed everything.
    void start(std::uint32_t id);
    void reset();

    void addTo(PollSet& set);
    void serve(const PollSet& set);

private:
    void finish(int error, const char* text);
    void restoreOwnTimes() const;

    FrameWriter& m_host;
    Processes& m_processes;
    const Cgroup& m_cgroup;
    Mounts m_mounts;
    std::uint32_t m_id = 0;
    bool m_isReserveUsed = false;
    Descriptor m_result;
    int m_pollIndex = -1;
};

} // namespace isol8::guest
