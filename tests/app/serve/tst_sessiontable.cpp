// SPDX-License-Identifier: MIT
#include "app/serve/sessiontable.h"

#include "engine/core/names.h"

#include <QTest>

using namespace isol8;
using namespace isol8::serve;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

using Lease = std::shared_ptr<SessionTable::Lease>;

/// A turn that is waited for.
struct Waiting {
    std::optional<Result<Lease>> result;
    CancelToken cancel;

    static std::shared_ptr<Waiting> of(SessionTable& table, const QString& id, Runtime runtime)
    {
        auto waiting = std::make_shared<Waiting>();
        (void)follow(waiting, table.acquire(id, runtime, waiting->cancel));
        return waiting;
    }
    static QCoro::Task<> follow(std::shared_ptr<Waiting> waiting, Task<Lease> task)
    {
        waiting->result = co_await task;
    }
    [[nodiscard]] bool hasTurn() const { return result && *result; }
    void end() { result.reset(); }
};

} // namespace

/// Names, turns and limits of sessions.
class TestSessionTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesAreScopedAndValid_data();
    void namesAreScopedAndValid();
    void turnsComeInOrder();
    void cancelledWaiterIsPassedOver();
    void cancelUsersReachesAll();
    void newSessionIsForgottenUnlessConfirmed();
    void keepsToLimits();
    void cancelledBeforeItsTurnLeavesNothing();
    void closedTableMakesNobodyWait();
    void tellsIdleOnes();
};

void TestSessionTable::namesAreScopedAndValid_data()
{
    QTest::addColumn<QString>("id");
    QTest::newRow("short") << u"a"_s;
    QTest::newRow("with dots") << u"a.b-c_d"_s;
    QTest::newRow("longest") << QString(128, u'x');
}

void TestSessionTable::namesAreScopedAndValid()
{
    QFETCH(QString, id);
    const auto name = SessionTable::engineId(u"tenant"_s, id);
    QVERIFY(checkSessionId(name));
    QVERIFY(SessionTable::isServerSession(name));
    QVERIFY(name != SessionTable::engineId(u"other"_s, id));
    QVERIFY(name != SessionTable::engineId(u"tenant"_s, id.chopped(1) + u'y'));
    QVERIFY(!SessionTable::clientId(u"other"_s, name));
    const auto back = SessionTable::clientId(u"tenant"_s, name);
    QVERIFY(back);
    if (id.size() < 100)
        QCOMPARE(*back, id);
    QVERIFY(!SessionTable::isServerSession(id));
}

void TestSessionTable::turnsComeInOrder()
{
    SessionTable table({});
    const auto first = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto second = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto third = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto other = Waiting::of(table, u"t"_s, Runtime::Node);
    QVERIFY(first->hasTurn() && other->hasTurn());
    QVERIFY(!second->result && !third->result);
    first->end();
    QVERIFY(second->hasTurn() && !third->result);
    second->end();
    QVERIFY(third->hasTurn());
    QVERIFY(table.isActive(u"s"_s));
    third->end();
    QVERIFY(!table.isActive(u"s"_s));
}

void TestSessionTable::cancelledWaiterIsPassedOver()
{
    SessionTable table({});
    const auto first = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto second = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto third = Waiting::of(table, u"s"_s, Runtime::Python);
    second->cancel.cancel();
    QVERIFY(second->result && !*second->result);
    QCOMPARE(second->result->error().kind, Kind::Cancelled);
    first->end();
    QVERIFY(third->hasTurn());
}

void TestSessionTable::cancelUsersReachesAll()
{
    SessionTable table({});
    const auto first = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto second = Waiting::of(table, u"s"_s, Runtime::Python);
    table.cancelUsers(u"s"_s);
    QVERIFY(first->cancel.isCancelled());
    QVERIFY(first->hasTurn()); // The holder ends its use itself.
    QVERIFY(second->result && !*second->result);
    table.cancelUsers(u"unknown"_s);
}

void TestSessionTable::newSessionIsForgottenUnlessConfirmed()
{
    SessionTable table({});
    auto use = Waiting::of(table, u"s"_s, Runtime::Python);
    use->end();
    QCOMPARE(table.count(), 0);
    use = Waiting::of(table, u"s"_s, Runtime::Python);
    (**use->result)->confirm(Runtime::Python);
    use->end();
    QCOMPARE(table.count(), 1);
    const auto refused = Waiting::of(table, u"s"_s, Runtime::Bash);
    QCOMPARE(refused->result->error().kind, Kind::Conflict);
    use = Waiting::of(table, u"s"_s, Runtime::Python);
    (**use->result)->forget();
    use->end();
    QCOMPARE(table.count(), 0);
}

void TestSessionTable::keepsToLimits()
{
    SessionTable table({ 1, 1 });
    const auto first = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto second = Waiting::of(table, u"s"_s, Runtime::Python);
    QVERIFY(!second->result);
    const auto third = Waiting::of(table, u"s"_s, Runtime::Python);
    QCOMPARE(third->result->error().kind, Kind::Limit);
    const auto other = Waiting::of(table, u"t"_s, Runtime::Python);
    QCOMPARE(other->result->error().kind, Kind::Limit);
}

void TestSessionTable::cancelledBeforeItsTurnLeavesNothing()
{
    SessionTable table({ 1, 1 });
    const CancelToken cancel;
    cancel.cancel();
    const auto waiting = std::make_shared<Waiting>();
    (void)Waiting::follow(waiting, table.acquire(u"gone"_s, Runtime::Python, cancel));
    QCOMPARE(waiting->result->error().kind, Kind::Cancelled);
    QCOMPARE(table.count(), 0);
    QVERIFY(Waiting::of(table, u"next"_s, Runtime::Python)->hasTurn());
}

void TestSessionTable::closedTableMakesNobodyWait()
{
    SessionTable table({});
    const auto user = Waiting::of(table, u"s"_s, Runtime::Python);
    const auto waiter = Waiting::of(table, u"s"_s, Runtime::Python);
    QVERIFY(!waiter->result);
    const Error reason { Kind::Unreachable, u"the end"_s, 503 };
    table.close(reason);
    QCOMPARE(waiter->result->error(), reason);
    QCOMPARE(Waiting::of(table, u"s"_s, Runtime::Python)->result->error(), reason);
    QVERIFY(user->hasTurn());
    user->end();
    QCOMPARE(table.count(), 0);
}

void TestSessionTable::tellsIdleOnes()
{
    SessionTable table({});
    table.adopt(u"old"_s, Runtime::Node);
    const auto busy = Waiting::of(table, u"busy"_s, Runtime::Python);
    QCOMPARE(table.idleFor(0ms), QStringList { u"old"_s });
    QVERIFY(table.isIdleFor(u"old"_s, 0ms));
    QVERIFY(table.idleFor(1h).isEmpty());
    QVERIFY(!table.isIdleFor(u"unknown"_s, 0ms));
    QVERIFY(table.lastAccess(u"old"_s));
    QVERIFY(!table.lastAccess(u"unknown"_s));
}

QTEST_GUILESS_MAIN(TestSessionTable)
#include "tst_sessiontable.moc"
