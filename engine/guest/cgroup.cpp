// SPDX-License-Identifier: MIT
#include "engine/guest/cgroup.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>

namespace isol8::guest {

namespace {

constexpr std::size_t maxPath = 4096;
constexpr char root[] = "/sys/fs/cgroup";

Descriptor openFile(const char* folder, const char* path, const char* name)
{
    char full[maxPath];
    const int length = snprintf(full, sizeof full, "%s%s%s/%s", root, folder, path, name);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof full)
        return Descriptor();
    return Descriptor(open(full, O_RDONLY | O_CLOEXEC));
}

/// Where this process is in the hierarchy of @p controller ("" for version 2), as /proc/self/cgroup
/// tells it: needed when the container shares its host's cgroup namespace. Lines are
/// `ID:LIST:PATH`.
void findPath(const char* controller, char (&path)[maxPath])
{
    path[0] = 0;
    const Descriptor file(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
    char text[16 * 1024];
    const ssize_t size = file.isOpen() ? ::read(file.fd(), text, sizeof text - 1) : -1;
    if (size <= 0)
        return;
    text[size] = 0;
    char* rest = nullptr;
    for (char* line = strtok_r(text, "\n", &rest); line; line = strtok_r(nullptr, "\n", &rest)) {
        char* list = strchr(line, ':');
        char* place = list ? strchr(list + 1, ':') : nullptr;
        if (!place)
            continue;
        *list++ = 0;
        *place++ = 0;
        const char* found = strstr(list, controller);
        const std::size_t length = strlen(controller);
        const bool isOurs = length == 0 ? *list == 0
                                        : found && (found == list || found[-1] == ',')
                && (found[length] == 0 || found[length] == ',');
        if (isOurs && strlen(place) < maxPath) {
            strcpy(path, strcmp(place, "/") == 0 ? "" : place);
            return;
        }
    }
}

/// The container's own folder is the root of what it sees; else it is found by its path.
Descriptor find(const char* folder, const char* controller, const char* name)
{
    char path[maxPath];
    findPath(controller, path);
    Descriptor file;
    if (path[0])
        file = openFile(folder, path, name);
    if (!file.isOpen())
        file = openFile(folder, "", name);
    return file;
}

/// The number after @p key in lines of `key number`, or the whole text's number without a key.
std::uint64_t number(const Descriptor& file, const char* key)
{
    char text[4096];
    const ssize_t size = file.isOpen() ? pread(file.fd(), text, sizeof text - 1, 0) : -1;
    if (size <= 0)
        return 0;
    text[size] = 0;
    if (!key)
        return strtoull(text, nullptr, 10);
    const std::size_t length = strlen(key);
    for (const char* line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n')
            ++line;
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length + 1, nullptr, 10);
        if (!*line)
            break;
    }
    return 0;
}

} // namespace

Cgroup::Cgroup()
{
    m_oom = find("", "", "memory.events");
    if (m_oom.isOpen()) {
        m_version = 2;
        m_peak = find("", "", "memory.peak"); // since Linux 5.19
        m_statistics = find("", "", "memory.stat");
        m_pids = find("", "", "pids.events");
        m_cpu = find("", "", "cpu.stat");
        m_memory = find("", "", "memory.current");
        m_limit = find("", "", "memory.max");
        return;
    }
    m_oom = find("/memory", "memory", "memory.oom_control");
    if (m_oom.isOpen())
        m_version = 1;
    m_peak = find("/memory", "memory", "memory.max_usage_in_bytes");
    m_statistics = find("/memory", "memory", "memory.stat");
    m_pids = find("/pids", "pids", "pids.events");
    m_cpu = find("/cpuacct", "cpuacct", "cpuacct.usage");
    m_memory = find("/memory", "memory", "memory.usage_in_bytes");
    m_limit = find("/memory", "memory", "memory.limit_in_bytes");
}

Cgroup::Counters Cgroup::read() const
{
    return { number(m_peak, nullptr), number(m_oom, "oom_kill"), number(m_pids, "max") };
}

Cgroup::Usage Cgroup::usage() const
{
    constexpr std::uint64_t nanosecondsPerMicrosecond = 1000;
    const std::uint64_t used
        = number(m_statistics, m_version == 2 ? "anon" : "rss") + number(m_statistics, "shmem");
    return { m_version == 2 ? number(m_cpu, "usage_usec")
                            : number(m_cpu, nullptr) / nanosecondsPerMicrosecond,
        used > 0 ? used : number(m_memory, nullptr) };
}

bool Cgroup::hasRoomFor(std::uint64_t bytes) const
{
    if (!m_limit.isOpen() || !m_memory.isOpen())
        return false;
    const std::uint64_t limit = number(m_limit, nullptr); // 0: "max"
    return limit == 0 || number(m_memory, nullptr) + bytes <= limit;
}

} // namespace isol8::guest
