// SPDX-License-Identifier: MIT
#include "tests/engine/sandbox/workshop.h"

#include <QCoroTask>
#include <QTest>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;

/// The pool's rules, with sandboxes that exist by name only.
class TestPool : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void makesWhatIsNotThere();
    void usesAgainAfterCleaning();
    void neverHandsOutWhatIsNotProvedClean();
    void neverCrossesTenants();
    void neverCrossesConfigurations();
    void waitsForTheCleaningRatherThanMakeAnother();
    void makesAnotherForEveryoneWhoWaits();
    void keepsSomeReady();
    void usesEachOnceWhereThatIsWanted();
    void startsAhead();
    void copiesForWhoeverWaits_data();
    void copiesForWhoeverWaits();
    void handsOutWhereAnInterpreterWaits();
    void doesNotGrowForAClientWithoutAPause();
    void startsSoManyAtATime();
    void aRunThatLastsKeepsNobodyOut();
    void dropsTheDead();
    void asksThoseThatWereIdleForLong();
    void boundsHowMany();
    void boundsTheirMemory();
    void boundsTheirUses();
    void endsThoseThatNobodyUses();
    void takesFromTheRichest();
    void passesOnWhyNoneCouldBeMade();
    void triesAgainLaterAfterAFailure();
    void cancelledClientsLeaveTheirSandboxToOthers();
    void retiresConfigurations();
    void closesWhatIsThereAndWhatComesBack();
    void endsWaitersWhenItGoes();

private:
    void makePool();

    PoolLimits m_limits;
    WorkshopPointer m_shop;
    std::unique_ptr<Pool> m_pool;
};

void TestPool::init()
{
    m_limits = {};
    m_limits.ready = 1;
    m_shop = std::make_shared<Workshop>();
    makePool();
}

void TestPool::cleanup()
{
    for (const auto& done : std::exchange(m_shop->destroying, {}))
        done.deliver({});
    m_shop->isDestroyingHeld = false;
    for (const auto& done : std::exchange(m_shop->prestarting, {}))
        done.deliver({});
    m_shop->isPrestartHeld = false;
    QVERIFY(QCoro::waitFor(m_pool->close()));
    m_pool.reset();
}

void TestPool::makePool()
{
    m_pool = std::make_unique<Pool>(m_limits, actionsOf(m_shop));
    m_pool->setWatched(true);
}

void TestPool::makesWhatIsNotThere()
{
    const auto client = take(*m_pool, wish(u"a"_s));
    QCOMPARE(client->id(), u"box1"_s);
    QCOMPARE(m_pool->figures().taken, 1);
    QCOMPARE(m_pool->figures().waits, 1);
    giveBack(*m_pool, client);
}

void TestPool::usesAgainAfterCleaning()
{
    for (int i = 0; i < 5; ++i) {
        const auto client = take(*m_pool, wish(u"a"_s));
        QCOMPARE(client->id(), u"box1"_s);
        giveBack(*m_pool, client);
        QCOMPARE(m_shop->cleaned.size(), i + 1);
    }
    QCOMPARE(m_shop->made, 1);
    QCOMPARE(m_pool->figures().hits, 4);
    QCOMPARE(m_pool->figures().used, 1);
    QCOMPARE(m_pool->figures().taken, 0);
}

void TestPool::neverHandsOutWhatIsNotProvedClean()
{
    m_shop->isCleaningHeld = true;
    const auto first = take(*m_pool, wish(u"a"_s));
    giveBack(*m_pool, first);
    const auto second = take(*m_pool, wish(u"a"_s));
    QVERIFY(!second->answer);
    m_shop->cleaning.takeFirst().done.fail({ Kind::Internal, u"a file is left"_s });
    QCOMPARE(second->id(), u"box2"_s);
    QCOMPARE(m_shop->destroyed, QStringList { u"box1"_s });
    QCOMPARE(m_pool->figures().failures, 1);
    giveBack(*m_pool, second, /*isBroken=*/true);
    QVERIFY(m_shop->cleaning.isEmpty());
    QCOMPARE(m_shop->destroyed, QStringList({ u"box1"_s, u"box2"_s }));
}

