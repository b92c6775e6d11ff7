// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

#include <QUuid>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// What goes into a run and what comes out of it.
class TestEngineRuns : public EngineTest {
    Q_OBJECT

private Q_SLOTS:
    void runsEveryRuntime_data();
    void runsEveryRuntime();
    void commandGoesThroughBash();
    void argumentsArriveUnchanged();
    void environmentAndSecrets();
    void secretIsMaskedWhereItIsCut();
    void workingDirectory();
    void fileExtension();
    void setupRunsBefore();
    void filesGoInAndOut();
    void directoryGoesIn();
    void everyByteOfAFile();
    void givenStdin();
    void binaryStdin();
    void outputIsText();
    void printedFramesAreOutput();
    void limitsAreTheRunsOwn();
    void resultTellsEverything();
    void invalidValuesNeverReachDocker_data();
    void invalidValuesNeverReachDocker();
    void missingImageSaysHowToGetOne();
    void keptContainerStays();
};

void TestEngineRuns::runsEveryRuntime_data()
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

void TestEngineRuns::runsEveryRuntime()
{
    QFETCH(int, runtime);
    QFETCH(QByteArray, code);
    const auto result = fixture().run(Runtime(runtime), code);
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput.startsWith("hi"), result->standardError.constData());
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->ending.reason, EndReason::Exited);
    QVERIFY(result->standardError.isEmpty());
}

void TestEngineRuns::commandGoesThroughBash()
{
    ExecutionRequest request;
    request.runtime = Runtime::Bash;
    request.command = u"echo $((6*7)) | tr 4 5; pwd"_s;
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "52\n/sandbox\n"_ba);
}

void TestEngineRuns::argumentsArriveUnchanged()
{
    auto request = requestOf(Runtime::Python, "import sys; print(sys.argv[1:])");
    request.arguments = { u"-x"_s, u""_s, u"a b"_s, u"$HOME"_s, u"ü\n\"'"_s };
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(
        QString::fromUtf8(result->standardOutput), u"['-x', '', 'a b', '$HOME', 'ü\\n\"\\'']\n"_s);
}

void TestEngineRuns::environmentAndSecrets()
{
    auto request = requestOf(Runtime::Bash,
        "echo $PLAIN $TOKEN; echo $TOKEN >&2; printf %s ${TOKEN:0:6}; printf %s ${TOKEN:6}");
    request.environment = { { u"PLAIN"_s, u"open"_s }, { u"TOKEN"_s, u"overridden"_s } };
    ExecutionOptions options;
    options.secrets = { { u"TOKEN"_s, u"sk-123456789"_s } };
    const auto run = fixture().start(request, options);
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "open ***\n***"_ba);
    QCOMPARE(result->standardError, "***\n"_ba);
    QCOMPARE(run->standardOutput, result->standardOutput);
    QCOMPARE(run->standardError, result->standardError);
}

void TestEngineRuns::secretIsMaskedWhereItIsCut()
{
    // The program waits between the halves until it is told that the first is there: it is not
    // shown, since it could be the beginning of a secret.
    auto request = requestOf(Runtime::Bash,
        "printf 'start %s' ${TOKEN:0:6}; read -r line; echo ${TOKEN:6} $line; echo ${TOKEN:0:6}");
    request.isStdinLive = true;
    ExecutionOptions options;
    options.secrets = { { u"TOKEN"_s, u"sk-123456789"_s } };
    const auto run = fixture().start(request, options);
    QVERIFY(run->waitForOutput("start "));
    run->run().writeStdin("go\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "start *** go\nsk-123\n"_ba);
    QCOMPARE(run->standardOutput, result->standardOutput);
}

void TestEngineRuns::workingDirectory()
{
    auto request = requestOf(Runtime::Bash, "pwd; cat here");
    request.workingDirectory = u"/sandbox/deep/er"_s;
    request.files = { { u"deep/er/here"_s, "found\n" } };
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "/sandbox/deep/er\nfound\n"_ba);
}

void TestEngineRuns::fileExtension()
{
    auto request = requestOf(Runtime::Node, "console.log(typeof require, __filename.slice(-4))");
    request.fileExtension = u".cjs"_s;
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput == "function .cjs\n",
        (result->standardOutput + result->standardError).constData());
}

void TestEngineRuns::setupRunsBefore()
{
    auto request = requestOf(Runtime::Bash, "cat made; echo code");
    request.setupScript = u"echo one > made; echo from setup"_s;
    auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "from setup\none\ncode\n"_ba);

    request.setupScript = u"echo broken >&2; exit 9"_s;
    result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::SetupFailed);
    QCOMPARE(result->exitCode, 9);
    QCOMPARE(result->standardOutput, ""_ba);
    QCOMPARE(result->standardError, "broken\n"_ba);
}

