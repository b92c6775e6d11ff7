// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/framewriter.h"
#include "engine/guest/processes.h"
#include "engine/guest/system.h"

namespace isol8::guest {

/// The file operations of the host. Each is done by a child that has become the program's user;
/// this passes its frames on, keeps the credit, and answers when the child is killed.
class Files {
public:
    Files(FrameWriter& host, Processes& processes)
        : m_host(host)
        , m_processes(processes)
    {
    }

    // Frames of the host. False: it broke the protocol.
    bool start(const Header& header, const unsigned char* payload);
    bool data(std::uint32_t id, const unsigned char* bytes, std::size_t size);
    void dataEnd(std::uint32_t id);
    bool credit(std::uint32_t id, std::uint32_t bytes);
    void abort(std::uint32_t id);

    /// Answers an operation that is over, or was never begun here.
    void answer(std::uint32_t id, int error);

    enum class Progress { Pending, Done, Failed };
    /// Of an operation; of those that are long over only failures of the latest are known.
    [[nodiscard]] Progress progressOf(std::uint32_t id) const;

    /// Ends idle children: a program is about to start, or the sandbox to be cleaned.
    void dismissIdle();
    /// Ends all operations with EINTR.
    void cancelAll();
    /// Forgets all operations; the caller has killed everything.
    void reset();

    void addTo(PollSet& set);
    void serve(const PollSet& set);

private:
    struct Operation {
        bool isOpen = false;
        std::uint32_t id = 0;
        std::uint32_t credit = 0; ///< Of FileData to the host.
        Child worker;
        Descriptor socket; ///< To the worker; kept for the next operation.
        int pollIndex = -1;

        /// What the host has put and the worker has not taken.
        unsigned char content[fileWindowBytes] = {};
        std::size_t begin = 0;
        std::size_t end = 0;
        bool isEnding = false; ///< FileEnd is due after the content.
    };

    Operation* find(std::uint32_t id);
    Operation* freeOperation();
    int startWorker(Operation& operation);
    void dismiss(Operation& operation);
    void feed(Operation& operation);
    bool sendToWorker(
        Operation& operation, Type type, const unsigned char* payload, std::size_t size);
    void passOn(Operation& operation);
    void finish(Operation& operation, int error);

    FrameWriter& m_host;
    Processes& m_processes;
    Operation m_operations[maxFileOperations];
    std::uint32_t m_failedIds[maxFileOperations] = {};
    std::size_t m_nextFailed = 0;
};

} // namespace isol8::guest
