// SPDX-License-Identifier: MIT
#include "engine/core/hostpattern.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;
using Match = HostPattern::Match;

/// The promised dialect, its bounds, and globs. The expectations of the dialect were compared with
/// what Node.js says (with the flag i).
class TestHostPattern : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void dialect_data();
    void dialect();
    void refusesWhatEcmaScriptHasNot_data();
    void refusesWhatEcmaScriptHasNot();
    void givesUpOnSlowPatterns();
    void globs_data();
    void globs();
    void refusesOddGlobs_data();
    void refusesOddGlobs();
};

/// NET-03 of ABUSE.md.
void TestHostPattern::dialect_data()
{
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QStringList>("matching");
    QTest::addColumn<QStringList>("others");
    const auto row
        = [](const QString& pattern, const QStringList& matching, const QStringList& others) {
              QTest::newRow(qPrintable(pattern)) << pattern << matching << others;
          };
    row(u"example"_s, { u"example.org"_s, u"www.example.org"_s, u"my-examples"_s },
        { u"exampl"_s });
    row(u"^example\\.org$"_s, { u"example.org"_s },
        { u"www.example.org"_s, u"example.org.evil"_s, u"examplexorg"_s });
    row(u"EXAMPLE"_s, { u"example.org"_s }, {});
    row(u"^a\\d+$"_s, { u"a1"_s, u"a12"_s }, { u"a"_s, u"ad"_s, u"a\u0661"_s });
    row(u"^\\w+$"_s, { u"abc1"_s }, { u"a-b"_s, u"\u00e4"_s });
    row(u"^(?:api|www)\\."_s, { u"api.x"_s, u"www.x"_s }, { u"xapi.x"_s });
    row(u"^(?!evil).*$"_s, { u"good"_s }, { u"evil.test"_s });
    row(u"\\bcdn\\b"_s, { u"cdn.x"_s, u"a-cdn-b"_s }, { u"xcdn.y"_s });
    row(u"^[a-z]{2,3}$"_s, { u"ab"_s, u"abc"_s }, { u"a"_s, u"abcd"_s });
    row(u"^a{2}$"_s, { u"aa"_s }, { u"a"_s });
    row(u"^a{2,}$"_s, { u"aaa"_s }, { u"a"_s });
    row(u"^(?=a)[^b]+$"_s, { u"acd"_s }, { u"ab"_s });
    row(u"(?<=a)b"_s, { u"ab"_s }, { u"cb"_s });
    row(u"(?<!a)b"_s, { u"cb"_s }, { u"ab"_s });
    row(u"^(?<first>[a-z])\\k<first>$"_s, { u"aa"_s }, { u"ab"_s });
    row(u"^(a)(b)\\2\\1$"_s, { u"abba"_s }, { u"abab"_s });
    row(u"^a*?b+?$"_s, { u"aab"_s }, { u"aa"_s });
    // What PCRE2 alone would read differently.
    row(u"^a{,3}$"_s, { u"a{,3}"_s }, { u"aaa"_s, u""_s });
    row(u"^a{ 1}$"_s, { u"a{ 1}"_s }, { u"a"_s });
    row(u"^{$"_s, { u"{"_s }, {});
    row(u"a}"_s, { u"a}"_s }, { u"a"_s });
    row(u"^]$"_s, { u"]"_s }, {});
    row(u"^[^]$"_s, { u"a"_s, u"\n"_s }, { u""_s, u"ab"_s });
    row(u"a[]"_s, {}, { u"a"_s, u"a]"_s });
    row(u"^[[:alpha:]]$"_s, { u"a]"_s, u"[]"_s, u":]"_s }, { u"b"_s, u"b]"_s });
    row(u"^[\\w-.]+$"_s, { u"a-b.c"_s }, { u"a/b"_s });
    row(u"^[a-\\d]+$"_s, { u"a-1"_s }, { u"b"_s });
    row(u"^[\\w-a-z]+$"_s, { u"az-"_s }, { u"."_s });
    row(u"^[-a]+$"_s, { u"-a"_s }, { u"b"_s });
    row(u"^[a-]+$"_s, { u"-a"_s }, { u"b"_s });
    row(u"^[a^]+$"_s, { u"^a"_s }, { u"b"_s });
    row(u"^[\\-\\]\\\\]+$"_s, { u"-]\\"_s }, { u"a"_s });
    row(u"^[\\b]$"_s, { u"\b"_s }, { u"b"_s });
    row(u"^\\u0061\\x62$"_s, { u"ab"_s }, { u"u0061x62"_s });
    row(u"^a\\v?$"_s, { u"a\v"_s }, { u"a\n"_s, u"a\r"_s });
    row(u"^a$"_s, { u"a"_s }, { u"a\n"_s });
    row(u"^a\\/b\\-c$"_s, { u"a/b-c"_s }, {});
    row(u"a#b c"_s, { u"a#b c"_s }, { u"a"_s });
    row(u"^(?:)$"_s, { u""_s }, { u"a"_s });
    row(u"|a"_s, { u""_s, u"b"_s }, {});
}

