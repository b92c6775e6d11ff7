// SPDX-License-Identifier: MIT
#include "app/serve/executiontable.h"

#include <QTest>

using namespace isol8;
using namespace isol8::serve;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// What is kept of executions.
class TestExecutionTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsStateAndResult();
    void isScopedToTenants();
    void largeResultIsKeptUntilTheNext();
};

namespace {

ExecutionResult resultOf(qsizetype fileBytes)
{
    ExecutionResult result;
    result.files.insert(u"large"_s, QByteArray(fileBytes, 'x'));
    return result;
}

} // namespace

void TestExecutionTable::keepsStateAndResult()
{
    ExecutionTable table(1h);
    const CancelToken cancel;
    table.add(u"id"_s, u"tenant"_s, {}, cancel);
    QCOMPARE(table.describe(u"id"_s, u"tenant"_s)->value(u"state"_s), u"queued"_s);
    QCOMPARE(table.activeCount(), 1);
    table.setRunning(u"id"_s);
    QCOMPARE(table.describe(u"id"_s, u"tenant"_s)->value(u"state"_s), u"running"_s);
    QVERIFY(table.cancel(u"id"_s, u"tenant"_s));
    QVERIFY(cancel.isCancelled());
    table.setFinished(u"id"_s, resultOf(1));
    const auto ended = table.describe(u"id"_s, u"tenant"_s);
    QCOMPARE(ended->value(u"state"_s), u"finished"_s);
    QVERIFY(ended->value(u"result"_s).isObject());
    QCOMPARE(table.activeCount(), 0);
    table.add(u"other"_s, u"tenant"_s, {}, {});
    table.setFinished(u"other"_s, failure(Kind::NotFound, u"no image"_s));
    QCOMPARE(table.describe(u"other"_s, u"tenant"_s)->value(u"error"_s), u"no image"_s);
}

void TestExecutionTable::isScopedToTenants()
{
    ExecutionTable table(1h);
    table.add(u"id"_s, u"tenant"_s, {}, {});
    QVERIFY(!table.describe(u"id"_s, u"stranger"_s));
    QVERIFY(!table.cancel(u"id"_s, u"stranger"_s));
    QVERIFY(!table.describe(u"unknown"_s, u"tenant"_s));
}

void TestExecutionTable::largeResultIsKeptUntilTheNext()
{
    // A remote client fetches its files here, so a result may not be dropped before it could ask.
    ExecutionTable table(1h);
    constexpr qsizetype large = 65 << 20;
    for (const auto& id : { u"first"_s, u"second"_s }) {
        table.add(id, u"t"_s, {}, {});
        table.setFinished(id, resultOf(large));
        QVERIFY(table.describe(id, u"t"_s)->contains(u"result"_s));
    }
    QVERIFY(!table.describe(u"first"_s, u"t"_s));
}

QTEST_GUILESS_MAIN(TestExecutionTable)
#include "tst_executiontable.moc"
