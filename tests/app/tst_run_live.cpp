// SPDX-License-Identifier: MIT
#include "tests/app/liveprogram.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QUuid>

using namespace Qt::StringLiterals;
using namespace isol8::tests;

/// `isol8 run` and its like with real containers.
class TestRunLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void runsInlineCode_data();
    void runsInlineCode();
    void runsFiles_data();
    void runsFiles();
    void runsCodeFromStdin_data();
    void runsCodeFromStdin();
    void passesArguments();
    void passesStdinData();
    void forwardsStdinLive();
    void forwardsBinaryStdin();
    void treatsClosedStdinAsEmpty();
    void delivers100Megabytes();
    void returnsExitCodes_data();
    void returnsExitCodes();
    void saysHowItEnded_data();
    void saysHowItEnded();
    void keepsTruncatedOutput();
    void printsBufferedOutput();
    void printsJson();
    void masksSecrets();
    void writesOutFile();
    void reportsAFullOutFile();
    void endsWhenNobodyReads();
    void failsWithClosedStdout();
    void injectsFiles();
    void fetchesFiles();
    void reportsMissingFiles();
    void keepsAContainer();
    void keepsSessions();
    void cleansUpOnlyWhenAllowed();
    void refusesAMissingImage();
    void isFoundHealthy();

private:
    std::unique_ptr<ProgramFixture> m_fixture;
};

namespace {

QStringList runArguments(const QStringList& more)
{
    return QStringList { u"run"_s } + more;
}

QString uniqueSession()
{
    return u"test-"_s + QUuid::createUuid().toString(QUuid::Id128);
}

} // namespace

void TestRunLive::initTestCase()
{
    m_fixture = std::make_unique<ProgramFixture>();
}

void TestRunLive::cleanupTestCase()
{
    m_fixture.reset();
}

void TestRunLive::runsInlineCode_data()
{
    QTest::addColumn<QString>("runtime");
    QTest::addColumn<QString>("code");
    const auto typed = u"const x: number = 6 * 7; console.log(x)"_s;
    QTest::newRow("python") << u"python"_s << u"print(6 * 7)"_s;
    QTest::newRow("node") << u"node"_s << u"console.log(await Promise.resolve(6 * 7))"_s;
    QTest::newRow("bun") << u"bun"_s << typed;
    QTest::newRow("deno") << u"deno"_s << typed;
    QTest::newRow("bash") << u"bash"_s << u"echo $((6 * 7))"_s;
}

void TestRunLive::runsInlineCode()
{
    QFETCH(QString, runtime);
    QFETCH(QString, code);
    const auto end = m_fixture->run(runArguments({ u"-r"_s, runtime, u"-e"_s, code }));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("42\n"));
    QCOMPARE(end.err, QByteArray());
}

void TestRunLive::runsFiles_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("code");
    QTest::newRow("py") << u"a.py"_s << QByteArray("print(6 * 7)");
    QTest::newRow("js") << u"a.js"_s
                        << QByteArray("import os from 'node:os'; console.log(os ? 42 : 0)");
    QTest::newRow("mjs") << u"a.mjs"_s
                         << QByteArray("import os from 'node:os'; console.log(os ? 42 : 0)");
    QTest::newRow("cjs") << u"a.cjs"_s << QByteArray("console.log(require('node:os') ? 42 : 0)");
    QTest::newRow("ts") << u"a.ts"_s
                        << QByteArray("const x: number = Bun ? 42 : 0; console.log(x)");
    QTest::newRow("mts") << u"a.mts"_s
                         << QByteArray("const x: number = Deno ? 42 : 0; console.log(x)");
    QTest::newRow("sh") << u"a.sh"_s << QByteArray("echo $((6 * 7))");
}

void TestRunLive::runsFiles()
{
    QFETCH(QString, name);
    QFETCH(QByteArray, code);
    m_fixture->write(name, code);
    const auto end = m_fixture->run(runArguments({ name }));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("42\n"));
}

void TestRunLive::runsCodeFromStdin_data()
{
    runsInlineCode_data();
}

void TestRunLive::runsCodeFromStdin()
{
    QFETCH(QString, runtime);
    QFETCH(QString, code);
    const auto end = m_fixture->run(runArguments({ u"--runtime"_s, runtime }), code.toUtf8());
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("42\n"));
}

