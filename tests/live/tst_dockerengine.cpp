// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include "engine/docker/client.h"

#include <QSignalSpy>
#include <QTest>

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Runs of every kind against the real Docker: how they end, what comes out, what is left.
class TestDockerEngine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_fixture = std::make_unique<EngineFixture>(); }
    void cleanup() { QVERIFY(m_fixture->isNothingLeft()); }
    void cleanupTestCase() { m_fixture.reset(); }

    void runsEveryRuntime_data();
    void runsEveryRuntime();
    void exitCodesAreExact_data();
    void exitCodesAreExact();
    void commandGoesThroughBash();
    void argumentsArriveUnchanged();
    void environmentAndSecrets();
    void setupFailureIsTold();
    void filesGoInAndOut();
    void binaryStdinArrives();
    void liveStdinAndSignal();
    void terminalHasItsSize();
    void timeOutEndsASwarm();
    void outOfMemoryIsTold();
    void cancelAtEveryMoment_data();
    void cancelAtEveryMoment();
    void droppedRunIsCleanedUp();
    void truncatesEachStream();
    void killedContainerIsAnError();
    void frozenContainerEndsAtTheDeadline();
    void missingImageSaysHowToGetOne();
    void invalidValuesNeverReachDocker();
    void sessionKeepsItsFiles();
    void sessionRunsOneAfterTheOther();
    void sessionHasOneRuntime();
    void sessionFiles();
    void sessionFoldersAndTransfers();
    void usageIsReported();
    void keptContainerStays();
    void singleBytesAreGathered();
    void printedFramesAreOutput();

private:
    std::unique_ptr<EngineFixture> m_fixture;
};

#define RUN_OR_FAIL(result) QVERIFY2(result, (result) ? "" : qPrintable((result).error().message))

void TestDockerEngine::runsEveryRuntime_data()
{
    QTest::addColumn<int>("runtime");
    QTest::addColumn<QByteArray>("code");
    QTest::newRow("python") << int(Runtime::Python)
                            << "import sys; print('hi', __name__, sys.version_info[:2])"_ba;
    QTest::newRow("node") << int(Runtime::Node)
                          << "import fs from 'fs'; console.log('hi', await 1)"_ba;
    QTest::newRow("bun") << int(Runtime::Bun)
                         << "const a: string = 'hi'; console.log(a, Bun.version)"_ba;
    QTest::newRow("deno") << int(Runtime::Deno)
                          << "const a: string = 'hi'; console.log(a, Deno.version.deno)"_ba;
    QTest::newRow("bash") << int(Runtime::Bash) << "echo hi $BASH_VERSION"_ba;
}

void TestDockerEngine::runsEveryRuntime()
{
    QFETCH(int, runtime);
    QFETCH(QByteArray, code);
    const auto result = m_fixture->run(Runtime(runtime), code);
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput.startsWith("hi"), result->standardError.constData());
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->ending.reason, EndReason::Exited);
    QVERIFY(result->standardError.isEmpty());
    QVERIFY(result->cpuTime > 0us);
    QVERIFY(result->peakMemoryBytes > 0);
    QVERIFY(result->imageDigest.startsWith("sha256:"_L1));
    QVERIFY(!result->containerId.isEmpty());
    QVERIFY(!result->isTimedOut && !result->isOutOfMemory && !result->isTruncated);
}

void TestDockerEngine::exitCodesAreExact_data()
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

void TestDockerEngine::exitCodesAreExact()
{
    QFETCH(QByteArray, code);
    const auto result = m_fixture->run(Runtime::Bash, code);
    RUN_OR_FAIL(result);
    QTEST(result->exitCode, "exitCode");
    QTEST(result->signal, "signal");
    QVERIFY(!result->isTimedOut && !result->isOutOfMemory);
    QCOMPARE(
        result->ending.reason, result->signal.isEmpty() ? EndReason::Exited : EndReason::Signal);
}

void TestDockerEngine::commandGoesThroughBash()
{
    ExecutionRequest request;
    request.runtime = Runtime::Bash;
    request.command = u"echo $((6*7)) | tr 4 5; pwd"_s;
    const auto result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "52\n/sandbox\n"_ba);
}

void TestDockerEngine::argumentsArriveUnchanged()
{
    auto request = requestOf(Runtime::Python, "import sys; print(sys.argv[1:])");
    request.arguments = { u"-x"_s, u""_s, u"a b"_s, u"$HOME"_s, u"ü\n\"'"_s };
    const auto result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(
        QString::fromUtf8(result->standardOutput), u"['-x', '', 'a b', '$HOME', 'ü\\n\"\\'']\n"_s);
}

