// SPDX-License-Identifier: MIT
#include "ui/history/historystore.h"

#include "engine/core/names.h"
#include "engine/output/secretset.h"
#include "ui/run/runsentences.h"
#include "ui/run/runsettingsjson.h"

#include <QFile>
#include <QJsonDocument>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxCodeCharacters = 1 << 20;
constexpr qsizetype maxOutputCharacters = 512 << 10;

const auto listColumns
    = u"id, started, title, path, target, runtime, ending, good, exitCode, duration, cpu, memory"_s;

HistoryEntry entryOf(const QSqlQuery& row)
{
    HistoryEntry entry;
    entry.id = row.value(0).toLongLong();
    entry.startedAt = QDateTime::fromMSecsSinceEpoch(row.value(1).toLongLong());
    entry.title = row.value(2).toString();
    entry.sourcePath = row.value(3).toString();
    entry.targetName = row.value(4).toString();
    entry.runtime = runtimeFromName(row.value(5).toString()).value_or(Runtime::Python);
    entry.ending = row.value(6).toString();
    entry.isGood = row.value(7).toBool();
    entry.exitCode = row.value(8).toInt();
    entry.duration = std::chrono::microseconds(row.value(9).toLongLong());
    entry.cpuTime = std::chrono::microseconds(row.value(10).toLongLong());
    entry.peakMemoryBytes = row.value(11).toLongLong();
    return entry;
}

RunSettings masked(RunSettings settings, const SecretSet& secrets)
{
    for (auto& argument : settings.arguments)
        argument = secrets.masked(argument);
    for (auto&& [name, value] : settings.environment.asKeyValueRange())
        value = secrets.masked(value);
    if (settings.stdinText)
        settings.stdinText = secrets.masked(*settings.stdinText);
    settings.setupScript = secrets.masked(settings.setupScript);
    return settings;
}

/// For LIKE with `\` as its escape.
QString pattern(QString text)
{
    text.replace(u'\\', u"\\\\"_s).replace(u'%', u"\\%"_s).replace(u'_', u"\\_"_s);
    return u'%' + text + u'%';
}

} // namespace

HistoryStore::HistoryStore(const QString& path)
    : m_connection(u"history-"_s + QUuid::createUuid().toString(QUuid::Id128))
{
    open(path);
}

HistoryStore::~HistoryStore()
{
    QSqlDatabase::database(m_connection, false).close();
    QSqlDatabase::removeDatabase(m_connection);
}

void HistoryStore::open(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadWrite)) {
        m_problem = file.errorString();
        return;
    }
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.close();
    auto database = QSqlDatabase::addDatabase(u"QSQLITE"_s, m_connection);
    database.setDatabaseName(path);
    database.setConnectOptions(u"QSQLITE_BUSY_TIMEOUT=1000"_s);
    QSqlQuery query(database);
    const QStringList statements { u"PRAGMA auto_vacuum = INCREMENTAL"_s,
        u"PRAGMA journal_mode = WAL"_s, u"PRAGMA synchronous = NORMAL"_s,
        u"CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, started INTEGER, title TEXT, "
        "path TEXT, target TEXT, runtime TEXT, ending TEXT, good INTEGER, exitCode INTEGER, "
        "duration INTEGER, cpu INTEGER, memory INTEGER, settings TEXT, code TEXT, output TEXT, "
        "bytes INTEGER)"_s };
    if (!database.open()) {
        m_problem = database.lastError().text();
        return;
    }
    query = QSqlQuery(database);
    for (const auto& statement : statements) {
        if (!query.exec(statement)) {
            m_problem = query.lastError().text();
            database.close();
            return;
        }
    }
}

void HistoryStore::setLimit(qint64 bytes)
{
    m_limit = bytes;
    dropOldest();
}

