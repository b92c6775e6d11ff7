// SPDX-License-Identifier: MIT
#include "engine/core/hostname.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// One spelling for each host, and none for what is no host.
class TestHostName : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void names_data();
    void names();
    void addresses_data();
    void addresses();
    void refusesWhatIsOdd_data();
    void refusesWhatIsOdd();
    void errorsAreShortAndPrintable();
    void canonicalNamesAreStable();
    void ports_data();
    void ports();
    void refusesOddPorts_data();
    void refusesOddPorts();
};

void TestHostName::names_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("canonical");
    const auto row = [](const QString& text, const QString& canonical) {
        QTest::newRow(qPrintable(text)) << text << canonical;
    };
    row(u"evil.test"_s, u"evil.test"_s);
    row(u"EVIL.test"_s, u"evil.test"_s);
    row(u"Evil.Test."_s, u"evil.test"_s);
    row(u"a"_s, u"a"_s);
    row(u"3com.com"_s, u"3com.com"_s);
    row(u"r3---sn-4g5e.example"_s, u"r3---sn-4g5e.example"_s);
    row(u"1.2.3.4.example"_s, u"1.2.3.4.example"_s);
    row(u"0xabc.example"_s, u"0xabc.example"_s);
    row(u"0xyz"_s, u"0xyz"_s);
    row(u"b\u00fccher.example"_s, u"xn--bcher-kva.example"_s);
    row(u"B\u00dcCHER.example"_s, u"xn--bcher-kva.example"_s);
    row(u"bu\u0308cher.example"_s, u"xn--bcher-kva.example"_s);
    row(u"xn--bcher-kva.example"_s, u"xn--bcher-kva.example"_s);
    row(u"XN--BCHER-KVA.example"_s, u"xn--bcher-kva.example"_s);
    row(u"ev\u00adil.test"_s, u"evil.test"_s);
    row(u"evil\u3002test"_s, u"evil.test"_s);
    row(u"\uff45\uff56\uff49\uff4c.test"_s, u"evil.test"_s);
    row(QString(63, u'a') + u".test"_s, QString(63, u'a') + u".test"_s);
}

void TestHostName::names()
{
    QFETCH(QString, text);
    QFETCH(QString, canonical);
    const auto host = hostNameFromText(text);
    QVERIFY2(host, host ? "" : qPrintable(host.error().message));
    QCOMPARE(host->text, canonical);
    QVERIFY(!host->isAddress());
}

void TestHostName::addresses_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("canonical");
    const auto row = [](const QString& text, const QString& canonical) {
        QTest::newRow(qPrintable(text)) << text << canonical;
    };
    for (const auto& text : { u"127.0.0.1"_s, u"127.1"_s, u"127.0.1"_s, u"2130706433"_s,
             u"0x7f000001"_s, u"0X7F000001"_s, u"0x7f.1"_s, u"0177.0.0.1"_s, u"0177.0.0.01"_s,
             u"0x7f.0x0.0x0.0x1"_s, u"017700000001"_s, u"127.0.0.1."_s, u"127.0.0x1"_s,
             u"\uff11\uff12\uff17.0.0.1"_s, u"127\u30020\u30020\u30021"_s, u"[::ffff:127.0.0.1]"_s,
             u"[::ffff:7f00:1]"_s, u"[::FFFF:7F00:1]"_s, u"[0:0:0:0:0:ffff:7f00:0001]"_s })
        row(text, u"127.0.0.1"_s);
    row(u"0"_s, u"0.0.0.0"_s);
    row(u"0.0.0.0"_s, u"0.0.0.0"_s);
    row(u"255.255.255.255"_s, u"255.255.255.255"_s);
    row(u"4294967295"_s, u"255.255.255.255"_s);
    row(u"10.65535"_s, u"10.0.255.255"_s);
    row(u"[::1]"_s, u"::1"_s);
    row(u"[::]"_s, u"::"_s);
    row(u"[FE80::1%25lo]"_s, u"fe80::1"_s);
    row(u"[fe80::1%lo]"_s, u"fe80::1"_s);
    row(u"[64:ff9b::7f00:1]"_s, u"64:ff9b::7f00:1"_s);
    row(u"[2002:7f00:0001::]"_s, u"2002:7f00:1::"_s);
    row(u"[2001:DB8:0:0:0::1]"_s, u"2001:db8::1"_s);
}

void TestHostName::addresses()
{
    QFETCH(QString, text);
    QFETCH(QString, canonical);
    const auto host = hostNameFromText(text);
    QVERIFY2(host, host ? "" : qPrintable(host.error().message));
    QCOMPARE(host->text, canonical);
    QVERIFY(host->isAddress());
    QCOMPARE(host->address.toString(), canonical);
    QCOMPARE(host->inUrl(), canonical.contains(u':') ? u'[' + canonical + u']' : canonical);
}

