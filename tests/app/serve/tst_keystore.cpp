// SPDX-License-Identifier: MIT
#include "app/serve/keystore.h"
#include "databaseserver.h"

#include <QCryptographicHash>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QTcpServer>
#include <QTest>

#include <limits>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;
using namespace std::chrono_literals;

namespace {

using Store = std::shared_ptr<KeyStore>;

Result<Store> openStore(const QString& location)
{
    return QCoro::waitFor(KeyStore::open(location));
}

std::optional<KeyRecord> holder(const Store& store, const QByteArray& key)
{
    const auto found = QCoro::waitFor(store->find(key));
    return found ? *found : std::nullopt;
}

/// Does @p statement on a connection of the test's own. Empty if that worked.
QString inFile(const QString& path, const QStringList& statements)
{
    const auto name = u"test"_s;
    QString error;
    {
        auto database = QSqlDatabase::addDatabase(u"QSQLITE"_s, name);
        database.setDatabaseName(path);
        if (!database.open())
            error = database.lastError().text();
        for (const auto& statement : statements) {
            QSqlQuery query(database);
            if (error.isEmpty() && !query.exec(statement))
                error = query.lastError().text();
        }
    }
    QSqlDatabase::removeDatabase(name);
    return error;
}

/// Rows of the table of keys; -1 when it cannot be read.
int countIn(const QString& path)
{
    const auto name = u"count"_s;
    int count = -1;
    {
        auto database = QSqlDatabase::addDatabase(u"QSQLITE"_s, name);
        database.setDatabaseName(path);
        QSqlQuery query(database);
        if (database.open()) {
            query = QSqlQuery(u"SELECT COUNT(*) FROM isol8_keys"_s, database);
            if (query.next())
                count = query.value(0).toInt();
        }
    }
    QSqlDatabase::removeDatabase(name);
    return count;
}

void ignoreWarning()
{
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"key database does not work"_s));
}

} // namespace

class TestKeyStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();

    // Alike in each kind of database.
    void keepsKeys_data() { locations(); }
    void keepsKeys();
    void keepsOddTextsApart_data() { locations(); }
    void keepsOddTextsApart();
    void refusesBadValues_data() { locations(); }
    void refusesBadValues();
    void forgetsExpiredKeys_data() { locations(); }
    void forgetsExpiredKeys();
    void opensAtTheSameTime_data() { locations(); }
    void opensAtTheSameTime();
    void servesManyCallsAtOnce_data() { locations(); }
    void servesManyCallsAtOnce();

    void survivesARestartOfTheServer_data() { servers(); }
    void survivesARestartOfTheServer();
    void acceptsLocalSockets_data() { servers(); }
    void acceptsLocalSockets();
    void refusesWrongPasswords_data() { servers(); }
    void refusesWrongPasswords();
    void givesUpOnSilentServers();

    void checksLifetimes();
    void makesPrivateFiles();
    void storesOnlyHashes();
    void failsWhenTheFileVanishes();
    void takesUpAReplacedFile();
    void failsWhileLocked();
    void doesNotOpenReadOnlyFiles();
    void doesNotOpenWhatIsNoDatabase();
    void leavesNewerTablesAlone();
    void removesExpiredKeysByItself();
    void endsCallsWithItself();

private:
    void locations();
    void servers();
    void addServers();

    QTemporaryDir m_directory;
    DatabaseServer m_postgreSql { DatabaseServer::Product::PostgreSql };
    DatabaseServer m_mariaDb { DatabaseServer::Product::MariaDb };
};

void TestKeyStore::initTestCase()
{
    for (auto* server : { &m_postgreSql, &m_mariaDb }) {
        const auto failure = server->create();
        QVERIFY2(failure.isEmpty(), qPrintable(failure));
    }
}

void TestKeyStore::locations()
{
    QTest::addColumn<QString>("location");
    QTest::newRow("SQLite") << m_directory.filePath(u"keys 100%.db"_s);
    addServers();
}

void TestKeyStore::servers()
{
    QTest::addColumn<QString>("location");
    addServers();
}

void TestKeyStore::addServers()
{
    QTest::newRow("PostgreSQL") << m_postgreSql.url();
    QTest::newRow("MariaDB") << m_mariaDb.url();
}

