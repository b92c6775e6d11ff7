// SPDX-License-Identifier: MIT
#include "ui/output/linklocation.h"

#include <QTest>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Places in files as the runtimes write them.
class TestLinkLocation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsPlaces_data();
    void findsPlaces();
    void findsNothingElse_data();
    void findsNothingElse();
};

void TestLinkLocation::findsPlaces_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("line");
    QTest::addColumn<int>("column");
    QTest::addColumn<QString>("marked");
    QTest::newRow("python") << u"  File \"/sandbox/main.py\", line 12, in <module>"_s
                            << u"/sandbox/main.py"_s << 12 << 0
                            << u"File \"/sandbox/main.py\", line 12"_s;
    QTest::newRow("node") << u"    at f (file:///sandbox/main.mjs:3:9)"_s << u"/sandbox/main.mjs"_s
                          << 3 << 9 << u"file:///sandbox/main.mjs:3:9"_s;
    QTest::newRow("node head") << u"/sandbox/main.js:7"_s << u"/sandbox/main.js"_s << 7 << 0
                               << u"/sandbox/main.js:7"_s;
    QTest::newRow("deno") << u"    at file:///sandbox/a b.ts:1:7"_s.remove(u' ')
                          << u"/sandbox/ab.ts"_s << 1 << 7 << u"file:///sandbox/ab.ts:1:7"_s;
    QTest::newRow("bash") << u"/sandbox/main.sh: line 4: nope: command not found"_s
                          << u"/sandbox/main.sh"_s << 4 << 0 << u"/sandbox/main.sh: line 4"_s;
}

void TestLinkLocation::findsPlaces()
{
    QFETCH(QString, text);
    const auto link = findLink(text);
    QVERIFY(link);
    QTEST(link->path, "path");
    QTEST(link->line, "line");
    QTEST(link->column, "column");
    QTEST(text.mid(link->begin, link->length), "marked");
}

void TestLinkLocation::findsNothingElse_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("empty") << QString();
    QTest::newRow("prose") << u"on line 4 of the poem: nothing"_s;
    QTest::newRow("line 0") << u"File \"/sandbox/main.py\", line 0"_s;
    QTest::newRow("address") << u"https://example.org:443/x"_s;
    QTest::newRow("huge number") << u"/sandbox/a.py:99999999999999"_s.remove(u"/sandbox"_s);
    QTest::newRow("long") << QString(100'000, u'(') + u"/sandbox/a.js:1"_s;
}

void TestLinkLocation::findsNothingElse()
{
    QFETCH(QString, text);
    QVERIFY(!findLink(text));
}

QTEST_GUILESS_MAIN(TestLinkLocation)
#include "tst_linklocation.moc"
