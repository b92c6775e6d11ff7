// SPDX-License-Identifier: MIT
#include "app/serve/runqueue.h"

#include "engine/core/completion.h"

#include <QElapsedTimer>
#include <QHash>
#include <QTimer>

#include <cmath>
#include <deque>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// How much one execution changes the average of their durations.
constexpr double averageWeight = 0.2;
constexpr double shortestRetrySeconds = 1;
constexpr double longestRetrySeconds = 60;

struct Waiter {
    quint64 number = 0;
    Completion<> turn;
};

struct Tenant {
    int running = 0;
    std::deque<Waiter> waiters;
};

} // namespace

struct RunQueue::State {
    Limits limits;
    QHash<QString, Tenant> tenants; ///< Those that run or wait for something.
    std::deque<QString> order; ///< Tenants that wait; the front one is next.
    QObject context; ///< Receiver of the timers' signals.
    std::optional<Error> closed;
    int running = 0;
    int waiting = 0;
    quint64 nextNumber = 1;
    double averageSeconds = 1;

    [[nodiscard]] bool mayStart(const Tenant& tenant) const
    {
        return running < limits.maxConcurrent
            && (limits.maxConcurrentPerTenant == 0
                || tenant.running < limits.maxConcurrentPerTenant);
    }
    void start(Tenant& tenant)
    {
        ++tenant.running;
        ++running;
    }
    void dropIfIdle(const QString& name)
    {
        const auto found = tenants.constFind(name);
        if (found != tenants.cend() && found->running == 0 && found->waiters.empty())
            tenants.erase(found);
    }

    void passOn();
    void giveBack(const QString& tenant, double seconds);
    void leave(const QString& tenant, quint64 number);
    void failAll(const Error& error);
};

/// Gives every free place to the next tenant that may use it.
void RunQueue::State::passOn()
{
    for (;;) {
        const auto next = std::ranges::find_if(
            order, [this](const QString& name) { return mayStart(tenants[name]); });
        if (next == order.end())
            return;
        const QString name = *next;
        order.erase(next);
        Tenant& tenant = tenants[name];
        const auto turn = tenant.waiters.front().turn;
        tenant.waiters.pop_front();
        --waiting;
        start(tenant);
        if (!tenant.waiters.empty())
            order.push_back(name);
        // Last, since whoever goes on may come back here.
        turn.deliver({});
    }
}

void RunQueue::State::giveBack(const QString& tenant, double seconds)
{
    --tenants[tenant].running;
    --running;
    averageSeconds += averageWeight * (seconds - averageSeconds);
    dropIfIdle(tenant);
    passOn();
}

/// Takes one out of the queue that has not got its place yet.
void RunQueue::State::leave(const QString& name, quint64 number)
{
    const auto found = tenants.find(name);
    if (found == tenants.end())
        return;
    const auto left = std::erase_if(
        found->waiters, [number](const Waiter& waiter) { return waiter.number == number; });
    waiting -= int(left);
    if (found->waiters.empty())
        std::erase(order, name);
    dropIfIdle(name);
}

void RunQueue::State::failAll(const Error& error)
{
    std::vector<Completion<>> turns;
    for (Tenant& tenant : tenants) {
        for (const Waiter& waiter : tenant.waiters)
            turns.push_back(waiter.turn);
        tenant.waiters.clear();
    }
    order.clear();
    waiting = 0;
    for (const auto& turn : turns)
        turn.fail(error);
}