void TestPool::neverCrossesTenants()
{
    const auto first = take(*m_pool, wish(u"a"_s));
    giveBack(*m_pool, first);
    const auto second = take(*m_pool, wish(u"b"_s));
    QCOMPARE(second->id(), u"box2"_s);
    giveBack(*m_pool, second);
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), u"box1"_s);
    QCOMPARE(take(*m_pool, wish(u"b"_s))->id(), u"box2"_s);
    QCOMPARE(take(*m_pool, wish(QString()))->id(), u"box3"_s);

    // Nor does what is being cleaned go to somebody else who waits.
    m_shop->isCleaningHeld = true;
    m_shop->isMakingHeld = true;
    const auto third = take(*m_pool, wish(u"a"_s, 2));
    m_shop->making.takeFirst().deliver(m_shop->produce());
    giveBack(*m_pool, third);
    const auto other = take(*m_pool, wish(u"b"_s, 2));
    m_shop->cleaning.takeFirst().done.deliver({});
    QVERIFY(!other->answer);
    m_shop->making.takeFirst().deliver(m_shop->produce());
    QCOMPARE(other->id(), u"box5"_s);
}

void TestPool::neverCrossesConfigurations()
{
    const auto first = take(*m_pool, wish(u"a"_s, 64));
    giveBack(*m_pool, first);
    QCOMPARE(take(*m_pool, wish(u"a"_s, 512))->id(), u"box2"_s);
    QCOMPARE(take(*m_pool, wish(u"a"_s, 64))->id(), u"box1"_s);
}

void TestPool::waitsForTheCleaningRatherThanMakeAnother()
{
    m_shop->isCleaningHeld = true;
    const auto first = take(*m_pool, wish(u"a"_s));
    giveBack(*m_pool, first);
    const auto second = take(*m_pool, wish(u"a"_s));
    QCOMPARE(m_shop->made, 1);
    m_shop->cleaning.takeFirst().done.deliver({});
    QCOMPARE(second->id(), u"box1"_s);
    // Handed over at once: nothing was started ahead in it.
    QVERIFY(m_shop->prestarted.isEmpty());
}

void TestPool::makesAnotherForEveryoneWhoWaits()
{
    m_shop->isMakingHeld = true;
    QList<std::shared_ptr<Client>> clients;
    for (int i = 0; i < 10; ++i)
        clients << take(*m_pool, wish(u"a"_s));
    // A few at a time.
    QVERIFY(m_shop->making.size() < 10);
    QCOMPARE(m_pool->figures().waiting, 10);
    for (int i = 0; i < 10; ++i) {
        QVERIFY(!m_shop->making.isEmpty());
        m_shop->making.takeFirst().deliver(m_shop->produce());
        QCOMPARE(clients.at(i)->id(), u"box%1"_s.arg(i + 1));
    }
    QVERIFY(m_shop->making.isEmpty());
    QCOMPARE(m_pool->figures().taken, 10);
}

void TestPool::keepsSomeReady()
{
    m_limits.ready = 2;
    makePool();
    m_pool->keepReady(wish(QString()));
    QCOMPARE(m_pool->figures().unused, 2);
    QCOMPARE(m_shop->prestarted.size(), 2);
    const auto first = take(*m_pool, wish(u"a"_s));
    QCOMPARE(m_pool->figures().hits, 1);
    // Replaced some moments later.
    QTRY_COMPARE(m_pool->figures().unused, 2);
    giveBack(*m_pool, first);
    QCOMPARE(m_pool->figures().used, 1);
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), first->id());
    QCOMPARE(m_shop->made, 3);
}

