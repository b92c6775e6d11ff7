// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>
#include <sys/user.h>

namespace isol8::guest {

/// A process that stands still under ptrace(2), and the system calls that it is made to make. Its
/// tracer is this process, and its next stop is always waited for, which takes SIGCHLD (blocked)
/// away from whoever else waits for that: look for others that have ended afterwards.
class Tracee {
public:
    static constexpr bool isSupported =
#if defined(__x86_64__)
        true;
#else
        false;
#endif

    explicit Tracee(pid_t pid)
        : m_pid(pid)
    {
    }

    [[nodiscard]] pid_t pid() const { return m_pid; }

    /// To be called where a signal has interrupted it: true if that was in opening a file, a call
    /// that begins anew when it goes on.
    bool hasStoppedInOpen();
    /// As wherever @p other, of which it is a copy, has stopped.
    void takePlaceOf(const Tracee& other) { m_place = other.m_place; }

    /// The result of the call, or a negative errno.
    [[nodiscard]] long call(long number, std::uint64_t first = 0, std::uint64_t second = 0,
        std::uint64_t third = 0, std::uint64_t fourth = 0, std::uint64_t fifth = 0) const;
    /// A copy of it, which stands still too; @p tid is where its thread id belongs. Or a negative
    /// errno.
    [[nodiscard]] pid_t fork(std::uint64_t tid) const;

    /// Memory that it does not use now, of scratchBytes.
    [[nodiscard]] std::uint64_t scratch() const;
    static constexpr std::size_t scratchBytes = 512;
    /// @p size is a multiple of 8.
    [[nodiscard]] bool store(std::uint64_t to, const void* from, std::size_t size) const;
    [[nodiscard]] bool load(std::uint64_t from, void* to, std::size_t size) const;

    /// Puts it back to where it has stopped, to go on from there, with this process as its tracer
    /// or without one.
    [[nodiscard]] bool rewind() const;
    [[nodiscard]] bool letGo() const;

private:
    /// False: it has ended, or does not stop.
    bool waitForStop(int& status) const;

    pid_t m_pid;
    user_regs_struct m_place {}; ///< Right before the call that was interrupted.
};

} // namespace isol8::guest