void TestKeyStore::keepsKeys()
{
    QFETCH(const QString, location);
    auto opened = openStore(location);
    QVERIFY2(opened, qPrintable(opened ? QString() : opened.error().message));
    auto store = *opened;
    const auto before = QDateTime::currentDateTimeUtc();
    const auto made = QCoro::waitFor(store->create(u"robot"_s, u"acme"_s, 1h));
    QVERIFY(made);
    QVERIFY(made->key.startsWith("isol8_"));
    QCOMPARE(made->key.size(), 6 + 43); // 256 bits in base64url.
    QCOMPARE(made->record.name, u"robot"_s);
    QCOMPARE(made->record.tenant, u"acme"_s);
    QVERIFY(made->record.created >= before);
    QCOMPARE(made->record.created.addDuration(1h), made->record.expires);
    QCOMPARE(holder(store, made->key), std::optional(made->record));

    const auto other = QCoro::waitFor(store->create(u"robot"_s, u"acme"_s, 1h));
    QVERIFY(other);
    QVERIFY(other->key != made->key);
    QVERIFY(!holder(store, "isol8_" + QByteArray(43, 'A')));
    QVERIFY(!holder(store, {}));
    QVERIFY(!holder(store, made->key.toUpper()));
    QVERIFY(!holder(store, made->key + ' '));

    // Kept by the database, not by the object.
    store.reset();
    opened = openStore(location);
    QVERIFY(opened);
    store = *opened;
    QCOMPARE(holder(store, made->key), std::optional(made->record));
    const auto listed = QCoro::waitFor(store->list(u"acme"_s));
    QVERIFY(listed);
    QCOMPARE(listed->size(), 2);
    QVERIFY(listed->contains(made->record));
    QVERIFY(listed->contains(other->record));

    QCOMPARE(QCoro::waitFor(store->remove(made->record.id)), Result<bool>(true));
    QVERIFY(!holder(store, made->key));
    QVERIFY(holder(store, other->key));
    QCOMPARE(QCoro::waitFor(store->remove(made->record.id)), Result<bool>(false));
    for (const auto& id : { u""_s, u"*"_s, u"' OR '1'='1"_s, u"%"_s, other->record.id.toUpper() })
        QCOMPARE(QCoro::waitFor(store->remove(id)), Result<bool>(false));
    QVERIFY(holder(store, other->key));
}

void TestKeyStore::keepsOddTextsApart()
{
    QFETCH(const QString, location);
    const auto store = openStore(location).value_or(nullptr);
    QVERIFY(store);
    const QStringList odd { u"'; DROP TABLE isol8_keys; --"_s, u"\" OR 1=1"_s, u"Case"_s, u"case"_s,
        u"blank"_s, u"blank "_s, u"50%_\\"_s, u"ключ 🔑"_s, u"a?b:c$1"_s, QString(128, u'x'),
        QString(128, u'ü') };
    QMap<QString, KeyRecord> records;
    for (const auto& text : odd) {
        const auto made = QCoro::waitFor(store->create(text, text, 1h));
        QVERIFY2(made, qPrintable(text));
        QCOMPARE(made->record.tenant, text);
        records.insert(text, holder(store, made->key).value_or(KeyRecord()));
        QCOMPARE(records[text], made->record);
    }
    for (const auto& text : odd)
        QCOMPARE(QCoro::waitFor(store->list(text)).value_or(QList<KeyRecord>()),
            QList { records[text] });
    QCOMPARE(QCoro::waitFor(store->list(u"%"_s)).value_or(QList<KeyRecord>()).size(), 0);
    const auto all = QCoro::waitFor(store->list(std::nullopt));
    QVERIFY(all);
    QVERIFY(all->size() >= odd.size());
    // Without a tenant it is everybody's default.
    const auto made = QCoro::waitFor(store->create(u"n"_s, {}, 1h));
    QCOMPARE(made->record.tenant, u"default"_s);
}

