// SPDX-License-Identifier: MIT
#include "tests/abuse/abusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/engine/remote/fakeserver.h"

#include <QJsonDocument>

#include <csignal>

#include <sys/stat.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// ABUSE.md, section B8: the command line and its configuration.
class TestAbuseCli : public AbuseTest {
    Q_OBJECT

public:
    TestAbuseCli()
        : AbuseTest([] { return std::make_unique<EngineSubject>(); })
    {
    }

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseCli> cases[];

    /// A script with the program as "$ISOL8", in an empty folder of an empty home.
    [[nodiscard]] ProgramEnd shell(const QByteArray& script) const
    {
        return m_program->shell(QString::fromUtf8(script));
    }
    /// Arguments of `run` that must be refused.
    struct Refused {
        QStringList arguments;
        QString says; ///< In the sentence.
    };
    void verifyRefused(const QList<Refused>& calls);

    void numbers(World& world);
    void goodNumbers(World& world);
    void sizes(World& world);
    void goodSizes(World& world);
    void workingDirectories(World& world);
    void goodWorkingDirectories(World& world);
    void brokenPipes(World& world);
    void pipes(World& world);
    void signalsInEveryPhase(World& world);
    void stopAndGoOn(World& world);
    void configOfACheckout(World& world);
    void configOfTheUser(World& world);
    void brokenConfigs(World& world);
    void goodConfig(World& world);
    void buildArguments(World& world);
    void fakedLogin(World& world);
    void login(World& world);
    void escapes(World& world);
    void plainOutput(World& world);
    void badOutFiles(World& world);
    void outFile(World& world);
    void killedServer(World& world);
    void remoteRun(World& world);
    void hostileServers(World& world);
    void foreignContainers(World& world);
    void ownContainers(World& world);
    void runs(World& world);

    std::unique_ptr<ProgramFixture> m_program;
};

const Case<TestAbuseCli> TestAbuseCli::cases[] {
    { "CLI-01", &TestAbuseCli::numbers, &TestAbuseCli::goodNumbers },
    { "CLI-03", &TestAbuseCli::sizes, &TestAbuseCli::goodSizes },
    { "CLI-04", &TestAbuseCli::workingDirectories, &TestAbuseCli::goodWorkingDirectories },
    { "CLI-07", &TestAbuseCli::brokenPipes, &TestAbuseCli::pipes },
    { "CLI-08", &TestAbuseCli::signalsInEveryPhase, &TestAbuseCli::stopAndGoOn },
    { "CLI-10", &TestAbuseCli::configOfACheckout, &TestAbuseCli::configOfTheUser },
    { "CLI-11", &TestAbuseCli::brokenConfigs, &TestAbuseCli::goodConfig },
    { "CLI-13", &TestAbuseCli::buildArguments, &TestAbuseCli::runs },
    { "CLI-14", &TestAbuseCli::fakedLogin, &TestAbuseCli::login },
    { "CLI-15", &TestAbuseCli::escapes, &TestAbuseCli::plainOutput },
    { "CLI-16", &TestAbuseCli::badOutFiles, &TestAbuseCli::outFile },
    { "CLI-17", &TestAbuseCli::killedServer, &TestAbuseCli::remoteRun },
    { "CLI-18", &TestAbuseCli::hostileServers, &TestAbuseCli::remoteRun },
    { "CLI-19", &TestAbuseCli::foreignContainers, &TestAbuseCli::ownContainers },
};

void TestAbuseCli::attack_data()
{
    addRows<TestAbuseCli>(cases);
}

void TestAbuseCli::attack()
{
    m_program = std::make_unique<ProgramFixture>();
    perform<TestAbuseCli>(this, cases);
}

void TestAbuseCli::verifyRefused(const QList<Refused>& calls)
{
    QList<QStringList> programs;
    for (const auto& call : calls)
        programs << QStringList { u"run"_s } + call.arguments
                + QStringList { u"--cmd"_s, u"echo RAN"_s };
    const auto ends = m_program->runAll(programs);
    for (qsizetype i = 0; i < calls.size(); ++i) {
        const auto& end = ends[i];
        const auto shown = calls[i].arguments.join(u' ').toUtf8();
        QVERIFY2(end.exitCode > 0, shown.constData());
        QVERIFY2(!end.out.contains("RAN"), shown.constData());
        QVERIFY2(!end.err.isEmpty() && end.err.size() < 2'000, shown.constData());
        QVERIFY2(end.err.contains(calls[i].says.toUtf8()), (shown + ": " + end.err).constData());
    }
}

void TestAbuseCli::runs(World& world)
{
    const auto end
        = m_program->run({ u"run"_s, u"--cmd"_s, u"echo "_s + QString::fromLatin1(world.marker) });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, world.marker + '\n');
}