void TestPool::usesEachOnceWhereThatIsWanted()
{
    m_limits.isReusing = false;
    makePool();
    m_pool->keepReady(wish(QString()));
    QSet<QString> seen;
    for (int i = 0; i < 5; ++i) {
        const auto client = take(*m_pool, wish(u"a"_s));
        QVERIFY(!seen.contains(client->id()));
        seen << client->id();
        giveBack(*m_pool, client);
        QVERIFY(m_shop->destroyed.contains(client->id()));
        QVERIFY(m_pool->figures().unused >= 1);
    }
    QVERIFY(m_shop->cleaned.isEmpty());
    QCOMPARE(m_pool->figures().hits, 5);
}

void TestPool::startsAhead()
{
    m_limits.isPrestarting = false;
    makePool();
    m_pool->keepReady(wish(QString()));
    QVERIFY(m_shop->prestarted.isEmpty());

    m_limits.isPrestarting = true;
    makePool();
    giveBack(*m_pool, take(*m_pool, wish(u"a"_s)));
    QCOMPARE(m_shop->prestarted.size(), 1);
    auto plain = wish(u"a"_s, 2);
    plain.ahead.reset();
    giveBack(*m_pool, take(*m_pool, plain));
    QCOMPARE(m_shop->prestarted.size(), 1);
}

void TestPool::copiesForWhoeverWaits_data()
{
    QTest::addColumn<bool>("isCopyable");
    QTest::newRow("can be copied") << true;
    QTest::newRow("is started") << false;
}

void TestPool::copiesForWhoeverWaits()
{
    QFETCH(bool, isCopyable);
    auto wanted = wish(u"a"_s);
    wanted.ahead->isCopyable = isCopyable;
    const auto first = take(*m_pool, wanted);
    m_shop->isCleaningHeld = true;
    m_shop->prestarted.clear();
    giveBack(*m_pool, first);
    const auto second = take(*m_pool, wanted);
    QVERIFY(!second->answer);
    m_shop->cleaning.takeFirst().done.deliver({});
    QTRY_COMPARE(second->id(), first->id());
    // Else its run is sooner started by the run itself.
    QCOMPARE(m_shop->prestarted.count(first->id()), isCopyable ? 1 : 0);
}

void TestPool::handsOutWhereAnInterpreterWaits()
{
    const auto first = take(*m_pool, wish(u"a"_s));
    m_pool->keepReady(wish(QString()));
    QCOMPARE(m_shop->prestarted, QStringList { u"box2"_s });
    m_shop->isPrestartHeld = true;
    giveBack(*m_pool, first);
    QCOMPARE(m_shop->prestarting.size(), 1);

    // Its own is not ready yet, what nobody has used is. Then its own all the same.
    const auto second = take(*m_pool, wish(u"a"_s));
    QCOMPARE(second->id(), u"box2"_s);
    const auto third = take(*m_pool, wish(u"a"_s));
    QCOMPARE(third->id(), u"box1"_s);

    giveBack(*m_pool, third);
    giveBack(*m_pool, second);
    // What began before the sandbox was taken says nothing about it now.
    m_shop->prestarting[0].deliver({});
    QTRY_COMPARE_WITH_TIMEOUT(m_shop->prestarted.count(u"box1"_s), 1, 5000);
    m_shop->prestarting[1].deliver({});
    QTRY_COMPARE_WITH_TIMEOUT(m_shop->prestarted.count(u"box1"_s), 2, 5000);
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), u"box1"_s);
}