void TestDockerEngine::environmentAndSecrets()
{
    auto request = requestOf(Runtime::Bash,
        "echo $PLAIN $TOKEN; echo $TOKEN >&2; printf %s ${TOKEN:0:6}; printf %s ${TOKEN:6}");
    request.environment = { { u"PLAIN"_s, u"open"_s }, { u"TOKEN"_s, u"overridden"_s } };
    ExecutionOptions options;
    options.secrets = { { u"TOKEN"_s, u"sk-123456789"_s } };
    const auto run = m_fixture->start(request, options);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "open ***\n***"_ba);
    QCOMPARE(result->standardError, "***\n"_ba);
    QCOMPARE(run->standardOutput, result->standardOutput);
    QCOMPARE(run->standardError, result->standardError);
}

void TestDockerEngine::setupFailureIsTold()
{
    auto request = requestOf(Runtime::Bash, "cat made; echo code");
    request.setupScript = u"echo one > made; echo from setup"_s;
    auto result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "from setup\none\ncode\n"_ba);

    request.setupScript = u"echo broken >&2; exit 9"_s;
    result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::SetupFailed);
    QCOMPARE(result->exitCode, 9);
    QCOMPARE(result->standardOutput, ""_ba);
    QCOMPARE(result->standardError, "broken\n"_ba);
}

void TestDockerEngine::filesGoInAndOut()
{
    auto request = requestOf(Runtime::Bash,
        "cat in/a.txt b.bin; stat -c '%u:%g' in/a.txt; mkdir out; printf 'made\\0' >out/x; ln -s "
        "/etc/passwd link; truncate -s 1P huge");
    request.files = { { u"in/a.txt"_s, "A\n" }, { u"/sandbox/b.bin"_s, QByteArray("\0B\n", 3) } };
    request.outputPaths = { u"out/x"_s, u"missing"_s, u"link"_s, u"huge"_s };
    const auto result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, QByteArray("A\n\0B\n100:101\n", 13));
    QCOMPARE(result->files.value(u"out/x"_s), QByteArray("made\0", 5));
    QCOMPARE(result->files.size(), 1);
    QCOMPARE(result->missingFiles.size(), 3);
}

void TestDockerEngine::binaryStdinArrives()
{
    QByteArray input(3 << 20, '\0');
    for (qsizetype i = 0; i < input.size(); ++i)
        input[i] = static_cast<char>(i * 31 >> 3);
    auto request = requestOf(Runtime::Bash, "cat");
    request.stdinData = input;
    ExecutionOptions options;
    options.maxOutputBytes = 4 << 20;
    const auto result = m_fixture->run(request, options);
    RUN_OR_FAIL(result);
    QVERIFY(result->standardOutput == input);
    QVERIFY(!result->isTruncated);
}

void TestDockerEngine::liveStdinAndSignal()
{
    auto request = requestOf(Runtime::Python,
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('interrupted', flush=True), sys.exit(5)))\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin: print('got', line.strip(), flush=True)\n");
    request.isStdinLive = true;
    const auto run = m_fixture->start(request);
    QVERIFY(run->waitForOutput("ready"));
    run->run().writeStdin("one\n");
    QVERIFY(run->waitForOutput("got one"));
    run->run().sendSignal(SIGINT);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 5);
    QVERIFY(run->standardOutput.contains("interrupted"));
}

void TestDockerEngine::terminalHasItsSize()
{
    auto request = requestOf(Runtime::Bash, "tty; stty size; read line; stty size");
    request.hasTerminal = true;
    request.isStdinLive = true;
    request.terminalRows = 33;
    request.terminalColumns = 99;
    const auto run = m_fixture->start(request);
    QVERIFY(run->waitForOutput("33 99"));
    run->run().resizeTerminal(44, 111);
    run->run().writeStdin("\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput.contains("44 111"), result->standardOutput.constData());
    QVERIFY(result->standardOutput.contains("/dev/pts/"));
}

void TestDockerEngine::timeOutEndsASwarm()
{
    auto request = requestOf(Runtime::Bash,
        "trap '' TERM INT HUP; for i in 1 2 3 4 5 6 7 8; do (trap '' TERM; setsid sleep 600 & "
        "disown) & done; echo up; while :; do sleep 1; done");
    request.timeout = 1500ms;
    const auto result = m_fixture->run(request);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->ending.reason, EndReason::Timeout);
    QCOMPARE(result->standardOutput, "up\n"_ba);
    QVERIFY(!result->isOutOfMemory);
}

