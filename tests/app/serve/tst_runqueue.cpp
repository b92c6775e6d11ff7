// SPDX-License-Identifier: MIT
#include "app/serve/runqueue.h"

#include <QTest>

#include <list>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;
using namespace std::chrono_literals;

namespace {

/// What became of somebody who asked for a place.
struct Visit {
    QString name;
    std::optional<Result<>> outcome;
    Ticket ticket;
    CancelToken cancel;
};

struct Visitors {
    std::list<Visit> all;
    QStringList entered; ///< In the order in which they got their places.
};

Task<> visit(RunQueue* queue, QString tenant, std::shared_ptr<Visitors> visitors, Visit* visit,
    std::chrono::milliseconds limit)
{
    auto ticket = co_await queue->admit(tenant, visit->cancel, limit);
    if (!ticket) {
        visit->outcome = std::unexpected(ticket.error());
        co_return {};
    }
    visit->ticket = std::move(*ticket);
    visit->outcome = Result<>();
    visitors->entered << visit->name;
    co_return {};
}

Visit* enter(RunQueue& queue, const QString& tenant, const QString& name,
    const std::shared_ptr<Visitors>& visitors, std::chrono::milliseconds limit = 1h)
{
    auto& added = visitors->all.emplace_back();
    added.name = name;
    visit(&queue, tenant, visitors, &added, limit);
    return &added;
}

int statusOf(const Visit* visit)
{
    return visit->outcome && !*visit->outcome ? visit->outcome->error().httpStatus : 0;
}

} // namespace

class TestRunQueue : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void letsInAsManyAsMayRun();
    void passesPlacesOnFairly();
    void refusesWhenTooManyWait();
    void letsLeaveWhileWaiting();
    void refusesWhoLeftBefore();
    void endsTheWait_data();
    void endsTheWait();
    void holdsEachTenantToItsShare();
    void movesTickets();
    void outlivesItsQueue();
    void failsThoseThatWaitAtTheEnd();
    void takesNewLimits();
    void survivesTicketsThatEndAtOnce();
    void saysWhenToComeAgain();
};

void TestRunQueue::letsInAsManyAsMayRun()
{
    RunQueue queue({ 2, 0, 10, 1h });
    const auto visitors = std::make_shared<Visitors>();
    auto* first = enter(queue, u"a"_s, u"1"_s, visitors);
    enter(queue, u"a"_s, u"2"_s, visitors);
    auto* third = enter(queue, u"a"_s, u"3"_s, visitors);
    QCOMPARE(visitors->entered, (QStringList { u"1"_s, u"2"_s }));
    QCOMPARE(queue.running(), 2);
    QCOMPARE(queue.waiting(), 1);
    QVERIFY(!third->outcome);

    first->ticket = Ticket();
    QCOMPARE(visitors->entered, (QStringList { u"1"_s, u"2"_s, u"3"_s }));
    QCOMPARE(queue.waiting(), 0);
    visitors->all.clear();
    QCOMPARE(queue.running(), 0);
}

void TestRunQueue::passesPlacesOnFairly()
{
    RunQueue queue({ 1, 0, 100, 1h });
    const auto visitors = std::make_shared<Visitors>();
    enter(queue, u"x"_s, u"x"_s, visitors);
    for (int i = 1; i <= 4; ++i)
        enter(queue, u"greedy"_s, u"g%1"_s.arg(i), visitors);
    enter(queue, u"b"_s, u"b1"_s, visitors);
    enter(queue, u"c"_s, u"c1"_s, visitors);
    enter(queue, u"b"_s, u"b2"_s, visitors);
    while (queue.running() > 0) {
        for (auto& each : visitors->all) {
            if (each.ticket.isHeld()) {
                each.ticket = Ticket();
                break;
            }
        }
    }
    QCOMPARE(visitors->entered,
        (QStringList { u"x"_s, u"g1"_s, u"b1"_s, u"c1"_s, u"g2"_s, u"b2"_s, u"g3"_s, u"g4"_s }));
}

