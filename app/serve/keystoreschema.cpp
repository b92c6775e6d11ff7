// SPDX-License-Identifier: MIT
#include "app/serve/keystoreschema.h"

#include <QScopeGuard>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QStringList>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// One step of the tables' history. A step that was released is never changed; a new one is added.
struct Migration {
    QStringList statements; ///< In the common subset of SQL; `%text` is a column of exact text.
};

const QList<Migration>& migrations()
{
    static const QList<Migration> all {
        // 1: the keys. Times are milliseconds since 1970, UTC; hash is SHA-256 in hexadecimal.
        { {
            u"CREATE TABLE isol8_keys ("
            "id %text(36) NOT NULL PRIMARY KEY, "
            "hash %text(64) NOT NULL UNIQUE, "
            "name %text(128) NOT NULL, "
            "tenant %text(128) NOT NULL, "
            "created_ms BIGINT NOT NULL, "
            "expires_ms BIGINT NOT NULL)"_s,
            u"CREATE INDEX isol8_keys_tenant ON isol8_keys (tenant, created_ms)"_s,
            u"CREATE INDEX isol8_keys_expires ON isol8_keys (expires_ms)"_s,
        } },
    };
    return all;
}

/// MySQL compares text without regard to case unless it is told otherwise.
QString inDialect(QString statement, SqlDialect dialect)
{
    static const QRegularExpression text(u"%text\\((\\d+)\\)"_s);
    return statement.replace(text,
        dialect == SqlDialect::MySql ? u"VARCHAR(\\1) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"_s
                                     : u"VARCHAR(\\1)"_s);
}

Result<> execute(QSqlDatabase& database, const QString& statement)
{
    QSqlQuery query(database);
    if (!query.exec(statement))
        return failure(Kind::Unreachable, query.lastError().text());
    return {};
}

Result<int> numberFrom(QSqlDatabase& database, const QString& statement)
{
    QSqlQuery query(database);
    if (!query.exec(statement))
        return failure(Kind::Unreachable, query.lastError().text());
    bool isNumber = false;
    const int number = query.next() ? query.value(0).toInt(&isNumber) : 0;
    if (!isNumber)
        return failure(Kind::Protocol, u"the database answers without a number"_s);
    return number;
}

/// Lets one server at a time change the tables. Only MySQL's lock outlives the transaction, since
/// there each CREATE ends it.
Result<> lock(QSqlDatabase& database, SqlDialect dialect)
{
    if (dialect == SqlDialect::Sqlite)
        return execute(database, u"BEGIN IMMEDIATE"_s);
    if (dialect == SqlDialect::Postgres) {
        if (const auto begun = execute(database, u"BEGIN"_s); !begun)
            return begun;
        return execute(database, u"SELECT pg_advisory_xact_lock(1769172856)"_s);
    }
    const auto taken = numberFrom(database, u"SELECT GET_LOCK('isol8_keys', 5)"_s);
    if (!taken)
        return std::unexpected(taken.error());
    if (*taken != 1)
        return failure(Kind::Unreachable, u"another server is changing the tables"_s);
    return {};
}

void unlock(QSqlDatabase& database, SqlDialect dialect, bool isDone)
{
    QSqlQuery query(database);
    if (dialect == SqlDialect::MySql)
        query.exec(u"SELECT RELEASE_LOCK('isol8_keys')"_s);
    else if (!isDone)
        query.exec(u"ROLLBACK"_s);
}

Result<> applyAll(QSqlDatabase& database, SqlDialect dialect)
{
    const auto made = execute(database,
        u"CREATE TABLE IF NOT EXISTS isol8_schema (version INTEGER NOT NULL PRIMARY KEY)"_s);
    if (!made)
        return made;
    const auto current
        = numberFrom(database, u"SELECT COALESCE(MAX(version), 0) FROM isol8_schema"_s);
    if (!current)
        return std::unexpected(current.error());
    if (*current > keyStoreSchemaVersion())
        return failure(Kind::Conflict,
            u"the key database has tables of version %1, and this isol8 knows %2 at most; use a "
            u"newer "
            "isol8"_s.arg(*current)
                .arg(keyStoreSchemaVersion()));
    for (int version = *current; version < keyStoreSchemaVersion(); ++version) {
        for (const QString& statement : migrations()[version].statements) {
            if (const auto done = execute(database, inDialect(statement, dialect)); !done)
                return done;
        }
        const auto noted = execute(
            database, u"INSERT INTO isol8_schema (version) VALUES (%1)"_s.arg(version + 1));
        if (!noted)
            return noted;
    }
    return {};
}

} // namespace

int keyStoreSchemaVersion()
{
    return int(migrations().size());
}

Result<> migrateKeyStore(QSqlDatabase& database, SqlDialect dialect)
{
    if (const auto locked = lock(database, dialect); !locked)
        return locked;
    bool isDone = false;
    const auto guard = qScopeGuard([&] { unlock(database, dialect, isDone); });
    if (const auto applied = applyAll(database, dialect); !applied)
        return applied;
    if (dialect != SqlDialect::MySql) {
        if (const auto committed = execute(database, u"COMMIT"_s); !committed)
            return committed;
    }
    isDone = true;
    return {};
}

} // namespace isol8::serve
