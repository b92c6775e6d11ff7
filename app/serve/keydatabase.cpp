// SPDX-License-Identifier: MIT
#include "app/serve/keydatabase.h"

#include "app/serve/authenticator.h"
#include "app/serve/keystoreschema.h"

#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr mode_t privateMode = S_IRUSR | S_IWUSR;

QString driverName(SqlDialect dialect)
{
    switch (dialect) {
    case SqlDialect::Sqlite:
        return u"QSQLITE"_s;
    case SqlDialect::Postgres:
        return u"QPSQL"_s;
    case SqlDialect::MySql:
        break;
    }
    return u"QMYSQL"_s;
}

// How long the database may take: shorter than a call of KeyStore waits, in the units that each
// driver has.
QString connectOptions(const KeyStoreLocation& location)
{
    switch (location.dialect) {
    case SqlDialect::Sqlite:
        return u"QSQLITE_OPEN_URI;QSQLITE_BUSY_TIMEOUT=5000"_s;
    case SqlDialect::Postgres: {
        QString options = u"connect_timeout=5;tcp_user_timeout=8000;application_name=isol8"_s;
        if (!location.sslMode.isEmpty())
            options += u";sslmode="_s + location.sslMode;
        return options;
    }
    case SqlDialect::MySql:
        break;
    }
    QString options
        = u"MYSQL_OPT_CONNECT_TIMEOUT=5;MYSQL_OPT_READ_TIMEOUT=8;MYSQL_OPT_WRITE_TIMEOUT=8"_s;
    if (!location.socketPath.isEmpty())
        options += u";UNIX_SOCKET="_s + location.socketPath;
    return options;
}

/// What is said to the session of a server before anything else.
QStringList greeting(SqlDialect dialect)
{
    if (dialect == SqlDialect::Postgres)
        return { u"SET statement_timeout = 8000"_s };
    if (dialect == SqlDialect::MySql)
        return { u"SET NAMES utf8mb4"_s, u"SET SESSION sql_mode = 'STRICT_ALL_TABLES'"_s,
            u"SET SESSION innodb_lock_wait_timeout = 5"_s };
    return {};
}

qint64 now()
{
    return QDateTime::currentMSecsSinceEpoch();
}

QDateTime timeOf(const QVariant& milliseconds)
{
    return QDateTime::fromMSecsSinceEpoch(milliseconds.toLongLong(), QTimeZone::UTC);
}

/// Columns id, name, tenant, created_ms, expires_ms from @p first on.
KeyRecord recordFrom(const QSqlQuery& query)
{
    return { query.value(0).toString(), query.value(1).toString(), query.value(2).toString(),
        timeOf(query.value(3)), timeOf(query.value(4)) };
}

} // namespace

KeyDatabase::KeyDatabase(KeyStoreLocation location)
    : m_location(std::move(location))
    , m_name(u"isol8-keys-"_s + QUuid::createUuid().toString(QUuid::WithoutBraces))
{
}

KeyDatabase::~KeyDatabase()
{
    close();
}

Error KeyDatabase::unreachable(const QString& reason) const
{
    QString text = reason.simplified();
    if (!m_location.password.isEmpty())
        text.replace(m_location.password, u"***"_s);
    return { Kind::Unreachable, u"the key database does not work: %1"_s.arg(text), 503 };
}

std::optional<KeyDatabase::FileIdentity> KeyDatabase::fileIdentity() const
{
    struct stat status {};
    if (::stat(QFile::encodeName(m_location.path).constData(), &status) != 0)
        return std::nullopt;
    return FileIdentity { quint64(status.st_dev), quint64(status.st_ino) };
}

void KeyDatabase::close()
{
    m_file.reset();
    if (!m_database.isValid())
        return;
    m_database.close();
    m_database = QSqlDatabase();
    QSqlDatabase::removeDatabase(m_name);
}

Result<> KeyDatabase::open()
{
    if (m_location.dialect == SqlDialect::Sqlite) {
        const auto path = QFile::encodeName(m_location.path);
        const int file = ::open(path.constData(), O_RDWR | O_CREAT | O_CLOEXEC, privateMode);
        if (file < 0)
            return std::unexpected(unreachable(m_location.path + u": "_s + qt_error_string(errno)));
        const bool isPrivate = ::fchmod(file, privateMode) == 0;
        ::close(file);
        if (!isPrivate)
            return std::unexpected(
                unreachable(u"%1: its mode cannot be set to 0600"_s.arg(m_location.path)));
    }
    return connectToDatabase();
}