void TestRunLive::passesArguments()
{
    const QStringList typed { u"a b"_s, u"--help"_s, u""_s, u"--"_s, u"$HOME"_s };
    const auto end = m_fixture->run(
        runArguments({ u"-e"_s, u"import sys; print(sys.argv[1:])"_s, u"--"_s }) + typed);
    QCOMPARE(end.out, QByteArray("['a b', '--help', '', '--', '$HOME']\n"));
}

void TestRunLive::passesStdinData()
{
    const auto end = m_fixture->run(
        runArguments(
            { u"-e"_s, u"import sys; print(sys.stdin.read())"_s, u"--stdin"_s, u"[given]"_s }),
        "not this");
    QCOMPARE(end.out, QByteArray("[given]\n"));
}

void TestRunLive::forwardsStdinLive()
{
    const auto program
        = m_fixture->start(runArguments({ u"-e"_s, u"while True:\n  print('got', input())"_s }));
    for (const auto* word : { "one", "two" }) {
        program->write(QByteArray(word) + '\n');
        QVERIFY(program->waitForOutput("got " + QByteArray(word) + '\n'));
    }
    program->closeStdin();
    const auto end = program->end();
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("EOFError"), end.err.constData());
}

void TestRunLive::forwardsBinaryStdin()
{
    QByteArray bytes(3 << 20, Qt::Uninitialized);
    for (qsizetype i = 0; i < bytes.size(); ++i)
        bytes[i] = char((i * 2654435761U) >> 13);
    const auto end = m_fixture->run(
        runArguments({ u"-e"_s,
            u"import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"_s }),
        bytes);
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(
        end.out.trimmed(), QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

void TestRunLive::treatsClosedStdinAsEmpty()
{
    const auto end
        = m_fixture->shell(u"\"$ISOL8\" run -e 'import sys; print(len(sys.stdin.read()))' <&-"_s);
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("0\n"));
}

void TestRunLive::delivers100Megabytes()
{
    const auto end = m_fixture->run(runArguments({ u"--max-output"_s, u"200m"_s, u"--timeout"_s,
        u"5m"_s, u"-e"_s,
        u"import sys\nblock = bytes(range(256)) * 4096\nfor i in range(100): sys.stdout.buffer.write(block)"_s }));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out.size(), 100 << 20);
    QByteArray block;
    for (int i = 0; i < 256; ++i)
        block += char(i);
    block = block.repeated(4096);
    QCryptographicHash expected(QCryptographicHash::Sha1);
    for (int i = 0; i < 100; ++i)
        expected.addData(block);
    QCOMPARE(QCryptographicHash::hash(end.out, QCryptographicHash::Sha1), expected.result());
    QCOMPARE(end.err, QByteArray());
}

void TestRunLive::returnsExitCodes_data()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<int>("code");
    QTest::newRow("0") << u"true"_s << 0;
    QTest::newRow("1") << u"false"_s << 1;
    QTest::newRow("42") << u"exit 42"_s << 42;
    QTest::newRow("255") << u"exit 255"_s << 255;
    QTest::newRow("SIGSEGV") << u"kill -SEGV $$"_s << 139;
    QTest::newRow("SIGKILL") << u"kill -KILL $$"_s << 137;
}

void TestRunLive::returnsExitCodes()
{
    QFETCH(QString, command);
    QFETCH(int, code);
    const auto end = m_fixture->run(runArguments({ u"--cmd"_s, command }));
    QCOMPARE(end.exitCode, code);
    QCOMPARE(end.err.contains("[ERR]"), code > 128 && code < 255);
    QCOMPARE(end.out, QByteArray());
}

