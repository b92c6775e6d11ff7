// SPDX-License-Identifier: MIT
#include "engine/guest/directory.h"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <unistd.h>

namespace isol8::guest {

void DirectoryReader::rewind()
{
    m_at = m_size = 0;
    m_error = lseek(m_fd, 0, SEEK_SET) < 0 ? errno : 0;
}

const char* DirectoryReader::next()
{
    for (;;) {
        if (m_at == m_size) {
            const ssize_t size = m_error == 0 ? getdents64(m_fd, m_buffer, sizeof m_buffer) : 0;
            if (size <= 0) {
                if (size < 0)
                    m_error = errno;
                return nullptr;
            }
            m_at = 0;
            m_size = static_cast<std::size_t>(size);
        }
        const auto* entry = reinterpret_cast<const dirent64*>(m_buffer + m_at);
        m_at += entry->d_reclen;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    }
}

} // namespace isol8::guest
