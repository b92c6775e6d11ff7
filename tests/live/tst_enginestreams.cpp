// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// What travels while a program runs: input, output, signals, the terminal's size.
class TestEngineStreams : public EngineTest {
    Q_OBJECT

private Q_SLOTS:
    void liveStdinIsAnswered();
    void stdinBeforeTheStart();
    void stdinEnds();
    void muchStdin();
    void stdinThatNobodyReads();
    void stdinIsIgnoredWhenGiven();
    void signals_data();
    void signals();
    void unknownSignalDoesNothing();
    void terminalHasItsSize();
    void outputComesAtOnce();
    void singleBytesAreGathered();
    void muchOutput();
    void pausedOutputHoldsTheProgram();
    void phasesAreTold();
    void manyAtTheSameTime();
    void usageIsReported();
};

void TestEngineStreams::liveStdinIsAnswered()
{
    auto request = requestOf(Runtime::Python,
        "import sys\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin: print('got', line.strip(), flush=True)\n");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("ready"));
    run->run().writeStdin("one\n");
    QVERIFY(run->waitForOutput("got one"));
    run->run().writeStdin("t\xC3");
    run->run().writeStdin("\xA4\n");
    QVERIFY(run->waitForOutput("got tä"));
    run->run().closeStdin();
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
}

void TestEngineStreams::stdinBeforeTheStart()
{
    auto request = requestOf(Runtime::Bash, "cat");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    run->run().writeStdin("early ");
    run->run().writeStdin("bird\n");
    QVERIFY(run->run().pendingStdinBytes() > 0);
    run->run().closeStdin();
    run->run().writeStdin("ignored");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "early bird\n"_ba);
}

void TestEngineStreams::stdinEnds()
{
    auto request = requestOf(Runtime::Bash, "read -r line || echo end; exit 3");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    run->run().closeStdin();
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "end\n"_ba);
    QCOMPARE(result->exitCode, 3);
}

void TestEngineStreams::muchStdin()
{
    constexpr int pieces = 64;
    const QByteArray piece(128 << 10, 'x');
    auto request = requestOf(Runtime::Bash, "wc -c");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    // As a forwarder does: the next piece when some of those before were taken.
    int written = 0;
    const auto feed = [&](qint64 pending) {
        while (written < pieces && pending < 512 << 10) {
            run->run().writeStdin(piece);
            pending += piece.size();
            if (++written == pieces)
                run->run().closeStdin();
        }
    };
    connect(&run->run(), &Run::stdinAccepted, run.get(), feed, Qt::QueuedConnection);
    feed(0);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput.trimmed(), QByteArray::number(pieces * piece.size()));
}

void TestEngineStreams::stdinThatNobodyReads()
{
    auto request
        = requestOf(Runtime::Bash, "echo up; trap 'exit 6' TERM; while :; do sleep 0.1; done");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("up"));
    run->run().writeStdin(QByteArray(4 << 20, 'x'));
    // It does not keep a signal from going its way.
    run->run().sendSignal(SIGTERM);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 6);
}

void TestEngineStreams::stdinIsIgnoredWhenGiven()
{
    auto request = requestOf(Runtime::Bash, "cat");
    request.stdinData = "given";
    const auto run = fixture().start(request);
    run->run().writeStdin("live");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "given"_ba);
}

void TestEngineStreams::signals_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QByteArray>("output");
    QTest::newRow("interrupt") << SIGINT << 5 << "up\nINT\n"_ba;
    QTest::newRow("terminate") << SIGTERM << 5 << "up\nTERM\n"_ba;
    QTest::newRow("kill") << SIGKILL << 137 << "up\n"_ba;
}

void TestEngineStreams::signals()
{
    QFETCH(int, number);
    QFETCH(QByteArray, output);
    const auto run = fixture().start(requestOf(Runtime::Bash,
        "for s in INT TERM; do trap \"echo $s; exit 5\" $s; done; echo up; "
        "while :; do sleep 0.1; done"));
    QVERIFY(run->waitForOutput("up"));
    run->run().sendSignal(number);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QTEST(result->exitCode, "exitCode");
    QCOMPARE(result->standardOutput, output);
    QCOMPARE(result->signal, number == SIGKILL ? u"SIGKILL"_s : QString());
}