void TestPool::doesNotGrowForAClientWithoutAPause()
{
    m_limits.ready = 2;
    makePool();
    m_pool->keepReady(wish(QString()));
    m_shop->isPrestartHeld = true;
    QList<std::shared_ptr<Client>> clients;
    for (int i = 0; i < 3; ++i)
        clients << take(*m_pool, wish(u"a"_s));
    for (const auto& client : clients)
        giveBack(*m_pool, client);
    for (const auto& done : std::exchange(m_shop->prestarting, {}))
        done.deliver({});
    m_shop->isPrestartHeld = false;
    QTRY_COMPARE(m_pool->figures().unused, 2);

    // Each is there before an interpreter waits in it again: its own, the longest in preparation.
    m_shop->isPrestartHeld = true;
    QStringList order;
    for (int i = 0; i < 3; ++i) {
        const auto client = take(*m_pool, wish(u"a"_s));
        order << client->id();
        giveBack(*m_pool, client);
    }
    const int made = m_shop->made;
    for (int i = 0; i < 20; ++i) {
        const auto client = take(*m_pool, wish(u"a"_s));
        QCOMPARE(client->id(), order.at(i % 3));
        giveBack(*m_pool, client);
    }
    QCOMPARE(m_shop->made, made);

    // Where all of them are still being cleaned it waits for the first that is.
    m_shop->isCleaningHeld = true;
    for (int i = 0; i < 3; ++i)
        giveBack(*m_pool, take(*m_pool, wish(u"a"_s)));
    const auto last = take(*m_pool, wish(u"a"_s));
    QVERIFY(!last->answer);
    m_shop->cleaning.takeFirst().done.deliver({});
    QVERIFY(order.contains(last->id()));
    // Another gets what nobody has used.
    QVERIFY(take(*m_pool, wish(u"b"_s))->answer);
    QCOMPARE(m_pool->figures().waiting, 0);
}

void TestPool::startsSoManyAtATime()
{
    m_limits.maxStarting = 2;
    makePool();
    m_shop->isPrestartHeld = true;
    m_shop->isCleaningHeld = true;
    const auto first = take(*m_pool, wish(u"a"_s));
    const auto second = take(*m_pool, wish(u"b"_s));
    QVERIFY(first->answer && second->answer);
    const auto third = take(*m_pool, wish(u"a"_s));
    const auto fourth = take(*m_pool, wish(u"c"_s));
    const auto fifth = take(*m_pool, wish(u"a"_s));
    QVERIFY(!third->answer);
    QCOMPARE(m_pool->figures().waiting, 3);
    QCOMPARE(m_shop->made, 2);

    // It is not over before the sandbox is ready for the next.
    giveBack(*m_pool, first);
    QVERIFY(!third->answer);
    m_shop->cleaning.takeFirst().done.deliver({});
    QCOMPARE(m_shop->prestarting.size(), 1);
    QVERIFY(!third->answer);
    m_shop->prestarting.takeFirst().deliver({});
    QCOMPARE(third->id(), first->id());
    QVERIFY(!fourth->answer);

    // A client that goes leaves its turn to the next; a sandbox that is thrown away is over.
    fourth->cancel.cancel();
    QCOMPARE(fourth->answer->error().kind, Kind::Cancelled);
    giveBack(*m_pool, second, /*isBroken=*/true);
    QVERIFY(fifth->answer);
    QCOMPARE(m_pool->figures().waiting, 0);
    const auto last = take(*m_pool, wish(u"a"_s));
    makePool();
    QCOMPARE(last->answer->error().kind, Kind::Cancelled);
}

void TestPool::aRunThatLastsKeepsNobodyOut()
{
    m_limits.maxStarting = 1;
    makePool();
    const auto first = take(*m_pool, wish(u"a"_s));
    const auto second = take(*m_pool, wish(u"a"_s));
    const auto third = take(*m_pool, wish(u"b"_s));
    QVERIFY(first->answer);
    QVERIFY(!second->answer);
    QTRY_VERIFY(second->answer);
    QTRY_VERIFY(third->answer);
    QCOMPARE(m_shop->made, 3);
}

void TestPool::dropsTheDead()
{
    m_pool->keepReady(wish(QString()));
    m_pool->drop(u"box1"_s);
    QVERIFY(m_shop->destroyed.contains(u"box1"_s));
    QCOMPARE(m_pool->figures().unused, 1); // its replacement
    m_pool->drop(u"somebody else's"_s);

    m_shop->dead << u"box2"_s;
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), u"box3"_s);
    QVERIFY(m_shop->destroyed.contains(u"box2"_s));

    // One that dies while it is cleaned.
    m_shop->isCleaningHeld = true;
    const auto client = take(*m_pool, wish(u"b"_s));
    giveBack(*m_pool, client);
    m_shop->dead << client->id();
    m_shop->cleaning.takeFirst().done.deliver({});
    QVERIFY(m_shop->destroyed.contains(client->id()));
}