void TestHostPattern::dialect()
{
    QFETCH(QString, pattern);
    QFETCH(QStringList, matching);
    QFETCH(QStringList, others);
    const auto compiled = HostPattern::compile(pattern);
    QVERIFY2(compiled, compiled ? "" : qPrintable(compiled.error().message));
    QCOMPARE(compiled->text(), pattern);
    for (const auto& host : matching)
        QVERIFY2(compiled->search(host) == Match::Yes, qPrintable(host));
    for (const auto& host : others)
        QVERIFY2(compiled->search(host) == Match::No, qPrintable(host));
}

void TestHostPattern::refusesWhatEcmaScriptHasNot_data()
{
    QTest::addColumn<QString>("pattern");
    for (const auto* pattern : { "(", ")", "[", "*x", "a(*", "(*ACCEPT)", "(*LIMIT_MATCH=1)a",
             "a++", "a*+", "a?+", "a{2}+", "a**", "a???", "^*", "$+", "\\b+", "(?<=a)*", "(?>a)",
             "(?i)a", "(?i:a)", "(?#a)", "(?R)", "(?1)", "(?|a)", "(?P<a>b)", "(?C)", "(?(1)a)",
             "(?&a)", "\\Aa", "a\\z", "a\\Z", "\\Ka", "\\Qa\\E", "\\ha", "\\Ra", "\\Xa", "\\Na",
             "\\pLa", "\\Ga", "\\012", "\\8", "\\1", "\\x4", "\\xzz", "\\u12", "\\u{61}", "\\c1",
             "a\\", "[a\\", "[b-a]", "a{2,1}", "(?<1a>b)", "(?<a", "(?", "[\\q]", "(?<a>x)(?<a>y)",
             "\\k<a>", "\\k" })
        QTest::newRow(pattern) << QString::fromLatin1(pattern);
    QTest::newRow("empty") << QString();
    QTest::newRow("long") << QString(1001, u'a');
    QTest::newRow("large") << u"(ab){1000}{2}"_s;
    QTest::newRow("large group") << u"(?:abcdef){1000}"_s;
    QTest::newRow("nested") << u"((a{100}){100}){100}"_s;
    QTest::newRow("deep") << QString(400, u'(') + u'a' + QString(400, u')');
    QTest::newRow("overflow") << u"((a{999999999}){999999999}){999999999}"_s;
}

void TestHostPattern::refusesWhatEcmaScriptHasNot()
{
    QFETCH(QString, pattern);
    const auto compiled = HostPattern::compile(pattern);
    QVERIFY(!compiled);
    QCOMPARE(compiled.error().kind, Kind::Invalid);
    QVERIFY(compiled.error().message.contains(u'"' + pattern.left(100)));
    QVERIFY(compiled.error().message.size() < 400);
}