void TestRunLive::saysHowItEnded_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QList<QByteArray>>("texts");
    QTest::newRow("time") << QStringList {
        u"--timeout"_s, u"300"_s, u"--cmd"_s, u"trap '' TERM; sleep 1000"_s
    } << 137 << QList<QByteArray> { "[ERR] EXECUTION TIMED OUT after 300 ms", "--timeout" };
    QTest::newRow("memory") << QStringList { u"--memory"_s, u"64m"_s, u"-e"_s,
        u"x = bytearray(500_000_000)"_s }
                            << 137 << QList<QByteArray> { "[ERR] OUT OF MEMORY", "--memory" };
    QTest::newRow("setup") << QStringList { u"--setup"_s, u"exit 9"_s, u"--cmd"_s, u"echo never"_s }
                           << 9 << QList<QByteArray> { "setup script failed with exit code 9" };
    QTest::newRow("disk") << QStringList { u"--sandbox-size"_s, u"1m"_s, u"--cmd"_s,
        u"head -c 5000000 /dev/zero > big"_s }
                          << 1 << QList<QByteArray> { "[WARN]", "--sandbox-size" };
    QTest::newRow("disk, behind many complaints")
        << QStringList { u"--sandbox-size"_s, u"1m"_s, u"--cmd"_s,
               u"head -c 200000 /dev/zero | tr '\\0' q >&2; head -c 5000000 /dev/zero > big"_s }
        << 1 << QList<QByteArray> { "[WARN]", "--sandbox-size" };
    QTest::newRow("read-only") << QStringList { u"--cmd"_s, u"touch /usr/x"_s } << 1
                               << QList<QByteArray> { "[WARN]", "--writable" };
}

void TestRunLive::saysHowItEnded()
{
    QFETCH(QStringList, arguments);
    QFETCH(QList<QByteArray>, texts);
    const auto end = m_fixture->run(runArguments(arguments));
    QTEST(end.exitCode, "code");
    for (const auto& text : texts)
        QVERIFY2(end.err.contains(text), end.err.constData());
    QCOMPARE(end.out, QByteArray());
}

void TestRunLive::keepsTruncatedOutput()
{
    for (const auto& mode : { QStringList {}, QStringList { u"--no-stream"_s } }) {
        const auto end = m_fixture->run(
            runArguments({ u"--max-output"_s, u"100"_s, u"-e"_s, u"print('x' * 5000)"_s }) + mode);
        QCOMPARE(end.exitCode, 0);
        QVERIFY2(
            end.out.startsWith(QByteArray(90, 'x')) && end.out.size() < 400, end.out.constData());
        QVERIFY2(end.err.contains("[WARN] Output was truncated"), end.err.constData());
        QVERIFY2(end.err.contains("--max-output"), end.err.constData());
    }
}

void TestRunLive::printsBufferedOutput()
{
    const auto end = m_fixture->run(
        runArguments({ u"--no-stream"_s, u"--cmd"_s, u"echo out; echo err >&2; printf tail"_s }));
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, QByteArray("out\ntail"));
    QCOMPARE(end.err, QByteArray("err\n"));
}

void TestRunLive::printsJson()
{
    const auto end = m_fixture->run(runArguments({ u"--json"_s, u"--cmd"_s,
        u"echo out; echo err >&2; printf data > file; exit 3"_s, u"--get"_s, u"file"_s }));
    QCOMPARE(end.exitCode, 3);
    const auto json = QJsonDocument::fromJson(end.out).object();
    QCOMPARE(json.value(u"stdout"_s).toString(), u"out"_s);
    QCOMPARE(json.value(u"stderr"_s).toString(), u"err"_s);
    QCOMPARE(json.value(u"exitCode"_s).toInt(), 3);
    QCOMPARE(json.value(u"runtime"_s).toString(), u"bash"_s);
    QCOMPARE(json.value(u"files"_s).toObject().value(u"file"_s).toString(), u"ZGF0YQ=="_s);
    QCOMPARE(m_fixture->read(u"file"_s), QByteArray("data"));
    QCOMPARE(end.err, QByteArray());
}

void TestRunLive::masksSecrets()
{
    const auto end = m_fixture->shell(
        u"TOKEN=hunter2-value \"$ISOL8\" run --secret TOKEN --cmd 'echo $TOKEN; echo $TOKEN >&2; exec $TOKEN'"_s);
    QVERIFY2(end.out == "***\n", end.out.constData());
    QVERIFY2(end.err.startsWith("***\n") && !end.err.contains("hunter2"), end.err.constData());
}

