// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <memory>

namespace isol8::serve {

/// A place among the executions that may run now; given back at its end. A default one is none.
class Ticket {
public:
    Ticket() = default;
    ~Ticket();
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    [[nodiscard]] bool isHeld() const { return bool(m_giveBack); }
    /// How long the place was waited for.
    [[nodiscard]] std::chrono::microseconds waited() const { return m_waited; }

private:
    friend class RunQueue;
    std::function<void()> m_giveBack;
    std::chrono::microseconds m_waited {};
};

/// Lets a number of executions run at a time and makes the rest wait. A place that becomes free
/// goes to the tenants in turn, and within a tenant to who came first, so a tenant with a thousand
/// requests holds up nobody else's. Lives on the event loop's thread.
class RunQueue {
public:
    struct Limits {
        int maxConcurrent = 10;
        int maxConcurrentPerTenant = 0; ///< 0: maxConcurrent alone counts.
        int maxWaiting = 100; ///< Of all tenants together.
        std::chrono::milliseconds maxWait { 30'000 };
    };

    explicit RunQueue(Limits limits);
    Q_DISABLE_COPY_MOVE(RunQueue)
    /// Those that wait fail with Kind::Cancelled.
    ~RunQueue();

    /// Waits for a place. Kind::Limit with httpStatus 429 when too many wait already (answer with
    /// retryAfter()), Kind::Timeout with 503 after maxWait, Kind::Cancelled at the cancel.
    [[nodiscard]] Task<Ticket> admit(QString tenant, CancelToken cancel);
    /// The same, and Kind::Timeout with 408 when @p limit, the request's own, passes first.
    [[nodiscard]] Task<Ticket> admit(
        QString tenant, CancelToken cancel, std::chrono::milliseconds limit);

    /// New limits count from the next place on; nobody who runs or waits already is put out.
    void setLimits(Limits limits);
    /// Refuses new ones and those that wait: the server ends.
    void close(const Error& reason);

    [[nodiscard]] int running() const;
    [[nodiscard]] int waiting() const;
    /// When a client that was refused should come again: from how long recent executions took, 1 to
    /// 60 s.
    [[nodiscard]] std::chrono::seconds retryAfter() const;

    struct State;

private:
    struct Steps;
    std::shared_ptr<State> m_state;
};

} // namespace isol8::serve