void TestKeyStore::refusesBadValues()
{
    QFETCH(const QString, location);
    const auto store = openStore(location).value_or(nullptr);
    QVERIFY(store);
    for (const auto& text :
        { QString(129, u'x'), u"a\nb"_s, u"a\0b"_s, u"\x7f"_s, QString(QChar(0xd800)) }) {
        const auto name = QCoro::waitFor(store->create(text, u"t"_s, 1h));
        QVERIFY(!name);
        QCOMPARE(name.error().kind, Kind::Invalid);
        QCOMPARE(name.error().httpStatus, 400);
        QVERIFY(name.error().message.startsWith(u"name "_s));
        const auto tenant = QCoro::waitFor(store->create(u"n"_s, text, 1h));
        QVERIFY(tenant.error().message.startsWith(u"tenantId "_s));
    }
    for (const auto ttl : { 0ms, -1ms, std::chrono::milliseconds(maxKeyTtl + 1ms),
             std::chrono::milliseconds::max(), std::chrono::milliseconds::min() })
        QCOMPARE(QCoro::waitFor(store->create(u"n"_s, u"t"_s, ttl)).error().kind, Kind::Invalid);
    QVERIFY(QCoro::waitFor(store->create(u"n"_s, u"longest"_s, maxKeyTtl)));
}

void TestKeyStore::forgetsExpiredKeys()
{
    QFETCH(const QString, location);
    const auto store = openStore(location).value_or(nullptr);
    QVERIFY(store);
    const auto lasting = QCoro::waitFor(store->create(u"lasting"_s, u"expiry"_s, 1h));
    const auto brief = QCoro::waitFor(store->create(u"brief"_s, u"expiry"_s, 1ms));
    QVERIFY(lasting && brief);
    QTRY_VERIFY_WITH_TIMEOUT(QDateTime::currentDateTimeUtc() >= brief->record.expires, 30'000);
    QVERIFY(!holder(store, brief->key));
    QCOMPARE(QCoro::waitFor(store->list(u"expiry"_s)).value_or(QList<KeyRecord>()),
        QList { lasting->record });
    QCOMPARE(QCoro::waitFor(store->removeExpired()), Result<int>(1));
    QCOMPARE(QCoro::waitFor(store->removeExpired()), Result<int>(0));
    QCOMPARE(QCoro::waitFor(store->remove(brief->record.id)), Result<bool>(false));
    QVERIFY(holder(store, lasting->key));
}

void TestKeyStore::opensAtTheSameTime()
{
    QFETCH(const QString, location);
    const auto place = location.contains(u"://"_s) ? location : m_directory.filePath(u"new.db"_s);
    std::vector<Task<Store>> tasks;
    for (int i = 0; i < 3; ++i)
        tasks.push_back(KeyStore::open(place));
    for (auto& task : tasks) {
        const auto store = QCoro::waitFor(std::move(task));
        QVERIFY2(store, qPrintable(store ? QString() : store.error().message));
    }
}

void TestKeyStore::servesManyCallsAtOnce()
{
    QFETCH(const QString, location);
    const auto store = openStore(location).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"many"_s, 1h));
    QVERIFY(made);
    std::vector<Task<std::optional<KeyRecord>>> tasks;
    for (int i = 0; i < 200; ++i)
        tasks.push_back(store->find(i % 2 == 0 ? made->key : QByteArray::number(i)));
    for (size_t i = 0; i < tasks.size(); ++i) {
        const auto found = QCoro::waitFor(std::move(tasks[i]));
        QVERIFY(found);
        QCOMPARE(found->has_value(), i % 2 == 0);
    }
    // Asked before the answer of the removal is there: decided in the order of the calls.
    auto removal = store->remove(made->record.id);
    auto late = store->find(made->key);
    QCOMPARE(QCoro::waitFor(std::move(removal)), Result<bool>(true));
    QCOMPARE(QCoro::waitFor(std::move(late)), Result<std::optional<KeyRecord>>(std::nullopt));
}

void TestKeyStore::survivesARestartOfTheServer()
{
    QFETCH(const QString, location);
    auto& server = location.startsWith(u"postgres"_s) ? m_postgreSql : m_mariaDb;
    const auto store = openStore(location).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"restart"_s, 1h));
    QVERIFY(made);
    server.stop();
    ignoreWarning();
    const auto found = QCoro::waitFor(store->find(made->key));
    QVERIFY(!found);
    QCOMPARE(found.error().kind, Kind::Unreachable);
    QCOMPARE(found.error().httpStatus, 503);
    QCOMPARE(found.error().message, u"the key database does not answer"_s);
    ignoreWarning();
    QVERIFY(!QCoro::waitFor(store->create(u"n"_s, u"restart"_s, 1h)));
    ignoreWarning();
    QVERIFY(!QCoro::waitFor(store->remove(made->record.id)));
    QCOMPARE(server.start(), QString());
    QCOMPARE(server.url(), location);
    QCOMPARE(holder(store, made->key), std::optional(made->record));
    // A connection that was lost while nobody asked is not noticed by anybody.
    server.stop();
    QCOMPARE(server.start(), QString());
    QCOMPARE(holder(store, made->key), std::optional(made->record));
}

