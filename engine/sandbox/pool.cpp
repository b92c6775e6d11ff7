// SPDX-License-Identifier: MIT
#include "engine/sandbox/poolstate.h"

#include "engine/core/logging.h"

namespace isol8 {

namespace {

using StatePointer = std::shared_ptr<Pool::State>;
using ShelfPointer = std::shared_ptr<Pool::Shelf>;
using ItemPointer = std::shared_ptr<Pool::Item>;
using std::chrono::milliseconds;

/// Beyond this a sandbox is asked whether it is still there: what Docker tells may be late, or not
/// told at all.
constexpr milliseconds trustedIdle { 10'000 };
constexpr milliseconds trustedIdleUnwatched { 250 };

constexpr milliseconds firstRetryDelay { 500 };
constexpr milliseconds lastRetryDelay { 30'000 };
constexpr int rateSamples = 64;

Task<> destroy(StatePointer state, Pool::SandboxPointer sandbox)
{
    state->begin();
    ++state->counters.discarded;
    const auto destroyed = co_await state->actions.destroy(sandbox);
    if (!destroyed)
        qCWarning(logSandbox) << "container" << state->actions.idOf(sandbox).left(12)
                              << "was not removed:" << destroyed.error().message;
    state->end();
    co_return destroyed;
}

void discard(const StatePointer& state, const std::vector<ItemPointer>& items)
{
    for (const auto& item : items)
        (void)destroy(state, item->sandbox);
}

void upkeep(const StatePointer& state);

/// While it goes on the sandbox may be taken already: the run then waits for it in the guest.
Task<> prestart(StatePointer state, ItemPointer item, Ahead ahead, StartGate::Place starting)
{
    state->begin();
    const int uses = item->uses;
    item->isPrestarting = true;
    ahead.isCopyable = ahead.isCopyable && state->limits.isReusing;
    const auto bytes = co_await state->actions.prestart(item->sandbox, ahead, state->closing);
    if (item->uses == uses)
        item->isPrestarting = false;
    if (bytes && item->uses == uses) {
        item->isPrestarted = true;
        item->memoryBytes = *bytes;
        upkeep(state);
    } else if (!bytes && bytes.error().kind != Kind::Cancelled)
        qCDebug(logSandbox) << "nothing was started ahead:" << bytes.error().message;
    starting.leave();
    state->end();
    co_return {};
}

/// Hands a clean sandbox to whoever waits for one, or puts it on its shelf.
void place(const StatePointer& state, const ItemPointer& item, StartGate::Place starting)
{
    const auto shelf = item->shelf;
    if (state->isClosed || !state->actions.isAlive(item->sandbox)) {
        discard(state, { item });
        return;
    }
    qCDebug(logSandbox) << "container" << state->actions.idOf(item->sandbox).left(12)
                        << "is ready, after" << item->uses << "runs";
    item->isPrestarting = false;
    item->isPrestarted = false;
    item->memoryBytes = 0;
    if (auto waiter = shelf->takeWaiter(*item)) {
        // A copy takes less than the start that the run would have to make; its frames go first.
        if (state->limits.isPrestarting && state->limits.isReusing && shelf->ahead
            && shelf->ahead->isCopyable)
            (void)prestart(state, item, *shelf->ahead, std::move(starting));
        waiter->handed.deliver(item);
        return;
    }
    item->idle.start();
    shelf->idle.push_back(item);
    if (state->limits.isPrestarting && shelf->ahead && !shelf->isRetired)
        (void)prestart(state, item, *shelf->ahead, std::move(starting));
}

void noteMakingFailed(Pool::Shelf& shelf, const Error& error)
{
    if (error.kind == Kind::Cancelled)
        return;
    shelf.retryDelay = std::clamp(shelf.retryDelay * 2, firstRetryDelay, lastRetryDelay);
    shelf.retry = QDeadlineTimer(shelf.retryDelay);
    qCWarning(logSandbox) << "no sandbox could be made:" << error.message;
    // Whoever waits for one that is still being made, or cleaned, goes on waiting.
    if (shelf.unmet() > shelf.making && !shelf.waiters.empty()) {
        const auto waiter = shelf.waiters.front();
        shelf.waiters.pop_front();
        waiter.handed.fail(error);
    }
}

Task<> make(StatePointer state, ShelfPointer shelf)
{
    state->begin();
    QElapsedTimer timer;
    timer.start();
    auto sandbox = co_await state->actions.make(shelf->spec, state->closing);
    --shelf->making;
    if (sandbox) {
        ++state->counters.made;
        shelf->retryDelay = {};
        state->makeTime = (state->makeTime * 3 + milliseconds(timer.elapsed())) / 4;
        auto item = std::make_shared<Pool::Item>();
        item->sandbox = std::move(*sandbox);
        item->shelf = shelf;
        place(state, item, state->gate.enter());
    } else {
        ++state->counters.failures;
        noteMakingFailed(*shelf, sandbox.error());
    }
    upkeep(state);
    state->end();
    co_return {};
}

void stock(const StatePointer& state, const ShelfPointer& shelf)
{
    while (!state->isClosed && state->shortage(*shelf) > 0) {
        ++shelf->making;
        (void)make(state, shelf);
    }
}

void scheduleUpkeep(const StatePointer& state)
{
    const auto next = state->isClosed ? std::nullopt : state->nextUpkeep();
    if (next)
        state->upkeep.start(*next);
    else
        state->upkeep.stop();
}

/// Brings the pool to what it should be.
void upkeep(const StatePointer& state)
{
    discard(state, state->takeExcess());
    const auto shelves = state->shelves;
    for (const auto& shelf : shelves)
        stock(state, shelf);
    state->removeEmptyShelves();
    scheduleUpkeep(state);
}

Task<> clean(StatePointer state, ItemPointer item)
{
    state->begin();
    const auto shelf = item->shelf;
    auto starting = state->gate.enter();
    shelf->cleaning.push_back(item);
    const auto cleaned = co_await state->actions.scrub(item->sandbox, state->closing);
    std::erase(shelf->cleaning, item);
    if (cleaned && !shelf->isRetired) {
        ++state->counters.cleaned;
        place(state, item, std::move(starting));
    } else {
        if (!cleaned && cleaned.error().kind != Kind::Cancelled) {
            ++state->counters.failures;
            qCInfo(logSandbox) << "container" << state->actions.idOf(item->sandbox).left(12)
                               << "is not used again:" << cleaned.error().message;
        }
        discard(state, { item });
    }
    upkeep(state);
    state->end();
    co_return {};
}

Task<bool> isGood(StatePointer state, ItemPointer item, CancelToken cancel)
{
    if (!state->actions.isAlive(item->sandbox))
        co_return false;
    const auto trusted = state->isWatched ? trustedIdle : trustedIdleUnwatched;
    if (!item->idle.hasExpired(trusted.count()))
        co_return true;
    const auto answered = co_await state->actions.check(item->sandbox, cancel);
    co_return answered.has_value();
}

Pool::Taken taken(const ItemPointer& item, const QString& tenant, StartGate::Place starting)
{
    item->tenant = tenant;
    item->starting = std::move(starting);
    ++item->uses;
    return { item->sandbox, item };
}

Task<Pool::Taken> takeFrom(StatePointer state, Pool::Wish wish, CancelToken cancel)
{
    if (state->isClosed || cancel.isCancelled())
        co_return std::unexpected(cancelled());
    auto starting = co_await state->gate.admit(cancel);
    if (!starting)
        co_return std::unexpected(starting.error());
    const auto shelf = state->shelfOf(wish.spec);
    shelf->isRetired = false;
    if (wish.ahead)
        shelf->ahead = wish.ahead;
    shelf->takes.emplace_back().start();
    if (shelf->takes.size() > rateSamples)
        shelf->takes.pop_front();
    ++shelf->taken;
    while (const auto item = shelf->takeIdle(wish.tenant)) {
        const auto good = co_await isGood(state, item, cancel);
        if (good.value_or(false)) {
            ++state->counters.hits;
            scheduleUpkeep(state);
            co_return taken(item, wish.tenant, std::move(*starting));
        }
        discard(state, { item });
    }

    const Completion<ItemPointer> handed;
    const auto number = state->nextWaiter++;
    shelf->waiters.push_back({ number, wish.tenant, handed });
    ++state->counters.waits;
    const auto registration = cancel.onCancel([shelf, number, handed] {
        std::erase_if(shelf->waiters, [=](const auto& waiter) { return waiter.number == number; });
        handed.fail(cancelled());
    });
    stock(state, shelf);
    const auto item = co_await handed.wait();
    if (!item) {
        --shelf->taken;
        scheduleUpkeep(state);
        co_return std::unexpected(item.error());
    }
    scheduleUpkeep(state);
    co_return taken(*item, wish.tenant, std::move(*starting));
}

Task<> closePool(StatePointer state)
{
    state->isClosed = true;
    state->upkeep.stop();
    state->closing.cancel();
    state->gate.refuse();
    for (const auto& shelf : state->shelves) {
        for (const auto& waiter : std::exchange(shelf->waiters, {}))
            waiter.handed.fail(cancelled());
        const auto idle = std::exchange(shelf->idle, {});
        discard(state, { idle.begin(), idle.end() });
    }
    while (state->background > 0) {
        const Completion<> ended;
        state->closers.push_back(ended);
        (void)co_await ended.wait();
    }
    co_return {};
}

} // namespace

Pool::Pool(const PoolLimits& limits, Actions actions)
    : m_state(std::make_shared<State>(limits, std::move(actions)))
{
    QObject::connect(
        &m_state->upkeep, &QTimer::timeout, &m_state->upkeep, [weak = std::weak_ptr(m_state)] {
            if (const auto state = weak.lock())
                upkeep(state);
        });
}

Pool::~Pool()
{
    m_state->isClosed = true;
    m_state->upkeep.stop();
    m_state->closing.cancel();
    m_state->gate.refuse();
    for (const auto& shelf : m_state->shelves) {
        for (const auto& waiter : std::exchange(shelf->waiters, {}))
            waiter.handed.fail(cancelled());
        shelf->idle.clear(); // They hold the shelf.
    }
}

Task<Pool::Taken> Pool::take(Wish wish, CancelToken cancel)
{
    return takeFrom(m_state, std::move(wish), std::move(cancel));
}

void Pool::giveBack(std::shared_ptr<Item> item, bool isBroken)
{
    --item->shelf->taken;
    // Left at the end, when the cleaning has got its own.
    const auto starting = std::move(item->starting);
    const auto& limits = m_state->limits;
    const bool isReused = !isBroken && !m_state->isClosed && limits.isReusing
        && !item->shelf->isRetired && item->uses < limits.maxUses
        && m_state->actions.isAlive(item->sandbox);
    if (isReused) {
        (void)clean(m_state, std::move(item));
        return;
    }
    discard(m_state, { item });
    if (!m_state->isClosed)
        upkeep(m_state);
}

void Pool::keepReady(Wish wish)
{
    const auto shelf = m_state->shelfOf(wish.spec);
    shelf->isRetired = false;
    shelf->keptReady = m_state->limits.ready;
    if (!shelf->ahead)
        shelf->ahead = std::move(wish.ahead);
    upkeep(m_state);
}

void Pool::retire(const std::function<bool(const docker::ContainerSpec&)>& isOutdated)
{
    for (const auto& shelf : m_state->shelves) {
        if (!isOutdated(shelf->spec))
            continue;
        shelf->isRetired = true;
        shelf->keptReady = 0;
    }
    upkeep(m_state);
}

void Pool::drop(const QString& containerId)
{
    const auto dead = m_state->takeById(containerId);
    if (dead.empty())
        return;
    discard(m_state, dead);
    upkeep(m_state);
}

void Pool::setWatched(bool isWatched)
{
    m_state->isWatched = isWatched;
    discard(m_state, m_state->takeDead());
    if (!m_state->isClosed)
        upkeep(m_state);
}

PoolFigures Pool::figures() const
{
    return m_state->figures();
}

Task<> Pool::close()
{
    return closePool(m_state);
}

} // namespace isol8