void TestHostPattern::givesUpOnSlowPatterns()
{
    for (const auto& text : { u"^(a+)+$"_s, u"^(a|a)*$"_s, u"^([a-z]+)*$"_s }) {
        const auto pattern = HostPattern::compile(text);
        QVERIFY(pattern);
        QVERIFY2(
            pattern->search(QString(250, u'a') + u"!"_s) == Match::Undecided, qPrintable(text));
    }
    // Ordinary patterns decide on the longest of hosts.
    const QString host = QString(u"abcdefg."_s).repeated(31) + u"test"_s;
    for (const auto& text : { u"^([a-z0-9-]+\\.)*example\\.com$"_s, u"(^|\\.)example\\.com$"_s,
             u"[a-z]+\\.(?:com|org|net)$"_s, u"^.*evil.*$"_s }) {
        const auto pattern = HostPattern::compile(text);
        QVERIFY(pattern);
        QVERIFY2(pattern->search(host) == Match::No, qPrintable(text));
    }
}

void TestHostPattern::globs_data()
{
    QTest::addColumn<QString>("glob");
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QStringList>("matching");
    QTest::addColumn<QStringList>("others");
    QTest::newRow("host") << u"Example.org"_s << u"^example\\.org$"_s
                          << QStringList { u"example.org"_s }
                          << QStringList { u"www.example.org"_s, u"example.org.evil"_s };
    QTest::newRow("below") << u"*.Example.org"_s << u"^.*\\.example\\.org$"_s
                           << QStringList { u"www.example.org"_s, u"a.b.example.org"_s }
                           << QStringList { u"example.org"_s, u"wwwexample.org"_s,
                                  u"www.example.org.evil"_s };
    QTest::newRow("any character")
        << u"a?.test"_s << u"^a[^.]\\.test$"_s << QStringList { u"ab.test"_s }
        << QStringList { u"a.test"_s, u"a..test"_s };
    QTest::newRow("everything") << u"*"_s << u"^.*$"_s << QStringList { u"a"_s } << QStringList {};
    QTest::newRow("trailing dot") << u"*.a.test."_s << u"^.*\\.a\\.test$"_s
                                  << QStringList { u"b.a.test"_s } << QStringList {};
    QTest::newRow("umlaut") << u"b\u00fccher.example"_s << u"^xn--bcher-kva\\.example$"_s
                            << QStringList { u"xn--bcher-kva.example"_s } << QStringList {};
    QTest::newRow("address") << u"127.1"_s << u"^127\\.0\\.0\\.1$"_s
                             << QStringList { u"127.0.0.1"_s } << QStringList {};
    QTest::newRow("IPv6") << u"[2001:DB8::1]"_s << u"^2001:db8::1$"_s
                          << QStringList { u"2001:db8::1"_s } << QStringList {};
}

void TestHostPattern::globs()
{
    QFETCH(QString, glob);
    QFETCH(QString, pattern);
    QFETCH(QStringList, matching);
    QFETCH(QStringList, others);
    const auto translated = patternFromGlob(glob);
    QVERIFY2(translated, translated ? "" : qPrintable(translated.error().message));
    QCOMPARE(*translated, pattern);
    const auto compiled = HostPattern::compile(*translated);
    QVERIFY(compiled);
    for (const auto& host : matching)
        QVERIFY2(compiled->search(host) == Match::Yes, qPrintable(host));
    for (const auto& host : others)
        QVERIFY2(compiled->search(host) == Match::No, qPrintable(host));
}

void TestHostPattern::refusesOddGlobs_data()
{
    QTest::addColumn<QString>("glob");
    for (const auto* glob : { "", "https://example.org", "example.org/", "example.org:443",
             "*.example.org:443x", "a b", "*.a b", "^a$", "*.[ab].test", "*..test", ".test",
             ".*.test", "a_b.test", "*\n", "a,b", "*.a,b", "-a", "(*)" })
        QTest::newRow(glob) << QString::fromLatin1(glob);
}

void TestHostPattern::refusesOddGlobs()
{
    QFETCH(QString, glob);
    const auto pattern = patternFromGlob(glob);
    QVERIFY2(!pattern, pattern ? qPrintable(*pattern) : "");
    QCOMPARE(pattern.error().kind, Kind::Invalid);
}

QTEST_APPLESS_MAIN(TestHostPattern)
#include "tst_hostpattern.moc"