void HistoryStore::add(
    const RunJob& job, const Result<ExecutionResult>& result, const QString& output)
{
    if (!m_problem.isEmpty())
        return;
    const SecretSet secrets(job.options.secrets);
    const auto sentence = endSentence(result, job.options);
    const auto ended = result.value_or(ExecutionResult());
    const auto settings = QString::fromUtf8(
        QJsonDocument(toJson(masked(job.settings, secrets))).toJson(QJsonDocument::Compact));
    const auto code = secrets.masked(QString::fromUtf8(job.request.code)).left(maxCodeCharacters);
    const auto kept = secrets.masked(output.right(maxOutputCharacters));
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.prepare(
        u"INSERT INTO runs (started, title, path, target, runtime, ending, good, exitCode, "
        "duration, cpu, memory, settings, code, output, bytes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"_s);
    const auto started = ended.timestamp.isValid() ? ended.timestamp : QDateTime::currentDateTime();
    for (const auto& value : QVariantList { started.toMSecsSinceEpoch(), job.title, job.sourcePath,
             job.targetName, runtimeName(job.request.runtime), sentence.text,
             sentence.outcome == Outcome::Good, ended.exitCode, qlonglong(ended.duration.count()),
             qlonglong(ended.cpuTime.count()), ended.peakMemoryBytes, settings, code, kept,
             qlonglong(settings.size() + code.size() + kept.size()) })
        query.addBindValue(value);
    query.exec();
    dropOldest();
    Q_EMIT changed();
}

void HistoryStore::dropOldest()
{
    if (!m_problem.isEmpty())
        return;
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.prepare(
        u"DELETE FROM runs WHERE id IN (SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER "
        "BY id DESC) AS total FROM runs) WHERE total > ?)"_s);
    query.addBindValue(m_limit);
    query.exec();
    if (query.numRowsAffected() > 0)
        query.exec(u"PRAGMA incremental_vacuum"_s);
}

QList<HistoryEntry> HistoryStore::find(const QString& text, int most) const
{
    QList<HistoryEntry> entries;
    if (!m_problem.isEmpty())
        return entries;
    QSqlQuery query(QSqlDatabase::database(m_connection));
    const auto where = text.isEmpty()
        ? QString()
        : u"WHERE title LIKE ? ESCAPE '\\' OR code LIKE ? ESCAPE '\\' OR output LIKE ? ESCAPE '\\'"_s;
    query.prepare(
        u"SELECT %1 FROM runs %2 ORDER BY id DESC LIMIT %3"_s.arg(listColumns, where).arg(most));
    for (int place = 0; place < 3 && !text.isEmpty(); ++place)
        query.addBindValue(pattern(text));
    query.setForwardOnly(true);
    query.exec();
    while (query.next())
        entries << entryOf(query);
    return entries;
}

Result<HistoryDetails> HistoryStore::details(qint64 id) const
{
    if (!m_problem.isEmpty())
        return failure(Kind::NotFound, m_problem);
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.prepare(u"SELECT %1, settings, code, output FROM runs WHERE id = ?"_s.arg(listColumns));
    query.addBindValue(id);
    if (!query.exec() || !query.next())
        return failure(Kind::NotFound, tr("This run is not in the history any more"));
    HistoryDetails details;
    details.entry = entryOf(query);
    details.settings = runSettingsFromJson(
        QJsonDocument::fromJson(query.value(12).toString().toUtf8()).object(), ExecutionOptions());
    details.code = query.value(13).toString();
    details.output = query.value(14).toString();
    return details;
}

void HistoryStore::remove(const QList<qint64>& ids)
{
    if (!m_problem.isEmpty())
        return;
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.prepare(u"DELETE FROM runs WHERE id = ?"_s);
    for (const auto id : ids) {
        query.bindValue(0, id);
        query.exec();
    }
    query.exec(u"PRAGMA incremental_vacuum"_s);
    Q_EMIT changed();
}

void HistoryStore::clear()
{
    if (!m_problem.isEmpty())
        return;
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.exec(u"DELETE FROM runs"_s);
    query.exec(u"VACUUM"_s);
    Q_EMIT changed();
}

qint64 HistoryStore::contentBytes() const
{
    if (!m_problem.isEmpty())
        return 0;
    QSqlQuery query(QSqlDatabase::database(m_connection));
    query.exec(u"SELECT COALESCE(SUM(bytes), 0) FROM runs"_s);
    return query.next() ? query.value(0).toLongLong() : 0;
}

} // namespace isol8::ui
