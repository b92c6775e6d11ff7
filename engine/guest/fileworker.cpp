// SPDX-License-Identifier: MIT
#include "engine/guest/fileworker.h"

#include "engine/guest/directory.h"
#include "engine/guest/privileges.h"
#include "engine/guest/sandboxpath.h"
#include "engine/guest/tree.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace isol8::guest {

namespace {

/// One packet each way, in fixed memory.
struct Packet {
    unsigned char bytes[headerBytes + maxPayloadBytes];
    Header header;

    [[nodiscard]] const unsigned char* payload() const { return bytes + headerBytes; }
    [[nodiscard]] Reader reader() const { return { payload(), header.length }; }
};

class FileWorker {
public:
    explicit FileWorker(int socket)
        : m_socket(socket)
    {
    }

    void serve()
    {
        while (receive()) {
            const Type type = m_packet.header.type;
            if (type == Type::FileData || type == Type::FileEnd)
                continue; // what was left of an upload that has failed
            m_id = m_packet.header.id;
            done(perform());
        }
    }

private:
    bool receive()
    {
        const ssize_t size = recv(m_socket, m_packet.bytes, sizeof m_packet.bytes, 0);
        if (size < static_cast<ssize_t>(headerBytes))
            return false;
        m_packet.header = { static_cast<Type>(m_packet.bytes[0]), Stream::None,
            loadU32(m_packet.bytes + 4), static_cast<std::uint32_t>(size - headerBytes) };
        return true;
    }

    /// Sends the payload that was put at @p bytes + headerBytes.
    void sendFrame(unsigned char* bytes, Type type, std::size_t size)
    {
        unsigned char header[headerBytes];
        encodeHeader(header, { type, Stream::None, m_id, static_cast<std::uint32_t>(size) });
        memcpy(bytes, header, headerBytes);
        if (send(m_socket, bytes, headerBytes + size, MSG_NOSIGNAL) < 0)
            _exit(0); // nobody wants it any more
    }

    void done(int error)
    {
        unsigned char bytes[headerBytes + 4];
        storeU32(bytes + headerBytes, static_cast<std::uint32_t>(error));
        sendFrame(bytes, Type::Done, 4);
    }

    int perform()
    {
        Reader reader = m_packet.reader();
        switch (m_packet.header.type) {
        case Type::FilePut: {
            const auto mode = static_cast<mode_t>(reader.u32() & permissionBits);
            const std::uint64_t size = reader.u64();
            return reader.isValid() ? put(path(reader), mode, size) : EINVAL;
        }
        case Type::FileGet: {
            const std::uint64_t maxBytes = reader.u64();
            return reader.isValid() ? get(path(reader), maxBytes) : EINVAL;
        }
        case Type::FileList:
            return list(path(reader));
        case Type::FileStat:
            return state(path(reader));
        case Type::FileMakeDirectory: {
            const auto mode = static_cast<mode_t>(reader.u32() & permissionBits);
            return reader.isValid() ? makeDirectory(path(reader), mode) : EINVAL;
        }
        case Type::FileRename: {
            const std::uint32_t length = reader.u32();
            const unsigned char* from = reader.bytes(length);
            return from ? rename(SandboxPath(from, length), path(reader)) : EINVAL;
        }
        case Type::FileRemove:
            return remove(path(reader));
        default:
            return EINVAL;
        }
    }

    static SandboxPath path(Reader& reader)
    {
        const std::size_t size = reader.left();
        return { reader.bytes(size), size };
    }

