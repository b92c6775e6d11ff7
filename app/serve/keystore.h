// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"

#include <QDateTime>
#include <QList>

#include <memory>
#include <optional>

namespace isol8::serve {

/// One API key as the store knows it: never the key itself.
struct KeyRecord {
    QString id; ///< UUID without braces.
    QString name;
    QString tenant;
    QDateTime created; ///< UTC
    QDateTime expires; ///< UTC

    bool operator==(const KeyRecord&) const = default;
};

/// A key that was just made; the only moment at which it is known.
struct NewKey {
    KeyRecord record;
    QByteArray key;
};

/// The API keys of `--auth-db`, in SQLite, PostgreSQL or MySQL (MariaDB). Keys are 256 random bits;
/// the database holds their SHA-256. Every call does its work on a thread of the store's own and
/// comes back on the caller's. When the database does not answer as it should, calls fail with
/// Kind::Unreachable (httpStatus 503): nobody is let in on a doubt.
class KeyStore {
public:
    /// Opens and brings the tables up to date. @p location: path of a SQLite file, which is made
    /// with mode 0600, or `postgres://user:password@host:port/database` (also `postgresql://`), or
    /// `mysql://…` (also `mariadb://`); a query `?socket=/path` uses a local socket. Errors never
    /// contain the password.
    [[nodiscard]] static Task<std::shared_ptr<KeyStore>> open(QString location);

    /// Waits for what the database is doing, then closes; calls under way fail with
    /// Kind::Cancelled.
    ~KeyStore();
    Q_DISABLE_COPY_MOVE(KeyStore)

    /// @p name and @p tenant: up to 128 characters, none of them a control character; an empty
    /// tenant is `default`. @p ttl is from 1 ms to maxKeyTtl. Else Kind::Invalid, 400.
    [[nodiscard]] Task<NewKey> create(QString name, QString tenant, std::chrono::milliseconds ttl);

    /// Who holds @p key; none for an unknown, revoked or expired one.
    [[nodiscard]] Task<std::optional<KeyRecord>> find(QByteArray key);

    /// Keys of one tenant, or of all without one, oldest first; expired ones are left out.
    [[nodiscard]] Task<QList<KeyRecord>> list(std::optional<QString> tenant);

    /// True if there was such a key; it opens nothing from the answer on.
    [[nodiscard]] Task<bool> remove(QString id);

    /// Removes the expired keys; their number.
    [[nodiscard]] Task<int> removeExpired();

    /// Calls removeExpired() every @p interval as long as the store lives.
    void removeExpiredEvery(std::chrono::milliseconds interval);

    struct State;

private:
    struct Steps;
    explicit KeyStore(std::shared_ptr<State> state);
    std::shared_ptr<State> m_state;
};

/// Ten years.
inline constexpr std::chrono::milliseconds maxKeyTtl { 10LL * 366 * 86'400'000 };

/// A `ttlMs` of a request, in milliseconds; Kind::Invalid (400) for what is not a whole number from
/// 1 to maxKeyTtl.
[[nodiscard]] Result<std::chrono::milliseconds> keyTtl(double milliseconds);

} // namespace isol8::serve