void TestKeyStore::acceptsLocalSockets()
{
    QFETCH(const QString, location);
    const auto& server = location.startsWith(u"postgres"_s) ? m_postgreSql : m_mariaDb;
    const auto store = openStore(server.socketUrl());
    QVERIFY2(store, qPrintable(store ? QString() : store.error().message));
    QVERIFY(QCoro::waitFor((*store)->list(std::nullopt)));
}

void TestKeyStore::refusesWrongPasswords()
{
    QFETCH(const QString, location);
    const auto store = openStore(QString(location).replace(u":p%40"_s, u":hunter2%40"_s));
    QVERIFY(!store);
    QCOMPARE(store.error().kind, Kind::Unreachable);
    QVERIFY2(!store.error().message.contains(u"hunter2"_s), qPrintable(store.error().message));
}

void TestKeyStore::givesUpOnSilentServers()
{
    QTcpServer silent;
    QVERIFY(silent.listen(QHostAddress::LocalHost));
    const auto place = u"%1://u:p@127.0.0.1:%2/d"_s;
    auto postgreSql = KeyStore::open(place.arg(u"postgres"_s).arg(silent.serverPort()));
    auto mariaDb = KeyStore::open(place.arg(u"mysql"_s).arg(silent.serverPort()));
    QCOMPARE(QCoro::waitFor(std::move(postgreSql)).error().kind, Kind::Unreachable);
    QCOMPARE(QCoro::waitFor(std::move(mariaDb)).error().kind, Kind::Unreachable);
}

void TestKeyStore::checksLifetimes()
{
    const double most = double(maxKeyTtl.count());
    for (const double wrong : { 0.0, -0.0, -1.0, 0.5, 1.5, most + 1, 1e300, -1e300,
             std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN() }) {
        const auto ttl = keyTtl(wrong);
        QVERIFY(!ttl);
        QCOMPARE(ttl.error().kind, Kind::Invalid);
        QCOMPARE(ttl.error().httpStatus, 400);
    }
    QCOMPARE(*keyTtl(1), 1ms);
    QCOMPARE(*keyTtl(most), maxKeyTtl);
}

void TestKeyStore::makesPrivateFiles()
{
    const auto privateMode
        = QFile::ReadOwner | QFile::WriteOwner | QFile::ReadUser | QFile::WriteUser;
    const auto path = m_directory.filePath(u"private.db"_s);
    QVERIFY(openStore(path));
    QCOMPARE(QFile::permissions(path), privateMode);
    QVERIFY(QFile::setPermissions(path, privateMode | QFile::ReadGroup | QFile::ReadOther));
    QVERIFY(openStore(path));
    QCOMPARE(QFile::permissions(path), privateMode);
    const auto nowhere = openStore(m_directory.filePath(u"missing/keys.db"_s));
    QVERIFY(!nowhere);
    QCOMPARE(nowhere.error().kind, Kind::Unreachable);
    QVERIFY(!openStore(m_directory.path()));
}

void TestKeyStore::storesOnlyHashes()
{
    const auto path = m_directory.filePath(u"hashes.db"_s);
    auto store = openStore(path).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h));
    QVERIFY(made);
    store.reset();
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto content = file.readAll();
    QVERIFY(
        content.contains(QCryptographicHash::hash(made->key, QCryptographicHash::Sha256).toHex()));
    QVERIFY(!content.contains(made->key));
    QVERIFY(!content.contains(made->key.sliced(6)));
    QVERIFY(!content.contains(
        QByteArray::fromBase64(made->key.sliced(6), QByteArray::Base64UrlEncoding)));
}

void TestKeyStore::failsWhenTheFileVanishes()
{
    const auto path = m_directory.filePath(u"vanishing.db"_s);
    const auto store = openStore(path).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h));
    QVERIFY(made && holder(store, made->key));
    QVERIFY(QFile::remove(path));
    for (int i = 0; i < 2; ++i) {
        ignoreWarning();
        const auto found = QCoro::waitFor(store->find(made->key));
        QVERIFY(!found);
        QCOMPARE(found.error().httpStatus, 503);
    }
    ignoreWarning();
    QVERIFY(!QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h)));
    QVERIFY(!QFile::exists(path));
}

