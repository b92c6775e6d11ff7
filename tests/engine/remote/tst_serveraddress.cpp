// SPDX-License-Identifier: MIT
#include "engine/remote/serveraddress.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::remote;

class TestServerAddress : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsAddresses_data();
    void readsAddresses();
    void refusesOtherTexts_data();
    void refusesOtherTexts();
    void checksKeys_data();
    void checksKeys();
};

void TestServerAddress::readsAddresses_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("origin");
    QTest::addColumn<QString>("shown");
    QTest::addColumn<bool>("isPrivate");
    const auto row = [](const char* text, const char* origin, const char* shown, bool isPrivate) {
        QTest::newRow(text) << QString::fromLatin1(text) << QString::fromLatin1(origin)
                            << QString::fromLatin1(shown) << isPrivate;
    };
    row("http://localhost:3000", "http://localhost:3000", "http://localhost:3000", true);
    row("http://localhost:3000/", "http://localhost:3000", "http://localhost:3000", true);
    row("http://127.0.0.1", "http://127.0.0.1:80", "http://127.0.0.1", true);
    row("http://[::1]:3000", "http://[::1]:3000", "http://[::1]:3000", true);
    row("HTTPS://Example.ORG:443", "https://example.org:443", "https://example.org", true);
    row("https://example.org:8443/a/b/", "https://example.org:8443", "https://example.org:8443/a/b",
        true);
    row("http://example.org", "http://example.org:80", "http://example.org", false);
    row("http://localhost.example.org", "http://localhost.example.org:80",
        "http://localhost.example.org", false);
    row("http://10.0.0.1", "http://10.0.0.1:80", "http://10.0.0.1", false);
}

void TestServerAddress::readsAddresses()
{
    QFETCH(QString, text);
    const auto address = parseServerAddress(text);
    QVERIFY2(address, address ? "" : qPrintable(address.error().message));
    QTEST(address->origin(), "origin");
    QTEST(address->toString(), "shown");
    QTEST(address->isPrivate(), "isPrivate");
}

void TestServerAddress::refusesOtherTexts_data()
{
    QTest::addColumn<QString>("text");
    for (const auto* text :
        { "", " ", "localhost", "localhost:3000", "example.org", "//example.org",
            "ftp://example.org", "file:///etc/passwd", "ws://example.org", "http://", "http:///a",
            "http://example.org:0", "http://example.org:70000", "http://a b",
            "http://user@example.org", "http://user:secret@example.org", "http://example.org?a",
            "http://example.org#a", "http://example.org\n", "javascript:alert(1)" })
        QTest::newRow(text) << QString::fromLatin1(text);
    QTest::newRow("long") << u"http://"_s + QString(5'000, u'a');
}

void TestServerAddress::refusesOtherTexts()
{
    QFETCH(QString, text);
    const auto address = parseServerAddress(text);
    QVERIFY(!address);
    QCOMPARE(address.error().kind, Kind::Invalid);
    QVERIFY(!address.error().message.contains(u"secret"_s));
    QVERIFY(address.error().message.size() < 3'000);
}

void TestServerAddress::checksKeys_data()
{
    QTest::addColumn<QString>("key");
    QTest::addColumn<bool>("isGood");
    QTest::newRow("plain") << u"key"_s << true;
    QTest::newRow("signs") << u"!~=/+"_s << true;
    QTest::newRow("empty") << u""_s << false;
    QTest::newRow("space") << u"a b"_s << false;
    QTest::newRow("line") << u"a\r\nX: y"_s << false;
    QTest::newRow("null") << u"a\0b"_s << false;
    QTest::newRow("not ASCII") << u"schlüssel"_s << false;
    QTest::newRow("long") << QString(5'000, u'k') << false;
}

void TestServerAddress::checksKeys()
{
    QFETCH(QString, key);
    QFETCH(bool, isGood);
    const auto checked = checkApiKey(key);
    QCOMPARE(checked.has_value(), isGood);
    if (!isGood && !key.isEmpty())
        QVERIFY(!checked.error().message.contains(key));
}

QTEST_GUILESS_MAIN(TestServerAddress)
#include "tst_serveraddress.moc"
