// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include <QFile>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Programs that want more than their share, each followed by an innocent run beside the ruins.
class TestResources : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_fixture = std::make_unique<EngineFixture>(); }
    void cleanup();
    void cleanupTestCase() { m_fixture.reset(); }

    void endsWithItsLimit_data();
    void endsWithItsLimit();
    void neighbourIsNotDisturbed();
    void processorTimeIsBounded();
    void fullFileSystemIsTold();
    void floodOfBothStreamsEndsInTime();
    void hostMemoryStaysFlat();
    void limitsAreTheRunsOwn();
    void pausedOutputHoldsTheProgram();

private:
    std::unique_ptr<EngineFixture> m_fixture;
};

void TestResources::cleanup()
{
    const auto benign = m_fixture->run(Runtime::Bash, "echo benign");
    QVERIFY2(benign, benign ? "" : qPrintable(benign.error().message));
    QCOMPARE(benign->standardOutput, "benign\n"_ba);
    QVERIFY(m_fixture->isNothingLeft());
}

void TestResources::endsWithItsLimit_data()
{
    QTest::addColumn<int>("runtime");
    QTest::addColumn<QByteArray>("code");
    QTest::addColumn<int>("reason");
    const auto row
        = [](const char* name, Runtime runtime, const QByteArray& code, EndReason reason) {
              QTest::newRow(name) << int(runtime) << code << int(reason);
          };
    row("fork bomb", Runtime::Bash, ":(){ :|:& };: ; while :; do sleep 1; done",
        EndReason::Timeout);
    row("threads", Runtime::Python,
        "import threading, time\n"
        "while True:\n"
        "    try: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        "    except RuntimeError: time.sleep(0.01)\n",
        EndReason::Timeout);
    row("ignores every signal it can", Runtime::Bash,
        "trap '' TERM INT HUP QUIT USR1; while :; do sleep 1; done", EndReason::Timeout);
    row("vfork that pauses", Runtime::Python,
        "import ctypes\nlibc = ctypes.CDLL(None)\nif libc.vfork() == 0: libc.pause()\n",
        EndReason::Timeout);
    row("opens a FIFO nobody reads", Runtime::Bash, "mkfifo f; echo x >f", EndReason::Timeout);
    row("zombies", Runtime::Python,
        "import os, time\n"
        "for i in range(300):\n"
        "    try:\n"
        "        if os.fork() == 0: os._exit(0)\n"
        "    except OSError: time.sleep(0.001)\n"
        "time.sleep(99)\n",
        EndReason::Timeout);
    row("gradual memory bomb", Runtime::Python, "a = []\nwhile True: a.append(bytearray(10**6))\n",
        EndReason::OutOfMemory);
    row("memory in tmpfs", Runtime::Bash, "head -c 300M /dev/zero >/sandbox/x; exit 137",
        EndReason::OutOfMemory);
}

void TestResources::endsWithItsLimit()
{
    QFETCH(int, runtime);
    QFETCH(QByteArray, code);
    ExecutionOptions options;
    options.memoryLimitBytes = 96LL << 20;
    auto request = requestOf(Runtime(runtime), code);
    request.timeout = code.contains("bytearray") || code.contains("300M") ? 60s : 3s;
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QTEST(int(result->ending.reason), "reason");
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->isTimedOut, result->ending.reason == EndReason::Timeout);
    if (QByteArray(QTest::currentDataTag()) == "fork bomb")
        QVERIFY(std::ranges::any_of(result->violations,
            [](const Violation& violation) { return violation.kind == "pids"_L1; }));
}

void TestResources::neighbourIsNotDisturbed()
{
    auto request = requestOf(Runtime::Bash, "echo up; :(){ :|:& };: ; while :; do sleep 1; done");
    request.timeout = 60s;
    const auto bomb = m_fixture->start(request);
    QVERIFY(bomb->waitForOutput("up"));
    const auto neighbour = m_fixture->run(
        Runtime::Python, "import subprocess; print(subprocess.check_output(['echo', 'fine']))");
    QVERIFY2(neighbour, neighbour ? "" : qPrintable(neighbour.error().message));
    QCOMPARE(neighbour->standardOutput, "b'fine\\n'\n"_ba);
    QVERIFY(!bomb->isFinished());
    bomb->run().cancel();
    QVERIFY(bomb->result());
}