void TestPool::asksThoseThatWereIdleForLong()
{
    m_pool->keepReady(wish(QString()));
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), u"box1"_s);
    QVERIFY(m_shop->checked.isEmpty());

    // Where nobody tells about deaths, some moments are long.
    m_pool->setWatched(false);
    QTRY_COMPARE(m_pool->figures().unused, 1);
    m_shop->silent << u"box2"_s;
    const QDeadlineTimer passed(std::chrono::milliseconds(300));
    QTRY_VERIFY(passed.hasExpired());
    QCOMPARE(take(*m_pool, wish(u"b"_s))->id(), u"box3"_s);
    QCOMPARE(m_shop->checked, QStringList { u"box2"_s });
    QVERIFY(m_shop->destroyed.contains(u"box2"_s));
}

void TestPool::boundsHowMany()
{
    m_limits.maxSandboxes = 3;
    makePool();
    QList<std::shared_ptr<Client>> clients;
    for (int i = 0; i < 6; ++i)
        clients << take(*m_pool, wish(u"a"_s));
    for (const auto& client : std::as_const(clients))
        giveBack(*m_pool, client);
    QCOMPARE(m_pool->figures().used, 3);
    QCOMPARE(m_shop->destroyed.size(), 3);

    // Many configurations are no way around it, nor is what is to be kept ready.
    for (int i = 0; i < 10; ++i)
        m_pool->keepReady(wish(QString(), 100 + i));
    const auto figures = m_pool->figures();
    QVERIFY(figures.used + figures.unused + figures.making <= 3);
}

void TestPool::boundsTheirMemory()
{
    m_limits.maxMemoryBytes = 100;
    m_shop->memoryBytes = 40;
    makePool();
    QList<std::shared_ptr<Client>> clients;
    for (int i = 0; i < 6; ++i)
        clients << take(*m_pool, wish(u"a"_s));
    for (const auto& client : std::as_const(clients))
        giveBack(*m_pool, client);
    QCOMPARE(m_pool->figures().used, 2);
    QCOMPARE(m_pool->figures().memoryBytes, 80);
}

void TestPool::boundsTheirUses()
{
    m_limits.maxUses = 3;
    makePool();
    QStringList ids;
    for (int i = 0; i < 6; ++i) {
        const auto client = take(*m_pool, wish(u"a"_s));
        ids << client->id();
        giveBack(*m_pool, client);
    }
    QCOMPARE(ids.count(u"box1"_s), 3);
    QCOMPARE(ids.count(u"box2"_s), 3);
}

void TestPool::endsThoseThatNobodyUses()
{
    m_limits.idle = std::chrono::milliseconds(1);
    makePool();
    m_pool->keepReady(wish(QString()));
    const auto client = take(*m_pool, wish(u"a"_s));
    giveBack(*m_pool, client);
    QTRY_VERIFY(m_shop->destroyed.contains(client->id()));
    // What is to be kept ready stays.
    QTRY_COMPARE(m_pool->figures().unused, 1);
    QCOMPARE(m_pool->figures().used, 0);
}

void TestPool::takesFromTheRichest()
{
    m_limits.maxSandboxes = 4;
    makePool();
    const auto rare = take(*m_pool, wish(u"rare"_s, 7));
    giveBack(*m_pool, rare);
    QList<std::shared_ptr<Client>> clients;
    for (int i = 0; i < 8; ++i)
        clients << take(*m_pool, wish(u"busy"_s));
    for (const auto& client : std::as_const(clients))
        giveBack(*m_pool, client);
    QVERIFY(!m_shop->destroyed.contains(rare->id()));
    QCOMPARE(take(*m_pool, wish(u"rare"_s, 7))->id(), rare->id());
}

