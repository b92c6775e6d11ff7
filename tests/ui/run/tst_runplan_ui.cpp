// SPDX-License-Identifier: MIT
#include "ui/run/runplan.h"
#include "ui/run/runsentences.h"

#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// A text and its options become a run; runs become sentences.
class TestRunPlanUi : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesTheRuntimeFromTheName();
    void keepsOnlyExtensionsOfTheRuntime();
    void inputIsLiveUnlessGiven();
    void refusesWhatCannotBe();
    void endsAreSentences();
    void times_data();
    void times();
    void sizes_data();
    void sizes();
};

void TestRunPlanUi::takesTheRuntimeFromTheName()
{
    QCOMPARE(runtimeOf({}, u"a.py"_s), Runtime::Python);
    QCOMPARE(runtimeOf({}, u"a.PY"_s), Runtime::Python);
    QCOMPARE(runtimeOf({}, u"a.sh"_s), Runtime::Bash);
    QVERIFY(!runtimeOf({}, u"a.txt"_s));
    QVERIFY(!runtimeOf({}, u"Makefile"_s));
    RunSettings settings;
    settings.runtime = Runtime::Deno;
    QCOMPARE(runtimeOf(settings, u"a.py"_s), Runtime::Deno);
}

void TestRunPlanUi::keepsOnlyExtensionsOfTheRuntime()
{
    QCOMPARE(planRun({ "x", u"a.mjs"_s, {} }, {}, {})->request.fileExtension, u".mjs"_s);
    RunSettings settings;
    settings.runtime = Runtime::Python;
    QCOMPARE(planRun({ "x", u"a.txt"_s, {} }, settings, {})->request.fileExtension, QString());
}

void TestRunPlanUi::inputIsLiveUnlessGiven()
{
    auto job = planRun({ "x", u"a.py"_s, {} }, {}, {});
    QVERIFY(job->request.isStdinLive && !job->request.stdinData);
    RunSettings settings;
    settings.stdinText = u""_s;
    job = planRun({ "x", u"a.py"_s, {} }, settings, u"s"_s);
    QVERIFY(!job->request.isStdinLive);
    QCOMPARE(job->request.stdinData, ""_ba);
    QCOMPARE(job->options.mode, Mode::Persistent);
    QVERIFY(job->request.isUsageReported && job->request.keptOutputBytes);
}

void TestRunPlanUi::refusesWhatCannotBe()
{
    QCOMPARE(planRun({ "x", u"a.txt"_s, {} }, {}, {}).error().kind, Kind::Invalid);
    RunSettings settings;
    settings.workingDirectory = u"/etc"_s;
    QVERIFY(!planRun({ "x", u"a.py"_s, {} }, settings, {}));
    settings = {};
    settings.environment = { { u"A=B"_s, u"x"_s } };
    QVERIFY(!planRun({ "x", u"a.py"_s, {} }, settings, {}));
}

void TestRunPlanUi::endsAreSentences()
{
    ExecutionResult result;
    result.duration = 1240ms;
    result.cpuTime = 900ms;
    result.peakMemoryBytes = 12 << 20;
    QCOMPARE(endSentence(result, {}).text,
        u"Finished  ·  1.24 s  ·  CPU 900 ms  ·  memory up to 12 MiB"_s);
    result.ending.reason = EndReason::Signal;
    result.signal = u"SIG\x1bSEGV"_s;
    const auto killed = endSentence(result, {});
    QCOMPARE(killed.outcome, Outcome::Bad);
    QVERIFY(killed.text.contains(u"SIG\\x1bSEGV"_s));
    const auto lost
        = endSentence(failure(Kind::Unreachable, u"nobody\x1b[31m there"_s), ExecutionOptions());
    QCOMPARE(lost.text, u"Not reachable: nobody\\x1b[31m there"_s);
    result.isTruncated = true;
    result.violations << Violation { u"disk"_s, u"full"_s, u"--tmp-size"_s };
    QCOMPARE(endNotes(result, {}).size(), 2);
}

void TestRunPlanUi::times_data()
{
    QTest::addColumn<qint64>("microseconds");
    QTest::addColumn<QString>("text");
    QTest::newRow("0") << 0LL << u"0 ms"_s;
    QTest::newRow("ms") << 999'999LL << u"999 ms"_s;
    QTest::newRow("s") << 1'500'000LL << u"1.5 s"_s;
    QTest::newRow("ten") << 12'340'000LL << u"12.34 s"_s;
    QTest::newRow("min") << 60'000'000LL << u"1 min"_s;
    QTest::newRow("min s") << 125'000'000LL << u"2 min 5 s"_s;
    QTest::newRow("h") << 3'700'000'000LL << u"1 h 1 min"_s;
}

void TestRunPlanUi::times()
{
    QFETCH(qint64, microseconds);
    QTEST(timeText(std::chrono::microseconds(microseconds)), "text");
}

void TestRunPlanUi::sizes_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<QString>("text");
    QTest::newRow("0") << 0LL << u"0 bytes"_s;
    QTest::newRow("bytes") << 1000LL << u"1,000 bytes"_s;
    QTest::newRow("whole") << (512LL << 20) << u"512 MiB"_s;
    QTest::newRow("whole of a larger unit") << (1536LL << 20) << u"1.5 GiB"_s;
    QTest::newRow("whole of a smaller unit") << (64LL << 10) << u"64 KiB"_s;
    QTest::newRow("odd") << 11'400'000LL << u"10.9 MiB"_s;
}

void TestRunPlanUi::sizes()
{
    QFETCH(qint64, bytes);
    QTEST(bytesText(bytes), "text");
}

QTEST_GUILESS_MAIN(TestRunPlanUi)
#include "tst_runplan_ui.moc"