void TestAbuseCli::numbers(World&)
{
    // Every flag and every value; tst_runplan has all of them together.
    const QStringList flags { u"--timeout"_s, u"--cpu"_s, u"--pids-limit"_s, u"--max-output"_s };
    const QStringList values { u"abc"_s, u"-1"_s, u"0"_s, u"1e400"_s, u"99999999999999999999"_s,
        u"0x10"_s, u" 5"_s, u"٥"_s, u"1,5"_s, u"NaN"_s, u"inf"_s };
    QList<Refused> calls;
    for (qsizetype i = 0; i < values.size(); ++i)
        calls << Refused { { flags[i % flags.size()] + u'=' + values[i] }, values[i].trimmed() };
    for (const auto& flag : flags)
        calls << Refused { { flag + u'=' }, flag };
    verifyRefused(calls);
}

void TestAbuseCli::goodNumbers(World&)
{
    const auto end = m_program->run({ u"run"_s, u"--timeout"_s, u"2m"_s, u"--cpu"_s, u"0.5"_s,
        u"--pids-limit"_s, u"20"_s, u"--max-output"_s, u"3"_s, u"--cmd"_s, u"echo RAN"_s });
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "RAN"_ba);
    QVERIFY(end.err.contains("[WARN] Output was truncated"));
}

void TestAbuseCli::sizes(World&)
{
    const QStringList flags { u"--memory"_s, u"--sandbox-size"_s, u"--tmp-size"_s };
    const QStringList values { u"999999999999g"_s, u"-1m"_s, u"0"_s, u"1.5g"_s, u"m"_s, u"5 m"_s,
        u"1e3m"_s, u"５m"_s, u"64m,exec,suid"_s, u"50%"_s };
    QList<Refused> calls;
    for (qsizetype i = 0; i < values.size(); ++i)
        calls << Refused { { flags[i % flags.size()] + u'=' + values[i] }, values[i].left(2) };
    // Below the least, which is each flag's own; and what would end up in a mount's options.
    for (const auto& flag : flags)
        calls << Refused { { flag + u"=1k"_s }, u"1k"_s };
    for (qsizetype i = 1; i < flags.size(); ++i)
        calls << Refused { { flags[i] + u"=64m,exec,suid"_s }, u"64"_s };
    verifyRefused(calls);
}

void TestAbuseCli::goodSizes(World&)
{
    const auto end = m_program->run({ u"run"_s, u"--memory"_s, u"96MB"_s, u"--sandbox-size"_s,
        u"8m"_s, u"--tmp-size"_s, u"4MiB"_s, u"--cmd"_s,
        u"df -k --output=size /sandbox /tmp | tail -n 2 | tr -d ' '"_s });
    QCOMPARE(end.out, "8192\n4096\n"_ba);
}

void TestAbuseCli::workingDirectories(World&) // ESC-13
{
    QList<Refused> calls;
    for (const auto& path : { u"/"_s, u"/etc"_s, u"/sandbox/../etc"_s, u"/proc/self/fd/8"_s,
             u"../x"_s, u"/sandbox2"_s, u"/sandbox/a\nb"_s })
        calls << Refused { { u"--workdir="_s + path }, u"/sandbox"_s };
    verifyRefused(calls);
}

void TestAbuseCli::goodWorkingDirectories(World&)
{
    const auto end
        = m_program->run({ u"run"_s, u"--workdir"_s, u"/sandbox/a b"_s, u"--cmd"_s, u"pwd"_s });
    QCOMPARE(end.out, "/sandbox/a b\n"_ba);
}

