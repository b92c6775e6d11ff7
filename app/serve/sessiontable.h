// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/core/execution.h"

#include <QHash>

#include <deque>
#include <memory>

namespace isol8::serve {

/// The sessions of every tenant as this server uses them: names, whose turn it is, when each was
/// used last. What sessions there really are only the engine knows.
class SessionTable {
public:
    /// The name that the engine knows session @p id of @p tenant by; no tenant can name another's.
    [[nodiscard]] static QString engineId(const QString& tenant, const QString& id);
    /// The reverse; none when the session is not of @p tenant. A name that was too long to be kept
    /// whole is shown as the engine has it.
    [[nodiscard]] static std::optional<QString> clientId(
        const QString& tenant, const QString& engineId);
    /// True for names that engineId() makes.
    [[nodiscard]] static bool isServerSession(const QString& engineId);

    struct Limits {
        int maxSessions = 100;
        int maxWaiting = 100; ///< Calls that wait for one session.
    };
    explicit SessionTable(Limits limits);
    Q_DISABLE_COPY_MOVE(SessionTable)
    ~SessionTable();

    struct Entry;
    /// The turn to use a session; ends with the object.
    class Lease {
    public:
        explicit Lease(std::shared_ptr<Entry> entry);
        ~Lease();
        Q_DISABLE_COPY_MOVE(Lease)
        /// The session exists now and has this runtime.
        void confirm(Runtime runtime);
        /// The session may be gone; it is forgotten if nobody waits for it.
        void forget();

    private:
        std::shared_ptr<Entry> m_entry;
    };

    /// Waits for the turn to run something in a session that may be new. Kind::Conflict for another
    /// runtime than the session has; Kind::Limit when there are too many sessions or waiters.
    /// @p cancel also ends the use when somebody deletes the session.
    [[nodiscard]] Task<std::shared_ptr<Lease>> acquire(
        QString engineId, Runtime runtime, CancelToken cancel);
    /// The same for a session that must be there; Kind::NotFound without one.
    [[nodiscard]] Task<std::shared_ptr<Lease>> acquireExisting(
        QString engineId, CancelToken cancel);

    /// Takes up a session that an earlier server left.
    void adopt(const QString& engineId, Runtime runtime);
    /// For sessions and waiters from now on.
    void setLimits(const Limits& limits);
    /// Cancels whoever uses the session or waits for it.
    void cancelUsers(const QString& engineId);

    /// Refuses those that wait, now and from now on: the server ends.
    void close(const Error& reason);

    [[nodiscard]] bool isActive(const QString& engineId) const;
    [[nodiscard]] std::optional<QDateTime> lastAccess(const QString& engineId) const;
    [[nodiscard]] int count() const;
    /// Every session that this server has used or taken up.
    [[nodiscard]] QStringList engineIds() const;
    /// Sessions that nobody has used or waited for in the last @p age, whatever the clock says.
    [[nodiscard]] QStringList idleFor(std::chrono::milliseconds age) const;
    [[nodiscard]] bool isIdleFor(const QString& engineId, std::chrono::milliseconds age) const;

private:
    [[nodiscard]] Result<> checkRoom(const QString& engineId, Runtime runtime) const;

    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace isol8::serve
