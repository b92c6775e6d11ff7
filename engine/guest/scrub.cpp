// SPDX-License-Identifier: MIT
#include "engine/guest/scrub.h"

#include "engine/guest/directory.h"
#include "engine/guest/ipc.h"
#include "engine/guest/privileges.h"
#include "engine/guest/sockets.h"
#include "engine/guest/tree.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

namespace isol8::guest {

namespace {

/// What the child tells process 1.
struct Result {
    int error = 0;
    char text[300] = {};
};

Result failure(int error, const char* path, const char* what)
{
    Result result;
    result.error = error != 0 ? error : EIO;
    snprintf(result.text, sizeof result.text, "%s%s%s", path, *path ? " " : "", what);
    return result;
}

// Memory that is held until a scrub needs it: with the memory cgroup full of files, starting the
// child that removes them would else end with the death of process 1. It is not the child's, and
// it is only given up where memory is short, since to have it again costs more than all the rest
// of cleaning an empty sandbox.
alignas(4096) unsigned char reserve[512 * 1024];
constexpr std::uint64_t shortMemoryBytes = 8 * sizeof reserve;

void fillReserve()
{
    for (std::size_t i = 0; i < sizeof reserve; i += 4096)
        static_cast<volatile unsigned char*>(reserve)[i] = 1;
}

void removeAttributes(int fd)
{
    // An access list is no longer listed by every kernel, so it is removed by name too.
    fremovexattr(fd, "system.posix_acl_access");
    fremovexattr(fd, "system.posix_acl_default");
    char names[4096];
    for (ssize_t size; (size = flistxattr(fd, names, sizeof names)) > 0;) {
        bool hasRemoved = false;
        for (const char* name = names; name < names + size; name += strlen(name) + 1)
            hasRemoved = fremovexattr(fd, name) == 0 || hasRemoved;
        if (!hasRemoved)
            return;
    }
}

bool hasAttributes(int fd)
{
    char names[4096];
    const ssize_t size = flistxattr(fd, names, sizeof names);
    for (const char* name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        if (strncmp(name, "user.", 5) == 0 || strncmp(name, "system.posix_acl", 16) == 0)
            return true;
    }
    return size < 0 && errno == ERANGE;
}

/// Empties one mount, gives its root back the state it had, and looks whether that is so.
Result cleanMount(const Mounts::Mount& mount)
{
    const bool isOurs = mount.state.st_uid == sandboxUid;
    if (isOurs && chmod(mount.path, 0700) < 0)
        return failure(errno, mount.path, "cannot be changed");
    if (!isOurs && faccessat(AT_FDCWD, mount.path, W_OK, AT_EACCESS) < 0)
        return {};
    const Descriptor directory(open(mount.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen())
        return failure(errno, mount.path, "cannot be read");
    const int error = emptyDirectory(directory.fd());
    if (error != 0)
        return failure(error, mount.path, "cannot be emptied");
    if (isOurs) {
        removeAttributes(directory.fd());
        const timespec times[2] = { mount.state.st_atim, mount.state.st_mtim };
        if (fchown(directory.fd(), static_cast<uid_t>(-1), mount.state.st_gid) < 0
            || fchmod(directory.fd(), mount.state.st_mode & 07777) < 0
            || futimens(directory.fd(), times) < 0)
            return failure(errno, mount.path, "cannot be restored");
    }

    DirectoryReader reader(directory.fd());
    reader.rewind();
    if (reader.next() || reader.error() != 0)
        return failure(ENOTEMPTY, mount.path, "is not empty");
    struct stat state {};
    if (fstat(directory.fd(), &state) < 0 || state.st_mode != mount.state.st_mode
        || state.st_uid != mount.state.st_uid || state.st_gid != mount.state.st_gid
        || hasAttributes(directory.fd()))
        return failure(EIO, mount.path, "is not as it was");
    return {};
}

/// A place on a disk: fine if it cannot be written after all.
Result checkMount(const Mounts::Mount& mount)
{
    if (S_ISREG(mount.state.st_mode) && faccessat(AT_FDCWD, mount.path, W_OK, AT_EACCESS) < 0)
        return {};
    if (!S_ISREG(mount.state.st_mode) && !S_ISDIR(mount.state.st_mode))
        return {};
    return failure(EROFS, mount.path, "can be written and is not in memory");
}

Result clean(const Mounts& mounts)
{
    if (!mounts.isComplete())
        return failure(EOVERFLOW, "", "not every mount is known");
    for (const auto& mount : mounts) {
        const auto result = mount.isMemory && S_ISDIR(mount.state.st_mode) ? cleanMount(mount)
                                                                           : checkMount(mount);
        if (result.error != 0)
            return result;
    }
    const char* left = removeSystemVObjects();
    if (!left)
        left = leftoverSocket();
    return left ? failure(EBUSY, "", left) : Result {};
}

} // namespace

Scrub::Scrub(FrameWriter& host, Processes& processes, const Cgroup& cgroup)
    : m_host(host)
    , m_processes(processes)
    , m_cgroup(cgroup)
{
    madvise(reserve, sizeof reserve, MADV_DONTFORK);
    fillReserve();
}

void Scrub::start(std::uint32_t id)
{
    m_id = id;
    m_isReserveUsed = !m_cgroup.hasRoomFor(shortMemoryBytes);
    if (m_isReserveUsed)
        madvise(reserve, sizeof reserve, MADV_DONTNEED);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        finish(errno, "no pipe");
        return;
    }
    m_result.reset(ends[0]);
    const Descriptor theirs(ends[1]);
    const pid_t pid = fork();
    if (pid < 0) {
        finish(errno, "no process");
        return;
    }
    if (pid == 0) {
        if (dup2(theirs.fd(), 0) != 0)
            _exit(1);
        syscall(SYS_close_range, 1, ~0U, 0);
        const Result result
            = becomeProgramUser() ? clean(m_mounts) : failure(errno, "", "no rights");
        _exit(write(0, &result, sizeof result) == sizeof result ? 0 : 1);
    }
}

void Scrub::reset()
{
    m_result.close();
}

void Scrub::addTo(PollSet& set)
{
    m_pollIndex = set.add(m_result, POLLIN);
}

void Scrub::serve(const PollSet& set)
{
    if (!set.events(m_pollIndex))
        return;
    Result result;
    const ssize_t size = read(m_result.fd(), &result, sizeof result);
    if (size != sizeof result)
        result = failure(EIO, "", "the cleaning was cut short");
    else if (!m_processes.killAll())
        result = failure(EBUSY, "", "a process is left");
    result.text[sizeof result.text - 1] = 0;
    restoreOwnTimes();
    finish(result.error, result.text);
}

void Scrub::finish(int error, const char* text)
{
    m_result.close();
    m_host.verdict(Type::Scrubbed, m_id, error, text);
    if (m_isReserveUsed && error == 0)
        fillReserve();
}

void Scrub::restoreOwnTimes() const
{
    for (const auto& mount : m_mounts) {
        const timespec times[2] = { mount.state.st_atim, mount.state.st_mtim };
        if (mount.isMemory && mount.state.st_uid == 0)
            utimensat(AT_FDCWD, mount.path, times, AT_SYMLINK_NOFOLLOW);
    }
}

} // namespace isol8::guest
