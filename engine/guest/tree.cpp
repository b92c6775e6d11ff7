// SPDX-License-Identifier: MIT
#include "engine/guest/tree.h"

#include "engine/guest/directory.h"
#include "engine/guest/system.h"

#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace isol8::guest {

namespace {

constexpr mode_t fullAccess = 0700;

/// Opens a directory and makes it readable, writable and searchable for its owner.
Descriptor openForRemoval(int parent, const char* name)
{
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    Descriptor directory(openat(parent, name, flags));
    if (!directory.isOpen() && errno == EACCES && fchmodat(parent, name, fullAccess, 0) == 0)
        directory.reset(openat(parent, name, flags));
    struct stat state {};
    if (directory.isOpen() && fstat(directory.fd(), &state) == 0
        && (state.st_mode & fullAccess) != fullAccess)
        fchmod(directory.fd(), fullAccess);
    return directory;
}

/// 0, ENOTEMPTY for a directory that has to be emptied first, or another errno.
int removeEntry(int directory, const char* name)
{
    if (unlinkat(directory, name, 0) == 0)
        return 0;
    if (errno == ENOENT)
        return 0; // somebody was faster
    if (errno != EISDIR && errno != EPERM)
        return errno;
    const int error = errno;
    if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno == EEXIST)
        return ENOTEMPTY;
    return errno == ENOTDIR ? error : errno;
}

enum class Step { Emptied, Descend, Failed };

/// Removes what it can from @p directory. Descend: @p name has to be emptied first.
Step clear(int directory, char (&name)[NAME_MAX + 1])
{
    DirectoryReader reader(directory);
    for (;;) {
        bool hasRemoved = false;
        reader.rewind();
        while (const char* entry = reader.next()) {
            const int error = removeEntry(directory, entry);
            if (error == ENOTEMPTY) {
                strncpy(name, entry, NAME_MAX);
                name[NAME_MAX] = 0;
                return Step::Descend;
            }
            if (error != 0) {
                errno = error;
                return Step::Failed;
            }
            hasRemoved = true;
        }
        if (reader.error() != 0) {
            errno = reader.error();
            return Step::Failed;
        }
        // Removing while reading may have hidden an entry: only a pass that finds none is the last.
        if (!hasRemoved)
            return Step::Emptied;
    }
}

} // namespace

int emptyDirectory(int fd)
{
    Descriptor current = openForRemoval(fd, ".");
    char name[NAME_MAX + 1];
    // One descriptor whatever the depth: down by name, up by "..", like walking a maze with a
    // thread.
    for (unsigned long depth = 0; current.isOpen();) {
        switch (clear(current.fd(), name)) {
        case Step::Failed:
            return errno;
        case Step::Descend:
            current = openForRemoval(current.fd(), name);
            ++depth;
            break;
        case Step::Emptied:
            if (depth == 0)
                return 0;
            --depth;
            current.reset(openat(current.fd(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            break;
        }
    }
    return errno;
}

int removeTree(int parent, const char* name)
{
    for (;;) {
        const int error = removeEntry(parent, name);
        if (error != ENOTEMPTY)
            return error;
        const Descriptor directory = openForRemoval(parent, name);
        if (!directory.isOpen())
            return errno;
        const int emptied = emptyDirectory(directory.fd());
        if (emptied != 0)
            return emptied;
    }
}

} // namespace isol8::guest
