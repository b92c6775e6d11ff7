// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/cgroup.h"
#include "engine/guest/connections.h"
#include "engine/guest/framewriter.h"
#include "engine/guest/prestart.h"
#include "engine/guest/processes.h"
#include "engine/guest/program.h"

namespace isol8::guest {

/// The one program that runs at a time: its streams, its connections, its deadline and its end.
class Run {
public:
    Run(FrameWriter& host, Processes& processes, const Cgroup& cgroup, Connections& connections)
        : m_host(host)
        , m_processes(processes)
        , m_cgroup(cgroup)
        , m_connections(connections)
    {
    }

    [[nodiscard]] bool isActive() const { return m_state != State::Idle; }
    /// Something of a run could not be killed: the sandbox must end.
    [[nodiscard]] bool isLost() const { return m_isLost; }

    // Frames of the host. False: it broke the protocol.
    bool spec(std::uint32_t id, const unsigned char* piece, std::size_t size);
    /// From now on it is due: the caller lets it begin() once nothing is in its way.
    void start(std::uint32_t id, std::uint64_t timeoutMilliseconds, std::uint32_t awaitedFile);
    void refuse(std::uint32_t id, int error)
    {
        sendReport(id, { .value = static_cast<std::uint32_t>(error) });
    }
    bool standardInput(std::uint32_t id, const unsigned char* bytes, std::size_t size);
    void standardInputEnd(std::uint32_t id);
    bool credit(std::uint32_t id, Stream stream, std::uint32_t bytes);
    void signal(std::uint32_t id, std::uint32_t number);
    void resize(std::uint32_t id, std::uint16_t rows, std::uint16_t columns);
    void kill(std::uint32_t id);

    [[nodiscard]] bool isDue() const { return m_state == State::Due; }
    /// The file operation that a due run waits for; 0: none.
    [[nodiscard]] std::uint32_t awaitedFile() const { return m_awaitedFile; }
    [[nodiscard]] RunSpec& pendingSpec() { return m_spec; }
    [[nodiscard]] bool hasSpecOf(std::uint32_t id) const { return id == m_specId; }
    /// Begins the due run: @p prestart goes on if it is this run's and stands still, else the
    /// program is started.
    void begin(Prestart& prestart);
    /// Ends the due run before it began; @p error as in RunReport::value.
    void giveUp(std::uint32_t error);

    /// Ends the program as Outcome::Killed; Exited follows.
    void killCurrent();
    /// Forgets the run; the caller has killed everything.
    void reset();

    void addTo(PollSet& set);
    void serve(const PollSet& set);

private:
    enum class State {
        Idle,
        Due,
        Running,
        Draining, ///< Everything is dead; what is left in the pipes goes out.
    };
    struct Channel {
        Descriptor* from = nullptr;
        Stream stream = Stream::None;
        std::uint32_t credit = 0;
        Time nextRead = 0;
        int pollIndex = -1;
    };

    [[nodiscard]] bool isCurrent(std::uint32_t id) const
    {
        return id == m_id && m_state == State::Running;
    }
    void end(Outcome outcome, std::uint32_t value);
    void watch(pid_t pid, bool isAhead);
    void endByStatus(int status);
    void pump(Channel& channel);
    void feed();
    void giveInputCredit(std::size_t bytes);
    void finishInput();
    void reportUsage();
    void report();
    void sendReport(std::uint32_t id, const RunReport& report);

    FrameWriter& m_host;
    Processes& m_processes;
    const Cgroup& m_cgroup;
    Connections& m_connections;

    State m_state = State::Idle;
    std::uint32_t m_id = 0;
    std::uint32_t m_specId = 0;
    std::uint32_t m_awaitedFile = 0;
    std::uint64_t m_timeoutMilliseconds = 0;
    RunSpec m_spec;
    ProgramStreams m_streams;
    Channel m_channels[2];
    Child m_child;
    Time m_started = 0;
    Time m_deadline = never;
    bool m_hasTerminal = false;
    RunReport m_report;
    bool m_isLost = false;
    Cgroup::Counters m_before;
    std::uint64_t m_cpuBefore = 0;
    Time m_nextUsage = never;

    unsigned char m_input[stdinWindowBytes] = {};
    std::size_t m_inputBegin = 0;
    std::size_t m_inputEnd = 0;
    bool m_isInputEnding = false;
    int m_inputPollIndex = -1;
};

} // namespace isol8::guest
