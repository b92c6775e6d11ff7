// SPDX-License-Identifier: MIT
#include "tests/app/isolatedprogram.h"

#include <QFile>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8::tests;

/// The program itself, in everything that needs no Docker.
class TestCli : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void printsHelpWithoutArguments();
    void printsVersion_data();
    void printsVersion();
    void describesEveryCommand_data();
    void describesEveryCommand();
    void showsDefaultsOfFlags();
    void saysUnknown_data();
    void saysUnknown();
    void refusesBadUsage_data();
    void refusesBadUsage();
    void takesValuesAsTyped_data();
    void takesValuesAsTyped();
    void saysThatDockerIsMissing_data();
    void saysThatDockerIsMissing();
    void masksSecretsInItsSentences_data();
    void masksSecretsInItsSentences();
    void showsNoSecretsInTheProcessList();
    void fetchesNothingUntold();
    void escapesWhatItRepeats();
    void refusesBadOutFiles_data();
    void refusesBadOutFiles();
    void refusesAnEndlessProgram();
    void refusesAFolderOnStdin();
    void failsWhenItCannotWrite();
    void keepsClosedDescriptorsClosed();
    void printsCompletion_data();
    void printsCompletion();

private:
    [[nodiscard]] Outcome run(
        const QStringList& arguments, const QMap<QString, QString>& variables = {}) const
    {
        return m_program->run(arguments, variables);
    }
    [[nodiscard]] Outcome shell(const QString& script) const { return m_program->shell(script); }

    std::unique_ptr<IsolatedProgram> m_program;
};

void TestCli::init()
{
    m_program = std::make_unique<IsolatedProgram>();
}

void TestCli::printsHelpWithoutArguments()
{
    const auto plain = run({});
    QCOMPARE(plain.exitCode, 0);
    QVERIFY(plain.out.contains("\nCommands:\n"));
    QCOMPARE(plain.err, QByteArray());
    QCOMPARE(run({ u"--help"_s }).out, plain.out);
    QCOMPARE(run({ u"-h"_s }).out, plain.out);
    for (const auto* command : { "run", "setup", "build", "list-custom", "cleanup", "config",
             "serve", "login", "logout", "session", "doctor", "completion", "gui" })
        QVERIFY2(plain.out.contains("\n  " + QByteArray(command) + ' '), command);
}

void TestCli::printsVersion_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("alone") << QStringList { u"--version"_s };
    QTest::newRow("with more") << QStringList { u"--version"_s, u"--version"_s };
}

void TestCli::printsVersion()
{
    QFETCH(QStringList, arguments);
    const auto outcome = run(arguments);
    QCOMPARE(outcome.exitCode, 0);
    static const QRegularExpression version(u"\\A\\d+\\.\\d+\\.\\d+\\n\\z"_s);
    QVERIFY2(version.match(QString::fromUtf8(outcome.out)).hasMatch(), outcome.out.constData());
    QCOMPARE(outcome.err, QByteArray());
}

void TestCli::describesEveryCommand_data()
{
    QTest::addColumn<QStringList>("command");
    QTest::addColumn<QList<QByteArray>>("words");
    const auto row = [](const QString& command, const QList<QByteArray>& words) {
        QTest::addRow("%s", qPrintable(command)) << command.split(u' ') << words;
    };
    row(u"run"_s,
        { "-e,--eval", "--cmd", "-r,--runtime", "--net", "--allow", "--deny", "--allow-host",
            "--deny-host", "--out", "--no-stream", "--json", "-t,--tty", "--persistent",
            "--session-id", "--persist", "--debug", "--timeout", "--memory", "--cpu",
            "--pids-limit", "--image", "--writable", "--max-output", "--secret", "--env",
            "--sandbox-size", "--tmp-size", "--stdin", "--install", "--setup", "--workdir",
            "--files", "--get", "--url", "--github", "--gist", "--hash",
            "--allow-insecure-code-url", "--log-network", "--agent-flags", "--host", "--key" });
    row(u"setup"_s,
        { "--force", "--python", "--node", "--bun", "--deno", "--bash", "--runtime", "--source" });
    row(u"build"_s, { "--base", "--install", "--setup", "--tag", "--force" });
    row(u"list-custom"_s, { "--json" });
    row(u"cleanup"_s, { "--force", "--images" });
    row(u"config"_s, { "--json", "--validate", "--trust" });
    row(u"serve"_s,
        { "-p,--port", "-k,--key", "--bind", "--tls-cert", "--tls-key", "--auth-db", "--update",
            "--debug" });
    row(u"login"_s, { "--host", "--key", "--name", "--ttl" });
    row(u"logout"_s, { "--host", "--key" });
    row(u"session"_s, { "list", "stop" });
    row(u"session list"_s, { "--host", "--key", "--json" });
    row(u"session stop"_s, { "--host", "--key", "--json" });
    row(u"doctor"_s, { "--json" });
    row(u"completion"_s, { "bash|zsh|fish" });
    row(u"gui"_s, { "files" });
}

