// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/processes.h"
#include "engine/guest/program.h"
#include "engine/guest/tracee.h"

namespace isol8::guest {

/// An interpreter that has been started up to where it opens its program's file, and never goes on
/// from there: the programs that are started ahead are copies of it (fork(2)), which takes a
/// twentieth of a start. It has a user of its own, whom no program may signal or look into, and one
/// capability, with which a copy becomes the program's user. Nobody's code runs in it. Outlives
/// runs and scrubs; for one specification at a time.
class Zygote {
public:
    explicit Zygote(Processes& processes)
        : m_processes(processes)
    {
    }

    /// Starts one for @p spec, parsed from the @p size bytes at @p bytes, in place of any other. An
    /// errno; with one, programs have to be started as always.
    int start(const RunSpec& spec, const unsigned char* bytes, std::size_t size);
    /// Somebody has come to open the file.
    void fileWanted();
    void serve();
    /// Ends it. The caller sees to it that it is gone where that matters.
    void discard();
    /// Ends it, and there will be no other: this interpreter cannot be copied.
    void refuse();

    [[nodiscard]] bool isStarting() const
    {
        return m_state == State::Starting || m_state == State::Stopping;
    }
    [[nodiscard]] bool isReadyFor(const unsigned char* bytes, std::size_t size) const;

    /// A copy with streams of its own, which stands still where the zygote does; it is a child of
    /// this process. Or a negative errno, and there is no zygote any more.
    pid_t copy(ProgramStreams& streams);
    /// Has a copy go on, and leaves it alone from then on.
    static void letGo(pid_t copy);

private:
    enum class State { None, Starting, Stopping, Ready };

    struct Range {
        std::uint64_t begin = 0;
        std::uint64_t bytes = 0;
        bool isWritable = false;
    };

    bool capture();
    bool findRanges(std::uint64_t scratch);
    void addRange(const char* line);
    bool becomeProgram(Tracee& copy) const;
    void makeMemoryReady(Tracee& copy) const;

    static constexpr std::size_t maxSpecBytes = 32 * 1024;
    static constexpr int maxRanges = 16;

    Processes& m_processes;
    State m_state = State::None;
    bool m_isRefused = !Tracee::isSupported;
    Child m_child;
    Tracee m_tracee { 0 };
    Descriptor m_channel; ///< Brings a copy its streams.
    bool m_isStdinOpen = false;
    std::uint64_t m_tid = 0; ///< Addresses in its memory.
    std::uint64_t m_robustList = 0;
    std::uint64_t m_robustListBytes = 0;
    Range m_ranges[maxRanges];
    int m_rangeCount = 0;
    std::size_t m_specSize = 0;
    unsigned char m_spec[maxSpecBytes] = {};
};

} // namespace isol8::guest
