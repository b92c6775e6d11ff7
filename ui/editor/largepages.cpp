// SPDX-License-Identifier: MIT
#include "ui/editor/largepages.h"

#include "engine/core/heap.h"

#include <QThread>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <malloc.h>
#include <sys/mman.h>

namespace isol8::ui {

namespace {

constexpr qint64 smallBytes = 1 << 20;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

/// A document takes about ten times the bytes of its file, twenty when its lines are short.
constexpr qint64 heapPerByte = 24;
constexpr qint64 largestReserve = 768 << 20;
/// What is needed in any case is made ahead, in another thread: to empty that many pages takes a
/// fifth of the time, and nobody is deaf meanwhile when an array moves to a larger place.
constexpr qint64 aheadPerByte = 14;
constexpr qint64 largestAhead = 256 << 20;
constexpr std::uintptr_t largePage = 2 << 20;
/// What mallopt(3) names as the usual value.
constexpr int usualMappings = 65'536;

int users = 0;
std::unique_ptr<QThread> ahead;

/// Changes no content, so it may be done to what is used already.
void makeAhead(std::uintptr_t begin, std::uintptr_t end)
{
    for (auto at = begin; at + largePage <= end; at += largePage) {
        if (QThread::currentThread()->isInterruptionRequested()
            || ::madvise(reinterpret_cast<void*>(at), largePage, MADV_POPULATE_WRITE) != 0)
            return;
    }
}

/// Makes the end of the heap one free piece of this size, and asks for large pages there.
void reserve(size_t bytes, size_t bytesAhead)
{
    // Mapped one by one, the arrays would have pages of their own.
    ::mallopt(M_MMAP_MAX, 0);
    ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
    auto* space = static_cast<char*>(std::malloc(bytes));
    if (!space)
        return;
    constexpr std::uintptr_t page = 4096;
    const auto begin = (reinterpret_cast<std::uintptr_t>(space) + page - 1) & ~(page - 1);
    const auto end = (reinterpret_cast<std::uintptr_t>(space) + bytes) & ~(page - 1);
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
    std::free(space);
    ahead.reset(QThread::create(makeAhead, begin, std::min(end, begin + bytesAhead)));
    ahead->start();
}

void giveBack()
{
    if (ahead) {
        ahead->requestInterruption();
        ahead->wait();
        ahead.reset();
    }
    ::mallopt(M_MMAP_MAX, usualMappings);
    ::mallopt(M_TRIM_THRESHOLD, heap::keptBytes);
    ::malloc_trim(0);
}

#else

int users = 0;
constexpr qint64 heapPerByte = 0;
constexpr qint64 largestReserve = 0;
constexpr qint64 aheadPerByte = 0;
constexpr qint64 largestAhead = 0;
void reserve(size_t, size_t) { }
void giveBack() { }

#endif

} // namespace

LargePages::LargePages(qint64 textBytes)
    : m_isUsed(textBytes >= smallBytes)
{
    if (m_isUsed && ++users == 1)
        reserve(size_t(std::min(textBytes * heapPerByte, largestReserve)),
            size_t(std::min(textBytes * aheadPerByte, largestAhead)));
}

LargePages::~LargePages()
{
    if (m_isUsed && --users == 0)
        giveBack();
}

} // namespace isol8::ui
