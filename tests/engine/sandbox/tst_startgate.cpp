// SPDX-License-Identifier: MIT
#include "engine/sandbox/startgate.h"

#include <QTest>

using namespace isol8;

namespace {

/// Of a start's time: passes while the test waits, and does not while it goes on.
constexpr std::chrono::milliseconds shortest { 700 };
constexpr std::chrono::hours longest { 1 };

/// Somebody who wants to start something.
struct Starter {
    std::optional<Result<StartGate::Place>> answer;
    CancelToken cancel;
    std::function<void()> goesOn; ///< Called when it is let in.

    [[nodiscard]] bool isIn() const { return answer && answer->has_value(); }
    void leave() { answer.reset(); }
};
using StarterPointer = std::shared_ptr<Starter>;

Task<> ask(StarterPointer starter, StartGate* gate)
{
    auto place = co_await gate->admit(starter->cancel);
    starter->answer.emplace(std::move(place));
    if (starter->goesOn)
        starter->goesOn();
    co_return {};
}

StarterPointer start(StartGate& gate)
{
    auto starter = std::make_shared<Starter>();
    (void)ask(starter, &gate);
    return starter;
}

} // namespace

class TestStartGate : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void letsSoManyInAndTheRestInTurn();
    void aStartThatLastsKeepsNobodyOut();
    void waitersAreLetInWhenStartsLast();
    void enteringIsNotRefused();
    void aPlaceIsMovedWhole();
    void aPlaceIsRenewedWithoutLettingAnyoneIn();
    void cancelledOnesLeave();
    void whoGoesOnMayComeBack();
    void endsWithThoseThatWait();
    void placesOutliveTheGate();
};

void TestStartGate::letsSoManyInAndTheRestInTurn()
{
    StartGate gate(2, longest);
    QList<StarterPointer> starters;
    for (int i = 0; i < 5; ++i)
        starters << start(gate);
    QVERIFY(starters[0]->isIn());
    QVERIFY(starters[1]->isIn());
    QVERIFY(!starters[2]->answer);
    QCOMPARE(gate.waiting(), 3);
    starters[1]->leave();
    QVERIFY(starters[2]->isIn());
    QVERIFY(!starters[3]->answer);
    starters[0]->leave();
    starters[2]->leave();
    QVERIFY(starters[3]->isIn());
    QVERIFY(starters[4]->isIn());
    QCOMPARE(gate.waiting(), 0);
}

void TestStartGate::aStartThatLastsKeepsNobodyOut()
{
    StartGate gate(1, shortest);
    const auto first = start(gate);
    QVERIFY(first->isIn());
    const auto second = std::make_shared<Starter>();
    StarterPointer third;
    bool isThirdKeptOut = false;
    // It gives back what it has not got any more: the second's is still taken.
    second->goesOn = [&] {
        first->leave();
        third = start(gate);
        isThirdKeptOut = !third->answer;
    };
    (void)ask(second, &gate);
    QVERIFY(!second->answer);
    QTRY_VERIFY(second->isIn());
    QVERIFY(isThirdKeptOut);
    QTRY_VERIFY(third->isIn());
}

void TestStartGate::waitersAreLetInWhenStartsLast()
{
    StartGate gate(2, shortest);
    const auto first = start(gate);
    const auto second = start(gate);
    QList<StarterPointer> waiting;
    QList<int> others; // How many waited on when each was let in.
    for (int i = 0; i < 3; ++i) {
        waiting << std::make_shared<Starter>();
        waiting[i]->goesOn = [&] { others << gate.waiting(); };
    }
    for (const auto& starter : waiting)
        (void)ask(starter, &gate);
    QTRY_VERIFY(waiting[2]->isIn());
    QVERIFY(waiting[0]->isIn() && waiting[1]->isIn());
    QVERIFY(first->isIn() && second->isIn());
    // Never more of them at a time than there are places.
    QVERIFY(others.first() > 0);
    QCOMPARE(others.last(), 0);
}

void TestStartGate::enteringIsNotRefused()
{
    StartGate gate(1, longest);
    auto first = gate.enter();
    auto second = gate.enter();
    const auto waiting = start(gate);
    QVERIFY(!waiting->answer);
    first.leave();
    QVERIFY(!waiting->answer);
    first.leave(); // Again: nothing.
    QVERIFY(!waiting->answer);
    second.leave();
    QVERIFY(waiting->isIn());
}

void TestStartGate::aPlaceIsMovedWhole()
{
    StartGate gate(1, longest);
    auto first = gate.enter();
    const auto waiting = start(gate);
    {
        StartGate::Place second(std::move(first));
        first.leave(); // NOLINT: is what a moved one does.
        QVERIFY(!waiting->answer);
        StartGate::Place third;
        third = std::move(second);
        auto& same = third;
        third = std::move(same);
        QVERIFY(!waiting->answer);
    }
    QVERIFY(waiting->isIn());
}

void TestStartGate::aPlaceIsRenewedWithoutLettingAnyoneIn()
{
    StartGate gate(1, longest);
    auto place = gate.enter();
    const auto waiting = start(gate);
    for (int i = 0; i < 3; ++i)
        place = gate.enter();
    QVERIFY(!waiting->answer);
    place.leave();
    QVERIFY(waiting->isIn());
}

void TestStartGate::cancelledOnesLeave()
{
    StartGate gate(1, longest);
    auto place = gate.enter();
    const auto first = start(gate);
    const auto second = start(gate);
    first->cancel.cancel();
    QCOMPARE(first->answer->error().kind, Kind::Cancelled);
    QCOMPARE(gate.waiting(), 1);
    const auto late = std::make_shared<Starter>();
    late->cancel.cancel();
    (void)ask(late, &gate);
    QCOMPARE(late->answer->error().kind, Kind::Cancelled);
    place.leave();
    QVERIFY(second->isIn());
    // Too late: it keeps what it has.
    second->cancel.cancel();
    QVERIFY(second->isIn());
    QVERIFY(!start(gate)->answer);
}

void TestStartGate::whoGoesOnMayComeBack()
{
    StartGate gate(1, longest);
    auto place = gate.enter();
    QList<StarterPointer> starters;
    int passed = 0;
    for (int i = 0; i < 50; ++i) {
        auto starter = std::make_shared<Starter>();
        starter->goesOn = [&passed, weak = std::weak_ptr(starter)] {
            ++passed;
            weak.lock()->leave();
        };
        (void)ask(starter, &gate);
        starters << starter;
    }
    place.leave();
    QCOMPARE(passed, 50);
    QCOMPARE(gate.waiting(), 0);
    QVERIFY(start(gate)->isIn());
}

void TestStartGate::endsWithThoseThatWait()
{
    auto gate = std::make_unique<StartGate>(1, longest);
    auto place = gate->enter();
    const auto refused = start(*gate);
    gate->refuse();
    QCOMPARE(refused->answer->error().kind, Kind::Cancelled);
    const auto waiting = start(*gate);
    gate.reset();
    QCOMPARE(waiting->answer->error().kind, Kind::Cancelled);
}

void TestStartGate::placesOutliveTheGate()
{
    auto gate = std::make_unique<StartGate>(1, longest);
    auto place = gate->enter();
    gate.reset();
    place.leave();
}

QTEST_GUILESS_MAIN(TestStartGate)
#include "tst_startgate.moc"
