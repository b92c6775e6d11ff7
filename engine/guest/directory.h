// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace isol8::guest {

/// Names in an open directory, with a buffer of its own instead of opendir(3)'s allocation.
class DirectoryReader {
public:
    explicit DirectoryReader(int fd)
        : m_fd(fd)
    {
    }

    void rewind();
    /// The next name, without "." and ".."; nullptr at the end or after an error. Valid until the
    /// next call.
    const char* next();
    [[nodiscard]] int error() const { return m_error; }

private:
    int m_fd;
    int m_error = 0;
    std::size_t m_at = 0;
    std::size_t m_size = 0;
    alignas(8) char m_buffer[32 * 1024];
};

} // namespace isol8::guest
