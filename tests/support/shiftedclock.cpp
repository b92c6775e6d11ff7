// SPDX-License-Identifier: MIT
// Preloaded into a program, this moves its clock: by as many seconds as the file named by
// ISOL8_TEST_CLOCK says (one int64_t, read anew each time). Clocks that only measure, like
// CLOCK_MONOTONIC, stay as they are.
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

const volatile int64_t* shift = nullptr;

int64_t seconds()
{
    return shift ? *shift : 0;
}

__attribute__((constructor)) void open()
{
    const char* const path = std::getenv("ISOL8_TEST_CLOCK");
    const int file = path ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void* const page = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    if (page != MAP_FAILED)
        shift = static_cast<const volatile int64_t*>(page);
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept
{
    const long result = ::syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += seconds();
    return int(result);
}

int gettimeofday(timeval* now, void*) noexcept
{
    timespec exact {};
    const int result = clock_gettime(CLOCK_REALTIME, &exact);
    *now = { exact.tv_sec, exact.tv_nsec / 1000 };
    return result;
}

time_t time(time_t* now) noexcept
{
    timespec exact {};
    (void)clock_gettime(CLOCK_REALTIME, &exact);
    if (now)
        *now = exact.tv_sec;
    return exact.tv_sec;
}
}
