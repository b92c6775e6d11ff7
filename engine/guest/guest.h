// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/files.h"
#include "engine/guest/run.h"
#include "engine/guest/scrub.h"

namespace isol8::guest {

/// Process 1 of a sandbox: the main loop between the host's stream and everything else.
class Guest {
public:
    /// How the guest lives, and the program that it starts ahead when it begins.
    struct Life {
        int lingerSeconds = 0; ///< 0: the end of the stream is the end.
        bool isSpare = false; ///< Lingers until its first host comes.
        const char* prestartPath = nullptr;
        const char* prestartSpec = nullptr; ///< Hexadecimal.
    };
    explicit Guest(const Life& life);

    /// Until the sandbox is over; returns the exit code.
    int serve();

private:
    enum class Verdict { GoOn, Finished };

    Verdict round();
    /// From the attached stream or the direct socket.
    Verdict takeInput(const Descriptor& from);
    /// Takes frames up to a Start that cannot begin at once; what follows it waits.
    Verdict takePending();
    Verdict handle(const Header& header, Reader reader, const unsigned char* payload);
    bool handleRun(const Header& header, Reader reader, const unsigned char* payload);
    bool handleFile(const Header& header, Reader reader, const unsigned char* payload);
    /// Of the put into the file of the program that was started ahead.
    bool handleAwaitedFile(const Header& header, Reader reader, const unsigned char* payload);
    void interruptAwaitedFile();
    bool handleConnection(const Header& header, Reader reader, const unsigned char* payload);
    bool handleStart(const Header& header, Reader reader);
    bool handlePrestart(const Header& header, Reader reader);
    void prestart(
        std::uint32_t id, std::uint32_t flags, const unsigned char* path, std::size_t size);
    void beginDueRun();
    Verdict hello(Reader reader);
    Verdict connect(Reader reader);
    /// Takes the direct socket, or says why there is none.
    void meet();
    /// The attached stream is the host's again.
    void leaveDirect();
    Verdict directEnded();
    [[nodiscard]] const Descriptor& output() const;
    /// Finished: nobody reads any more, and none is waited for.
    Verdict flush();
    Verdict scrub(std::uint32_t id);
    Verdict takeSignals();
    Verdict checkHost();
    /// Kills all, tells the host why, and ends.
    Verdict fault(const char* text);

    bool m_isLingering;
    bool m_isSpare;
    Time m_linger;
    Time m_lastFrame;
    bool m_isGreeted = false;
    bool m_isInputClosed = false;
    int m_exitCode = 0;

    Descriptor m_input { 0 };
    Descriptor m_output { 1 };
    Descriptor m_meeting; ///< Where the host is to pass the direct socket.
    Descriptor m_direct; ///< Open: in use instead of the two.
    Descriptor m_signals;
    PollSet m_poll;
    FrameParser m_parser;
    const unsigned char* m_pending = nullptr; ///< What was read and not taken yet.
    std::size_t m_pendingSize = 0;
    FrameWriter m_host { 1 };
    Processes m_processes;
    Cgroup m_cgroup;
    Connections m_connections { m_host };
    Prestart m_prestart { m_host, m_processes, m_cgroup };
    bool m_hasDiscarded = false; ///< What is left of the one started ahead may still be dying.
    Run m_run { m_host, m_processes, m_cgroup, m_connections };
    Files m_files { m_host, m_processes };
    Scrub m_scrub { m_host, m_processes, m_cgroup };
};

} // namespace isol8::guest
