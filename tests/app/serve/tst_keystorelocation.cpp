// SPDX-License-Identifier: MIT
#include "app/serve/keystorelocation.h"

#include <QDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;

class TestKeyStoreLocation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesPathsForFiles();
    void readsUrls();
    void readsOptions();
    void refuses_data();
    void refuses();
};

void TestKeyStoreLocation::takesPathsForFiles()
{
    for (const auto& path : { u"/var/lib/a b/keys.db"_s, u"/a/50%25?x#y.db"_s }) {
        const auto location = keyStoreLocation(path);
        QVERIFY(location);
        QCOMPARE(location->dialect, SqlDialect::Sqlite);
        QCOMPARE(location->path, path);
    }
    QCOMPARE(keyStoreLocation(u"keys.db"_s)->path, QDir::current().absoluteFilePath(u"keys.db"_s));
}

void TestKeyStoreLocation::readsUrls()
{
    auto location = keyStoreLocation(u"postgres://us%65r:p%40ss%3A%2Fw%25@db.example:5433/keys"_s);
    QVERIFY(location);
    QCOMPARE(location->dialect, SqlDialect::Postgres);
    QCOMPARE(location->user, u"user"_s);
    QCOMPARE(location->password, u"p@ss:/w%"_s);
    QCOMPARE(location->host, u"db.example"_s);
    QCOMPARE(location->port, 5433);
    QCOMPARE(location->database, u"keys"_s);

    QCOMPARE(keyStoreLocation(u"postgresql://h/d"_s)->dialect, SqlDialect::Postgres);
    location = keyStoreLocation(u"mysql://u@[::1]/d"_s);
    QVERIFY(location);
    QCOMPARE(location->dialect, SqlDialect::MySql);
    QCOMPARE(location->host, u"::1"_s);
    QCOMPARE(location->port, 0);
    QCOMPARE(keyStoreLocation(u"mariadb://h/d"_s)->dialect, SqlDialect::MySql);
}

void TestKeyStoreLocation::readsOptions()
{
    QCOMPARE(keyStoreLocation(u"postgres://u:p@localhost/d?socket=/run/pg"_s)->host, u"/run/pg"_s);
    QCOMPARE(keyStoreLocation(u"mysql://u:p@localhost/d?socket=/run/m.sock"_s)->socketPath,
        u"/run/m.sock"_s);
    QCOMPARE(keyStoreLocation(u"postgres://h/d?sslmode=verify-full"_s)->sslMode, u"verify-full"_s);
}

void TestKeyStoreLocation::refuses_data()
{
    QTest::addColumn<QString>("text");
    const QStringList wrong { u""_s, u"a\0b"_s, u"http://u:hunter2@h/d"_s, u"redis://h/1"_s,
        u"postgres://u:hunter2@h"_s, u"postgres://u:hunter2@h/"_s, u"postgres://u:hunter2@h/a/b"_s,
        u"postgres:///d"_s, u"postgres://u:hunter2 x@h/d"_s, u"postgres://u:hunter2@h:99999/d"_s,
        u"postgres://u:hunter2@h/d?host=evil"_s, u"postgres://u:hunter2@h/d?sslmode=maybe"_s,
        u"mysql://u:hunter2@h/d?sslmode=require"_s,
        u"mysql://u:hunter2@h/d?socket=/x;MYSQL_OPT_LOCAL_INFILE=1"_s,
        u"postgres://u:hunter2@h/d?socket=/x' user=root"_s };
    for (const auto& text : wrong)
        QTest::addRow("%s", qPrintable(text)) << text;
}

void TestKeyStoreLocation::refuses()
{
    QFETCH(const QString, text);
    const auto location = keyStoreLocation(text);
    QVERIFY(!location);
    QCOMPARE(location.error().kind, Kind::Invalid);
    QVERIFY(!location.error().message.contains(u"hunter2"_s));
}

QTEST_GUILESS_MAIN(TestKeyStoreLocation)
#include "tst_keystorelocation.moc"
