// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/system.h"

#include <sys/stat.h>

namespace isol8::guest {

/// The file that the program which was started ahead will open: empty and under a lease, so that
/// open(2) of it waits; then filled with what the host puts there. Process 1 does that itself,
/// since nobody's code has run beside it: a process for it would be half of what a short run costs.
class AwaitedFile {
public:
    /// Makes it for the program's user. False, with errno: there is none.
    bool make(const char* path, std::size_t pathSize);
    [[nodiscard]] bool isOpen() const { return m_file.isOpen(); }
    [[nodiscard]] bool isAt(const unsigned char* path, std::size_t size) const;

    /// Lets whoever waits go on.
    void endLease();
    /// The program goes on, or is gone: the file is only left behind where it was put.
    void leave();

    /// Begins the host's operation @p id. False: it has been put already.
    bool beginPut(std::uint32_t id, mode_t mode, std::uint64_t size);
    [[nodiscard]] bool isPutBy(std::uint32_t id) const { return id != 0 && id == m_putId; }
    [[nodiscard]] std::uint32_t putId() const { return m_putId; } ///< 0: none is under way.
    /// These return an errno; with one the put is over.
    int data(const unsigned char* bytes, std::size_t size);
    int endPut();
    void abortPut();

private:
    int fail(int error);

    static constexpr std::size_t maxPathBytes = 64;

    Descriptor m_file;
    struct stat m_state {};
    bool m_isFilled = false;
    std::uint32_t m_putId = 0;
    mode_t m_mode = 0;
    std::uint64_t m_size = 0;
    std::uint64_t m_written = 0;
    char m_path[maxPathBytes] = {};
};

} // namespace isol8::guest
