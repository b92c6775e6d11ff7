// SPDX-License-Identifier: MIT
#include "app/serve/sessiontable.h"

#include "engine/core/names.h"

#include <QCryptographicHash>

namespace isol8::serve {

using namespace Qt::StringLiterals;

struct SessionTable::State {
    Limits limits;
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
    QDateTime lastAccess;
    bool isHeld = false;
    CancelToken holder;
    std::deque<Waiter> waiters;
    quint64 nextWaiter = 1;

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
    entry->lastAccess = QDateTime::currentDateTimeUtc();
    co_return std::make_shared<Lease>(entry);
}

Task<std::shared_ptr<Lease>> failed(Error error)
{
    co_return std::unexpected(std::move(error));
}

} // namespace

void SessionTable::Entry::passOn()
{
    lastAccess = QDateTime::currentDateTimeUtc();
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
    : m_state(std::make_shared<State>(limits))
{
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
    return {};
}

Task<std::shared_ptr<Lease>> SessionTable::acquire(
    QString engineId, Runtime runtime, CancelToken cancel)
{
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
    entry->lastAccess = QDateTime::currentDateTimeUtc();
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

QStringList SessionTable::idleSince(const QDateTime& moment) const
{
    QStringList idle;
    for (const auto& entry : m_state->entries) {
        if (!entry->isHeld && entry->waiters.empty() && entry->lastAccess <= moment)
            idle << entry->engineId;
    }
    return idle;
}

} // namespace isol8::serve