void TestAbuseCli::brokenPipes(World& world)
{
    // Whoever does not listen any more ends the run, which would go on for ten minutes.
    const auto run = "\"$ISOL8\" run --timeout 10m --cmd 'while :; do echo " + world.marker
        + "; done; sleep 600' "_ba;
    auto end = shell(run + "| head -1; exit ${PIPESTATUS[0]}");
    QCOMPARE(end.out, world.marker + '\n');
    QVERIFY(end.exitCode > 0);
    end = shell(run + ">/dev/full");
    QVERIFY(end.exitCode > 0);
    QVERIFY2(end.err.contains("[ERR]"), end.err.constData());
    end = shell(run + ">&-");
    QVERIFY(end.exitCode > 0);
    end = shell("\"$ISOL8\" run </"); // Code from a folder.
    QVERIFY(end.exitCode > 0);
    QVERIFY2(end.err.contains("[ERR]"), end.err.constData());
    end = shell("\"$ISOL8\" run </dev/zero");
    QVERIFY(end.exitCode > 0);
    QVERIFY2(end.err.contains("[ERR]"), end.err.constData());
}

void TestAbuseCli::pipes(World&)
{
    const auto end
        = shell("echo 'print(input())' > in.py; echo hi | \"$ISOL8\" run in.py | tr h H; "
                "echo 'print(2)' | \"$ISOL8\" run; \"$ISOL8\" run -e 'print(3)' <&-");
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "Hi\n2\n3\n"_ba);
}

void TestAbuseCli::signalsInEveryPhase(World& world)
{
    const auto marker = QString::fromLatin1(world.marker);
    const QStringList running { u"run"_s, u"--cmd"_s,
        u"trap '' INT TERM HUP QUIT; echo up; exec -a %1 sleep 600"_s.arg(marker) };
    const QStringList inSetup { u"run"_s, u"--setup"_s,
        u"echo up; exec -a %1 sleep 600"_s.arg(marker), u"--cmd"_s, u"true"_s };
    const int numbers[] { SIGTERM, SIGHUP, SIGQUIT };
    for (const auto& arguments : { running, inSetup }) {
        std::vector<std::unique_ptr<LiveProgram>> going; // All three at once: it takes less.
        for ([[maybe_unused]] const int number : numbers)
            going.push_back(m_program->start(arguments));
        for (const auto& program : going)
            QVERIFY(program->waitForOutput("up"));
        for (size_t i = 0; i < going.size(); ++i)
            going[i]->signal(numbers[i]);
        for (size_t i = 0; i < going.size(); ++i) {
            const auto end = going[i]->end();
            QVERIFY2(end.exitCode == 128 + numbers[i], end.err.constData());
            QVERIFY(m_program->isNothingLeftOf(going[i]->pid()));
        }
    }
    // The first interrupt is the program's, which goes on; the second is for isol8.
    const auto program = m_program->start(
        { u"run"_s, u"--cmd"_s, u"trap 'echo INT' INT; echo up; while :; do sleep 0.1; done"_s });
    QVERIFY(program->waitForOutput("up"));
    program->signal(SIGINT);
    QVERIFY(program->waitForOutput("INT"));
    program->signal(SIGINT);
    QCOMPARE(program->end().exitCode, 128 + SIGINT);
    QVERIFY(m_program->isNothingLeftOf(program->pid()));
    // No signal can be caught here, and it all goes.
    const auto killed = m_program->start(running);
    QVERIFY(killed->waitForOutput("up"));
    killed->signal(SIGKILL);
    QVERIFY(killed->end().exitCode != 0);
    QVERIFY(m_program->isNothingLeftOf(killed->pid()));
}

void TestAbuseCli::stopAndGoOn(World&)
{
    const auto program = m_program->start({ u"run"_s, u"--cmd"_s,
        u"trap 'echo caught; exit 5' INT; echo up; read -r line; echo $line; "
        "while :; do sleep 0.1; done"_s });
    QVERIFY(program->waitForOutput("up"));
    program->signal(SIGTSTP);
    program->signal(SIGCONT);
    program->write("on\n");
    QVERIFY(program->waitForOutput("on"));
    program->signal(SIGINT);
    const auto end = program->end();
    QCOMPARE(end.exitCode, 5);
    QVERIFY(end.out.endsWith("caught\n"));
}

