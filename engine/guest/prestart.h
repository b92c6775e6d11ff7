// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/awaitedfile.h"
#include "engine/guest/cgroup.h"
#include "engine/guest/framewriter.h"
#include "engine/guest/processes.h"
#include "engine/guest/program.h"
#include "engine/guest/zygote.h"

namespace isol8::guest {

/// The interpreter of the next run, started before there is a file for it and stopped where it
/// opens that file; protocol.h tells how. There is at most one, and nobody's code ever runs beside
/// it.
class Prestart {
public:
    Prestart(FrameWriter& host, Processes& processes, const Cgroup& cgroup)
        : m_host(host)
        , m_processes(processes)
        , m_cgroup(cgroup)
    {
    }

    [[nodiscard]] bool isActive() const { return m_state != State::None; }

    /// Starts what the pieces in @p spec say, for the file of @p pathSize bytes at @p path; as a
    /// copy of a zygote, which is made first where there is none, with PrestartFlag::KeepZygote in
    /// @p flags. Answers with Prestarted, at once or later; an @p id of 0 is not answered.
    void start(std::uint32_t id, RunSpec& spec, std::uint32_t flags, const unsigned char* path,
        std::size_t pathSize);

    /// Whether @p spec, not parsed yet, is what this was started with.
    [[nodiscard]] bool isFor(const RunSpec& spec) const;
    /// Its program's file, which the host may put; it may outlive the program for that.
    [[nodiscard]] AwaitedFile& file() { return m_file; }

    /// Has it stand still wherever it is. True once it does; until then serve() looks.
    bool hold();
    /// Lets it go on from there as the program of a run: its process id and streams.
    pid_t release(ProgramStreams& streams);

    /// Ends it; the caller sees to it that it is gone before a program starts. True if there was
    /// one.
    bool discard();
    /// Forgets it: everything has been killed.
    void reset();
    /// Ends the zygote too, before everything is killed.
    void endZygote() { m_zygote.discard(); }

    /// Somebody has come to open the file (SIGIO).
    void fileWanted();
    void addTo(PollSet& set) const;
    void serve();

private:
    enum class State {
        None,
        Hatching, ///< The zygote is being made.
        Starting,
        Stopping,
        Held,
    };

    int begin(RunSpec& spec, bool isZygoteWanted);
    int beginCopy();
    void watch(pid_t pid, State state);
    void abandonFile();
    bool hasStopped() const;
    void forget();
    void answer(int error);

    FrameWriter& m_host;
    Processes& m_processes;
    const Cgroup& m_cgroup;
    Zygote m_zygote { m_processes };

    static constexpr std::size_t maxSpecBytes = 32 * 1024;

    State m_state = State::None;
    std::uint32_t m_id = 0; ///< Not answered yet.
    Child m_child;
    bool m_isCopy = false;
    ProgramStreams m_streams;
    AwaitedFile m_file;
    Time m_deadline = never;
    std::size_t m_specSize = 0;
    unsigned char m_spec[maxSpecBytes] = {};
};

} // namespace isol8::guest