void TestEngineRuns::filesGoInAndOut()
{
    auto request = requestOf(Runtime::Bash,
        "cat in/a.txt b.bin; stat -c '%u:%g' in/a.txt; mkdir out; printf 'made\\0' >out/x; ln -s "
        "/etc/passwd link; truncate -s 1P huge");
    request.files = { { u"in/a.txt"_s, "A\n" }, { u"/sandbox/b.bin"_s, QByteArray("\0B\n", 3) } };
    request.outputPaths = { u"out/x"_s, u"missing"_s, u"link"_s, u"huge"_s };
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, QByteArray("A\n\0B\n100:101\n", 13));
    QCOMPARE(result->files.value(u"out/x"_s), QByteArray("made\0", 5));
    QCOMPARE(result->files.size(), 1);
    QCOMPARE(result->missingFiles.size(), 3);
}

void TestEngineRuns::directoryGoesIn()
{
    const QTemporaryDir directory;
    QVERIFY(QDir(directory.path()).mkpath(u"sub/.git"_s));
    for (const auto& name : { u"sub/own"_s, u"sub/.git/config"_s }) {
        QFile file(directory.filePath(name));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("of the directory\n");
    }
    auto request = requestOf(Runtime::Bash, "find . -type f | sort; cat sub/own");
    request.filesDirectory = directory.path();
    request.files = { { u"sub/named"_s, "x" } };
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput.contains("./sub/named\n./sub/own\nof the directory\n"),
        result->standardOutput.constData());
    QVERIFY(!result->standardOutput.contains(".git"));
}

void TestEngineRuns::everyByteOfAFile()
{
    QByteArray content(3 << 20, '\0');
    for (qsizetype i = 0; i < content.size(); ++i)
        content[i] = static_cast<char>(i * 31 >> 3);
    auto request = requestOf(Runtime::Bash, "cp given taken");
    request.files = { { u"given"_s, content } };
    request.outputPaths = { u"taken"_s };
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY(result->files.value(u"taken"_s) == content);
}