void TestAbuseCli::configOfACheckout(World& world)
{
    m_program->write(
        u"x.sh"_s, "#!/bin/sh\ntouch \"" + m_program->path(u"ran"_s).toUtf8() + "\"\n");
    QVERIFY(::chmod(QFile::encodeName(m_program->path(u"x.sh"_s)).constData(), 0755) == 0);
    m_program->write(u"isol8.config.json"_s,
        R"({"defaults":{"network":"host"},
        "audit":{"enabled":true,"postLogScript":"./x.sh"},
        "security":{"seccomp":"unconfined"},"remoteCode":{"enabled":true},
        "network":{"allowPrivate":true,"caBundle":")"
            + world.canary.toUtf8() + R"("}})");
    const auto end = m_program->run(
        { u"run"_s, u"--cmd"_s, u"grep -c : /proc/net/dev; grep Seccomp: /proc/self/status"_s });
    QCOMPARE(end.exitCode, 0);
    QVERIFY2(end.out.startsWith("1\nSeccomp:\t2\n"), end.out.constData()); // Only lo.
    // The file is named, and the keys of it that do not count.
    QVERIFY2(end.err.contains("isol8.config.json"), end.err.constData());
    for (const auto* key : { "defaults.network", "audit.postLogScript", "security.seccomp",
             "network.allowPrivate", "network.caBundle", "remoteCode.enabled" })
        QVERIFY2(end.err.contains(key), end.err.constData());
    QCOMPARE(m_program->read(u"ran"_s), "(no such file)"_ba);
}

void TestAbuseCli::configOfTheUser(World&)
{
    m_program->write(u"isol8.config.json"_s, R"({"defaults":{"memoryLimit":"96m"}})");
    const auto end = m_program->run({ u"config"_s, u"--json"_s });
    QCOMPARE(end.exitCode, 0);
    QVERIFY2(end.out.contains("96m"), end.out.constData());
}

void TestAbuseCli::brokenConfigs(World&)
{
    const QList<std::pair<QByteArray, QByteArray>> files {
        { "mkdir isol8.config.json", "isol8.config.json" },
        { "mkfifo isol8.config.json", "isol8.config.json" },
        { "truncate -s 1G isol8.config.json", "isol8.config.json" },
        { "ln -s /dev/zero isol8.config.json", "isol8.config.json" },
        { "ln -s nowhere isol8.config.json", "isol8.config.json" },
        { "printf '\\xef\\xbb\\xbf{}' > isol8.config.json", "line 1" },
        { "printf '{\\n  // why\\n}' > isol8.config.json", "line 2" },
        { "printf '{\"debug\":true,\\n\"debug\":false}' > isol8.config.json", "line 2" },
        { "echo '{\"maxConcurrent\":\"many\"}' > isol8.config.json", "maxConcurrent" },
        { "echo '{\"defaults\":{\"timeoutMs\":-1}}' > isol8.config.json", "defaults.timeoutMs" },
        { "echo '[]' > isol8.config.json", "line 1" },
    };
    // Each in a folder of its own, four at once.
    QByteArray script;
    for (qsizetype i = 0; i < files.size(); ++i) {
        const auto folder = QByteArray::number(i);
        script += "mkdir " + folder + " && (cd " + folder + " && " + files[i].first
            + "; \"$ISOL8\" run --cmd 'echo RAN' >out 2>err; echo $? >code) &\n";
        if (i % 4 == 3)
            script += "wait\n";
    }
    QCOMPARE(shell(script + "wait").exitCode, 0);
    for (qsizetype i = 0; i < files.size(); ++i) {
        const auto& [make, says] = files[i];
        const auto folder = QString::number(i);
        const auto err = m_program->read(folder + u"/err"_s);
        QVERIFY2(m_program->read(folder + u"/code"_s) == "1\n", (make + err).constData());
        QVERIFY2(m_program->read(folder + u"/out"_s).isEmpty(), make.constData());
        QVERIFY2(err.contains("[ERR]") && err.contains(says) && err.size() < 2'000,
            (make + err).constData());
    }
}

void TestAbuseCli::goodConfig(World&)
{
    // An unknown key is worth a warning, no more.
    const auto end = shell("echo '{\"$schema\":\"x\",\"maxConcurent\":3}' > isol8.config.json; "
                           "\"$ISOL8\" run --cmd 'echo RAN'");
    QCOMPARE(end.exitCode, 0);
    QCOMPARE(end.out, "RAN\n"_ba);
    QVERIFY2(end.err.contains("did you mean maxConcurrent?"), end.err.constData());
}