void TestCli::describesEveryCommand()
{
    QFETCH(QStringList, command);
    QFETCH(QList<QByteArray>, words);
    const auto outcome = run(command + QStringList { u"--help"_s });
    QCOMPARE(outcome.exitCode, 0);
    QVERIFY(outcome.out.contains("Usage: isol8 " + command.join(u' ').toUtf8()));
    for (const auto& word : words)
        QVERIFY2(outcome.out.contains(word), word.constData());
    QCOMPARE(outcome.err, QByteArray());
}

void TestCli::showsDefaultsOfFlags()
{
    const auto help = run({ u"run"_s, u"--help"_s }).out;
    for (const auto* text :
        { "[30000]", "[512m]", "[1.0]", "[64]", "[1048576]", "[256m]", "[/sandbox]", "[none]" })
        QVERIFY2(help.contains(text), text);
    for (const auto& line : help.split('\n')) {
        if (line.startsWith("  --json") || line.startsWith("  --writable")
            || line.startsWith("  --persist"))
            QVERIFY2(line.contains("default: off"), line.constData());
    }
}

void TestCli::saysUnknown_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("command") << QStringList { u"frobnicate"_s } << QByteArray("frobnicate");
    QTest::newRow("slip") << QStringList { u"rnu"_s } << QByteArray("`isol8 run`");
    QTest::newRow("command with help")
        << QStringList { u"frobnicate"_s, u"--help"_s } << QByteArray("frobnicate");
    QTest::newRow("flag") << QStringList { u"--frob"_s } << QByteArray("--frob");
    QTest::newRow("flag of run") << QStringList { u"run"_s, u"--frob"_s, u"-e"_s, u"1"_s }
                                 << QByteArray("--frob");
    QTest::newRow("flag with value")
        << QStringList { u"run"_s, u"--timeuot=5"_s } << QByteArray("--timeout");
    QTest::newRow("short flag") << QStringList { u"run"_s, u"-x"_s } << QByteArray("-x");
    QTest::newRow("flag of setup")
        << QStringList { u"setup"_s, u"--eval"_s } << QByteArray("--eval");
    QTest::newRow("argument") << QStringList { u"run"_s, u"a.py"_s, u"b.py"_s }
                              << QByteArray("b.py");
    QTest::newRow("session command")
        << QStringList { u"session"_s, u"frob"_s } << QByteArray("frob");
    QTest::newRow("shell") << QStringList { u"completion"_s, u"tcsh"_s } << QByteArray("tcsh");
}

void TestCli::saysUnknown()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, name);
    const auto outcome = run(arguments);
    QVERIFY(outcome.exitCode > 0);
    QVERIFY2(
        outcome.err.contains("unknown") && outcome.err.contains(name), outcome.err.constData());
    QVERIFY(outcome.err.startsWith("[ERR] "));
    QCOMPARE(outcome.out, QByteArray());
}

