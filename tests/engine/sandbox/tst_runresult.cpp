// SPDX-License-Identifier: MIT
#include "engine/sandbox/runresult.h"

#include <QTest>

#include <cerrno>
#include <csignal>

using namespace isol8;
using namespace Qt::StringLiterals;
using guest::Outcome;
using guest::RunReport;

/// How the guest's report becomes the answer: four ways to 137 stay four answers.
class TestRunResult : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsEndsApart_data();
    void tellsEndsApart();
    void figuresAddUpOverPhases();
    void refusedForksAreAViolation();
    void hintsOnlyAfterFailure();
    void notStartedSaysWhatIsMissing();
};

void TestRunResult::tellsEndsApart_data()
{
    QTest::addColumn<int>("outcome");
    QTest::addColumn<uint>("value");
    QTest::addColumn<uint>("oomKills");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("signal");
    QTest::addColumn<int>("reason");
    QTest::addColumn<bool>("isTimedOut");
    QTest::addColumn<bool>("isOutOfMemory");
    const auto row = [](const char* name, Outcome outcome, uint value, uint kills, int exitCode,
                         const QString& signal, EndReason reason, bool timedOut, bool oom) {
        QTest::newRow(name) << int(outcome) << value << kills << exitCode << signal << int(reason)
                            << timedOut << oom;
    };
    row("exit 0", Outcome::Exited, 0, 0, 0, {}, EndReason::Exited, false, false);
    row("exit 137", Outcome::Exited, 137, 0, 137, {}, EndReason::Exited, false, false);
    row("SIGKILL", Outcome::Signalled, SIGKILL, 0, 137, u"SIGKILL"_s, EndReason::Signal, false,
        false);
    row("SIGSEGV", Outcome::Signalled, SIGSEGV, 0, 139, u"SIGSEGV"_s, EndReason::Signal, false,
        false);
    row("time-out", Outcome::TimedOut, 0, 0, 137, u"SIGKILL"_s, EndReason::Timeout, true, false);
    row("cancel", Outcome::Killed, 0, 0, 137, u"SIGKILL"_s, EndReason::Cancelled, false, false);
    row("out of memory", Outcome::Signalled, SIGKILL, 1, 137, u"SIGKILL"_s, EndReason::OutOfMemory,
        false, true);
    row("shell of an OOM kill", Outcome::Exited, 137, 1, 137, u"SIGKILL"_s, EndReason::OutOfMemory,
        false, true);
    row("survived an OOM kill", Outcome::Exited, 3, 1, 3, {}, EndReason::Exited, false, true);
    row("nonsense exit", Outcome::Exited, 0x1ff, 0, 255, {}, EndReason::Exited, false, false);
}

void TestRunResult::tellsEndsApart()
{
    QFETCH(int, outcome);
    QFETCH(uint, value);
    QFETCH(uint, oomKills);
    ExecutionResult result;
    applyReport(result, { .outcome = Outcome(outcome), .value = value, .oomKills = oomKills }, {});
    QTEST(result.exitCode, "exitCode");
    QTEST(result.signal, "signal");
    QTEST(int(result.ending.reason), "reason");
    QTEST(result.isTimedOut, "isTimedOut");
    QTEST(result.isOutOfMemory, "isOutOfMemory");
}

void TestRunResult::figuresAddUpOverPhases()
{
    ExecutionResult result;
    RunReport report { .outcome = Outcome::Exited };
    report.userMicroseconds = 5;
    report.systemMicroseconds = 6;
    report.peakMemoryBytes = 100;
    applyReport(result, report, {});
    report.peakMemoryBytes = 50;
    applyReport(result, report, {});
    QCOMPARE(result.cpuTime.count(), 22);
    QCOMPARE(result.peakMemoryBytes, 100);
}

void TestRunResult::refusedForksAreAViolation()
{
    ExecutionResult result;
    applyReport(result, { .outcome = Outcome::Exited, .pidsRefused = 7 }, {});
    QCOMPARE(result.violations.size(), 1);
    QCOMPARE(result.violations.constFirst().kind, u"pids"_s);
    QCOMPARE(result.violations.constFirst().allowWith, u"--pids-limit"_s);
}

void TestRunResult::hintsOnlyAfterFailure()
{
    ExecutionResult result;
    result.standardError = "OSError: [Errno 28] No space left on device\n";
    addHints(result);
    QVERIFY(result.violations.isEmpty());
    result.exitCode = 1;
    addHints(result);
    QCOMPARE(result.violations.size(), 1);
    QCOMPARE(result.violations.constFirst().kind, u"disk"_s);
}

void TestRunResult::notStartedSaysWhatIsMissing()
{
    const auto error = notStarted({ .value = ENOENT }, "python3", u"bare:1"_s);
    QCOMPARE(error.kind, Kind::NotFound);
    QVERIFY(error.message.contains(u"bare:1"_s) && error.message.contains(u"python3"_s));
    QCOMPARE(notStarted({ .value = E2BIG }, "x", {}).kind, Kind::Limit);
}

QTEST_GUILESS_MAIN(TestRunResult)
#include "tst_runresult.moc"
