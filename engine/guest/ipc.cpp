// SPDX-License-Identifier: MIT
#include "engine/guest/ipc.h"

#include "engine/guest/system.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

namespace isol8::guest {

namespace {

using Remove = void (*)(int);

/// Removes the objects of the first lines of a table in /proc/sysvipc. Their second column is the
/// identifier; the tables list also those whose mode forbids to look at them. False: none was
/// listed.
bool removeListed(const char* path, Remove remove)
{
    const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
    char text[8 * 1024];
    const ssize_t size = file.isOpen() ? read(file.fd(), text, sizeof text - 1) : 0;
    text[size > 0 ? size : 0] = 0;
    bool hasAny = false;
    for (char* line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char* end = nullptr;
        strtol(line + 1, &end, 10); // the key
        char* const afterKey = end;
        const long id = strtol(afterKey, &end, 10);
        if (end == afterKey)
            break;
        hasAny = true;
        // A number that the buffer's end may have cut is left for the next round.
        if (*end)
            remove(static_cast<int>(id));
    }
    return hasAny;
}

bool removeAll(const char* path, Remove remove)
{
    constexpr int maxRounds = 4096;
    for (int round = 0; round < maxRounds; ++round) {
        if (!removeListed(path, remove))
            return true;
    }
    return false;
}

} // namespace

const char* removeSystemVObjects()
{
    if (!removeAll("/proc/sysvipc/shm", [](int id) { shmctl(id, IPC_RMID, nullptr); }))
        return "System V shared memory";
    if (!removeAll("/proc/sysvipc/sem", [](int id) { semctl(id, 0, IPC_RMID); }))
        return "a System V semaphore set";
    if (!removeAll("/proc/sysvipc/msg", [](int id) { msgctl(id, IPC_RMID, nullptr); }))
        return "a System V message queue";
    return nullptr;
}

} // namespace isol8::guest
