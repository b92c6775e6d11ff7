// SPDX-License-Identifier: MIT
#include "app/cli/credentials.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QTimeZone>

#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::cli;

class TestCredentials : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsTokens();
    void keepsThemByOrigin_data();
    void keepsThemByOrigin();
    void forgetsExpiredOnes();
    void removesTokens();
    void isForTheOwnerOnly();
    void followsNoLink();
    void refusesOpenFiles();
    void refusesDamagedFiles_data();
    void refusesDamagedFiles();
    void leavesTheOldFileWhenItCannotWrite();
};

namespace {

const auto now = QDateTime({ 2026, 1, 1 }, { 0, 0 }, QTimeZone::UTC);
const auto origin = u"https://example.org:443"_s;

/// A home directory and its store.
struct Home {
    QTemporaryDir directory;
    CredentialStore store { directory.path() };

    void write(const QByteArray& text, QFileDevice::Permissions mode = ownerOnly) const
    {
        QDir().mkpath(directory.filePath(u".isol8"_s));
        QFile file(store.path());
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(text);
        file.setPermissions(mode);
    }
    static constexpr auto ownerOnly = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
};

} // namespace

void TestCredentials::keepsTokens()
{
    const Home home;
    QVERIFY(home.store.all().value().isEmpty());
    const Credential one { u"token-1"_s, u"k1"_s, now.addDays(1) };
    const Credential two { u"token-2"_s, {}, {} };
    QVERIFY(home.store.save(origin, one));
    QVERIFY(home.store.save(u"http://localhost:3000"_s, two));
    const CredentialStore again(home.directory.path());
    QCOMPARE(again.find(origin, now).value(), one);
    QCOMPARE(again.find(u"http://localhost:3000"_s, now).value(), two);
    QVERIFY(home.store.save(origin, two));
    QCOMPARE(again.find(origin, now).value(), two);
    const QDir folder(QFileInfo(home.store.path()).path());
    QCOMPARE(folder.entryList(QDir::Files | QDir::Hidden), QStringList { u"credentials.json"_s });
}

void TestCredentials::keepsThemByOrigin_data()
{
    QTest::addColumn<QString>("other");
    QTest::newRow("scheme") << u"http://example.org:443"_s;
    QTest::newRow("port") << u"https://example.org:8443"_s;
    QTest::newRow("host") << u"https://www.example.org:443"_s;
    QTest::newRow("beginning") << u"https://example.org:44"_s;
    QTest::newRow("empty") << u""_s;
}

void TestCredentials::keepsThemByOrigin()
{
    QFETCH(QString, other);
    const Home home;
    QVERIFY(home.store.save(origin, { u"t"_s, {}, {} }));
    QVERIFY(!home.store.find(other, now).value());
}

void TestCredentials::forgetsExpiredOnes()
{
    const Home home;
    QVERIFY(home.store.save(origin, { u"t"_s, {}, now }));
    QVERIFY(!home.store.find(origin, now).value());
    QVERIFY(home.store.find(origin, now.addMSecs(-1)).value());
    QCOMPARE(home.store.all().value().size(), 1);
}

void TestCredentials::removesTokens()
{
    const Home home;
    QCOMPARE(home.store.clear().value(), false);
    QCOMPARE(home.store.remove(origin).value(), false);
    QVERIFY(home.store.save(origin, { u"t"_s, {}, {} }));
    QCOMPARE(home.store.remove(u"http://x:80"_s).value(), false);
    QCOMPARE(home.store.remove(origin).value(), true);
    QVERIFY(home.store.all().value().isEmpty());
    home.write("damaged");
    QCOMPARE(home.store.clear().value(), true);
    QVERIFY(!QFile::exists(home.store.path()));
}

void TestCredentials::isForTheOwnerOnly()
{
    const Home home;
    const auto before = ::umask(0);
    const auto saved = home.store.save(origin, { u"t"_s, {}, {} });
    ::umask(before);
    QVERIFY(saved);
    struct stat status {};
    QCOMPARE(::stat(QFile::encodeName(home.store.path()).constData(), &status), 0);
    QCOMPARE(status.st_mode & 07777, 0600u);
    const auto folder = QFileInfo(home.store.path()).path();
    QCOMPARE(::stat(QFile::encodeName(folder).constData(), &status), 0);
    QCOMPARE(status.st_mode & 07777, 0700u);
}

void TestCredentials::followsNoLink()
{
    const Home home;
    const auto target = home.directory.filePath(u"target"_s);
    home.write(R"({"servers":{}})");
    QVERIFY(QFile::rename(home.store.path(), target));
    QVERIFY(QFile::link(target, home.store.path()));
    for (const auto& error : { home.store.all().error(),
             home.store.save(origin, { u"secret-token"_s, {}, {} }).error() }) {
        QCOMPARE(error.kind, Kind::Denied);
        QVERIFY(error.message.contains(u"symbolic link"_s));
        QVERIFY(!error.message.contains(u"secret-token"_s));
    }
    QFile kept(target);
    QVERIFY(kept.open(QIODevice::ReadOnly));
    QCOMPARE(kept.readAll(), R"({"servers":{}})");
    QCOMPARE(home.store.clear().value(), true);
    QVERIFY(QFile::exists(target));
}

void TestCredentials::refusesOpenFiles()
{
    const Home home;
    home.write(R"({"servers":{}})", Home::ownerOnly | QFileDevice::ReadOther);
    const auto read = home.store.all();
    QVERIFY(!read);
    QCOMPARE(read.error().kind, Kind::Denied);
    QVERIFY2(read.error().message.contains(u"604"_s), qPrintable(read.error().message));
}

void TestCredentials::refusesDamagedFiles_data()
{
    QTest::addColumn<QByteArray>("text");
    const char* good = R"({"servers":{"https://example.org:443":{"token":"secret-token"}}})";
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("cut") << QByteArray(good).chopped(5);
    QTest::newRow("list") << QByteArray("[]");
    QTest::newRow("token of another type")
        << QByteArray(R"({"servers":{"https://example.org:443":{"token":1}}})");
    QTest::newRow("no token") << QByteArray(R"({"servers":{"https://example.org:443":{}}})");
    QTest::newRow("time") << QByteArray(
        R"({"servers":{"https://example.org:443":{"token":"secret-token","expiresAt":"secret"}}})");
    QTest::newRow("huge") << QByteArray(4 << 20, ' ');
}

void TestCredentials::refusesDamagedFiles()
{
    QFETCH(QByteArray, text);
    const Home home;
    home.write(text);
    const auto found = home.store.find(origin, now);
    QVERIFY(!found);
    QVERIFY(!found.error().message.contains(u"secret"_s));
    QVERIFY(found.error().message.contains(home.store.path()));
    // What may be worth something is not overwritten.
    QVERIFY(!home.store.save(origin, { u"t"_s, {}, {} }));
    QCOMPARE(QFileInfo(home.store.path()).size(), text.size());
}

void TestCredentials::leavesTheOldFileWhenItCannotWrite()
{
    const Home home;
    QFile inTheWay(home.directory.filePath(u".isol8"_s));
    QVERIFY(inTheWay.open(QIODevice::WriteOnly));
    const auto saved = home.store.save(origin, { u"secret-token"_s, {}, {} });
    QVERIFY(!saved);
    QVERIFY(!saved.error().message.contains(u"secret-token"_s));
}

QTEST_GUILESS_MAIN(TestCredentials)
#include "tst_credentials.moc"