void TestAbuseCli::buildArguments(World&)
{
    QList<QStringList> calls;
    for (const auto& package : { u"a\nRUN touch /x"_s, u"-rf"_s, u"--index-url=x"_s, u"a;b"_s,
             u"$(id)"_s, u"`id`"_s, u"git+ssh://x"_s, u"file:///etc"_s, u"../x"_s, u"a b"_s })
        calls << QStringList { u"build"_s, u"--base"_s, u"python"_s, u"--install="_s + package,
            u"--tag"_s, u"isol8-test:none"_s };
    for (const auto& tag :
        { u"-x"_s, u"UPPER"_s, u"a@sha256:00"_s, u"a b"_s, u"a:b:c"_s, u""_s, u"../x"_s })
        calls << QStringList { u"build"_s, u"--base"_s, u"bash"_s, u"--setup"_s, u"true"_s,
            u"--tag="_s + tag };
    const auto ends = m_program->runAll(calls);
    for (qsizetype i = 0; i < calls.size(); ++i) {
        const auto shown = calls[i].join(u' ').toUtf8();
        QVERIFY2(ends[i].exitCode > 0 && ends[i].err.contains("[ERR]"), shown.constData());
        QVERIFY2(!ends[i].out.contains("[DONE]"), shown.constData());
    }
}

void TestAbuseCli::fakedLogin(World& world)
{
    // A server that sends its clients on, and another that would like to hear the key.
    remote::FakeServer thief;
    thief.onRequest = [](QTcpSocket& socket, const remote::FakeRequest&) {
        remote::FakeServer::answer(socket, 200, R"({"token":"t","keyId":"k"})");
        return true;
    };
    remote::FakeServer server;
    server.onRequest = [&](QTcpSocket& socket, const remote::FakeRequest&) {
        remote::FakeServer::answer(
            socket, 307, "{}", "Location: " + thief.url().toLatin1() + "/auth/login\r\n");
        return true;
    };
    const auto key = QString::fromLatin1(world.secret);
    auto end = m_program->run({ u"login"_s, u"--host"_s, server.url(), u"--key"_s, key });
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("does not follow"), end.err.constData());
    QVERIFY(!end.err.contains(world.secret));
    QVERIFY(thief.requests.isEmpty());

    // Its token goes to no other address.
    server.onRequest = thief.onRequest;
    end = m_program->run({ u"login"_s, u"--host"_s, server.url(), u"--key"_s, key });
    QCOMPARE(end.exitCode, 0);
    end = m_program->run({ u"session"_s, u"list"_s, u"--host"_s, thief.url() });
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("API key required"), end.err.constData());
    QVERIFY(thief.requests.isEmpty());

    // A link in the place of the file leads nowhere.
    end = shell("umask 000; rm ~/.isol8/credentials.json; echo untouched > victim; "
                "ln -s \"$PWD/victim\" ~/.isol8/credentials.json; \"$ISOL8\" login --host "
        + server.url().toLatin1() + " --key k; cat victim");
    QVERIFY2(end.out.contains("untouched"), (end.out + end.err).constData());
    // And a broken one is refused, not overwritten.
    end = shell(
        "rm -f ~/.isol8/credentials.json; (umask 077; echo nonsense > ~/.isol8/credentials.json); "
        "\"$ISOL8\" login --host "
        + server.url().toLatin1() + " --key k; echo $?; cat ~/.isol8/credentials.json");
    QCOMPARE(end.out, "1\nnonsense\n"_ba);
}

void TestAbuseCli::login(World&)
{
    ServerProcess::Options options;
    options.arguments = { u"--auth-db"_s, u"keys.db"_s };
    ServerProcess server(options);
    QVERIFY2(server.start(), server.log().constData());
    const auto host = u"http://127.0.0.1:%1"_s.arg(server.port()).toLatin1();
    const auto end = shell("umask 000; rm -f ~/.isol8/credentials.json; unset ISOL8_API_KEY; "
                           "\"$ISOL8\" login --host "
        + host + " --key master && stat -c %a ~/.isol8/credentials.json && \"$ISOL8\" run --host "
        + host + " --cmd 'echo hi' && \"$ISOL8\" logout --host " + host
        + " && ! \"$ISOL8\" run --host " + host + " --cmd 'echo RAN'");
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, "600\nhi\n"_ba);
    QCOMPARE(server.terminate(), 0);
}

