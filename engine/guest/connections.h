// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/framewriter.h"
#include "engine/guest/system.h"

namespace isol8::guest {

/// The program's connections to carriedPort, carried to the host. They belong to a run, and so does
/// the listener: outside of such a run the port is free. A fixed number of them, in fixed memory.
class Connections {
public:
    explicit Connections(FrameWriter& host)
        : m_host(host)
    {
    }

    /// Takes the port for run @p runId; 0 or an errno.
    int listen(std::uint32_t runId);
    /// Gives the port back and resets every connection; the host is told nothing.
    void closeAll();
    /// A new conversation counts from 1.
    void countAnew() { m_lastNumber = 0; }

    // Frames of the host. False: it broke the protocol.
    bool data(std::uint32_t id, const unsigned char* bytes, std::size_t size);
    bool dataEnd(std::uint32_t id);
    bool credit(std::uint32_t id, std::uint32_t bytes);
    void reset(std::uint32_t id);

    void addTo(PollSet& set);
    void serve(const PollSet& set);

private:
    struct Connection {
        Descriptor socket; ///< Closed: the place is free.
        std::uint32_t id = 0;
        int pollIndex = -1;

        std::uint32_t credit = 0; ///< Towards the host.
        bool isFromProgramOver = false;

        /// From the host: not yet taken by the program, and taken but not yet given back as credit.
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        std::uint32_t owed = 0;
        bool isFromHostEnding = false; ///< ConnectionEnd has come.
        bool isFromHostOver = false; ///< The program was told.
        bool hasUsedBuffer = false;

        [[nodiscard]] bool isFree() const { return !socket.isOpen(); }
        [[nodiscard]] std::uint32_t waiting() const { return end - begin; }
    };

    Connection* find(std::uint32_t id);
    Connection* freePlace();
    unsigned char* bufferOf(const Connection& connection);
    void acceptSome();
    void passOn(Connection& connection);
    void feed(Connection& connection);
    /// As much as the program takes at once; negative: it has broken off.
    ssize_t give(Connection& connection, const unsigned char* bytes, std::size_t size);
    void returnCredit(Connection& connection);
    void finish(Connection& connection, int error);
    void release(Connection& connection, bool isReset);

    FrameWriter& m_host;
    Descriptor m_listener;
    Descriptor m_guard; ///< Holds the port of IPv6, where nobody listens.
    int m_listenerPollIndex = -1;
    std::uint32_t m_runId = 0;
    std::uint32_t m_lastNumber = 0;
    int m_first = 0; ///< Whose turn it is to be first.
    Connection m_connections[maxConnections];
};

} // namespace isol8::guest
