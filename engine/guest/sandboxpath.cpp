// SPDX-License-Identifier: MIT
#include "engine/guest/sandboxpath.h"

#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace isol8::guest {

namespace {

constexpr char root[] = "/sandbox";
constexpr std::size_t rootLength = sizeof root - 1;
constexpr int directoryFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t parentMode = 0755;

/// Component by component without following any link, where openat2(2) is not there or not
/// permitted.
Descriptor walk(int base, const char* path, int flags)
{
    Descriptor current(openat(base, ".", directoryFlags));
    while (current.isOpen()) {
        while (*path == '/')
            ++path;
        const char* end = strchrnul(path, '/');
        const bool isLast = !*end || !end[strspn(end, "/")];
        char name[NAME_MAX + 1];
        const auto length = static_cast<std::size_t>(end - path);
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            return Descriptor();
        }
        memcpy(name, path, length);
        name[length] = 0;
        if (strcmp(name, "..") == 0) {
            errno = EXDEV;
            return Descriptor();
        }
        const char* step = *name ? name : ".";
        if (isLast)
            return Descriptor(openat(current.fd(), step, flags | O_NOFOLLOW | O_CLOEXEC));
        current.reset(openat(current.fd(), step, directoryFlags | O_NOFOLLOW));
        path = end;
    }
    return Descriptor();
}

Descriptor openBeneath(const char* path, int flags)
{
    const Descriptor base(open(root, directoryFlags));
    if (!base.isOpen())
        return Descriptor();
    open_how how {};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    constexpr int maxTries = 32; // EAGAIN: something was moved meanwhile
    for (int tries = 0; tries < maxTries; ++tries) {
        const long fd = syscall(SYS_openat2, base.fd(), path, &how, sizeof how);
        if (fd >= 0)
            return Descriptor(static_cast<int>(fd));
        if (errno == ENOSYS || errno == EPERM)
            return walk(base.fd(), path, flags);
        if (errno != EAGAIN)
            break;
    }
    return Descriptor();
}

} // namespace

SandboxPath::SandboxPath(const unsigned char* bytes, std::size_t size)
{
    const auto* text = reinterpret_cast<const char*>(bytes);
    if (size == 0 || size > maxPathBytes || memchr(text, 0, size)) {
        m_error = size > maxPathBytes ? ENAMETOOLONG : EINVAL;
        return;
    }
    if (text[0] == '/') {
        if (size < rootLength || memcmp(text, root, rootLength) != 0
            || (size > rootLength && text[rootLength] != '/')) {
            m_error = EXDEV;
            return;
        }
        text += rootLength;
        size -= rootLength;
    }
    while (size > 0 && *text == '/') {
        ++text;
        --size;
    }
    while (size > 0 && text[size - 1] == '/')
        --size;
    memcpy(m_path, text, size);
    memcpy(m_parent, text, size);
    if (size == 0)
        strcpy(m_path, ".");
    char* slash = strrchr(m_parent, '/');
    m_name = slash ? m_path + (slash - m_parent) + 1 : m_path;
    if (slash)
        *slash = 0;
    else
        strcpy(m_parent, ".");
}

Descriptor SandboxPath::open(int flags) const
{
    return openBeneath(m_path, flags);
}

Descriptor SandboxPath::openParent() const
{
    if (strcmp(m_name, ".") == 0 || strcmp(m_name, "..") == 0) {
        errno = EINVAL;
        return Descriptor();
    }
    return openBeneath(m_parent, O_PATH | O_DIRECTORY);
}

Descriptor SandboxPath::makeParent() const
{
    Descriptor parent = openParent();
    if (parent.isOpen() || errno != ENOENT)
        return parent;
    // Each folder is made in one that was resolved anew, so none can lead out.
    char path[PATH_MAX];
    strcpy(path, m_parent);
    parent = openBeneath(".", O_PATH | O_DIRECTORY);
    for (char* at = path; parent.isOpen();) {
        char* slash = strchr(at, '/');
        if (slash)
            *slash = 0;
        if (*at && mkdirat(parent.fd(), at, parentMode) < 0 && errno != EEXIST)
            return Descriptor();
        parent = openBeneath(path, O_PATH | O_DIRECTORY);
        if (!slash)
            break;
        *slash = '/';
        at = slash + 1;
    }
    return parent;
}

} // namespace isol8::guest