void TestHostName::refusesWhatIsOdd_data()
{
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, const QString& text) { QTest::newRow(name) << text; };
    row("empty", u""_s);
    row("dot", u"."_s);
    row("two dots at the end", u"evil.test.."_s);
    row("dot at the beginning", u".evil.test"_s);
    row("empty label", u"evil..test"_s);
    row("ideographic empty label", u"evil\u3002\u3002test"_s);
    row("name in brackets", u"[evil.test]"_s);
    row("IPv4 in brackets", u"[127.0.0.1]"_s);
    row("open bracket", u"[::1"_s);
    row("closed bracket", u"::1]"_s);
    row("IPv6 without brackets", u"::1"_s);
    row("brackets twice", u"[[::1]]"_s);
    row("zone of a global address", u"[2001:db8::1%25lo]"_s);
    row("empty zone", u"[fe80::1%25]"_s);
    row("odd zone", u"[fe80::1%25a/b]"_s);
    row("zone with NUL", u"[fe80::1%a"_s + QChar(u'\0') + u']');
    row("NUL in brackets", u"[::1"_s + QChar(u'\0') + u']');
    row("port", u"evil.test:80"_s);
    row("escape", u"%65vil.test"_s);
    row("escaped dot", u"evil%2etest"_s);
    row("space before", u" evil.test"_s);
    row("space after", u"evil.test "_s);
    row("tab", u"evil\t.test"_s);
    row("line break", u"evil.test\n"_s);
    row("NUL", u"evil.test"_s + QChar(u'\0'));
    row("user", u"a@evil.test"_s);
    row("slash", u"evil.test/"_s);
    row("backslash", u"evil.test\\"_s);
    row("fragment", u"evil.test#"_s);
    row("query", u"evil.test?"_s);
    row("underscore", u"a_b.test"_s);
    row("wildcard", u"*.test"_s);
    row("option", u"-lp"_s);
    row("option with a path", u"-e/bin/sh"_s);
    row("hyphen at the end", u"evil-.test"_s);
    row("long label", QString(64, u'a') + u".test"_s);
    row("long name", QString(u"a."_s).repeated(127) + u"test"_s);
    row("very long name", QString(1 << 20, u'a'));
    row("five numbers", u"1.2.3.4.5"_s);
    row("number at the end", u"evil.1"_s);
    row("number with a dot", u"evil.1."_s);
    row("hexadecimal at the end", u"evil.0x1"_s);
    row("too large a byte", u"256.1.1.1"_s);
    row("too large a number", u"4294967296"_s);
    row("a huge number", u"18446744073709551617"_s);
    row("a huge hexadecimal", u"0x1000000007f000001"_s);
    row("too large a rest", u"127.16777216"_s);
    row("no octal", u"0128.0.0.1"_s);
    row("digit 9 in octal", u"09"_s);
    row("0x alone", u"0x"_s);
    row("0x as a part", u"0x.0.0.1"_s);
    row("half of a surrogate pair", u"evil"_s + QChar(0xd800) + u".test"_s);
    row("right to left", u"\u202eevil.test"_s);
    row("A-label that decodes to ASCII", u"xn--evil-.test"_s);
}

void TestHostName::refusesWhatIsOdd()
{
    QFETCH(QString, text);
    const auto host = hostNameFromText(text);
    QVERIFY2(!host, host ? qPrintable(host->text) : "");
    QCOMPARE(host.error().kind, Kind::Invalid);
    QVERIFY(host.error().message.contains(u"is no host: "_s));
}

void TestHostName::errorsAreShortAndPrintable()
{
    const auto host = hostNameFromText(u"\x1b[2J\n"_s + QString(100'000, u'x'));
    QVERIFY(!host);
    QVERIFY(host.error().message.size() < 300);
    QVERIFY(!host.error().message.contains(u'\x1b') && !host.error().message.contains(u'\n'));
}

void TestHostName::canonicalNamesAreStable()
{
    for (const auto& text : { u"B\u00dcCHER.Example."_s, u"[::FFFF:7f00:1]"_s, u"127.1"_s,
             u"[2001:DB8::1]"_s, u"fa\u00df.example"_s, u"xn--fa-hia.example"_s }) {
        const auto host = hostNameFromText(text);
        QVERIFY(host);
        QCOMPARE(hostNameFromText(host->inUrl()), host);
    }
}

void TestHostName::ports_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("defaultPort");
    QTest::addColumn<QString>("expected");
    const auto row = [](const QString& text, int defaultPort, const QString& expected) {
        QTest::newRow(qPrintable(text)) << text << defaultPort << expected;
    };
    row(u"A.test:443"_s, 0, u"a.test:443"_s);
    row(u"a.test:443"_s, 80, u"a.test:443"_s);
    row(u"a.test"_s, 80, u"a.test:80"_s);
    row(u"a.test:1"_s, 0, u"a.test:1"_s);
    row(u"a.test:65535"_s, 0, u"a.test:65535"_s);
    row(u"[::1]:8080"_s, 0, u"[::1]:8080"_s);
    row(u"[::1]"_s, 80, u"[::1]:80"_s);
    row(u"[::ffff:127.0.0.1]:80"_s, 0, u"127.0.0.1:80"_s);
}

void TestHostName::ports()
{
    QFETCH(QString, text);
    QFETCH(int, defaultPort);
    QFETCH(QString, expected);
    const auto host = hostAndPortFromText(text, quint16(defaultPort));
    QVERIFY2(host, host ? "" : qPrintable(host.error().message));
    QCOMPARE(host->toString(), expected);
}

void TestHostName::refusesOddPorts_data()
{
    QTest::addColumn<QString>("text");
    for (const auto* text :
        { "a.test:0", "a.test:65536", "a.test:-1", "a.test:443x", "a.test:", "a.test:0443",
            "a.test:+80", "a.test: 80", "a.test:80 ", "a.test:80:81", "a.test:4294967376",
            "a.test:0x50", ":80", "[::1]80", "[::1]:", "[::1]x:80", "::1:80", "a.test:80@b.test",
            "a.test:80#@b.test", "a@b.test:80", "a.test\\@b.test:80", "a.test%2f@b.test:80" })
        QTest::newRow(text) << QString::fromLatin1(text);
}

void TestHostName::refusesOddPorts()
{
    QFETCH(QString, text);
    QVERIFY(!hostAndPortFromText(text, 80));
    QVERIFY(!hostAndPortFromText(text));
    QVERIFY(!hostAndPortFromText(u"a.test"_s));
}

QTEST_APPLESS_MAIN(TestHostName)
#include "tst_hostname.moc"