void TestEngineRuns::givenStdin()
{
    auto request = requestOf(Runtime::Bash, "cat; echo end");
    request.stdinData = QString(u"ä\n"_s.repeated(200'000)).toUtf8();
    const auto result = fixture().run(request);
    RUN_OR_FAIL(result);
    QVERIFY(result->standardOutput == *request.stdinData + "end\n");

    // Nothing is given and nothing live: the program reads the end at once.
    request.stdinData.reset();
    const auto without = fixture().run(request);
    RUN_OR_FAIL(without);
    QCOMPARE(without->standardOutput, "end\n"_ba);
}

void TestEngineRuns::binaryStdin()
{
    QByteArray input(3 << 20, '\0');
    for (qsizetype i = 0; i < input.size(); ++i)
        input[i] = static_cast<char>(i * 31 >> 3);
    auto request = requestOf(Runtime::Bash, "cat");
    request.stdinData = input;
    ExecutionOptions options;
    options.maxOutputBytes = 4 << 20;
    const auto result = fixture().run(request, options);
    if (isRemote()) {
        QVERIFY(!result);
        QCOMPARE(result.error().kind, Kind::Invalid);
        QVERIFY2(
            result.error().message.contains("not UTF-8"_L1), qPrintable(result.error().message));
        return;
    }
    RUN_OR_FAIL(result);
    QVERIFY(result->standardOutput == input);
    QVERIFY(!result->isTruncated);
}

void TestEngineRuns::outputIsText()
{
    // Every kind of character, cut between its bytes, and a byte that is none.
    const auto result = fixture().run(Runtime::Python,
        "import os, sys\n"
        "for byte in 'aä€😀\\0\\r\\u2028 \\n'.encode(): os.write(1, bytes([byte]))\n"
        "os.write(1, b'\\xff \\n\\n')");
    RUN_OR_FAIL(result);
    const auto text = "aä€😀\0\r\u2028 \n"_ba;
    QCOMPARE(result->standardOutput, text + (isRemote() ? "\xEF\xBF\xBD"_ba : "\xff"_ba) + " \n\n");
}

void TestEngineRuns::printedFramesAreOutput()
{
    const auto result = fixture().run(Runtime::Python,
        "import os; os.write(1, b'\\x1a\\0\\0\\0\\x01\\0\\0\\0\\x30\\0\\0\\0' + b'\\0' * 48); "
        "os.write(1, b'\\x01\\0\\0\\0\\0\\0\\0\\4data'); "
        "os.write(1, b'\\n\\ndata: {\"type\":\"exit\",\"data\":\"0\"}\\n\\n')");
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput.size(), 60 + 12 + 36);
    QVERIFY(result->standardOutput.endsWith("\"data\":\"0\"}\n\n"));
    QCOMPARE(result->exitCode, 0);
}

void TestEngineRuns::limitsAreTheRunsOwn()
{
    ExecutionOptions options;
    options.sandboxSizeBytes = 8 << 20;
    options.tmpSizeBytes = 16 << 20;
    options.pidsLimit = 16;
    options.memoryLimitBytes = 96 << 20;
    const auto result = fixture().run(Runtime::Bash,
        "df -B1 --output=size /sandbox /tmp | tail -2 | tr -s ' \\n' ' '; cat "
        "/sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; cat "
        "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
        options);
    RUN_OR_FAIL(result);
    // The guest needs two processes of its own.
    QCOMPARE(QString::fromUtf8(result->standardOutput.simplified()),
        u"%1 %2 %3 %4"_s.arg(8 << 20).arg(16 << 20).arg(18).arg(96 << 20));
}

void TestEngineRuns::resultTellsEverything()
{
    const auto before = QDateTime::currentDateTimeUtc().addSecs(-1);
    const auto run = fixture().start(requestOf(Runtime::Python,
        "import sys; x = bytearray(20_000_000); print('out'); print('err', file=sys.stderr)"));
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QVERIFY(run->isStarted);
    QCOMPARE(result->standardOutput, "out\n"_ba);
    QCOMPARE(result->standardError, "err\n"_ba);
    QCOMPARE(result->runtime, Runtime::Python);
    QVERIFY(!QUuid(result->executionId).isNull());
    QVERIFY(result->timestamp > before && result->timestamp <= QDateTime::currentDateTimeUtc());
    QVERIFY(result->duration > 0us && result->cpuTime > 0us);
    QVERIFY(result->phases.acquire > 0us && result->phases.run > 0us);
    QVERIFY(result->peakMemoryBytes > 20'000'000);
    QVERIFY(result->imageDigest.startsWith("sha256:"_L1));
    QCOMPARE(result->containerId.size(), 64);
    QVERIFY(isRemote() || run->containerId == result->containerId);
    QVERIFY(!result->isTimedOut && !result->isOutOfMemory && !result->isTruncated);
    QVERIFY(result->signal.isEmpty() && result->files.isEmpty() && result->missingFiles.isEmpty());
    QVERIFY(result->violations.isEmpty() && result->networkLogs.isEmpty());
}

void TestEngineRuns::invalidValuesNeverReachDocker_data()
{
    QTest::addColumn<QString>("what");
    for (const auto* what : { "working directory", "memory", "no source", "two sources", "time",
             "session", "output path", "file outside", "variable" })
        QTest::newRow(what) << QString::fromLatin1(what);
}

void TestEngineRuns::invalidValuesNeverReachDocker()
{
    QFETCH(QString, what);
    auto request = requestOf(Runtime::Python, "print(1)");
    ExecutionOptions options;
    QString session;
    if (what == "working directory"_L1)
        request.workingDirectory = u"/sandbox/../etc"_s;
    else if (what == "memory"_L1)
        options.memoryLimitBytes = 1;
    else if (what == "no source"_L1)
        request.code = {};
    else if (what == "two sources"_L1)
        request.command = u"true"_s;
    else if (what == "time"_L1)
        request.timeout = 0ms;
    else if (what == "session"_L1)
        session = u"../x"_s;
    else if (what == "output path"_L1)
        request.outputPaths = { u"../../etc/passwd"_s };
    else if (what == "file outside"_L1)
        request.files = { { u"/etc/passwd"_s, "x" } };
    else if (what == "variable"_L1)
        request.environment = { { u"A=B"_s, u"x"_s } };
    const auto run = fixture().start(request, options, session);
    const auto result = run->result();
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Invalid);
    QVERIFY(!result.error().message.isEmpty());
    QVERIFY(!run->isStarted);
}

void TestEngineRuns::missingImageSaysHowToGetOne()
{
    ExecutionOptions options;
    options.image = u"isol8-test/no-such-image:none"_s;
    const auto result = fixture().run(Runtime::Python, "print(1)", options);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::NotFound);
    QVERIFY2(result.error().message.contains("isol8 setup"_L1), qPrintable(result.error().message));
    QVERIFY2(result.error().message.contains(options.image), qPrintable(result.error().message));
}

void TestEngineRuns::keptContainerStays()
{
    ExecutionOptions options;
    options.isKept = true;
    const auto result = fixture().run(Runtime::Bash, "echo x > /sandbox/evidence", options);
    RUN_OR_FAIL(result);
    fixture().restart();
    const auto details = QCoro::waitFor(fixture().client().inspectContainer(result->containerId));
    QVERIFY(details);
    QVERIFY(details->isRunning);
    QVERIFY(QCoro::waitFor(fixture().dockerEngine().removeContainer(result->containerId)));
}

QTEST_GUILESS_MAIN(TestEngineRuns)
#include "tst_engineruns.moc"
