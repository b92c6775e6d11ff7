// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <poll.h>
#include <unistd.h>

/// Small things that every part of the guest needs.
namespace isol8::guest {

/// Owns a descriptor. close() keeps errno.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd)
        : m_fd(fd)
    {
    }
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept
        : m_fd(other.release())
    {
    }
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        reset(other.release());
        return *this;
    }

    [[nodiscard]] int fd() const { return m_fd; }
    [[nodiscard]] bool isOpen() const { return m_fd >= 0; }

    int release()
    {
        const int fd = m_fd;
        m_fd = -1;
        return fd;
    }
    void reset(int fd)
    {
        close();
        m_fd = fd;
    }
    void close()
    {
        const int saved = errno;
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = -1;
        errno = saved;
    }

private:
    int m_fd = -1;
};

/// Microseconds of the monotonic clock.
using Time = std::int64_t;
inline constexpr Time never = INT64_MAX;
inline constexpr Time microsecondsPerSecond = 1'000'000;

inline Time now()
{
    timespec time {};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<Time>(time.tv_sec) * microsecondsPerSecond + time.tv_nsec / 1000;
}

/// What one round of the main loop waits for.
class PollSet {
public:
    /// Index for events(), or -1 when the descriptor is closed.
    int add(const Descriptor& descriptor, int events)
    {
        if (!descriptor.isOpen() || m_count == capacity)
            return -1;
        m_entries[m_count] = { descriptor.fd(), static_cast<short>(events), 0 };
        return m_count++;
    }
    /// The round ends at @p time at the latest.
    void wakeAt(Time time)
    {
        if (time < m_wakeAt)
            m_wakeAt = time;
    }
    void clear()
    {
        m_count = 0;
        m_wakeAt = never;
    }
    void wait()
    {
        timespec span {};
        if (m_wakeAt != never) {
            const Time left = m_wakeAt - now();
            if (left > 0) {
                span.tv_sec = left / microsecondsPerSecond;
                span.tv_nsec = left % microsecondsPerSecond * 1000;
            }
        }
        if (ppoll(m_entries, static_cast<nfds_t>(m_count), m_wakeAt == never ? nullptr : &span,
                nullptr)
            < 0) {
            for (int i = 0; i < m_count; ++i)
                m_entries[i].revents = 0;
        }
    }
    [[nodiscard]] int events(int index) const { return index < 0 ? 0 : m_entries[index].revents; }

private:
    static constexpr int capacity = 192; // every carried connection, and a few
    pollfd m_entries[capacity] = {};
    int m_count = 0;
    Time m_wakeAt = never;
};

} // namespace isol8::guest