void TestAbuseCli::escapes(World&)
{
    const auto nasty = u"\x1b]0;title\x07\x1b[2J\r\u202e"_s;
    const QList<QStringList> calls { { u"run"_s, u"--session-id="_s + nasty, u"-e"_s, u"1"_s },
        { u"run"_s, nasty + u".py"_s }, { u"run"_s, u"--image="_s + nasty, u"-e"_s, u"1"_s },
        { u"run"_s, u"--env="_s + nasty, u"-e"_s, u"1"_s }, { u"run"_s, u"--"_s + nasty },
        { u"run"_s, u"--get="_s + nasty, u"-e"_s, u"1"_s }, { nasty },
        { u"session"_s, u"stop"_s, nasty }, { u"run"_s, u"--timeout="_s + nasty, u"-e"_s, u"1"_s },
        { u"build"_s, u"--base"_s, u"python"_s, u"--install="_s + nasty, u"--tag"_s, u"x"_s } };
    const auto ends = m_program->runAll(calls);
    for (qsizetype i = 0; i < calls.size(); ++i) {
        const auto shown = calls[i].join(u' ').toUtf8().toPercentEncoding();
        QVERIFY2(ends[i].exitCode > 0, shown.constData());
        for (const auto& byte : { "\x1b"_ba, "\r"_ba, "\x07"_ba, "\u202e"_ba })
            QVERIFY2(
                !ends[i].err.contains(byte), (shown + ends[i].err.toPercentEncoding()).constData());
    }
    remote::FakeServer server;
    server.onRequest = [&](QTcpSocket& socket, const remote::FakeRequest&) {
        remote::FakeServer::answer(socket, 500, R"({"error":"\u001b]52;c;eA==\u0007\u202e"})");
        return true;
    };
    const auto end = m_program->run(
        { u"run"_s, u"--host"_s, server.url(), u"--key"_s, u"k"_s, u"-e"_s, u"1"_s });
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(!end.err.contains('\x1b') && !end.err.contains("\u202e"), end.err.constData());
}

void TestAbuseCli::plainOutput(World&)
{
    // What the program itself prints is its own.
    const auto end = m_program->run({ u"run"_s, u"--cmd"_s, u"printf '\\033[1mbold\\a\\r\\n'"_s });
    QCOMPARE(end.out, "\x1b[1mbold\x07\r\n"_ba);
}

void TestAbuseCli::badOutFiles(World& world)
{
    const auto run = "\"$ISOL8\" run --cmd 'seq 100000; echo " + world.marker + "' --out "_ba;
    for (const auto* file : { "/dev/full", "/", "/nonexistent/x", "\"\"" }) {
        const auto end = shell(run + file);
        QVERIFY2(end.exitCode > 0 && end.err.contains("[ERR]"), (file + end.err).constData());
    }
}

void TestAbuseCli::outFile(World& world)
{
    const auto end = shell("\"$ISOL8\" run --cmd 'echo " + world.marker
        + "' --out saved; cat saved; ln -s target link; \"$ISOL8\" run --no-stream --cmd 'echo "
          "again' --out "
          "link; cat link");
    QCOMPARE(end.out, world.marker + '\n' + world.marker + "\nagain\nagain\n");
}

void TestAbuseCli::killedServer(World& world)
{
    ServerProcess server;
    QVERIFY2(server.start(), server.log().constData());
    const auto program = m_program->start({ u"run"_s, u"--host"_s,
        u"http://127.0.0.1:%1"_s.arg(server.port()), u"--key"_s, u"master"_s, u"--cmd"_s,
        u"echo arrived; exec -a %1 sleep 600"_s.arg(QString::fromLatin1(world.marker)) });
    QVERIFY(program->waitForOutput("arrived"));
    server.kill();
    const auto end = program->end();
    QCOMPARE(end.exitCode, 1);
    QCOMPARE(end.out, "arrived\n"_ba);
    QVERIFY2(end.err.toLower().contains("lost connection"), end.err.constData());
    QVERIFY(m_program->isNothingLeftOf(server.pid()));
}

