// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/carriedconnection.h"
#include "engine/sandbox/guestlink.h"
#include "engine/sandbox/scriptput.h"

#include <deque>

namespace isol8 {

/// State of a GuestRun, and the receiver of its frames.
struct GuestRun::Private final : GuestReceiver {
    /// What came and was not given back as credit.
    struct Window {
        quint32 unacknowledged = 0;
    };

    explicit Private(GuestRun* owner)
        : run(owner)
    {
    }

    void start(std::shared_ptr<GuestLink> over, const GuestRunSpec& spec);
    [[nodiscard]] Result<> receive(const guest::Header& header, const QByteArray& payload) override;
    void lose(const Error& error) override;

    [[nodiscard]] Result<> receiveOutput(guest::Stream stream, const QByteArray& payload);
    [[nodiscard]] Result<> receiveConnection(quint32 connection);
    void giveCredit(Window& channel, quint32 atLeast);
    void sendStdin();
    void finish(const Result<guest::RunReport>& report);

    GuestRun* run;
    std::shared_ptr<GuestLink> link;
    quint32 id = 0;
    bool isStarted = false;
    bool isAhead = false;
    bool isOver = false;
    bool hasTerminal = false;
    bool areConnectionsCarried = false;
    std::deque<std::unique_ptr<CarriedConnection>> connections; ///< Not taken yet.
    std::unique_ptr<ScriptPut> script;

    Window standardOutput;
    Window standardError;
    bool isPaused = false;

    QByteArrayList stdinQueue;
    qsizetype stdinOffset = 0; ///< Of the queue's first.
    qint64 stdinPending = 0;
    quint32 stdinCredit = guest::stdinWindowBytes;
    bool isStdinClosed = false;
    bool isStdinClosing = false; ///< StdinEnd is due after the queue.
};

} // namespace isol8