void TestRunQueue::refusesWhenTooManyWait()
{
    RunQueue queue({ 1, 0, 2, 1h });
    const auto visitors = std::make_shared<Visitors>();
    for (int i = 0; i < 3; ++i)
        enter(queue, u"a"_s, QString::number(i), visitors);
    auto* refused = enter(queue, u"b"_s, u"late"_s, visitors);
    QCOMPARE(statusOf(refused), 429);
    QCOMPARE(refused->outcome->error().kind, Kind::Limit);
    QCOMPARE(queue.waiting(), 2);

    RunQueue none({ 1, 0, 0, 1h });
    const auto held = QCoro::waitFor(none.admit(u"a"_s, {}));
    QVERIFY(held);
    const auto second = QCoro::waitFor(none.admit(u"a"_s, {}));
    QCOMPARE(second.error().httpStatus, 429);
}

void TestRunQueue::letsLeaveWhileWaiting()
{
    RunQueue queue({ 1, 0, 10, 1h });
    const auto visitors = std::make_shared<Visitors>();
    auto* first = enter(queue, u"a"_s, u"1"_s, visitors);
    auto* leaver = enter(queue, u"b"_s, u"2"_s, visitors);
    enter(queue, u"c"_s, u"3"_s, visitors);
    leaver->cancel.cancel();
    QCOMPARE(leaver->outcome->error().kind, Kind::Cancelled);
    QCOMPARE(queue.waiting(), 1);
    first->ticket = Ticket();
    QCOMPARE(visitors->entered, (QStringList { u"1"_s, u"3"_s }));
    // Too late to matter.
    first->cancel.cancel();
    QCOMPARE(queue.running(), 1);
}

void TestRunQueue::refusesWhoLeftBefore()
{
    RunQueue queue({ 1, 0, 10, 1h });
    const CancelToken gone;
    gone.cancel();
    const auto result = QCoro::waitFor(queue.admit(u"a"_s, gone));
    QCOMPARE(result.error().kind, Kind::Cancelled);
    QCOMPARE(queue.running(), 0);
}

void TestRunQueue::endsTheWait_data()
{
    QTest::addColumn<int>("ownMilliseconds");
    QTest::addColumn<int>("queueMilliseconds");
    QTest::addColumn<int>("status");
    QTest::newRow("the request's own limit") << 1 << 3'600'000 << 408;
    QTest::newRow("the queue's limit") << 3'600'000 << 1 << 503;
}

void TestRunQueue::endsTheWait()
{
    QFETCH(const int, ownMilliseconds);
    QFETCH(const int, queueMilliseconds);
    QFETCH(const int, status);
    RunQueue queue({ 1, 0, 10, std::chrono::milliseconds(queueMilliseconds) });
    const auto held = QCoro::waitFor(queue.admit(u"a"_s, {}));
    QVERIFY(held);
    const auto late
        = QCoro::waitFor(queue.admit(u"b"_s, {}, std::chrono::milliseconds(ownMilliseconds)));
    QVERIFY(!late);
    QCOMPARE(late.error().kind, Kind::Timeout);
    QCOMPARE(late.error().httpStatus, status);
    QCOMPARE(queue.waiting(), 0);
    QCOMPARE(queue.running(), 1);
}

void TestRunQueue::holdsEachTenantToItsShare()
{
    RunQueue queue({ 3, 1, 10, 1h });
    const auto visitors = std::make_shared<Visitors>();
    auto* first = enter(queue, u"a"_s, u"a1"_s, visitors);
    enter(queue, u"a"_s, u"a2"_s, visitors);
    enter(queue, u"b"_s, u"b1"_s, visitors);
    QCOMPARE(visitors->entered, (QStringList { u"a1"_s, u"b1"_s }));
    QCOMPARE(queue.waiting(), 1);
    first->ticket = Ticket();
    QCOMPARE(visitors->entered, (QStringList { u"a1"_s, u"b1"_s, u"a2"_s }));
}