void TestAbuseCli::remoteRun(World& world)
{
    ServerProcess server;
    QVERIFY2(server.start(), server.log().constData());
    const auto end = m_program->run(
        { u"run"_s, u"--host"_s, u"http://127.0.0.1:%1"_s.arg(server.port()), u"--key"_s,
            u"master"_s, u"--cmd"_s, u"echo %1; exit 4"_s.arg(QString::fromLatin1(world.marker)) });
    QCOMPARE(end.exitCode, 4);
    QCOMPARE(end.out, world.marker + '\n');
    QCOMPARE(server.terminate(), 0);
}

void TestAbuseCli::hostileServers(World&)
{
    using remote::FakeServer;
    const QList<std::pair<QByteArray, std::function<void(QTcpSocket&)>>> answers {
        { "an endless line",
            [](QTcpSocket& socket) {
                FakeServer::beginEvents(socket);
                socket.write("data: " + QByteArray(12 << 20, 'x'));
            } },
        { "no JSON",
            [](QTcpSocket& socket) {
                FakeServer::beginEvents(socket);
                socket.write("data: nonsense\n\n");
            } },
        { "no exit code",
            [](QTcpSocket& socket) {
                FakeServer::beginEvents(socket);
                FakeServer::sendEvent(socket, remote::makeEvent(u"exit"_s, u"abc"_s));
            } },
        { "an end without an exit",
            [](QTcpSocket& socket) {
                FakeServer::beginEvents(socket);
                FakeServer::sendEvent(socket, remote::makeEvent(u"stdout"_s, u"partly"_s));
                socket.disconnectFromHost();
            } },
        { "a redirect to a file",
            [](QTcpSocket& socket) {
                FakeServer::answer(socket, 302, "{}", "Location: file:///etc/passwd\r\n");
            } },
        { "a page", [](QTcpSocket& socket) { FakeServer::answer(socket, 200, "<html>"); } },
        { "silence and the end", [](QTcpSocket& socket) { socket.disconnectFromHost(); } },
    };
    std::vector<std::unique_ptr<FakeServer>> servers;
    QList<QStringList> calls;
    for (const auto& each : answers) {
        servers.push_back(std::make_unique<FakeServer>());
        servers.back()->onRequest
            = [&answer = each.second](QTcpSocket& socket, const remote::FakeRequest& request) {
                  if (!request.target.startsWith("/execute/stream"))
                      return false;
                  answer(socket);
                  return true;
              };
        calls << QStringList { u"run"_s, u"--host"_s, servers.back()->url(), u"--key"_s, u"k"_s,
            u"-e"_s, u"print(1)"_s };
    }
    const auto ends = m_program->runAll(calls);
    for (qsizetype i = 0; i < calls.size(); ++i) {
        const auto& name = answers[i].first;
        const auto& end = ends[i];
        QVERIFY2(end.exitCode == 1, (name + end.err).constData());
        QVERIFY2(end.err.contains("[ERR]") && end.err.size() < 4'000,
            (name + end.err.left(500)).constData());
        QVERIFY2(!end.out.contains("root:"), name.constData());
    }
}

void TestAbuseCli::foreignContainers(World& world)
{
    // One of a foreign project from our image, and one that lives with its owner.
    docker::ContainerSpec spec;
    spec.image = u"isol8:bash"_s;
    spec.entrypoint = { u"sleep"_s, u"600"_s };
    const auto name = QString::fromLatin1("foreign-" + world.marker);
    const auto id = QCoro::waitFor(client().createContainer(spec, name));
    QVERIFY2(id, id ? "" : qPrintable(id.error().message));
    const auto end = m_program->run({ u"cleanup"_s, u"--force"_s });
    const bool isThere = QCoro::waitFor(client().inspectContainer(*id)).has_value();
    QVERIFY(QCoro::waitFor(client().removeContainer(*id)));
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QVERIFY(isThere);
    QVERIFY(QCoro::waitFor(client().inspectImage(u"isol8:bash"_s)));
}

void TestAbuseCli::ownContainers(World&)
{
    const auto kept
        = m_program->run({ u"run"_s, u"--persist"_s, u"--json"_s, u"--cmd"_s, u"true"_s });
    const auto id = QJsonDocument::fromJson(kept.out)[u"containerId"_s].toString();
    QVERIFY(m_program->hasContainer(id));
    const auto end = m_program->run({ u"cleanup"_s, u"--force"_s });
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QVERIFY(!m_program->hasContainer(id));
}

QTEST_GUILESS_MAIN(TestAbuseCli)
#include "tst_abuse_cli.moc"
