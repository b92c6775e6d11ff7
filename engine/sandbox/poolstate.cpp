// SPDX-License-Identifier: MIT
#include "engine/sandbox/poolstate.h"

#include <algorithm>
#include <cmath>

namespace isol8 {

namespace {

using std::chrono::milliseconds;

/// Enough to keep a machine busy; more would only take each other's time.
constexpr int maxMaking = 4;
/// With so many of its own on their way a client gets the next of them: one that nobody has used
/// would be there at once, but then the machine has no time to make another in its place.
constexpr int maxComing = 3;
/// Over which the rate of use is counted.
constexpr milliseconds ratePeriod { 2000 };
/// A run that has just taken a sandbox is not held up by the making of the next one.
constexpr milliseconds restockDelay { 25 };

template <typename Items, typename Predicate> auto takeIf(Items& items, Predicate isWanted)
{
    std::vector<typename Items::value_type> taken;
    std::erase_if(items, [&](const auto& item) {
        if (!isWanted(item))
            return false;
        taken.push_back(item);
        return true;
    });
    return taken;
}

void append(auto& to, auto&& more)
{
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

} // namespace

Pool::Shelf::ItemPointer Pool::Shelf::takeIdle(const QString& tenant)
{
    const bool mayBeUnused = coming(tenant) < maxComing;
    const auto rankOf = [&](const Item& item) {
        if (item.tenant ? *item.tenant != tenant : !mayBeUnused)
            return 0;
        return 1 + (item.tenant ? 1 : 0) + (item.isPrestarted ? 2 : 0);
    };
    auto best = idle.end();
    int bestRank = 0;
    for (auto at = idle.begin(); at != idle.end(); ++at) {
        const int rank = rankOf(**at);
        // Among equals the one used last, so that the others can end; but that one's interpreter
        // is the last to be there too.
        if (rank > bestRank || (rank == bestRank && rank > 0 && !(*at)->isPrestarting)) {
            best = at;
            bestRank = rank;
        }
    }
    if (best == idle.end())
        return nullptr;
    auto item = *best;
    idle.erase(best);
    return item;
}

int Pool::Shelf::coming(const QString& tenant) const
{
    const auto isOwn = [&](const auto& item) { return item->tenant == tenant; };
    return static_cast<int>(
        std::ranges::count_if(
            idle, [&](const auto& item) { return item->isPrestarting && isOwn(item); })
        + std::ranges::count_if(cleaning, isOwn)
        - std::ranges::count(waiters, tenant, &Waiter::tenant));
}

std::optional<Pool::Shelf::Waiter> Pool::Shelf::takeWaiter(const Item& item)
{
    const auto found = std::ranges::find_if(
        waiters, [&](const auto& waiter) { return !item.tenant || *item.tenant == waiter.tenant; });
    if (found == waiters.end())
        return std::nullopt;
    auto waiter = std::move(*found);
    waiters.erase(found);
    return waiter;
}

int Pool::Shelf::unmet() const
{
    auto coming = cleaning;
    int count = 0;
    for (const auto& waiter : waiters) {
        const auto own = std::ranges::find_if(
            coming, [&](const auto& item) { return item->tenant == waiter.tenant; });
        if (own == coming.end())
            ++count;
        else
            coming.erase(own);
    }
    return count;
}

int Pool::Shelf::unused() const
{
    return static_cast<int>(
        std::ranges::count_if(idle, [](const auto& item) { return !item->tenant; }));
}

bool Pool::Shelf::isEmpty() const
{
    return idle.empty() && cleaning.empty() && waiters.empty() && making == 0 && taken == 0;
}

Pool::State::State(const PoolLimits& theLimits, Actions theActions)
    : limits(theLimits)
    , actions(std::move(theActions))
    , gate(theLimits.maxStarting)
{
    upkeep.setSingleShot(true);
}

Pool::State::ShelfPointer Pool::State::shelfOf(const docker::ContainerSpec& spec)
{
    const auto found
        = std::ranges::find_if(shelves, [&](const auto& shelf) { return shelf->spec == spec; });
    if (found != shelves.end())
        return *found;
    auto shelf = std::make_shared<Shelf>();
    shelf->spec = spec;
    shelves.push_back(shelf);
    return shelf;
}

int Pool::State::wantedReady(Shelf& shelf) const
{
    if (isClosed || shelf.isRetired)
        return 0;
    if (limits.isReusing)
        return shelf.keptReady;
    // Each is used once: whoever came lately comes again, and as often.
    const bool isInDemand
        = !shelf.takes.empty() && !shelf.takes.back().hasExpired(limits.idle.count());
    while (shelf.takes.size() > 1 && shelf.takes.front().hasExpired(ratePeriod.count()))
        shelf.takes.pop_front();
    const bool isFrequent
        = !shelf.takes.empty() && !shelf.takes.front().hasExpired(ratePeriod.count());
    const double rate = isFrequent ? double(shelf.takes.size()) / double(ratePeriod.count()) : 0;
    const int more = static_cast<int>(std::ceil(rate * double(makeTime.count())));
    return std::max(shelf.keptReady, isInDemand ? limits.ready : 0) + more;
}

int Pool::State::room() const
{
    int all = 0;
    for (const auto& shelf : shelves)
        all += static_cast<int>(shelf->idle.size() + shelf->cleaning.size()) + shelf->making;
    return std::max(0, limits.maxSandboxes - all);
}

int Pool::State::makingInAll() const
{
    int all = 0;
    for (const auto& shelf : shelves)
        all += shelf->making;
    return all;
}

int Pool::State::shortage(Shelf& shelf) const
{
    const int lacking = shelf.retry.hasExpired() ? wantedReady(shelf) - shelf.unused() : 0;
    const int wanted = shelf.unmet() + std::max(0, lacking) - shelf.making;
    // Whoever waits gets one in any case.
    const int allowed = std::max(shelf.unmet() - shelf.making, room());
    return std::clamp(wanted, 0, std::clamp(maxMaking - makingInAll(), 0, std::max(0, allowed)));
}

std::vector<Pool::State::ItemPointer> Pool::State::takeExcess()
{
    std::vector<ItemPointer> excess;
    for (const auto& shelf : shelves) {
        int spared = shelf->isRetired ? 0 : shelf->keptReady;
        append(excess, takeIf(shelf->idle, [&](const auto& item) {
            if (!item->tenant && spared > 0) {
                --spared;
                return shelf->isRetired;
            }
            return shelf->isRetired || item->idle.hasExpired(limits.idle.count());
        }));
    }
    for (;;) {
        const auto now = figures();
        if (now.unused + now.used <= limits.maxSandboxes
            && now.memoryBytes <= limits.maxMemoryBytes)
            return excess;
        // From whoever has most, the one that was not used for longest.
        const auto richest = std::ranges::max_element(
            shelves, {}, [](const auto& shelf) { return shelf->idle.size(); });
        // What there is no room for is not made anew at once.
        (*richest)->retry = QDeadlineTimer(limits.idle);
        excess.push_back((*richest)->idle.front());
        (*richest)->idle.pop_front();
    }
}

std::vector<Pool::State::ItemPointer> Pool::State::takeById(const QString& containerId)
{
    std::vector<ItemPointer> found;
    for (const auto& shelf : shelves)
        append(found, takeIf(shelf->idle, [&](const auto& item) {
            return actions.idOf(item->sandbox) == containerId;
        }));
    return found;
}

std::vector<Pool::State::ItemPointer> Pool::State::takeDead()
{
    std::vector<ItemPointer> found;
    for (const auto& shelf : shelves)
        append(found,
            takeIf(shelf->idle, [&](const auto& item) { return !actions.isAlive(item->sandbox); }));
    return found;
}

void Pool::State::removeEmptyShelves()
{
    std::erase_if(shelves, [this](const auto& shelf) {
        return shelf->isEmpty() && (isClosed || shelf->isRetired || wantedReady(*shelf) == 0);
    });
}

std::optional<milliseconds> Pool::State::nextUpkeep()
{
    std::optional<milliseconds> next;
    const auto consider = [&next](milliseconds time) {
        next = std::max(milliseconds(0), next ? std::min(*next, time) : time);
    };
    for (const auto& shelf : shelves) {
        const int wanted = wantedReady(*shelf);
        if (wanted > shelf->unused() + shelf->making && room() > 0 && makingInAll() < maxMaking)
            consider(std::max(restockDelay, milliseconds(shelf->retry.remainingTime())));
        int spared = shelf->keptReady;
        for (const auto& item : shelf->idle) {
            if (item->tenant || --spared < 0)
                consider(limits.idle - milliseconds(item->idle.elapsed()) + milliseconds(1));
        }
    }
    return next;
}

PoolFigures Pool::State::figures() const
{
    auto all = counters;
    all.waiting += gate.waiting();
    for (const auto& shelf : shelves) {
        const int unused = shelf->unused();
        all.unused += unused;
        all.used += static_cast<int>(shelf->idle.size()) - unused;
        all.cleaning += static_cast<int>(shelf->cleaning.size());
        all.making += shelf->making;
        all.waiting += static_cast<int>(shelf->waiters.size());
        all.taken += shelf->taken - static_cast<int>(shelf->waiters.size());
        for (const auto& item : shelf->idle)
            all.memoryBytes += item->memoryBytes;
    }
    return all;
}

void Pool::State::end()
{
    if (--background > 0)
        return;
    for (const auto& closer : std::exchange(closers, {}))
        closer.deliver({});
}

} // namespace isol8
