// SPDX-License-Identifier: MIT
#include "engine/source/sourceurl.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestSourceUrl : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void expandsRepositories_data();
    void expandsRepositories();
    void expandsGists();
    void refusesWhatIsNoFile_data();
    void refusesWhatIsNoFile();
};

void TestSourceUrl::expandsRepositories_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("path");
    QTest::newRow("short") << u"octo/tools/main/run.py"_s << u"octo/tools/main/run.py"_s;
    QTest::newRow("deep") << u"octo/tools/v1.2/a/b/c.sh"_s << u"octo/tools/v1.2/a/b/c.sh"_s;
    QTest::newRow("odd") << u"o/r/m/a b?c#d%é.py"_s << u"o/r/m/a%20b%3Fc%23d%25%C3%A9.py"_s;
    QTest::newRow("another host") << u"o@evil.test/r/m/p"_s << u"o%40evil.test/r/m/p"_s;
}

void TestSourceUrl::expandsRepositories()
{
    QFETCH(QString, text);
    QFETCH(QString, path);
    QCOMPARE(
        githubSourceUrl(text).value_or(QString()), u"https://raw.githubusercontent.com/"_s + path);
}

void TestSourceUrl::expandsGists()
{
    QCOMPARE(gistSourceUrl(u"0a1b2c/run me.py"_s).value_or(QString()),
        u"https://gist.githubusercontent.com/raw/0a1b2c/run%20me.py"_s);
}

void TestSourceUrl::refusesWhatIsNoFile_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("empty") << QString();
    QTest::newRow("one part") << u"octo"_s;
    QTest::newRow("no path") << u"octo/tools/main"_s;
    QTest::newRow("no path after the slash") << u"octo/tools/main/"_s;
    QTest::newRow("no owner") << u"/tools/main/run.py"_s;
    QTest::newRow("up") << u"octo/tools/main/../../x"_s;
    QTest::newRow("URL") << u"https://example.test/x"_s;
}

void TestSourceUrl::refusesWhatIsNoFile()
{
    QFETCH(QString, text);
    for (const auto& url : { githubSourceUrl(text), gistSourceUrl(text) }) {
        QVERIFY(!url);
        QCOMPARE(url.error().kind, Kind::Invalid);
        QVERIFY(url.error().message.contains(text));
    }
}

QTEST_GUILESS_MAIN(TestSourceUrl)
#include "tst_sourceurl.moc"