    int put(const SandboxPath& path, mode_t mode, std::uint64_t size)
    {
        if (path.error() != 0)
            return path.error();
        const Descriptor parent = path.makeParent();
        if (!parent.isOpen())
            return errno;
        struct stat older {};
        if (fstatat(parent.fd(), path.name(), &older, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISDIR(older.st_mode))
            return EISDIR;
        // Without a name until it is complete: whatever ends this process, nothing is left.
        const Descriptor file(
            openat(parent.fd(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
        if (!file.isOpen())
            return errno;
        std::uint64_t written = 0;
        for (;;) {
            if (!receive())
                _exit(0);
            if (m_packet.header.type == Type::FileEnd)
                break;
            const int error = writeAll(file);
            if (error != 0)
                return error;
            written += m_packet.header.length;
        }
        if (size != unknownSize && size != written)
            return EPROTO;
        if (fchmod(file.fd(), mode) < 0)
            return errno;
        return giveName(file, parent, path.name());
    }

    int writeAll(const Descriptor& file)
    {
        for (std::size_t at = 0; at < m_packet.header.length;) {
            const ssize_t size
                = write(file.fd(), m_packet.payload() + at, m_packet.header.length - at);
            if (size < 0)
                return errno;
            at += static_cast<std::size_t>(size);
        }
        return 0;
    }

    int giveName(const Descriptor& file, const Descriptor& parent, const char* name)
    {
        char source[64];
        snprintf(source, sizeof source, "/proc/self/fd/%d", file.fd());
        if (linkat(AT_FDCWD, source, parent.fd(), name, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        if (errno != EEXIST)
            return errno;
        char temporary[64];
        snprintf(temporary, sizeof temporary, ".isol8-%d-%u", static_cast<int>(getpid()), m_id);
        if (linkat(AT_FDCWD, source, parent.fd(), temporary, AT_SYMLINK_FOLLOW) < 0)
            return errno;
        if (renameat(parent.fd(), temporary, parent.fd(), name) == 0)
            return 0;
        const int error = errno;
        unlinkat(parent.fd(), temporary, 0);
        return error;
    }

    int get(const SandboxPath& path, std::uint64_t maxBytes)
    {
        if (path.error() != 0)
            return path.error();
        // Never waits: not for a FIFO's writer, nor for the end of a lease.
        const Descriptor file = path.open(O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat found {};
        if (!file.isOpen() || fstat(file.fd(), &found) < 0)
            return errno;
        if (!S_ISREG(found.st_mode))
            return S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
        if (static_cast<std::uint64_t>(found.st_size) > maxBytes)
            return EFBIG;
        entry(Type::FileStat, found, "");
        for (std::uint64_t total = 0;;) {
            const ssize_t size = read(file.fd(), m_packet.bytes + headerBytes, maxPayloadBytes);
            if (size <= 0)
                return size < 0 ? errno : 0;
            total += static_cast<std::uint64_t>(size);
            if (total > maxBytes) // it grows while it is read
                return EFBIG;
            sendFrame(m_packet.bytes, Type::FileData, static_cast<std::size_t>(size));
        }
    }

    int list(const SandboxPath& path)
    {
        if (path.error() != 0)
            return path.error();
        const Descriptor directory = path.open(O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        if (!directory.isOpen())
            return errno;
        DirectoryReader reader(directory.fd());
        while (const char* name = reader.next()) {
            struct stat found {};
            if (fstatat(directory.fd(), name, &found, AT_SYMLINK_NOFOLLOW) == 0)
                entry(Type::FileEntry, found, name);
        }
        return reader.error();
    }

    int state(const SandboxPath& path)
    {
        if (path.error() != 0)
            return path.error();
        const Descriptor file = path.open(O_PATH | O_NOFOLLOW);
        struct stat found {};
        if (!file.isOpen() || fstat(file.fd(), &found) < 0)
            return errno;
        entry(Type::FileStat, found, "");
        return 0;
    }

    void entry(Type type, const struct stat& found, const char* name)
    {
        unsigned char bytes[headerBytes + 21 + NAME_MAX];
        unsigned char* at = bytes + headerBytes;
        *at++ = kindOf(found.st_mode);
        storeU32(at, found.st_mode & 07777);
        storeU64(at + 4, static_cast<std::uint64_t>(found.st_size));
        storeU64(at + 12, static_cast<std::uint64_t>(found.st_mtime));
        const std::size_t length = strnlen(name, NAME_MAX);
        memcpy(at + 20, name, length);
        sendFrame(bytes, type, 21 + length);
    }

    static unsigned char kindOf(mode_t mode)
    {
        if (S_ISREG(mode))
            return 'f';
        if (S_ISDIR(mode))
            return 'd';
        return S_ISLNK(mode) ? 'l' : 'o';
    }

    static int makeDirectory(const SandboxPath& path, mode_t mode)
    {
        if (path.error() != 0)
            return path.error();
        if (strcmp(path.name(), ".") == 0)
            return 0; // /sandbox itself
        const Descriptor parent = path.makeParent();
        if (!parent.isOpen())
            return errno;
        if (mkdirat(parent.fd(), path.name(), mode) == 0)
            return fchmodat(parent.fd(), path.name(), mode, 0) == 0 ? 0 : errno;
        if (errno != EEXIST)
            return errno;
        return path.open(O_PATH | O_DIRECTORY).isOpen() ? 0 : EEXIST;
    }

    static int rename(const SandboxPath& from, const SandboxPath& to)
    {
        if (from.error() != 0 || to.error() != 0)
            return from.error() != 0 ? from.error() : to.error();
        const Descriptor source = from.openParent();
        if (!source.isOpen())
            return errno;
        const Descriptor target = to.openParent();
        if (!target.isOpen())
            return errno;
        return renameat(source.fd(), from.name(), target.fd(), to.name()) == 0 ? 0 : errno;
    }

    static int remove(const SandboxPath& path)
    {
        if (path.error() != 0)
            return path.error();
        const Descriptor parent = path.openParent();
        struct stat found {};
        if (!parent.isOpen() || fstatat(parent.fd(), path.name(), &found, AT_SYMLINK_NOFOLLOW) < 0)
            return errno;
        return removeTree(parent.fd(), path.name());
    }

    int m_socket;
    std::uint32_t m_id = 0;
    Packet m_packet {};
};

} // namespace

void serveFiles(int socket)
{
    volunteerForOomKiller(OomPreference::AfterPrograms);
    if (!becomeProgramUser())
        _exit(1);
    umask(0);
    static FileWorker worker(socket);
    worker.serve();
    _exit(0);
}

} // namespace isol8::guest
