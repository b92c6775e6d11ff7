// SPDX-License-Identifier: MIT
#include "engine/guest/runspec.h"

#include <cerrno>
#include <sys/mman.h>

namespace isol8::guest {

namespace {

// execve(2) takes at most 6 MiB of strings and pointers together.
constexpr std::size_t maxStrings = 512 * 1024;

alignas(4096) unsigned char specBytes[maxSpecBytes + 4096];
alignas(4096) char* pointers[maxStrings + 512];

/// Moves a string over its own length field, which makes room for the zero byte after it.
char* terminated(const unsigned char* bytes, std::size_t size)
{
    auto* to = specBytes + (bytes - specBytes) - 4;
    std::memmove(to, bytes, size);
    to[size] = 0;
    return reinterpret_cast<char*>(to);
}

/// Nullptr when there is no string or it holds a zero byte.
char* string(Reader& reader)
{
    const std::uint32_t size = reader.u32();
    const unsigned char* bytes = reader.bytes(size);
    if (!bytes || std::memchr(bytes, 0, size))
        return nullptr;
    return terminated(bytes, size);
}

/// Reads a counted list into @p to, zero-terminated; 0 or an errno.
int list(Reader& reader, char**& to, char** end)
{
    const std::uint32_t count = reader.u32();
    if (count >= static_cast<std::size_t>(end - to))
        return E2BIG;
    for (std::uint32_t i = 0; i < count; ++i) {
        char* text = string(reader);
        if (!text)
            return EINVAL;
        *to++ = text;
    }
    *to++ = nullptr;
    return 0;
}

} // namespace

bool RunSpec::append(const unsigned char* piece, std::size_t size)
{
    if (size > maxSpecBytes - m_size)
        return false;
    std::memcpy(specBytes + m_size, piece, size);
    m_size += size;
    return true;
}

const unsigned char* RunSpec::bytes() const
{
    return specBytes;
}

int RunSpec::parse()
{
    Reader reader(specBytes, m_size);
    m_flags = reader.u32();
    m_rows = reader.u16();
    m_columns = reader.u16();
    m_workingDirectory = string(reader);
    if (!m_workingDirectory)
        return EINVAL;

    char** at = pointers;
    char** const end = pointers + maxStrings;
    m_arguments = at;
    int error = list(reader, at, end);
    m_environment = at;
    if (error == 0)
        error = list(reader, at, end);
    if (error == 0
        && (!reader.isValid() || reader.left() > 0 || !m_arguments[0] || !*m_arguments[0]))
        error = EINVAL;
    return error;
}

void RunSpec::clear()
{
    if (m_size > 0) {
        madvise(specBytes, sizeof specBytes, MADV_DONTNEED);
        madvise(pointers, sizeof pointers, MADV_DONTNEED);
    }
    m_size = 0;
}

} // namespace isol8::guest