void TestCli::refusesBadUsage_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const QStringList& arguments, const QByteArray& text) {
        QTest::addRow("%s", qPrintable(arguments.join(u' '))) << arguments << text;
    };
    const QStringList one { u"run"_s, u"-e"_s, u"1"_s };
    row(one + QStringList { u"--timeout"_s, u"abc"_s }, "\"abc\"");
    row(one + QStringList { u"--timeout"_s, u"0"_s }, "--timeout");
    row(one + QStringList { u"--timeout"_s, u"-1"_s }, "-1");
    row(one + QStringList { u"--timeout="_s }, "--timeout");
    row(one + QStringList { u"--cpu"_s, u"NaN"_s }, "NaN");
    row(one + QStringList { u"--cpu"_s, u"inf"_s }, "inf");
    row(one + QStringList { u"--pids-limit"_s, u"99999999999999999999"_s }, "99999999999999999999");
    row(one + QStringList { u"--max-output"_s, u"0x10"_s }, "0x10");
    row(one + QStringList { u"--memory"_s, u"1k"_s }, "memory");
    row(one + QStringList { u"--memory"_s, u"５m"_s }, "５m");
    row(one + QStringList { u"--timeout"_s }, "--timeout");
    row(one + QStringList { u"--workdir"_s, u"/etc"_s }, "--workdir");
    row(one + QStringList { u"--runtime"_s, u"cobol"_s }, "cobol");
    row({ u"run"_s, u"nowhere.py"_s }, "[ERR] File not found: nowhere.py");
    row({ u"run"_s }, "Nothing to run");
    row({ u"run"_s, u"-e"_s, u"1"_s, u"-e"_s, u"2"_s }, "--eval");
    row({ u"run"_s, u"--cmd"_s, u"ls"_s, u"a.py"_s }, "--cmd");
    row(one + QStringList { u"--secret"_s, u"SURELY_UNSET"_s }, "SURELY_UNSET");
    row({ u"session"_s }, "");
    row({ u"session"_s, u"stop"_s }, "id");
    row({ u"session"_s, u"stop"_s, u"../x"_s }, "../x");
    row({ u"build"_s }, "--base");
    row({ u"build"_s, u"--base"_s, u"python"_s }, "--tag");
    row({ u"build"_s, u"--base"_s, u"cobol"_s, u"--tag"_s, u"x"_s }, "cobol");
    row({ u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s, u"-x"_s, u"--install"_s, u"numpy"_s },
        "-x");
    row({ u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s, u"x"_s }, "--install");
    row({ u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s, u"x"_s, u"--install"_s, u"a;b"_s },
        "a;b");
    row({ u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s, u"x"_s, u"--install"_s, u"a,,b"_s },
        "a,,b");
    row({ u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s, u"x"_s, u"--install"_s, u"../x"_s },
        "../x");
    row({ u"setup"_s, u"--runtime"_s, u"cobol"_s }, "cobol");
    row({ u"setup"_s, u"--source"_s, u"cloud"_s }, "cloud");
    row({ u"setup"_s, u"--python"_s, u"--evil"_s }, "--evil");
    row({ u"setup"_s, u"--runtime"_s, u"node"_s, u"--python"_s, u"numpy"_s }, "python");
    row({ u"serve"_s, u"--port"_s, u"70000"_s }, "70000");
    row({ u"login"_s, u"--ttl"_s, u"soon"_s }, "soon");
    row({ u"completion"_s }, "shell");
    row({ u"config"_s, u"--validate"_s, u"nowhere.json"_s }, "nowhere.json");
    row({ u"config"_s, u"--trust"_s }, "isol8.config.json");
}

void TestCli::refusesBadUsage()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, text);
    const auto outcome = run(arguments);
    QVERIFY2(outcome.exitCode > 0, outcome.out.constData());
    QVERIFY2(outcome.err.contains(text), outcome.err.constData());
    QVERIFY2(outcome.err.contains("[ERR] "), outcome.err.constData());
    QVERIFY2(!outcome.err.contains("docker.sock"), outcome.err.constData());
    QCOMPARE(outcome.out, QByteArray());
}

void TestCli::takesValuesAsTyped_data()
{
    QTest::addColumn<QString>("value");
    for (const auto& value : { u"[1,2]"_s, u"[]"_s, u"{}"_s, u"{\"a\": [1]}"_s, u"%%"_s,
             u"--help"_s, u"-"_s, u"\"quoted\""_s, u"'quoted'"_s, u"a,b"_s, u"--timeout=5"_s,
             u"x="_s, u"++"_s, u" "_s, u"\\n"_s, u"ä密"_s })
        QTest::addRow("%s", value.toUtf8().constData()) << value;
}

/// The value of --workdir comes back in the error that refuses it; that of -e is a word of its own.
void TestCli::takesValuesAsTyped()
{
    QFETCH(QString, value);
    const auto refused = u"/"_s + value;
    const auto outcome = run({ u"run"_s, u"-e"_s, value, u"--workdir="_s + refused });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("--workdir") && outcome.err.contains(refused.toUtf8()),
        outcome.err.constData());
}

void TestCli::saysThatDockerIsMissing_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("run") << QStringList { u"run"_s, u"-e"_s, u"print(1)"_s };
    QTest::newRow("setup") << QStringList { u"setup"_s };
    QTest::newRow("build") << QStringList { u"build"_s, u"--base"_s, u"python"_s, u"--tag"_s,
        u"x"_s, u"--install"_s, u"numpy"_s };
    QTest::newRow("list-custom") << QStringList { u"list-custom"_s };
    QTest::newRow("cleanup") << QStringList { u"cleanup"_s, u"--force"_s };
    QTest::newRow("session list") << QStringList { u"session"_s, u"list"_s };
    QTest::newRow("session stop") << QStringList { u"session"_s, u"stop"_s, u"x"_s };
    QTest::newRow("doctor") << QStringList { u"doctor"_s };
}

