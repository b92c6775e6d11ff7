// SPDX-License-Identifier: MIT
#include "app/serve/sessiontable.h"

#include "engine/core/names.h"

#include <QCryptographicHash>
#include <QElapsedTimer>

namespace isol8::serve {

using namespace Qt::StringLiterals;

struct SessionTable::State {
    Limits limits;
    std::optional<Error> closed; ///< Why nobody may wait any more.
    QHash<QString, std::shared_ptr<Entry>> entries;
};

struct SessionTable::Entry {
    struct Waiter {
        quint64 number;
        Completion<> turn;
        CancelToken cancel;
    };

    std::weak_ptr<State> table;
    QString engineId;
    std::optional<Runtime> runtime; ///< None until the session is known to exist.
    QDateTime lastAccess; ///< To be shown.
    QElapsedTimer sinceAccess; ///< To be counted, since clocks are set.
    bool isHeld = false;
    CancelToken holder;
    std::deque<Waiter> waiters;
    quint64 nextWaiter = 1;

    void noteAccess()
    {
        lastAccess = QDateTime::currentDateTimeUtc();
        sinceAccess.start();
    }
    void passOn();
};

namespace {

constexpr qsizetype maxIdLength = 128;
constexpr qsizetype digestLength = 16;

QString digest(const QString& text, qsizetype length)
{
    const auto hash = QCryptographicHash::hash(text.toUtf8(), QCryptographicHash::Sha256);
    return QString::fromLatin1(hash.toHex().left(length));
}

QString prefixOf(const QString& tenant)
{
    return u"srv-"_s + digest(tenant, digestLength) + u'.';
}

using Lease = SessionTable::Lease;

Task<std::shared_ptr<Lease>> waitForTurn(
    std::shared_ptr<SessionTable::Entry> entry, CancelToken cancel)
{
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    if (entry->isHeld) {
        const auto number = entry->nextWaiter++;
        const Completion<> turn;
        entry->waiters.push_back({ number, turn, cancel });
        const auto registration = cancel.onCancel([weak = std::weak_ptr(entry), number, turn] {
            if (const auto strong = weak.lock())
                std::erase_if(
                    strong->waiters, [number](const auto& each) { return each.number == number; });
            turn.fail(cancelled());
        });
        const auto waited = co_await turn.wait();
        if (!waited)
            co_return std::unexpected(waited.error());
    }
    entry->isHeld = true;
    entry->holder = cancel;
    entry->noteAccess();
    co_return std::make_shared<Lease>(entry);
}

Task<std::shared_ptr<Lease>> failed(Error error)
{
    co_return std::unexpected(std::move(error));
}

} // namespace

void SessionTable::Entry::passOn()
{
    noteAccess();
    holder = CancelToken();
    if (waiters.empty()) {
        isHeld = false;
        const auto strong = table.lock();
        if (strong && !runtime && strong->entries.value(engineId).get() == this)
            strong->entries.remove(engineId);
        return;
    }
    const auto next = waiters.front().turn;
    waiters.pop_front();
    next.deliver({});
}

SessionTable::Lease::Lease(std::shared_ptr<Entry> entry)
    : m_entry(std::move(entry))
{
}

SessionTable::Lease::~Lease()
{
    m_entry->passOn();
}

void SessionTable::Lease::confirm(Runtime runtime)
{
    m_entry->runtime = runtime;
}

void SessionTable::Lease::forget()
{
    m_entry->runtime.reset();
}

SessionTable::SessionTable(Limits limits)
    : m_state(std::make_shared<State>())
{
    m_state->limits = limits;
}

SessionTable::~SessionTable()
{
    for (const auto& id : m_state->entries.keys())
        cancelUsers(id);
}

QString SessionTable::engineId(const QString& tenant, const QString& id)
{
    const auto prefix = prefixOf(tenant);
    if (prefix.size() + id.size() <= maxIdLength)
        return prefix + id;
    constexpr qsizetype longDigestLength = 64;
    const auto room = maxIdLength - prefix.size() - longDigestLength - 1;
    return prefix + id.left(room) + u'.' + digest(id, longDigestLength);
}

std::optional<QString> SessionTable::clientId(const QString& tenant, const QString& engineId)
{
    const auto prefix = prefixOf(tenant);
    return engineId.startsWith(prefix) ? std::optional(engineId.sliced(prefix.size()))
                                       : std::nullopt;
}

bool SessionTable::isServerSession(const QString& engineId)
{
    return engineId.startsWith("srv-"_L1) && engineId.indexOf(u'.') == 4 + digestLength;
}

Result<> SessionTable::checkRoom(const QString& engineId, Runtime runtime) const
{
    const auto entry = m_state->entries.value(engineId);
    if (!entry) {
        if (m_state->entries.size() >= m_state->limits.maxSessions)
            return failure(Kind::Limit,
                u"there are %1 sessions already, and this server allows no more"_s.arg(
                    m_state->entries.size()));
        return {};
    }
    if (entry->runtime && *entry->runtime != runtime)
        return failure(Kind::Conflict,
            u"Cannot switch runtime from \"%1\" to \"%2\": a session has one runtime"_s.arg(
                runtimeName(*entry->runtime), runtimeName(runtime)));
    if (std::cmp_greater_equal(entry->waiters.size(), m_state->limits.maxWaiting) && entry->isHeld)
        return failure(Kind::Limit, u"too many requests wait for this session"_s);
    if (entry->isHeld && m_state->closed)
        return std::unexpected(*m_state->closed);
    return {};
}

Task<std::shared_ptr<Lease>> SessionTable::acquire(
    QString engineId, Runtime runtime, CancelToken cancel)
{
    if (cancel.isCancelled())
        return failed(cancelled()); // Or an entry would stay that nobody confirms.
    if (auto room = checkRoom(engineId, runtime); !room)
        return failed(room.error());
    auto& entry = m_state->entries[engineId];
    if (!entry) {
        entry = std::make_shared<Entry>();
        entry->table = m_state;
        entry->engineId = engineId;
    }
    return waitForTurn(entry, std::move(cancel));
}

Task<std::shared_ptr<Lease>> SessionTable::acquireExisting(QString engineId, CancelToken cancel)
{
    const auto entry = m_state->entries.value(engineId);
    if (!entry)
        return failed({ Kind::NotFound, u"there is no such session"_s });
    return waitForTurn(entry, std::move(cancel));
}

void SessionTable::adopt(const QString& engineId, Runtime runtime)
{
    auto& entry = m_state->entries[engineId];
    if (entry)
        return;
    entry = std::make_shared<Entry>();
    entry->table = m_state;
    entry->engineId = engineId;
    entry->runtime = runtime;
    entry->noteAccess();
}

void SessionTable::setLimits(const Limits& limits)
{
    m_state->limits = limits;
}

void SessionTable::close(const Error& reason)
{
    m_state->closed = reason;
    std::vector<Completion<>> turns;
    for (const auto& entry : m_state->entries) {
        for (const auto& waiter : entry->waiters)
            turns.push_back(waiter.turn);
        entry->waiters.clear();
    }
    // Last, since whoever goes on may come back here.
    for (const auto& turn : turns)
        turn.fail(reason);
}

void SessionTable::cancelUsers(const QString& engineId)
{
    const auto entry = m_state->entries.value(engineId);
    if (!entry)
        return;
    std::vector<CancelToken> tokens;
    for (const auto& waiter : entry->waiters)
        tokens.push_back(waiter.cancel);
    tokens.push_back(entry->holder);
    for (const auto& token : tokens)
        token.cancel();
}

bool SessionTable::isActive(const QString& engineId) const
{
    const auto entry = m_state->entries.value(engineId);
    return entry && entry->isHeld;
}

std::optional<QDateTime> SessionTable::lastAccess(const QString& engineId) const
{
    const auto entry = m_state->entries.value(engineId);
    return entry ? std::optional(entry->lastAccess) : std::nullopt;
}

int SessionTable::count() const
{
    return int(m_state->entries.size());
}

QStringList SessionTable::engineIds() const
{
    return m_state->entries.keys();
}

QStringList SessionTable::idleFor(std::chrono::milliseconds age) const
{
    QStringList idle;
    for (const auto& id : m_state->entries.keys()) {
        if (isIdleFor(id, age))
            idle << id;
    }
    return idle;
}

bool SessionTable::isIdleFor(const QString& engineId, std::chrono::milliseconds age) const
{
    const auto entry = m_state->entries.value(engineId);
    return entry && !entry->isHeld && entry->waiters.empty()
        && entry->sinceAccess.durationElapsed() >= age;
}

} // namespace isol8::serve