void TestRunQueue::movesTickets()
{
    RunQueue queue({ 2, 0, 10, 1h });
    auto made = QCoro::waitFor(queue.admit(u"a"_s, {}));
    QVERIFY(made);
    QVERIFY(made->waited() >= 0us);
    Ticket moved = std::move(*made);
    QVERIFY(!made->isHeld());
    QVERIFY(moved.isHeld());
    auto other = QCoro::waitFor(queue.admit(u"a"_s, {}));
    QCOMPARE(queue.running(), 2);
    moved = std::move(*other);
    QCOMPARE(queue.running(), 1);
    Ticket& self = moved;
    moved = std::move(self);
    QCOMPARE(queue.running(), 1);
    moved = Ticket();
    QCOMPARE(queue.running(), 0);
}

void TestRunQueue::outlivesItsQueue()
{
    Ticket ticket;
    {
        RunQueue queue({ 1, 0, 10, 1h });
        auto made = QCoro::waitFor(queue.admit(u"a"_s, {}));
        ticket = std::move(*made);
    }
    QVERIFY(ticket.isHeld());
    ticket = Ticket();
    QVERIFY(!ticket.isHeld());
}

void TestRunQueue::failsThoseThatWaitAtTheEnd()
{
    const auto visitors = std::make_shared<Visitors>();
    {
        RunQueue queue({ 1, 0, 10, 1h });
        enter(queue, u"a"_s, u"1"_s, visitors);
        auto* waiter = enter(queue, u"a"_s, u"2"_s, visitors);
        queue.close({ Kind::Unreachable, u"the server ends"_s, 503 });
        QCOMPARE(statusOf(waiter), 503);
        auto* late = enter(queue, u"a"_s, u"3"_s, visitors);
        QCOMPARE(statusOf(late), 503);
        QCOMPARE(queue.running(), 1);
        QCOMPARE(queue.waiting(), 0);
    }
    auto queue = std::make_unique<RunQueue>(RunQueue::Limits { 1, 0, 10, 1h });
    enter(*queue, u"a"_s, u"4"_s, visitors);
    auto* waiter = enter(*queue, u"a"_s, u"5"_s, visitors);
    queue.reset();
    QVERIFY(waiter->outcome);
    QCOMPARE(waiter->outcome->error().kind, Kind::Cancelled);
}

void TestRunQueue::takesNewLimits()
{
    RunQueue queue({ 1, 0, 10, 1h });
    const auto visitors = std::make_shared<Visitors>();
    for (int i = 0; i < 4; ++i)
        enter(queue, u"a"_s, QString::number(i), visitors);
    QCOMPARE(queue.running(), 1);
    queue.setLimits({ 3, 0, 10, 1h });
    QCOMPARE(queue.running(), 3);
    queue.setLimits({ 1, 0, 10, 1h });
    visitors->all.front().ticket = Ticket();
    QCOMPARE(queue.running(), 2);
    QCOMPARE(queue.waiting(), 1);
}

void TestRunQueue::survivesTicketsThatEndAtOnce()
{
    // Each one that gets its place gives it back within the delivery.
    RunQueue queue({ 1, 0, 5000, 1h });
    auto held = QCoro::waitFor(queue.admit(u"x"_s, {}));
    QVERIFY(held);
    const auto count = std::make_shared<int>(0);
    for (int i = 0; i < 500; ++i) {
        auto pass = [](RunQueue* inner, QString tenant, std::shared_ptr<int> counter) -> Task<> {
            const auto ticket = co_await inner->admit(tenant, {});
            *counter += ticket ? 1 : 0;
            co_return {};
        };
        pass(&queue, QString::number(i % 7), count);
    }
    QCOMPARE(queue.waiting(), 500);
    *held = Ticket();
    QCOMPARE(*count, 500);
    QCOMPARE(queue.running(), 0);
    QCOMPARE(queue.waiting(), 0);
}

void TestRunQueue::saysWhenToComeAgain()
{
    RunQueue queue({ 1, 0, 1000, 1h });
    const auto visitors = std::make_shared<Visitors>();
    QVERIFY(queue.retryAfter() >= 1s);
    for (int i = 0; i < 1000; ++i)
        enter(queue, u"a"_s, QString::number(i), visitors);
    QCOMPARE(queue.retryAfter(), 60s);
}

QTEST_GUILESS_MAIN(TestRunQueue)
#include "tst_runqueue.moc"
