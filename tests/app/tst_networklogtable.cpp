// SPDX-License-Identifier: MIT
#include "app/cli/networklogtable.h"

#include <QTest>

using namespace isol8;
using namespace isol8::cli;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestNetworkLogTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void alignsColumns();
    void longPathsDoNotWidenTheTable();
    void saysSoWhenNothingHappened();
};

void TestNetworkLogTable::alignsColumns()
{
    ExecutionResult result;
    result.networkBytesIn = 2048;
    result.networkBytesOut = 10;
    result.networkLogs = {
        { {}, u"CONNECT"_s, u"a.test"_s, std::nullopt, true, 12'345us, u"any-host"_s },
        { {}, u"GET"_s, u"evil.test"_s, u"/path"_s, false, 10us, u"^evil"_s },
    };
    const QStringList expected {
        u"Network: 2 requests, 1 refused; 2 KiB in, 10 bytes out"_s,
        u"  ALLOW CONNECT a.test              12 ms  any-host"_s,
        u"  BLOCK GET     evil.test/path       0 ms  ^evil"_s,
    };
    QCOMPARE(networkLogLines(result), expected);
}

void TestNetworkLogTable::longPathsDoNotWidenTheTable()
{
    ExecutionResult result;
    result.networkLogs = {
        { {}, u"GET"_s, u"a.test"_s, QString(500, u'x'), true, 1ms, u"r"_s },
        { {}, u"GET"_s, u"b.test"_s, u"/"_s, true, 1ms, u"r"_s },
    };
    const auto lines = networkLogLines(result);
    QVERIFY(lines[1].contains(QString(500, u'x')));
    QVERIFY(lines[2].size() < 100);
}

void TestNetworkLogTable::saysSoWhenNothingHappened()
{
    QCOMPARE(networkLogLines({}),
        QStringList { u"Network: 0 requests, 0 refused; 0 bytes in, 0 bytes out"_s });
}

QTEST_APPLESS_MAIN(TestNetworkLogTable)
#include "tst_networklogtable.moc"