void TestRunLive::writesOutFile()
{
    for (const auto& mode :
        { QStringList {}, QStringList { u"--no-stream"_s }, QStringList { u"--json"_s } }) {
        const auto end = m_fixture->run(
            runArguments({ u"--out"_s, u"out.txt"_s, u"--cmd"_s, u"echo both; echo no >&2"_s })
            + mode);
        QVERIFY2(end.exitCode == 0, end.err.constData());
        QCOMPARE(m_fixture->read(u"out.txt"_s), QByteArray("both\n"));
        if (!mode.contains(u"--json"_s))
            QCOMPARE(end.out, QByteArray("both\n"));
    }
}

void TestRunLive::reportsAFullOutFile()
{
    // The soft limit on file sizes stands for a full disk; 100 kB leave room for isol8's own files.
    const auto end
        = m_fixture->shell(u"ulimit -S -f 100; \"$ISOL8\" run --max-output 500m --timeout 5m "
                           "--out big.txt --cmd 'yes' > /dev/null"_s);
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("[ERR] Cannot write to 'big.txt'"), end.err.constData());
}

void TestRunLive::endsWhenNobodyReads()
{
    const auto end = m_fixture->shell(
        u"\"$ISOL8\" run --max-output 500m --timeout 5m --cmd 'yes' | head -1; echo ${PIPESTATUS[0]}"_s);
    QCOMPARE(end.out, QByteArray("y\n141\n"));
}

void TestRunLive::failsWithClosedStdout()
{
    const auto end = m_fixture->shell(u"\"$ISOL8\" run --cmd 'echo hi' >&-"_s);
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("[ERR] Cannot write to standard output"), end.err.constData());
    QCOMPARE(m_fixture->shell(u"\"$ISOL8\" run --cmd 'echo hi >&2; exit 4' 2>&-"_s).exitCode, 4);
}

void TestRunLive::injectsFiles()
{
    QVERIFY(QDir(m_fixture->path({})).mkpath(u"project/sub"_s));
    QVERIFY(QDir(m_fixture->path({})).mkpath(u"project/.git"_s));
    m_fixture->write(u"project/a.txt"_s, "A");
    m_fixture->write(u"project/sub/b.bin"_s, QByteArray("\0\xff", 2));
    m_fixture->write(u"project/.git/config"_s, "no");
    const auto end = m_fixture->run(runArguments({ u"--files"_s, u"project"_s, u"--cmd"_s,
        u"cat a.txt; od -An -tx1 sub/b.bin; ls -A | sort; touch sub/mine"_s }));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("A 00 ff\na.txt\nsub\n"));
}

void TestRunLive::fetchesFiles()
{
    QVERIFY(QDir(m_fixture->path({})).mkpath(u"results"_s));
    const auto end = m_fixture->run(runArguments({ u"--cmd"_s,
        u"mkdir out; printf '\\0\\377' > out/a; printf b > 'b b'; printf c > c"_s, u"--get"_s,
        u"out/a"_s, u"--get"_s, u"/sandbox/b b:renamed"_s, u"--get"_s, u"c:results"_s }));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(m_fixture->read(u"a"_s), QByteArray("\0\xff", 2));
    QCOMPARE(m_fixture->read(u"renamed"_s), QByteArray("b"));
    QCOMPARE(m_fixture->read(u"results/c"_s), QByteArray("c"));
}

void TestRunLive::reportsMissingFiles()
{
    const auto end = m_fixture->run(runArguments({ u"--cmd"_s, u"printf x > there"_s, u"--get"_s,
        u"nowhere"_s, u"--get"_s, u"there:in/no/folder"_s }));
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("[ERR] --get nowhere"), end.err.constData());
    QVERIFY2(end.err.contains("[ERR] Cannot write 'in/no/folder'"), end.err.constData());
}

void TestRunLive::keepsAContainer()
{
    const auto end = m_fixture->run(
        runArguments({ u"--persist"_s, u"--cmd"_s, u"echo hi > /sandbox/kept"_s }));
    QCOMPARE(end.exitCode, 0);
    static const QRegularExpression line(u"Container kept: ([0-9a-f]{64})"_s);
    const auto match = line.match(QString::fromUtf8(end.err));
    QVERIFY2(match.hasMatch(), end.err.constData());
    const auto id = match.captured(1);
    QVERIFY(end.err.contains("docker exec -it -u 100:101 " + id.left(12).toUtf8()));
    const bool isThere = m_fixture->hasContainer(id);
    m_fixture->removeContainer(id);
    QVERIFY(isThere);
}