void TestEngineStreams::unknownSignalDoesNothing()
{
    auto request = requestOf(Runtime::Bash, "echo up; read -r line; echo $line");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("up"));
    for (const int number : { 0, -1, 65, 100'000 })
        run->run().sendSignal(number);
    run->run().writeStdin("fine\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "up\nfine\n"_ba);
}

void TestEngineStreams::terminalHasItsSize()
{
    auto request = requestOf(Runtime::Bash, "tty; stty size; read line; stty size; echo e >&2");
    request.hasTerminal = true;
    request.isStdinLive = true;
    request.terminalRows = 33;
    request.terminalColumns = 99;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("33 99"));
    run->run().resizeTerminal(44, 111);
    run->run().writeStdin("\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput.contains("44 111"), result->standardOutput.constData());
    QVERIFY(result->standardOutput.contains("/dev/pts/"));
    QVERIFY(result->standardOutput.contains("e\r\n"));
    QVERIFY(result->standardError.isEmpty());
}

void TestEngineStreams::outputComesAtOnce()
{
    // The second line is printed only after the first was seen, so neither waits for the other.
    auto request
        = requestOf(Runtime::Bash, "printf x; read -r line; printf y >&2; read -r line; printf z");
    request.isStdinLive = true;
    const auto run = fixture().start(request);
    QVERIFY(run->waitForOutput("x"));
    run->run().writeStdin("\n");
    QVERIFY(QTest::qWaitFor([&] { return run->standardError == "y"; }, 120'000));
    run->run().writeStdin("\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(run->standardOutput, "xz"_ba);
}

void TestEngineStreams::singleBytesAreGathered()
{
    const auto run = fixture().start(
        requestOf(Runtime::Python, "import os\nfor i in range(20000): os.write(1, b'x')"));
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, QByteArray(20000, 'x'));
    QVERIFY2(run->outputSignals < 5000, qPrintable(QString::number(run->outputSignals)));
}

void TestEngineStreams::muchOutput()
{
    // More than an answer of a server may hold (16 MiB), on both streams at once.
    ExecutionOptions options;
    options.maxOutputBytes = 64LL << 20;
    options.timeout = 10min;
    const auto run = fixture().start(
        requestOf(Runtime::Bash,
            "(head -c 4M /dev/zero | tr '\\0' e >&2) & head -c 17M /dev/zero | tr '\\0' o; wait"),
        options);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QVERIFY(!result->isTruncated);
    QVERIFY(result->standardOutput == QByteArray(17 << 20, 'o'));
    QVERIFY(result->standardError == QByteArray(4 << 20, 'e'));
    QVERIFY(run->standardOutput == result->standardOutput);
    QVERIFY(run->standardError == result->standardError);
}

void TestEngineStreams::pausedOutputHoldsTheProgram()
{
    ExecutionOptions options;
    options.maxOutputBytes = 200LL << 20;
    options.timeout = 10min;
    const auto run = fixture().start(
        requestOf(Runtime::Bash, "echo up; head -c 16M /dev/zero | tr '\\0' x"), options);
    QVERIFY(run->waitForOutput("up"));
    run->run().setOutputPaused(true);
    const auto sizeWhenPaused = run->standardOutput.size();
    const auto neighbour = fixture().run(Runtime::Bash, "echo beside");
    RUN_OR_FAIL(neighbour);
    QVERIFY(!run->isFinished());
    QVERIFY2(run->standardOutput.size() - sizeWhenPaused < 8 << 20,
        "more than the windows came through");
    run->run().setOutputPaused(false);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput.size(), 3 + (16 << 20));
    QVERIFY(!result->isTruncated);
}

void TestEngineStreams::phasesAreTold()
{
    auto request = requestOf(Runtime::Bash, "echo code");
    request.setupScript = u"echo setup"_s;
    const auto run = fixture().start(request);
    QByteArray ofSetup;
    QByteArray ofCode;
    connect(&run->run(), &Run::outputReceived, run.get(),
        [&](Channel, const QByteArray& bytes, Phase phase) {
            (phase == Phase::Code ? ofCode : ofSetup) += bytes;
        });
    RUN_OR_FAIL(run->result());
    QCOMPARE(ofSetup, "setup\n"_ba);
    QCOMPARE(ofCode, "code\n"_ba);
}

void TestEngineStreams::manyAtTheSameTime()
{
    std::vector<std::unique_ptr<WatchedRun>> runs;
    for (int i = 0; i < 12; ++i) {
        auto request = requestOf(Runtime::Bash, "read -r n; echo $n; echo $n >&2; exit $n");
        request.isStdinLive = true;
        runs.push_back(fixture().start(request));
        runs.back()->run().writeStdin(QByteArray::number(i) + '\n');
    }
    for (int i = 0; i < 12; ++i) {
        const auto result = runs[size_t(i)]->result();
        RUN_OR_FAIL(result);
        QCOMPARE(result->exitCode, i);
        QCOMPARE(result->standardOutput, QByteArray::number(i) + '\n');
        QCOMPARE(result->standardError, QByteArray::number(i) + '\n');
    }
}

void TestEngineStreams::usageIsReported()
{
    auto request = requestOf(Runtime::Python, R"(
import sys, threading
kept = bytearray(b"x") * (100 << 20)
threading.Thread(target=sys.stdin.read).start()
while threading.active_count() > 1:
    pass
)");
    request.isStdinLive = true;
    request.isUsageReported = true;
    const auto run = fixture().start(request);
    QList<RunUsage> reports;
    connect(&run->run(), &Run::usageReported, run.get(),
        [&reports](const RunUsage& usage) { reports << usage; });
    const auto isSeen = [&reports] {
        return !reports.isEmpty() && reports.constLast().memoryBytes > 100 << 20
            && reports.constLast().cpuTime > 100ms;
    };
    // A server does not tell.
    QTRY_VERIFY_WITH_TIMEOUT(isSeen() || isRemote() || run->isFinished(), 120'000);
    run->run().closeStdin();
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(isSeen(), !isRemote());
    QVERIFY(std::ranges::is_sorted(reports, {}, &RunUsage::cpuTime));

    // Nobody asked, nothing comes.
    reports.clear();
    request.isUsageReported = false;
    request.code = "import time\nend = time.time() + 0.6\nwhile time.time() < end: pass";
    const auto silent = fixture().start(request);
    connect(&silent->run(), &Run::usageReported, silent.get(),
        [&reports](const RunUsage& usage) { reports << usage; });
    RUN_OR_FAIL(silent->result());
    QVERIFY(reports.isEmpty());
}

QTEST_GUILESS_MAIN(TestEngineStreams)
#include "tst_enginestreams.moc"