void TestKeyStore::takesUpAReplacedFile()
{
    const auto path = m_directory.filePath(u"replaced.db"_s);
    const auto store = openStore(path).value_or(nullptr);
    QVERIFY(store);
    const auto saved = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h));
    QVERIFY(saved);
    QVERIFY(QFile::copy(path, path + u".saved"_s));
    const auto later = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h));
    QVERIFY(later && holder(store, later->key));
    QVERIFY(QFile::remove(path));
    QVERIFY(QFile::rename(path + u".saved"_s, path));
    QVERIFY(!holder(store, later->key));
    QVERIFY(holder(store, saved->key));
}

void TestKeyStore::failsWhileLocked()
{
    const auto path = m_directory.filePath(u"locked.db"_s);
    const auto store = openStore(path).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1h));
    QVERIFY(made);
    {
        auto database = QSqlDatabase::addDatabase(u"QSQLITE"_s, u"locker"_s);
        database.setDatabaseName(path);
        QVERIFY(database.open());
        QSqlQuery query(database);
        QVERIFY(query.exec(u"BEGIN EXCLUSIVE"_s));
        ignoreWarning();
        const auto found = QCoro::waitFor(store->find(made->key));
        QVERIFY(!found);
        QCOMPARE(found.error().httpStatus, 503);
        QVERIFY(query.exec(u"ROLLBACK"_s));
    }
    QSqlDatabase::removeDatabase(u"locker"_s);
    QVERIFY(holder(store, made->key));
}

void TestKeyStore::doesNotOpenReadOnlyFiles()
{
    const auto path = m_directory.filePath(u"read-only.db"_s);
    QVERIFY(openStore(path));
    // Also root may not write what has a higher write version than SQLite's (file format, 1.3.3).
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.seek(18));
    QVERIFY(file.putChar('\x03'));
    file.close();
    const auto store = openStore(path);
    QVERIFY(!store);
    QCOMPARE(store.error().kind, Kind::Unreachable);
}

void TestKeyStore::doesNotOpenWhatIsNoDatabase()
{
    QFile file(m_directory.filePath(u"text.db"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write(QByteArray("not a database\n").repeated(1000)) > 0);
    file.close();
    const auto store = openStore(file.fileName());
    QVERIFY(!store);
    QCOMPARE(store.error().kind, Kind::Unreachable);
}

void TestKeyStore::leavesNewerTablesAlone()
{
    const auto path = m_directory.filePath(u"newer.db"_s);
    QVERIFY(openStore(path));
    QCOMPARE(inFile(path, { u"INSERT INTO isol8_schema VALUES (99)"_s }), QString());
    const auto store = openStore(path);
    QVERIFY(!store);
    QCOMPARE(store.error().kind, Kind::Conflict);
    QVERIFY(store.error().message.contains(u"99"_s));
    QCOMPARE(inFile(path, { u"DELETE FROM isol8_schema WHERE version = 99"_s }), QString());
    QVERIFY(openStore(path));
}

void TestKeyStore::removesExpiredKeysByItself()
{
    const auto path = m_directory.filePath(u"cleaning.db"_s);
    const auto store = openStore(path).value_or(nullptr);
    QVERIFY(store);
    const auto made = QCoro::waitFor(store->create(u"n"_s, u"t"_s, 1ms));
    QVERIFY(made);
    QCOMPARE(countIn(path), 1);
    store->removeExpiredEvery(1ms);
    QTRY_COMPARE_WITH_TIMEOUT(countIn(path), 0, 30'000);
}

void TestKeyStore::endsCallsWithItself()
{
    auto store = openStore(m_directory.filePath(u"ending.db"_s)).value_or(nullptr);
    QVERIFY(store);
    std::vector<Task<NewKey>> tasks;
    for (int i = 0; i < 50; ++i)
        tasks.push_back(store->create(u"n"_s, u"t"_s, 1h));
    store.reset();
    for (auto& task : tasks) {
        const auto made = QCoro::waitFor(std::move(task));
        QVERIFY(!made);
        QCOMPARE(made.error().kind, Kind::Cancelled);
    }
}

QTEST_GUILESS_MAIN(TestKeyStore)
#include "tst_keystore.moc"