void TestRunLive::keepsSessions()
{
    const auto session = uniqueSession();
    QCOMPARE(m_fixture
                 ->run(runArguments(
                     { u"--session-id"_s, session, u"-e"_s, u"open('a', 'w').write('5')"_s }))
                 .exitCode,
        0);
    const auto again = m_fixture->run(
        runArguments({ u"--session-id"_s, session, u"-e"_s, u"print(open('a').read())"_s }));
    QCOMPARE(again.out, QByteArray("5\n"));
    const auto other
        = m_fixture->run(runArguments({ u"--session-id"_s, session, u"--cmd"_s, u"true"_s }));
    QCOMPARE(other.exitCode, 1);
    QVERIFY2(other.err.contains("Cannot switch runtime"), other.err.constData());

    QVERIFY(m_fixture->run({ u"session"_s, u"list"_s }).out.contains(session.toUtf8()));
    const auto listed
        = QJsonDocument::fromJson(m_fixture->run({ u"session"_s, u"list"_s, u"--json"_s }).out);
    const auto sessions = listed.object().value(u"sessions"_s).toArray();
    const auto isIt
        = [&](const QJsonValue& each) { return each.toObject().value(u"id"_s) == session; };
    QCOMPARE(std::count_if(sessions.begin(), sessions.end(), isIt), 1);

    const auto stopped = m_fixture->run({ u"session"_s, u"stop"_s, session });
    QVERIFY2(stopped.exitCode == 0, stopped.err.constData());
    QCOMPARE(m_fixture->run({ u"session"_s, u"stop"_s, session }).exitCode, 1);
    QVERIFY(!m_fixture->run({ u"session"_s, u"list"_s }).out.contains(session.toUtf8()));
}

void TestRunLive::cleansUpOnlyWhenAllowed()
{
    const auto session = uniqueSession();
    QCOMPARE(m_fixture->run(runArguments({ u"--session-id"_s, session, u"--cmd"_s, u"true"_s }))
                 .exitCode,
        0);
    const auto refused = m_fixture->run({ u"cleanup"_s }, "y\n");
    const auto stopped = m_fixture->run({ u"session"_s, u"stop"_s, session });
    QCOMPARE(refused.exitCode, 1);
    QVERIFY2(refused.err.contains("--force"), refused.err.constData());
    QVERIFY2(stopped.exitCode == 0, stopped.err.constData());
}

void TestRunLive::refusesAMissingImage()
{
    const auto end = m_fixture->run(
        runArguments({ u"--image"_s, u"isol8-no-such-image:x"_s, u"-e"_s, u"1"_s }));
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("[ERR] ") && end.err.contains("isol8-no-such-image:x"),
        end.err.constData());
    QCOMPARE(end.out, QByteArray());
}

void TestRunLive::isFoundHealthy()
{
    const auto end = m_fixture->run({ u"doctor"_s, u"--json"_s });
    const auto json = QJsonDocument::fromJson(end.out).object();
    QStringList names;
    for (const auto& check : json.value(u"checks"_s).toArray()) {
        names << check.toObject().value(u"name"_s).toString();
        // Free space is this machine's own affair.
        if (names.last() != u"disk"_s)
            QVERIFY2(check.toObject().value(u"status"_s) != u"failed"_s, end.out.constData());
    }
    for (const auto& name : { u"docker"_s, u"api"_s, u"cgroup"_s, u"seccomp"_s, u"images"_s,
             u"guest"_s, u"run"_s, u"disk"_s })
        QVERIFY2(names.contains(name), qPrintable(name));
    const auto custom = m_fixture->run({ u"list-custom"_s, u"--json"_s });
    QVERIFY2(custom.exitCode == 0, custom.err.constData());
    QVERIFY(QJsonDocument::fromJson(custom.out).isArray());
}

QTEST_GUILESS_MAIN(TestRunLive)
#include "tst_run_live.moc"