Result<> KeyDatabase::connectToDatabase()
{
    close();
    const auto file = fileIdentity();
    if (m_location.dialect == SqlDialect::Sqlite && !file)
        return std::unexpected(unreachable(u"its file is not there"_s));
    if (!QSqlDatabase::isDriverAvailable(driverName(m_location.dialect)))
        return std::unexpected(
            unreachable(u"Qt's driver %1 is not installed"_s.arg(driverName(m_location.dialect))));
    m_database = QSqlDatabase::addDatabase(driverName(m_location.dialect), m_name);
    m_database.setConnectOptions(connectOptions(m_location));
    if (m_location.dialect == SqlDialect::Sqlite) {
        // `mode=rw`: a file that vanished is not made anew, empty, behind the operator's back.
        m_database.setDatabaseName(u"file:%1?mode=rw"_s.arg(
            QString::fromLatin1(QFile::encodeName(m_location.path).toPercentEncoding("/"))));
    } else {
        m_database.setHostName(m_location.host);
        m_database.setPort(m_location.port > 0 ? m_location.port : -1);
        m_database.setDatabaseName(m_location.database);
        m_database.setUserName(m_location.user);
        m_database.setPassword(m_location.password);
    }
    if (!m_database.open()) {
        const auto error = unreachable(m_database.lastError().text());
        close();
        return std::unexpected(error);
    }
    for (const QString& statement : greeting(m_location.dialect)) {
        if (const auto done = runOnce(statement, {}); !done) {
            close();
            return std::unexpected(done.error());
        }
    }
    if (const auto migrated = migrateKeyStore(m_database, m_location.dialect); !migrated) {
        const auto error = migrated.error().kind == Kind::Unreachable
            ? unreachable(migrated.error().message)
            : migrated.error();
        close();
        return std::unexpected(error);
    }
    m_file = file;
    return {};
}

Result<> KeyDatabase::ensureOpen()
{
    if (m_database.isValid() && m_database.isOpen()
        && (m_location.dialect != SqlDialect::Sqlite || (m_file && fileIdentity() == m_file)))
        return {};
    return connectToDatabase();
}

Result<QSqlQuery> KeyDatabase::runOnce(const QString& statement, const QVariantList& values)
{
    QSqlQuery query(m_database);
    query.setForwardOnly(true);
    bool isRun = false;
    if (values.isEmpty()) {
        isRun = query.exec(statement);
    } else if (query.prepare(statement)) {
        for (const QVariant& value : values)
            query.addBindValue(value);
        isRun = query.exec();
    }
    if (!isRun)
        return std::unexpected(unreachable(query.lastError().text()));
    return query;
}

Result<QSqlQuery> KeyDatabase::run(const QString& statement, const QVariantList& values)
{
    if (const auto open = ensureOpen(); !open)
        return std::unexpected(open.error());
    auto query = runOnce(statement, values);
    if (query || m_location.dialect == SqlDialect::Sqlite)
        return query;
    // The server may have been started anew since the last call. Doing any of our statements twice
    // is harmless: ids and hashes are unique.
    if (const auto open = connectToDatabase(); !open)
        return std::unexpected(open.error());
    query = runOnce(statement, values);
    if (!query)
        close();
    return query;
}

Result<> KeyDatabase::insert(const KeyRecord& record, const QByteArray& hash)
{
    const auto query
        = run(u"INSERT INTO isol8_keys (id, hash, name, tenant, created_ms, expires_ms) "
              "VALUES (?, ?, ?, ?, ?, ?)"_s,
            { record.id, QString::fromLatin1(hash), record.name, record.tenant,
                record.created.toMSecsSinceEpoch(), record.expires.toMSecsSinceEpoch() });
    if (!query)
        return std::unexpected(query.error());
    return {};
}

Result<std::optional<KeyRecord>> KeyDatabase::find(const QByteArray& hash)
{
    auto query = run(u"SELECT id, name, tenant, created_ms, expires_ms, hash FROM isol8_keys "
                     "WHERE hash = ?"_s,
        { QString::fromLatin1(hash) });
    if (!query)
        return std::unexpected(query.error());
    std::optional<KeyRecord> found;
    if (query->next()) {
        const bool isSame = isEqualInConstantTime(query->value(5).toString().toLatin1(), hash);
        auto record = recordFrom(*query);
        if (isSame && record.expires.toMSecsSinceEpoch() > now())
            found = std::move(record);
    }
    if (query->lastError().isValid())
        return std::unexpected(unreachable(query->lastError().text()));
    return found;
}

Result<QList<KeyRecord>> KeyDatabase::list(const std::optional<QString>& tenant)
{
    QString statement = u"SELECT id, name, tenant, created_ms, expires_ms FROM isol8_keys "
                        "WHERE expires_ms > ?"_s;
    QVariantList values { now() };
    if (tenant) {
        statement += u" AND tenant = ?"_s;
        values << *tenant;
    }
    auto query = run(statement + u" ORDER BY created_ms, id"_s, values);
    if (!query)
        return std::unexpected(query.error());
    QList<KeyRecord> records;
    while (query->next()) {
        // MySQL ignores blanks at the end when it compares.
        if (auto record = recordFrom(*query); !tenant || record.tenant == *tenant)
            records << std::move(record);
    }
    if (query->lastError().isValid())
        return std::unexpected(unreachable(query->lastError().text()));
    return records;
}

Result<bool> KeyDatabase::remove(const QString& id)
{
    const auto query = run(u"DELETE FROM isol8_keys WHERE id = ?"_s, { id });
    if (!query)
        return std::unexpected(query.error());
    return query->numRowsAffected() > 0;
}

Result<int> KeyDatabase::removeExpired()
{
    const auto query = run(u"DELETE FROM isol8_keys WHERE expires_ms <= ?"_s, { now() });
    if (!query)
        return std::unexpected(query.error());
    return query->numRowsAffected();
}

} // namespace isol8::serve
