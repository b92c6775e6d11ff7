// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace isol8::guest {

/// A process of ours whose end matters. Watched by address.
struct Child {
    pid_t pid = 0;
    bool hasEnded = true;
    int status = 0; ///< As of wait(2), once it has ended.
    int stopSignal = 0; ///< Of a traced one: it has stopped before this signal reached it.
};

/// Every process of the sandbox is a child of process 1 or becomes one. Reaps them all.
class Processes {
public:
    /// False when too many are watched.
    bool watch(Child& child);
    void forget(Child& child);

    /// Reaps who has ended.
    void reap();
    /// Kills every process but this one and who is spared, however it hides, and waits until none
    /// is left. False when that could not be reached within some seconds.
    bool killAll();
    /// @p child, which is watched and not of the program's user, survives killAll().
    void spare(const Child& child) { m_spared = child.pid; }
    void spareNobody() { m_spared = 0; }

    /// Largest resident set among the children reaped since startCounting(), and their times.
    void startCounting();
    struct Usage {
        std::uint64_t userMicroseconds = 0;
        std::uint64_t systemMicroseconds = 0;
        std::uint64_t largestBytes = 0;
    };
    [[nodiscard]] Usage usage() const;

private:
    /// True when there was somebody to reap.
    bool reapOne();
    bool killAllButSpared();

    static constexpr int maxWatched = 16;
    Child* m_watched[maxWatched] = {};
    pid_t m_spared = 0; ///< 0: nobody.
    Usage m_atStart;
    std::uint64_t m_largestBytes = 0;
};

} // namespace isol8::guest