void TestCli::saysThatDockerIsMissing()
{
    QFETCH(QStringList, arguments);
    const auto outcome = run(arguments);
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("[ERR] "), outcome.err.constData());
    QVERIFY2(outcome.err.contains("/nonexistent/docker.sock"), outcome.err.constData());
    QCOMPARE(outcome.out, QByteArray());
    if (arguments.front() == u"setup"_s)
        QVERIFY2(outcome.err.contains("docker.io"), outcome.err.constData());
}

void TestCli::masksSecretsInItsSentences_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("secret");
    const QString value = u"hunter2-value"_s;
    const auto typed = u"TOKEN="_s + value;
    QTest::newRow("file name") << QStringList { value + u".py"_s } << typed;
    QTest::newRow("from the environment") << QStringList { value + u".py"_s } << u"TOKEN"_s;
    QTest::newRow("workdir") << QStringList { u"-e"_s, u"1"_s, u"--workdir"_s, u"/"_s + value }
                             << typed;
    QTest::newRow("session id") << QStringList { u"-e"_s, u"1"_s, u"--session-id"_s,
        value + u"/"_s } << typed;
    QTest::newRow("time") << QStringList { u"-e"_s, u"1"_s, u"--timeout"_s, value } << typed;
    QTest::newRow("unknown flag") << QStringList { u"--"_s + value, u"-e"_s, u"1"_s } << u"TOKEN"_s;
    QTest::newRow("argument") << QStringList { u"a.py"_s, value } << typed;
}

void TestCli::masksSecretsInItsSentences()
{
    QFETCH(QStringList, arguments);
    QFETCH(QString, secret);
    const auto outcome
        = run(QStringList { u"run"_s } + arguments + QStringList { u"--secret"_s, secret },
            { { u"TOKEN"_s, u"hunter2-value"_s } });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("***"), outcome.err.constData());
    QVERIFY2(!outcome.err.contains("hunter2"), outcome.err.constData());
}

void TestCli::showsNoSecretsInTheProcessList()
{
    m_program->write(u"list.sh"_s, R"(
        mkfifo code
        "$ISOL8" run --secret TOKEN=hunter2-value --secret=OTHER=hunter2-other --host http://127.0.0.1:9 \
            --key hunter2-key <code 2>/dev/null &
        exec 3>code
        until grep -q 'TOKEN=[*]' /proc/$!/cmdline; do read -rt 0.02 <>code || true; done
        tr '\0' ' ' </proc/$!/cmdline
        exec 3>&-
        wait
    )");
    const auto outcome = m_program->shell(u"bash list.sh"_s);
    QVERIFY2(outcome.out.contains("run --secret TOKEN=*"), outcome.out.constData());
    QVERIFY2(!outcome.out.contains("hunter2"), outcome.out.constData());
}

void TestCli::fetchesNothingUntold()
{
    const QStringList fetching { u"run"_s, u"--url"_s, u"https://localhost/a.py"_s };
    const auto off = run(fetching);
    QCOMPARE(off.exitCode, 1);
    QVERIFY2(off.err.contains("remoteCode.enabled"), off.err.constData());
    // A project cannot turn it on by itself.
    m_program->write(u"isol8.config.json"_s, R"({"remoteCode": {"enabled": true}})");
    const auto untrusted = run(fetching);
    QCOMPARE(untrusted.exitCode, 1);
    QVERIFY2(untrusted.err.contains("[WARN] "), untrusted.err.constData());
    QVERIFY2(untrusted.err.contains("code from URLs is off"), untrusted.err.constData());
    QCOMPARE(run({ u"config"_s, u"--trust"_s }).exitCode, 0);
    const auto blocked = run(fetching);
    QCOMPARE(blocked.exitCode, 1);
    QVERIFY2(blocked.err.contains("remoteCode.blockedHosts"), blocked.err.constData());
}

void TestCli::escapesWhatItRepeats()
{
    const auto outcome = run({ u"run"_s, u"\x1b]0;title\a\n\u202e.py"_s });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(!outcome.err.contains('\x1b') && !outcome.err.contains('\a'), outcome.err.constData());
    QVERIFY2(outcome.err.contains("\\x1b"), outcome.err.constData());
    QVERIFY2(!outcome.err.contains(u"\u202e"_s.toUtf8()), outcome.err.constData());
    // The line break must not begin a line that looks like one of ours.
    const auto forged = run({ u"run"_s, u"x\n[OK] done.py"_s });
    QVERIFY2(!forged.err.contains("\n[OK]"), forged.err.constData());
}

