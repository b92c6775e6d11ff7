// SPDX-License-Identifier: MIT
#include "engine/core/completion.h"
#include "engine/core/task.h"

#include <QCoroTask>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestTask : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void callbacksRunOnce();
    void lateCallbacksRunAtOnce();
    void unregisteredCallbacksDoNotRun();
    void callbacksMayUnregisterOthers();
    void registrationsOutliveTheirToken();
    void firstDeliveryCounts();
    void deliveryBeforeTheWait();
    void failuresAreDelivered();
};

namespace {

Task<int> waitFor(Completion<int> completion)
{
    const Result<int> result = co_await completion.wait();
    co_return result;
}

} // namespace

void TestTask::callbacksRunOnce()
{
    const CancelToken token;
    int calls = 0;
    const auto registration = token.onCancel([&calls] { ++calls; });
    QVERIFY(!token.isCancelled());
    const CancelToken copy = token;
    copy.cancel();
    token.cancel();
    QCOMPARE(calls, 1);
    QVERIFY(token.isCancelled());
}

void TestTask::lateCallbacksRunAtOnce()
{
    const CancelToken token;
    token.cancel();
    int calls = 0;
    const auto registration = token.onCancel([&calls] { ++calls; });
    QCOMPARE(calls, 1);
}

void TestTask::unregisteredCallbacksDoNotRun()
{
    const CancelToken token;
    int calls = 0;
    {
        const auto registration = token.onCancel([&calls] { ++calls; });
    }
    auto first = token.onCancel([&calls] { calls += 10; });
    CancelToken::Registration second = std::move(first);
    second = CancelToken::Registration();
    first = CancelToken::Registration();
    token.cancel();
    QCOMPARE(calls, 0);
}

void TestTask::callbacksMayUnregisterOthers()
{
    const CancelToken token;
    int calls = 0;
    auto second = std::make_unique<CancelToken::Registration>();
    const auto first = token.onCancel([&] {
        ++calls;
        second.reset();
    });
    *second = token.onCancel([&calls] { calls += 10; });
    token.cancel();
    QCOMPARE(calls, 1);
}

void TestTask::registrationsOutliveTheirToken()
{
    CancelToken::Registration registration;
    {
        const CancelToken token;
        registration = token.onCancel([] { });
    }
    QCOMPARE(cancelled().kind, Kind::Cancelled);
}

void TestTask::firstDeliveryCounts()
{
    const Completion<int> completion;
    auto task = waitFor(completion);
    QVERIFY(!task.isReady());
    completion.deliver(1);
    completion.deliver(2);
    completion.fail(cancelled());
    QVERIFY(task.isReady());
    QCOMPARE(QCoro::waitFor(std::move(task)), 1);
}

void TestTask::deliveryBeforeTheWait()
{
    const Completion<int> completion;
    completion.deliver(3);
    QVERIFY(completion.isDelivered());
    QCOMPARE(QCoro::waitFor(waitFor(completion)), 3);
}

void TestTask::failuresAreDelivered()
{
    const Completion<int> completion;
    auto task = waitFor(completion);
    completion.fail(cancelled());
    const auto result = QCoro::waitFor(std::move(task));
    QVERIFY(!result);
    QVERIFY(result.error() == cancelled());
}

QTEST_GUILESS_MAIN(TestTask)
#include "tst_task.moc"