void TestDockerEngine::outOfMemoryIsTold()
{
    ExecutionOptions options;
    options.memoryLimitBytes = 64LL << 20;
    const auto result
        = m_fixture->run(Runtime::Python, "x = bytearray(10**9); print(len(x))", options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isOutOfMemory);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->signal, u"SIGKILL"_s);
    QCOMPARE(result->ending.reason, EndReason::OutOfMemory);
    QVERIFY(!result->isTimedOut);
}

void TestDockerEngine::cancelAtEveryMoment_data()
{
    QTest::addColumn<QString>("moment");
    for (const auto* moment :
        { "at once", "on the next turn", "started", "running", "output paused" })
        QTest::newRow(moment) << QString::fromLatin1(moment);
}

void TestDockerEngine::cancelAtEveryMoment()
{
    QFETCH(QString, moment);
    const auto run = m_fixture->start(requestOf(Runtime::Bash, "echo up; yes"));
    if (moment == "on the next turn"_L1)
        QCoreApplication::processEvents();
    if (moment == "started"_L1)
        QVERIFY(run->waitForStart());
    if (moment == "running"_L1)
        QVERIFY(run->waitForOutput("up"));
    if (moment == "output paused"_L1) {
        run->run().setOutputPaused(true);
        QVERIFY(run->waitForStart());
    }
    run->run().cancel();
    const auto result = run->result();
    if (result) {
        QCOMPARE(result->ending.reason, EndReason::Cancelled);
        QCOMPARE(result->exitCode, 137);
        QVERIFY(!result->isTimedOut);
    } else {
        QCOMPARE(result.error().kind, Kind::Cancelled);
    }
}

void TestDockerEngine::droppedRunIsCleanedUp()
{
    const auto run = m_fixture->start(requestOf(Runtime::Bash, "echo up; sleep 600"));
    QVERIFY(run->waitForOutput("up"));
    run->drop();
    QVERIFY(m_fixture->isNothingLeft());
}

void TestDockerEngine::truncatesEachStream()
{
    ExecutionOptions options;
    options.maxOutputBytes = 1000;
    const auto result = m_fixture->run(Runtime::Bash,
        "head -c 5000000 /dev/zero | tr '\\0' x; head -c 999 /dev/zero | tr '\\0' y >&2", options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTruncated);
    QVERIFY(result->standardOutput.size() <= 1000);
    QVERIFY(result->standardOutput.startsWith("xxxx"));
    QCOMPARE(result->standardError, QByteArray(999, 'y'));
    QCOMPARE(result->exitCode, 0);
}

void TestDockerEngine::killedContainerIsAnError()
{
    const auto run = m_fixture->start(requestOf(Runtime::Bash, "echo up; sleep 600"));
    QVERIFY(run->waitForOutput("up"));
    QVERIFY(QCoro::waitFor(m_fixture->client().killContainer(run->containerId, u"SIGKILL"_s)));
    const auto result = run->result();
    QVERIFY(!result);
    QVERIFY(result.error().kind != Kind::Cancelled && result.error().kind != Kind::Timeout);
}

void TestDockerEngine::frozenContainerEndsAtTheDeadline()
{
    // A stopped guest keeps no deadline: SIGSTOP from the host reaches even process 1.
    auto request = requestOf(Runtime::Bash, "echo up; sleep 600");
    request.timeout = 3s;
    const auto run = m_fixture->start(request);
    QVERIFY(run->waitForOutput("up"));
    QVERIFY(QCoro::waitFor(m_fixture->client().killContainer(run->containerId, u"SIGSTOP"_s)));
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->exitCode, 137);
}

void TestDockerEngine::missingImageSaysHowToGetOne()
{
    ExecutionOptions options;
    options.image = u"isol8-test/no-such-image:none"_s;
    const auto result = m_fixture->run(Runtime::Python, "print(1)", options);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::NotFound);
    QVERIFY2(result.error().message.contains("isol8 setup"_L1), qPrintable(result.error().message));
    QVERIFY2(result.error().message.contains(options.image), qPrintable(result.error().message));
}

void TestDockerEngine::invalidValuesNeverReachDocker()
{
    auto request = requestOf(Runtime::Python, "print(1)");
    request.workingDirectory = u"/sandbox/../etc"_s;
    auto result = m_fixture->run(request);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Invalid);

    request = requestOf(Runtime::Python, "print(1)");
    ExecutionOptions options;
    options.memoryLimitBytes = 1;
    result = m_fixture->run(request, options);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Invalid);
}

