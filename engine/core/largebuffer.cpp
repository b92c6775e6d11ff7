// SPDX-License-Identifier: MIT
#include "engine/core/largebuffer.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

namespace isol8 {

namespace {

/// A buffer of this size fills some large pages (2 MiB on x86-64), wherever it begins.
constexpr qsizetype largeBytes = 8 << 20;

/// Only advice: where it is not taken, pages are small. For whole pages, the first and the last
/// with what else is there: a mapping of which a part is advised cannot be moved any more.
void adviseLargePages(const QByteArray& buffer)
{
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = std::bit_cast<std::uintptr_t>(buffer.constData());
    const auto begin = address & ~(page - 1);
    const auto end
        = (address + static_cast<std::uintptr_t>(buffer.capacity()) + page) & ~(page - 1);
    ::madvise(std::bit_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

} // namespace

void appendLarge(QByteArray& buffer, QByteArrayView bytes)
{
    const auto size = buffer.size() + bytes.size();
    if (size > buffer.capacity())
        reserveLarge(buffer, std::max(size, 2 * buffer.capacity()));
    buffer.append(bytes);
}

void reserveLarge(QByteArray& buffer, qsizetype bytes)
{
    buffer.reserve(bytes);
    if (buffer.capacity() >= largeBytes)
        adviseLargePages(buffer);
}

} // namespace isol8
