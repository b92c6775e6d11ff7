// SPDX-License-Identifier: MIT
#include "engine/guest/awaitedfile.h"

#include "engine/guest/privileges.h"
#include "engine/guest/protocol.h"

#include <cstring>
#include <fcntl.h>

namespace isol8::guest {

namespace {

constexpr char folder[] = "/sandbox/";
constexpr std::size_t folderBytes = sizeof folder - 1;

} // namespace

bool AwaitedFile::make(const char* path, std::size_t pathSize)
{
    // A name right below /sandbox: nobody has been there yet, so it cannot lead anywhere else.
    if (pathSize <= folderBytes || pathSize >= sizeof m_path
        || std::memcmp(path, folder, folderBytes) != 0
        || std::memchr(path + folderBytes, '/', pathSize - folderBytes)
        || std::memchr(path, 0, pathSize)) {
        errno = EINVAL;
        return false;
    }
    std::memcpy(m_path, path, pathSize);
    m_path[pathSize] = 0;
    m_isFilled = false;
    // Under the lease open(2) of it waits, and we get SIGIO, which nobody else can send.
    const ProgramOwnership ownership; // A lease is for the owner of its file.
    m_file.reset(open(m_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    return m_file.isOpen() && fstat(m_file.fd(), &m_state) == 0
        && fcntl(m_file.fd(), F_SETOWN, getpid()) == 0
        && fcntl(m_file.fd(), F_SETLEASE, F_WRLCK) == 0;
}

bool AwaitedFile::isAt(const unsigned char* path, std::size_t size) const
{
    return isOpen() && size == strlen(m_path) && std::memcmp(path, m_path, size) == 0;
}

void AwaitedFile::endLease()
{
    const ProgramOwnership ownership;
    fcntl(m_file.fd(), F_SETLEASE, F_UNLCK);
}

void AwaitedFile::leave()
{
    // Another one may have taken its place.
    struct stat state {};
    if (isOpen() && !m_isFilled && lstat(m_path, &state) == 0 && state.st_ino == m_state.st_ino
        && state.st_dev == m_state.st_dev) {
        const ProgramOwnership ownership;
        unlink(m_path);
    }
    m_putId = 0;
    m_file.close();
}

bool AwaitedFile::beginPut(std::uint32_t id, mode_t mode, std::uint64_t size)
{
    if (m_isFilled || m_putId != 0)
        return false;
    m_putId = id;
    m_mode = mode;
    m_size = size;
    m_written = 0;
    return true;
}

int AwaitedFile::data(const unsigned char* bytes, std::size_t size)
{
    while (size > 0) {
        const ssize_t written = write(m_file.fd(), bytes, size);
        if (written < 0)
            return fail(errno);
        bytes += written;
        size -= static_cast<std::size_t>(written);
        m_written += static_cast<std::uint64_t>(written);
    }
    return 0;
}

int AwaitedFile::endPut()
{
    if (m_size != unknownSize && m_size != m_written)
        return fail(EPROTO);
    const ProgramOwnership ownership;
    if (fchmod(m_file.fd(), m_mode) < 0)
        return fail(errno);
    m_putId = 0;
    m_isFilled = true;
    return 0;
}

void AwaitedFile::abortPut()
{
    (void)fail(ECANCELED);
}

int AwaitedFile::fail(int error)
{
    m_putId = 0;
    (void)!ftruncate(m_file.fd(), 0);
    lseek(m_file.fd(), 0, SEEK_SET);
    return error;
}

} // namespace isol8::guest