void TestCli::refusesBadOutFiles_data()
{
    QTest::addColumn<QString>("path");
    QTest::newRow("folder") << u"."_s;
    QTest::newRow("in no folder") << u"nowhere/out.txt"_s;
    QTest::newRow("empty") << u""_s;
}

void TestCli::refusesBadOutFiles()
{
    QFETCH(QString, path);
    const auto outcome = run({ u"run"_s, u"-e"_s, u"1"_s, u"--out"_s, path });
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("--out"), outcome.err.constData());
}

void TestCli::refusesAnEndlessProgram()
{
    const auto outcome = shell(u"\"$ISOL8\" run < /dev/zero"_s);
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("larger than"), outcome.err.constData());
    QCOMPARE(shell(u"\"$ISOL8\" run --runtime python /dev/zero"_s).exitCode, 1);
}

void TestCli::refusesAFolderOnStdin()
{
    const auto outcome = shell(u"\"$ISOL8\" run < /"_s);
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("directory"), outcome.err.constData());
    const auto live = shell(u"\"$ISOL8\" run -e 'print(1)' < /"_s);
    QCOMPARE(live.exitCode, 1);
    QVERIFY2(live.err.contains("directory"), live.err.constData());
}

void TestCli::failsWhenItCannotWrite()
{
    for (const auto& command : { u"--version"_s, u"--help"_s, u"run --help"_s, u"config --json"_s,
             u"completion bash"_s }) {
        const auto outcome = shell(u"\"$ISOL8\" %1 1</dev/null"_s.arg(command));
        QVERIFY2(outcome.exitCode == 1, qPrintable(command));
        QVERIFY2(outcome.err.contains("[ERR] "), qPrintable(command));
        QVERIFY2(shell(u"\"$ISOL8\" %1 >&-"_s.arg(command)).exitCode == 1, qPrintable(command));
        QVERIFY2(shell(u"\"$ISOL8\" %1 2>&-"_s.arg(command)).exitCode == 0, qPrintable(command));
    }
}

void TestCli::keepsClosedDescriptorsClosed()
{
    const auto outcome = shell(u"\"$ISOL8\" run -e 'print(1)' --out out.txt <&- >&-"_s);
    QCOMPARE(outcome.exitCode, 1);
    QVERIFY2(outcome.err.contains("docker.sock"), outcome.err.constData());
    QFile out(m_program->path(u"out.txt"_s));
    QVERIFY(out.open(QIODevice::ReadOnly));
    QCOMPARE(out.readAll(), QByteArray());
}

void TestCli::printsCompletion_data()
{
    QTest::addColumn<QString>("shell");
    QTest::newRow("bash") << u"bash"_s;
    QTest::newRow("zsh") << u"zsh"_s;
    QTest::newRow("fish") << u"fish"_s;
}

void TestCli::printsCompletion()
{
    QFETCH(QString, shell);
    const auto outcome = run({ u"completion"_s, shell });
    QCOMPARE(outcome.exitCode, 0);
    for (const auto* word : { "list-custom", "max-output", "filtered", "session" })
        QVERIFY2(outcome.out.contains(word), word);
    if (shell != u"bash"_s)
        return;

    const auto complete = [this](const QString& words, int at) {
        return this->shell(
            u"eval \"$(\"$ISOL8\" completion bash)\" && COMP_WORDS=(%1) COMP_CWORD=%2 && _isol8 "
            "&& printf '%s\\n' \"${COMPREPLY[@]}\""_s.arg(words)
                .arg(at));
    };
    m_program->write(u"program.py"_s, {});
    QCOMPARE(complete(u"isol8 list"_s, 1).out, QByteArray("list-custom\n"));
    QCOMPARE(complete(u"isol8 run --memo"_s, 2).out, QByteArray("--memory\n"));
    QCOMPARE(complete(u"isol8 run --net ''"_s, 3).out, QByteArray("none\nhost\nfiltered\n"));
    QCOMPARE(complete(u"isol8 run prog"_s, 2).out, QByteArray("program.py\n"));
    QCOMPARE(complete(u"isol8 session st"_s, 2).out, QByteArray("stop\n"));
    QCOMPARE(complete(u"isol8 session stop --j"_s, 3).out, QByteArray("--json\n"));
    QCOMPARE(complete(u"isol8 completion ''"_s, 2).out, QByteArray("bash\nzsh\nfish\n"));
}

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
