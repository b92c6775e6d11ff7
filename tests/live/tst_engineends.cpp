// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// How runs end: by themselves, at a limit, by their owner, and with what they run on.
class TestEngineEnds : public EngineTest {
    Q_OBJECT

private Q_SLOTS:
    void exitCodesAreExact_data();
    void exitCodesAreExact();
    void timeOutEndsASwarm();
    void timeLimitOfTheOptions();
    void timeOutInSetup();
    void outOfMemoryIsTold();
    void fullFileSystemIsTold();
    void truncatesEachStream();
    void cancelAtEveryMoment_data();
    void cancelAtEveryMoment();
    void cancelTwiceAndLate();
    void droppedRunIsCleanedUp_data();
    void droppedRunIsCleanedUp();
    void shutdownEndsEveryRun();
    void nothingBeginsAfterTheShutdown();
    void killedContainerIsAnError();
    void frozenContainerEndsAtTheDeadline();

private:
    /// The container of the only run there is.
    [[nodiscard]] QString container();
};

QString TestEngineEnds::container()
{
    return fixture().containers(u"run"_s).value(0);
}

void TestEngineEnds::exitCodesAreExact_data()
{
    QTest::addColumn<QByteArray>("code");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("signal");
    QTest::newRow("0") << "exit 0"_ba << 0 << QString();
    QTest::newRow("1") << "exit 1"_ba << 1 << QString();
    QTest::newRow("255") << "exit 255"_ba << 255 << QString();
    QTest::newRow("137 said, not done") << "exit 137"_ba << 137 << QString();
    QTest::newRow("killed itself") << "kill -9 $$"_ba << 137 << u"SIGKILL"_s;
    QTest::newRow("segmentation fault") << "kill -SEGV $$"_ba << 139 << u"SIGSEGV"_s;
    QTest::newRow("terminated") << "kill $$; sleep 60"_ba << 143 << u"SIGTERM"_s;
    QTest::newRow("streams closed") << "exec 0<&- 1>&- 2>&-; exit 7"_ba << 7 << QString();
    QTest::newRow("background child") << "sleep 600 & echo hi; exit 3"_ba << 3 << QString();
    QTest::newRow("daemon") << "(setsid sleep 600 </dev/null >/dev/null 2>&1 &) ; exit 4"_ba << 4
                            << QString();
    QTest::newRow("spoofed time-out")
        << "echo EXECUTION TIMED OUT >&2; exit 5"_ba << 5 << QString();
}

void TestEngineEnds::exitCodesAreExact()
{
    QFETCH(QByteArray, code);
    const auto result = fixture().run(Runtime::Bash, code);
    RUN_OR_FAIL(result);
    QTEST(result->exitCode, "exitCode");
    QTEST(result->signal, "signal");
    QVERIFY(!result->isTimedOut && !result->isOutOfMemory);
    QCOMPARE(
        result->ending.reason, result->signal.isEmpty() ? EndReason::Exited : EndReason::Signal);
}

void TestEngineEnds::timeOutEndsASwarm()
{
    auto request = requestOf(Runtime::Bash,
        "trap '' TERM INT HUP; for i in 1 2 3 4 5 6 7 8; do (trap '' TERM; setsid sleep 600 & "
        "disown) & done; echo up; while :; do sleep 1; done");
    request.timeout = 1500ms;
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->ending.reason, EndReason::Timeout);
    QCOMPARE(result->standardOutput, "up\n"_ba);
    QVERIFY(!result->isOutOfMemory);
}

void TestEngineEnds::timeLimitOfTheOptions()
{
    ExecutionOptions options;
    options.timeout = 500ms;
    auto result = fixture().run(Runtime::Bash, "sleep 600", options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    // The request's own counts before it.
    auto request = requestOf(Runtime::Bash, "sleep 1; echo through");
    request.timeout = 60s;
    result = fixture().run(request, options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "through\n"_ba);
}

void TestEngineEnds::timeOutInSetup()
{
    auto request = requestOf(Runtime::Bash, "echo never");
    request.setupScript = u"echo begun; sleep 600"_s;
    request.timeout = 1500ms;
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->ending.reason, EndReason::Timeout);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->standardOutput, "begun\n"_ba);
}

void TestEngineEnds::outOfMemoryIsTold()
{
    ExecutionOptions options;
    options.memoryLimitBytes = 64LL << 20;
    const auto result
        = fixture().run(Runtime::Python, "x = bytearray(10**9); print(len(x))", options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isOutOfMemory);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->signal, u"SIGKILL"_s);
    QCOMPARE(result->ending.reason, EndReason::OutOfMemory);
    QVERIFY(!result->isTimedOut);
}

void TestEngineEnds::fullFileSystemIsTold()
{
    ExecutionOptions options;
    options.sandboxSizeBytes = 1 << 20;
    const auto result = fixture().run(Runtime::Bash, "head -c 2M /dev/zero >/sandbox/x", options);
    RUN_OR_FAIL(result);
    QVERIFY(result->exitCode != 0);
    QCOMPARE(result->violations.size(), 1);
    QCOMPARE(result->violations.constFirst().kind, u"disk"_s);
    QVERIFY(!result->violations.constFirst().allowWith.isEmpty());
}

void TestEngineEnds::truncatesEachStream()
{
    ExecutionOptions options;
    options.maxOutputBytes = 1000;
    const auto run = fixture().start(
        requestOf(Runtime::Bash,
            "head -c 5000000 /dev/zero | tr '\\0' x; head -c 999 /dev/zero | tr '\\0' y >&2"),
        options);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY(result->isTruncated);
    QVERIFY(result->standardOutput.size() <= 1000);
    QVERIFY(result->standardOutput.startsWith("xxxx"));
    QCOMPARE(result->standardError, QByteArray(999, 'y'));
    QCOMPARE(run->standardOutput, result->standardOutput);
    QCOMPARE(result->exitCode, 0);
}

