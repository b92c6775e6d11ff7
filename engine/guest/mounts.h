// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <sys/stat.h>

namespace isol8::guest {

/// The places that a program might be able to write, as they were before the first one ran.
class Mounts {
public:
    struct Mount {
        char path[256];
        bool isMemory; ///< tmpfs or mqueue: can be emptied and proved empty.
        struct stat state;
    };

    /// Reads /proc/self/mountinfo.
    Mounts();

    /// False: some could not be remembered, so nothing can ever be proved clean.
    [[nodiscard]] bool isComplete() const { return m_isComplete; }
    [[nodiscard]] const Mount* begin() const { return m_mounts; }
    [[nodiscard]] const Mount* end() const { return m_mounts + m_count; }

private:
    void add(char* line);

    static constexpr std::size_t maxMounts = 64;
    Mount m_mounts[maxMounts] = {};
    std::size_t m_count = 0;
    bool m_isComplete = true;
};

} // namespace isol8::guest
