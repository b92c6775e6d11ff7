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

/// Only advice: where it is not taken, pages are small.
void adviseLargePages(const QByteArray& buffer)
{
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = std::bit_cast<std::uintptr_t>(buffer.constData());
    const auto begin = (address + page - 1) & ~(page - 1);
    const auto end = (address + static_cast<std::uintptr_t>(buffer.capacity())) & ~(page - 1);
    if (begin < end)
        ::madvise(std::bit_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

} // namespace

void appendLarge(QByteArray& buffer, QByteArrayView bytes)
{
    const auto size = buffer.size() + bytes.size();
    if (size > buffer.capacity()) {
        buffer.reserve(std::max(size, 2 * buffer.capacity()));
        if (buffer.capacity() >= largeBytes)
            adviseLargePages(buffer);
    }
    buffer.append(bytes);
}

} // namespace isol8