void TestResources::processorTimeIsBounded()
{
    ExecutionOptions options;
    options.cpuLimit = 0.25;
    auto request
        = requestOf(Runtime::Bash, "for i in 1 2 3 4; do (while :; do :; done) & done; wait");
    request.timeout = 4s;
    const auto result = m_fixture->run(request, options);
    QVERIFY(result);
    QVERIFY(result->isTimedOut);
    // A quarter of 4 s, with a tenth and one scheduling period for good measure.
    QVERIFY2(result->cpuTime < 1300ms, qPrintable(QString::number(result->cpuTime.count())));
}

void TestResources::fullFileSystemIsTold()
{
    ExecutionOptions options;
    options.sandboxSizeBytes = 1 << 20;
    options.tmpSizeBytes = 1 << 20;
    auto result = m_fixture->run(Runtime::Bash, "head -c 2M /dev/zero >/sandbox/x", options);
    QVERIFY(result);
    QVERIFY(result->exitCode != 0);
    QCOMPARE(result->violations.size(), 1);
    QCOMPARE(result->violations.constFirst().kind, u"disk"_s);
    result = m_fixture->run(Runtime::Bash, "head -c 2M /dev/zero >/tmp/x || echo full", options);
    QVERIFY(result);
    QCOMPARE(result->standardOutput, "full\n"_ba);
    result = m_fixture->run(Runtime::Bash, "head -c 100M /dev/zero >/dev/shm/x || echo full");
    QVERIFY(result);
    QCOMPARE(result->standardOutput, "full\n"_ba);
}

void TestResources::floodOfBothStreamsEndsInTime()
{
    ExecutionOptions options;
    options.maxOutputBytes = 100'000;
    auto request = requestOf(Runtime::Bash, "yes & yes error >&2; wait");
    request.timeout = 3s;
    const auto result = m_fixture->run(request, options);
    QVERIFY(result);
    QVERIFY(result->isTimedOut && result->isTruncated);
    QVERIFY(
        result->standardOutput.size() <= 100'000 && result->standardOutput.startsWith("y\ny\n"));
    QVERIFY(result->standardError.size() <= 100'000 && result->standardError.startsWith("error\n"));
}

void TestResources::hostMemoryStaysFlat()
{
    const auto residentBytes = [] {
        QFile file(u"/proc/self/statm"_s);
        return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ').at(1).toLongLong() * 4096
                                              : 0;
    };
    const auto before = residentBytes();
    const auto result = m_fixture->run(Runtime::Bash, "head -c 200M /dev/zero | tr '\\0' x");
    QVERIFY(result);
    QCOMPARE(result->exitCode, 0);
    QVERIFY(result->isTruncated);
    QVERIFY2(residentBytes() - before < 100LL << 20,
        "200 MB of output must not pass through memory as a whole");
}

void TestResources::limitsAreTheRunsOwn()
{
    const auto code
        = "df -B1 --output=size /sandbox /tmp | tail -2 | tr -s ' \\n' ' '; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null"_ba;
    for (const qint64 megabytes : { 8, 64 }) {
        ExecutionOptions options;
        options.sandboxSizeBytes = megabytes << 20;
        options.tmpSizeBytes = megabytes << 21;
        options.pidsLimit = static_cast<int>(megabytes) * 2;
        const auto result = m_fixture->run(Runtime::Bash, code, options);
        QVERIFY(result);
        QCOMPARE(result->standardOutput.simplified(),
            u"%1 %2 %3"_s.arg(megabytes << 20)
                .arg(megabytes << 21)
                .arg(megabytes * 2 + 2)
                .toLatin1());
    }
}

void TestResources::pausedOutputHoldsTheProgram()
{
    ExecutionOptions options;
    options.maxOutputBytes = 200LL << 20;
    const auto run = m_fixture->start(
        requestOf(Runtime::Bash, "echo up; head -c 50M /dev/zero | tr '\\0' x"), options);
    QVERIFY(run->waitForOutput("up"));
    run->run().setOutputPaused(true);
    const auto sizeWhenPaused = run->standardOutput.size();
    const auto neighbour = m_fixture->run(Runtime::Bash, "echo beside");
    QVERIFY(neighbour);
    QVERIFY(!run->isFinished());
    QVERIFY2(run->standardOutput.size() - sizeWhenPaused < 20 << 20,
        "more than the windows came through");
    run->run().setOutputPaused(false);
    const auto result = run->result();
    QVERIFY(result);
    QCOMPARE(result->standardOutput.size(), 3 + (50 << 20));
    QVERIFY(!result->isTruncated);
}

QTEST_GUILESS_MAIN(TestResources)
#include "tst_resources.moc"