void TestPool::passesOnWhyNoneCouldBeMade()
{
    m_shop->makingFails = Error { Kind::Unreachable, u"no Docker"_s };
    const auto client = take(*m_pool, wish(u"a"_s));
    QVERIFY(client->answer);
    QVERIFY(!*client->answer);
    QCOMPARE(client->answer->error().message, u"no Docker"_s);
    m_shop->makingFails.reset();
    // A client's own wish is never put off.
    QCOMPARE(take(*m_pool, wish(u"a"_s))->id(), u"box1"_s);
}

void TestPool::triesAgainLaterAfterAFailure()
{
    m_shop->makingFails = Error { Kind::Unreachable, u"no Docker"_s };
    m_pool->keepReady(wish(QString()));
    QCOMPARE(m_pool->figures().failures, 1);
    m_shop->makingFails.reset();
    QTRY_COMPARE(m_pool->figures().unused, 1);
}

void TestPool::cancelledClientsLeaveTheirSandboxToOthers()
{
    m_shop->isMakingHeld = true;
    const auto first = take(*m_pool, wish(u"a"_s));
    first->cancel.cancel();
    QVERIFY(first->answer);
    QCOMPARE(first->answer->error().kind, Kind::Cancelled);
    const auto second = take(*m_pool, wish(u"b"_s));
    QCOMPARE(m_shop->making.size(), 1);
    m_shop->making.takeFirst().deliver(m_shop->produce());
    QCOMPARE(second->id(), u"box1"_s);
    QCOMPARE(m_pool->figures().taken, 1);

    const auto third = std::make_shared<Client>();
    third->cancel.cancel();
    (void)ask(third, m_pool.get(), wish(u"a"_s));
    QCOMPARE(third->answer->error().kind, Kind::Cancelled);
    QCOMPARE(m_pool->figures().taken, 1);
}

void TestPool::retiresConfigurations()
{
    m_pool->keepReady(wish(QString(), 1));
    m_pool->keepReady(wish(QString(), 2));
    const auto inUse = take(*m_pool, wish(u"a"_s, 1));
    m_shop->isMakingHeld = true;
    m_pool->retire([](const docker::ContainerSpec& spec) { return spec.memoryBytes == 1; });
    giveBack(*m_pool, inUse);
    QVERIFY(m_shop->destroyed.contains(inUse->id()));
    QVERIFY(m_shop->cleaned.isEmpty());
    QCOMPARE(m_pool->figures().unused, 1);
    QCOMPARE(take(*m_pool, wish(u"a"_s, 2))->id(), u"box2"_s);
}

void TestPool::closesWhatIsThereAndWhatComesBack()
{
    m_pool->keepReady(wish(QString()));
    const auto inUse = take(*m_pool, wish(u"a"_s));
    QTRY_COMPARE(m_pool->figures().unused, 1);
    m_shop->isMakingHeld = true;
    const auto waiting = take(*m_pool, wish(u"b"_s, 2));
    m_shop->isDestroyingHeld = true;

    bool isClosed = false;
    auto closing = m_pool->close();
    QCoro::connect(std::move(closing), this, [&isClosed](const Result<>&) { isClosed = true; });
    QCOMPARE(waiting->answer->error().kind, Kind::Cancelled);
    QCOMPARE(m_shop->destroyed, QStringList { u"box2"_s });
    QVERIFY(!isClosed);
    giveBack(*m_pool, inUse);
    QCOMPARE(m_shop->destroyed.size(), 2);
    QVERIFY(m_shop->cleaned.isEmpty());
    for (const auto& done : std::exchange(m_shop->destroying, {}))
        done.deliver({});
    QTRY_VERIFY(isClosed);
    const auto late = take(*m_pool, wish(u"a"_s));
    QCOMPARE(late->answer->error().kind, Kind::Cancelled);
}

void TestPool::endsWaitersWhenItGoes()
{
    m_shop->isMakingHeld = true;
    const auto waiting = take(*m_pool, wish(u"a"_s));
    makePool();
    QCOMPARE(waiting->answer->error().kind, Kind::Cancelled);
}

QTEST_GUILESS_MAIN(TestPool)
#include "tst_pool.moc"