namespace {

using StatePointer = std::shared_ptr<RunQueue::State>;

Error tooMany()
{
    return { Kind::Limit, u"too many executions are waiting already; try again later"_s, 429 };
}

Error waitedInVain(bool isOwnLimit)
{
    return isOwnLimit
        ? Error { Kind::Timeout, u"the time limit passed while the execution waited for its turn"_s,
              408 }
        : Error { Kind::Timeout,
              u"the server is busy; the execution waited too long for its turn"_s, 503 };
}

/// Waits until a place has been given to the tenant.
Task<> takePlace(
    StatePointer state, QString tenant, CancelToken cancel, std::chrono::milliseconds limit)
{
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    if (state->closed)
        co_return std::unexpected(*state->closed);
    // Its waiters go first. Those of others cannot use the place, or it would not be free.
    auto& own = state->tenants[tenant];
    if (own.waiters.empty() && state->mayStart(own)) {
        state->start(own);
        co_return {};
    }
    if (state->waiting >= state->limits.maxWaiting) {
        state->dropIfIdle(tenant);
        co_return std::unexpected(tooMany());
    }
    const quint64 number = state->nextNumber++;
    const Completion<> turn;
    if (own.waiters.empty())
        state->order.push_back(tenant);
    own.waiters.push_back({ number, turn });
    ++state->waiting;

    // Waiting ends first in the table, so that no place is given to one that has left.
    const auto leave = [weak = std::weak_ptr(state), tenant, number, turn](const Error& error) {
        if (const auto strong = weak.lock())
            strong->leave(tenant, number);
        turn.fail(error);
    };
    const auto registration = cancel.onCancel([leave] { leave(cancelled()); });
    const bool isOwnLimit = limit <= state->limits.maxWait;
    QTimer timer;
    timer.setSingleShot(true);
    QObject::connect(
        &timer, &QTimer::timeout, &state->context,
        [leave, isOwnLimit] { leave(waitedInVain(isOwnLimit)); }, Qt::QueuedConnection);
    timer.start(std::min(limit, state->limits.maxWait));
    const auto result = co_await turn.wait();
    co_return result;
}

} // namespace

RunQueue::RunQueue(Limits limits)
    : m_state(std::make_shared<State>())
{
    m_state->limits = limits;
}

RunQueue::~RunQueue()
{
    close(cancelled());
}

/// The coroutine behind admit().
struct RunQueue::Steps {
    static Task<Ticket> admit(
        StatePointer state, QString tenant, CancelToken cancel, std::chrono::milliseconds limit)
    {
        QElapsedTimer clock;
        clock.start();
        const auto place = co_await takePlace(state, tenant, cancel, limit);
        if (!place)
            co_return std::unexpected(place.error());
        Ticket ticket;
        ticket.m_waited
            = std::chrono::duration_cast<std::chrono::microseconds>(clock.durationElapsed());
        clock.start();
        ticket.m_giveBack = [state, tenant, clock] {
            state->giveBack(tenant, std::chrono::duration<double>(clock.durationElapsed()).count());
        };
        co_return ticket;
    }
};

Task<Ticket> RunQueue::admit(QString tenant, CancelToken cancel)
{
    return Steps::admit(
        m_state, std::move(tenant), std::move(cancel), std::chrono::milliseconds::max());
}

Task<Ticket> RunQueue::admit(QString tenant, CancelToken cancel, std::chrono::milliseconds limit)
{
    return Steps::admit(m_state, std::move(tenant), std::move(cancel), limit);
}

void RunQueue::setLimits(Limits limits)
{
    const auto state = m_state;
    state->limits = limits;
    state->passOn();
}

void RunQueue::close(const Error& reason)
{
    const auto state = m_state;
    if (!state->closed)
        state->closed = reason;
    state->failAll(*state->closed);
}

int RunQueue::running() const
{
    return m_state->running;
}

int RunQueue::waiting() const
{
    return m_state->waiting;
}

std::chrono::seconds RunQueue::retryAfter() const
{
    const double turns = double(m_state->waiting + 1) / m_state->limits.maxConcurrent;
    const double seconds
        = std::clamp(turns * m_state->averageSeconds, shortestRetrySeconds, longestRetrySeconds);
    return std::chrono::seconds(qint64(std::ceil(seconds)));
}

Ticket::~Ticket()
{
    if (const auto giveBack = std::exchange(m_giveBack, nullptr))
        giveBack();
}

Ticket::Ticket(Ticket&& other) noexcept
    : m_giveBack(std::exchange(other.m_giveBack, nullptr))
    , m_waited(other.m_waited)
{
}

Ticket& Ticket::operator=(Ticket&& other) noexcept
{
    if (this != &other) {
        if (const auto giveBack
            = std::exchange(m_giveBack, std::exchange(other.m_giveBack, nullptr)))
            giveBack();
        m_waited = other.m_waited;
    }
    return *this;
}

} // namespace isol8::serve