void TestDockerEngine::sessionKeepsItsFiles()
{
    const auto id = u"keeps-%1"_s.arg(QCoreApplication::applicationPid());
    auto result
        = m_fixture->run(requestOf(Runtime::Bash, "echo first > kept; sleep 600 &"), {}, id);
    RUN_OR_FAIL(result);
    const auto container = result->containerId;
    m_fixture->restart();
    result = m_fixture->run(
        requestOf(Runtime::Bash, "cat kept; ps ax | grep -c '[s]leep 600'"), {}, id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->containerId, container);
    QVERIFY2(result->standardOutput.startsWith("first\n"), result->standardOutput.constData());

    const auto sessions = QCoro::waitFor(m_fixture->engine().sessions());
    QVERIFY(sessions);
    QVERIFY(std::ranges::any_of(*sessions, [&](const SessionInfo& session) {
        return session.id == id && session.runtime == Runtime::Bash && !session.isActive;
    }));
    const auto stopped = QCoro::waitFor(m_fixture->engine().stopSession(id));
    QVERIFY(stopped && *stopped);
    const auto again = QCoro::waitFor(m_fixture->engine().stopSession(id));
    QVERIFY(again && !*again);
}

void TestDockerEngine::sessionRunsOneAfterTheOther()
{
    const auto id = u"serial-%1"_s.arg(QCoreApplication::applicationPid());
    const auto code = "mkdir lock || exit 9; sleep 0.2; rmdir lock; echo done"_ba;
    std::vector<std::unique_ptr<WatchedRun>> runs;
    for (int i = 0; i < 4; ++i)
        runs.push_back(m_fixture->start(requestOf(Runtime::Bash, code), {}, id));
    for (const auto& run : runs) {
        const auto result = run->result();
        RUN_OR_FAIL(result);
        QCOMPARE(result->exitCode, 0);
    }
    QVERIFY(QCoro::waitFor(m_fixture->engine().stopSession(id)));
}

void TestDockerEngine::sessionHasOneRuntime()
{
    const auto id = u"one-%1"_s.arg(QCoreApplication::applicationPid());
    auto result = m_fixture->run(requestOf(Runtime::Bash, "true"), {}, id);
    RUN_OR_FAIL(result);
    result = m_fixture->run(requestOf(Runtime::Python, "1"), {}, id);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Conflict);
    QVERIFY(
        result.error().message.contains("Cannot switch runtime from \"bash\" to \"python\""_L1));
    QVERIFY(QCoro::waitFor(m_fixture->engine().stopSession(id)));
}

void TestDockerEngine::sessionFiles()
{
    const auto id = u"files-%1"_s.arg(QCoreApplication::applicationPid());
    auto result = m_fixture->run(requestOf(Runtime::Bash, "mkdir d; echo x > d/old"), {}, id);
    RUN_OR_FAIL(result);
    auto& engine = m_fixture->engine();
    QVERIFY(QCoro::waitFor(engine.putFile(id, u"d/new.txt"_s, "content")));
    const auto content = QCoro::waitFor(engine.fetchFile(id, u"/sandbox/d/new.txt"_s));
    QVERIFY(content);
    QCOMPARE(*content, "content"_ba);
    QVERIFY(QCoro::waitFor(engine.removeFile(id, u"d/old"_s)));
    const auto entries = QCoro::waitFor(engine.listFiles(id, u"d"_s));
    QVERIFY(entries);
    QCOMPARE(entries->size(), 1);
    QCOMPARE(entries->constFirst().name, u"new.txt"_s);
    QCOMPARE(entries->constFirst().sizeBytes, 7);
    const auto outside = QCoro::waitFor(engine.fetchFile(id, u"../etc/passwd"_s));
    QVERIFY(!outside);
    QCOMPARE(outside.error().kind, Kind::Invalid);
    const auto unknown = QCoro::waitFor(engine.fetchFile(u"no-such-session"_s, u"x"_s));
    QVERIFY(!unknown);
    QCOMPARE(unknown.error().kind, Kind::NotFound);
    QVERIFY(QCoro::waitFor(engine.stopSession(id)));
}