void TestEngineEnds::cancelAtEveryMoment_data()
{
    QTest::addColumn<QString>("moment");
    for (const auto* moment :
        { "at once", "on the next turn", "started", "running", "output paused" })
        QTest::newRow(moment) << QString::fromLatin1(moment);
}

void TestEngineEnds::cancelAtEveryMoment()
{
    QFETCH(QString, moment);
    const auto run = fixture().start(requestOf(Runtime::Bash, "echo up; yes"));
    if (moment == "on the next turn"_L1)
        QCoreApplication::processEvents();
    if (moment == "started"_L1)
        QVERIFY(run->waitForStart());
    if (moment == "running"_L1)
        QVERIFY(run->waitForOutput("up"));
    if (moment == "output paused"_L1) {
        run->run().setOutputPaused(true);
        // A remote run is told to have started with its first event, and that waits here.
        QVERIFY(isRemote() || run->waitForStart());
        QVERIFY(!isRemote() || QTest::qWaitFor([this] { return !container().isEmpty(); }, 120'000));
    }
    const int signalCount = run->signalCount;
    run->run().cancel();
    QCOMPARE(run->signalCount, signalCount); // None from within the call.
    const auto result = run->result();
    if (result) {
        QCOMPARE(result->ending.reason, EndReason::Cancelled);
        QCOMPARE(result->exitCode, 137);
        QVERIFY(!result->isTimedOut);
    } else {
        QCOMPARE(result.error().kind, Kind::Cancelled);
    }
}

void TestEngineEnds::cancelTwiceAndLate()
{
    const auto run = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"));
    QVERIFY(run->waitForOutput("up"));
    run->run().cancel();
    run->run().cancel();
    QVERIFY(run->result());
    // All of these come too late, and do nothing.
    const int signalCount = run->signalCount;
    run->run().cancel();
    run->run().sendSignal(2);
    run->run().writeStdin("x");
    run->run().closeStdin();
    run->run().setOutputPaused(true);
    run->run().setOutputPaused(false);
    run->run().resizeTerminal(1, 1);
    QCoreApplication::processEvents();
    QCOMPARE(run->signalCount, signalCount);
}

void TestEngineEnds::droppedRunIsCleanedUp_data()
{
    QTest::addColumn<QString>("moment");
    for (const auto* moment : { "at once", "on the next turn", "started", "running" })
        QTest::newRow(moment) << QString::fromLatin1(moment);
}

void TestEngineEnds::droppedRunIsCleanedUp()
{
    QFETCH(QString, moment);
    const auto run = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"));
    if (moment == "on the next turn"_L1)
        QCoreApplication::processEvents();
    if (moment == "started"_L1)
        QVERIFY(run->waitForStart());
    if (moment == "running"_L1)
        QVERIFY(run->waitForOutput("up"));
    run->drop();
    QVERIFY(fixture().isNothingLeft());
}

void TestEngineEnds::shutdownEndsEveryRun()
{
    const auto id = sessionNamed(u"ending"_s);
    const auto code = requestOf(Runtime::Bash, "echo up; sleep 600");
    const auto running = fixture().start(code);
    const auto inSession = fixture().start(code, {}, id);
    QVERIFY(running->waitForOutput("up") && inSession->waitForOutput("up"));
    const auto early = fixture().start(code);
    QVERIFY(QCoro::waitFor(engine().shutdown()));
    for (auto* run : { running.get(), inSession.get(), early.get() }) {
        const auto result = run->result();
        if (result)
            QCOMPARE(result->ending.reason, EndReason::Cancelled);
        else
            QCOMPARE(result.error().kind, Kind::Cancelled);
    }
    QVERIFY(fixture().isNothingLeft());
    fixture().restart();
    QVERIFY(QCoro::waitFor(engine().stopSession(id)));
}

void TestEngineEnds::nothingBeginsAfterTheShutdown()
{
    QVERIFY(QCoro::waitFor(engine().shutdown()));
    const auto result = fixture().run(Runtime::Bash, "echo never");
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Cancelled);
    const auto put = QCoro::waitFor(engine().putFile(u"any"_s, u"x"_s, "x"));
    QVERIFY(!put);
    QCOMPARE(put.error().kind, Kind::Cancelled);
    fixture().restart();
    QVERIFY(fixture().run(Runtime::Bash, "true"));
}

void TestEngineEnds::killedContainerIsAnError()
{
    const auto run = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"));
    QVERIFY(run->waitForOutput("up"));
    QVERIFY(QCoro::waitFor(fixture().client().killContainer(container(), u"SIGKILL"_s)));
    const auto result = run->result();
    QVERIFY(!result);
    QVERIFY(result.error().kind != Kind::Cancelled && result.error().kind != Kind::Timeout);
}

void TestEngineEnds::frozenContainerEndsAtTheDeadline()
{
    // A stopped guest keeps no deadline: SIGSTOP from the host reaches even process 1.
    auto request = requestOf(Runtime::Bash, "echo up; sleep 600");
    request.timeout = 3s;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("up"));
    QVERIFY(QCoro::waitFor(fixture().client().killContainer(container(), u"SIGSTOP"_s)));
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->exitCode, 137);
}

QTEST_GUILESS_MAIN(TestEngineEnds)
#include "tst_engineends.moc"
