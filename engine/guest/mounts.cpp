// SPDX-License-Identifier: MIT
#include "engine/guest/mounts.h"

#include "engine/guest/system.h"

#include <cstring>
#include <fcntl.h>

namespace isol8::guest {

namespace {

/// File systems of the kernel's own, in which a program cannot leave anything.
bool isKernels(const char* type)
{
    static constexpr const char* names[] = { "proc", "sysfs", "devpts", "cgroup", "cgroup2", "nsfs",
        "debugfs", "tracefs", "securityfs" };
    for (const char* name : names) {
        if (strcmp(type, name) == 0)
            return true;
    }
    return false;
}

/// proc(5) writes space, tab, line break and backslash as three octal digits.
void unescape(char* text)
{
    char* to = text;
    for (const char* from = text; *from; ++to) {
        const bool isEscape = from[0] == '\\' && from[1] && from[2] && from[3];
        *to = isEscape
            ? static_cast<char>((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'))
            : *from;
        from += isEscape ? 4 : 1;
    }
    *to = 0;
}

bool isWritable(const char* options)
{
    return strncmp(options, "rw", 2) == 0 && (options[2] == ',' || options[2] == 0);
}

} // namespace

Mounts::Mounts()
{
    const Descriptor file(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    static char text[64 * 1024];
    std::size_t size = 0;
    for (ssize_t got = 1; file.isOpen() && got > 0 && size < sizeof text - 1;
        size += got > 0 ? static_cast<std::size_t>(got) : 0)
        got = read(file.fd(), text + size, sizeof text - 1 - size);
    m_isComplete = size > 0 && size < sizeof text - 1;
    text[size] = 0;
    char* rest = nullptr;
    for (char* line = strtok_r(text, "\n", &rest); line; line = strtok_r(nullptr, "\n", &rest))
        add(line);
}

/// `36 35 98:0 /root /mount rw,noatime master:1 - ext3 /dev/sda rw,errors=continue`
void Mounts::add(char* line)
{
    char* separator = strstr(line, " - ");
    if (!separator) {
        m_isComplete = false;
        return;
    }
    *separator = 0;
    char* rest = nullptr;
    char* field = strtok_r(line, " ", &rest);
    for (int i = 0; field && i < 4; ++i)
        field = strtok_r(nullptr, " ", &rest);
    char* path = field;
    const char* options = strtok_r(nullptr, " ", &rest);
    const char* type = strtok_r(separator + 3, " ", &rest);
    const char* source = strtok_r(nullptr, " ", &rest);
    const char* superOptions = strtok_r(nullptr, " ", &rest);
    // A source may be empty, and then the options follow at once.
    if (source && !superOptions)
        superOptions = source;
    if (!path || !options || !type || !superOptions) {
        m_isComplete = false;
        return;
    }
    if (isKernels(type) || !isWritable(options) || !isWritable(superOptions))
        return;
    unescape(path);
    if (m_count == maxMounts || strlen(path) >= sizeof m_mounts[0].path) {
        m_isComplete = false;
        return;
    }
    Mount& mount = m_mounts[m_count];
    strcpy(mount.path, path);
    mount.isMemory = strcmp(type, "tmpfs") == 0 || strcmp(type, "mqueue") == 0;
    // What process 1 itself cannot reach, nobody else can.
    if (lstat(path, &mount.state) == 0)
        ++m_count;
}

} // namespace isol8::guest