void TestDockerEngine::sessionFoldersAndTransfers()
{
    const auto id = u"folders-%1"_s.arg(QCoreApplication::applicationPid());
    RUN_OR_FAIL(m_fixture->run(requestOf(Runtime::Bash, ":"), {}, id));
    auto& engine = m_fixture->engine();
    QVERIFY(QCoro::waitFor(engine.makeDirectory(id, u"a/b"_s)));
    QVERIFY(QCoro::waitFor(engine.makeDirectory(id, u"a/b"_s)));
    QCOMPARE(
        QCoro::waitFor(engine.makeDirectory(id, u"../x"_s)).error().kind, Kind::Invalid);

    const QByteArray content(3 << 20, 'x');
    QList<qint64> put;
    QVERIFY(QCoro::waitFor(engine.putFile(id, u"a/big"_s, content,
        { {}, [&put, &content](qint64 done, qint64 total) {
             put << done;
             QCOMPARE(total, content.size());
         } })));
    QVERIFY(put.size() > 2 && std::ranges::is_sorted(put));
    QVERIFY(QCoro::waitFor(engine.renameFile(id, u"a/big"_s, u"a/b/large"_s)));
    QCOMPARE(
        QCoro::waitFor(engine.renameFile(id, u"a/big"_s, u"x"_s)).error().kind, Kind::NotFound);
    QList<qint64> got;
    const auto fetched = QCoro::waitFor(engine.fetchFile(
        id, u"a/b/large"_s, { {}, [&got](qint64 done, qint64) { got << done; } }));
    RUN_OR_FAIL(fetched);
    QCOMPARE(*fetched, content);
    QCOMPARE(got.constLast(), content.size());

    Transfer transfer;
    transfer.progress = [cancel = transfer.cancel](qint64, qint64) { cancel.cancel(); };
    QCOMPARE(QCoro::waitFor(engine.putFile(id, u"half"_s, content, transfer)).error().kind,
        Kind::Cancelled);
    const auto entries = QCoro::waitFor(engine.listFiles(id, u"/sandbox"_s));
    RUN_OR_FAIL(entries);
    QVERIFY(std::ranges::none_of(*entries, [](const auto& entry) { return entry.name == "half"_L1; }));
    QVERIFY(QCoro::waitFor(engine.stopSession(id)));
}

void TestDockerEngine::usageIsReported()
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
    const auto run = m_fixture->start(request);
    QList<RunUsage> reports;
    QObject::connect(&run->run(), &Run::usageReported, &run->run(),
        [&reports](const RunUsage& usage) { reports << usage; });
    const auto isSeen = [&reports] {
        return !reports.isEmpty() && reports.constLast().memoryBytes > 100 << 20
            && reports.constLast().cpuTime > 100ms;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isSeen() || run->isFinished(), 60'000);
    run->run().closeStdin();
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QVERIFY(isSeen());
    QVERIFY(std::ranges::is_sorted(reports, {}, &RunUsage::cpuTime));
    QVERIFY(result->cpuTime >= reports.constLast().cpuTime / 2);

    // Nobody asked, nothing comes.
    request.isUsageReported = false;
    request.code = "import time\nend = time.time() + 0.6\nwhile time.time() < end: pass";
    const auto silent = m_fixture->start(request);
    QSignalSpy usage(&silent->run(), &Run::usageReported);
    RUN_OR_FAIL(silent->result());
    QVERIFY(usage.isEmpty());
}

void TestDockerEngine::keptContainerStays()
{
    ExecutionOptions options;
    options.isKept = true;
    const auto result = m_fixture->run(Runtime::Bash, "echo x > /sandbox/evidence", options);
    RUN_OR_FAIL(result);
    m_fixture->restart();
    const auto details = QCoro::waitFor(m_fixture->client().inspectContainer(result->containerId));
    QVERIFY(details);
    QVERIFY(details->isRunning);
    QVERIFY(QCoro::waitFor(m_fixture->engine().removeContainer(result->containerId)));
}

void TestDockerEngine::singleBytesAreGathered()
{
    const auto run = m_fixture->start(
        requestOf(Runtime::Python, "import os\nfor i in range(20000): os.write(1, b'x')"));
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, QByteArray(20000, 'x'));
    QVERIFY2(run->outputSignals < 5000, qPrintable(QString::number(run->outputSignals)));
}

void TestDockerEngine::printedFramesAreOutput()
{
    const auto result = m_fixture->run(Runtime::Python,
        "import os; os.write(1, b'\\x1a\\0\\0\\0\\x01\\0\\0\\0\\x30\\0\\0\\0' + b'\\0' * 48); "
        "os.write(1, b'\\x01\\0\\0\\0\\0\\0\\0\\4data')");
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput.size(), 60 + 12);
    QVERIFY(result->standardOutput.endsWith("data"));
    QCOMPARE(result->exitCode, 0);
}

QTEST_GUILESS_MAIN(TestDockerEngine)
#include "tst_dockerengine.moc"
