// SPDX-License-Identifier: MIT
#include "tests/app/planfixture.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::cli;
using namespace isol8::tests;

class TestRunPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void choosesSource_data();
    void choosesSource();
    void detectsRuntime_data();
    void detectsRuntime();
    void keepsStdinForTheProgram();
    void refusesBadSources_data();
    void refusesBadSources();
    void takesDefaults();
    void takesSettings();
    void putsFlagsOverSettings();
    void refusesBadValues_data();
    void refusesBadValues();
    void readsSizes_data();
    void readsSizes();
    void readsDurations_data();
    void readsDurations();
    void collectsSecrets();
    void refusesBadSecrets_data();
    void refusesBadSecrets();
    void joinsSetup();
    void plansFetchedFiles();
    void refusesBadFetches_data();
    void refusesBadFetches();
    void saysWhatIsComing_data();
    void saysWhatIsComing();
    void plansTheAgent();
    void plansSessions();
    void plansContainers();
};

void TestRunPlan::choosesSource_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QByteArray>("code");
    QTest::addColumn<QString>("command");
    RunOptions options;
    QTest::newRow("stdin") << options << QByteArray("typed") << QString();
    options.file = u"a.py"_s;
    QTest::newRow("file") << options << QByteArray("content of a.py") << QString();
    options.eval = "inline";
    QTest::newRow("eval before file") << options << QByteArray("inline") << QString();
    RunOptions command;
    command.command = u"echo hi"_s;
    QTest::newRow("cmd") << command << QByteArray() << u"echo hi"_s;
}

void TestRunPlan::choosesSource()
{
    QFETCH(RunOptions, options);
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QTEST(planned->request.code, "code");
    QTEST(planned->request.command, "command");
    QCOMPARE(planned->warnings.size(), options.file && options.eval ? 1 : 0);
}

void TestRunPlan::detectsRuntime_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("runtime");
    QTest::addColumn<Runtime>("expected");
    QTest::addColumn<QString>("extension");
    QTest::newRow("py") << u"a.py"_s << QString() << Runtime::Python << u".py"_s;
    QTest::newRow("js") << u"a.js"_s << QString() << Runtime::Node << u".js"_s;
    QTest::newRow("mjs") << u"a.mjs"_s << QString() << Runtime::Node << u".mjs"_s;
    QTest::newRow("cjs") << u"a.cjs"_s << QString() << Runtime::Node << u".cjs"_s;
    QTest::newRow("ts") << u"a.ts"_s << QString() << Runtime::Bun << u".ts"_s;
    QTest::newRow("mts") << u"a.mts"_s << QString() << Runtime::Deno << u".mts"_s;
    QTest::newRow("sh") << u"a.sh"_s << QString() << Runtime::Bash << u".sh"_s;
    QTest::newRow("folder with a dot")
        << u"x.js/a.b.py"_s << QString() << Runtime::Python << u".py"_s;
    QTest::newRow("upper case") << u"A.PY"_s << QString() << Runtime::Python << u".py"_s;
    QTest::newRow("ts with deno") << u"a.ts"_s << u"deno"_s << Runtime::Deno << u".ts"_s;
    QTest::newRow("js with bun") << u"a.js"_s << u"bun"_s << Runtime::Bun << u".js"_s;
    QTest::newRow("any with python") << u"a.txt"_s << u"python"_s << Runtime::Python << QString();
    QTest::newRow("none with bash") << u"script"_s << u"bash"_s << Runtime::Bash << QString();
    QTest::newRow("py with node") << u"a.py"_s << u"node"_s << Runtime::Node << QString();
}

void TestRunPlan::detectsRuntime()
{
    QFETCH(QString, file);
    QFETCH(QString, runtime);
    RunOptions options;
    options.file = file;
    if (!runtime.isEmpty())
        options.runtime = runtime;
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QTEST(planned->request.runtime, "expected");
    QTEST(planned->request.fileExtension, "extension");
}

void TestRunPlan::keepsStdinForTheProgram()
{
    auto options = inlineCode();
    QVERIFY(plan(options)->request.isStdinLive);
    QVERIFY(!plan(options)->request.stdinData);

    options.stdinData = QByteArray("\0\xff", 2);
    QVERIFY(!plan(options)->request.isStdinLive);
    QCOMPARE(*plan(options)->request.stdinData, QByteArray("\0\xff", 2));

    const RunOptions codeFromStdin;
    QVERIFY(!plan(codeFromStdin)->request.isStdinLive);
    QCOMPARE(plan(codeFromStdin)->request.stdinData, QByteArray());
}

void TestRunPlan::refusesBadSources_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QString>("text");
    RunOptions options;
    options.file = u"missing.py"_s;
    QTest::newRow("missing file") << options << u"File not found: missing.py"_s;
    options.file = u"missing.txt"_s;
    QTest::newRow("missing file of no runtime") << options << u"File not found: missing.txt"_s;
    options.file = u"folder.py"_s;
    QTest::newRow("folder") << options << u"directory"_s;
    options.file = u"a.rb"_s;
    QTest::newRow("unknown extension") << options << u"--runtime"_s;
    options.file = u"plain"_s;
    QTest::newRow("no extension") << options << u"'plain'"_s;
    options = inlineCode();
    options.runtime = u"perl"_s;
    QTest::newRow("unknown runtime") << options << u"'perl'"_s;
    options.runtime = u"Python"_s;
    QTest::newRow("runtime's case") << options << u"'Python'"_s;
    options.runtime = u""_s;
    QTest::newRow("empty runtime") << options << u"--runtime"_s;
    options = inlineCode();
    options.command = u"ls"_s;
    QTest::newRow("cmd and eval") << options << u"--cmd"_s;
    options = {};
    options.command = u"ls"_s;
    options.file = u"a.py"_s;
    QTest::newRow("cmd and file") << options << u"a.py"_s;
    options.file.reset();
    options.command = u""_s;
    QTest::newRow("empty cmd") << options << u"--cmd"_s;
}

void TestRunPlan::refusesBadSources()
{
    QFETCH(RunOptions, options);
    QFETCH(QString, text);
    const auto error = errorOf(options);
    QVERIFY2(error != u"(no error)"_s, "accepted");
    QVERIFY2(error.contains(text), qPrintable(error));
}

void TestRunPlan::takesDefaults()
{
    const auto planned = plan(inlineCode());
    QVERIFY(planned);
    const auto& options = planned->options;
    QCOMPARE(planned->request.runtime, Runtime::Python);
    QCOMPARE(planned->request.workingDirectory, u"/sandbox"_s);
    QCOMPARE(options.network, NetworkMode::None);
    QCOMPARE(options.timeout, std::chrono::seconds(30));
    QCOMPARE(options.memoryLimitBytes, 512LL << 20);
    QCOMPARE(options.cpuLimit, 1.0);
    QCOMPARE(options.pidsLimit, 64);
    QCOMPARE(options.sandboxSizeBytes, 512LL << 20);
    QCOMPARE(options.tmpSizeBytes, 256LL << 20);
    QCOMPARE(options.maxOutputBytes, 1048576);
    QVERIFY(options.isRootReadOnly);
    QVERIFY(!options.isKept);
    QCOMPARE(options.mode, Mode::Ephemeral);
    QVERIFY(planned->warnings.isEmpty());
}

void TestRunPlan::takesSettings()
{
    Settings settings;
    settings.defaults.timeout = std::chrono::minutes(2);
    settings.defaults.memoryLimitBytes = 1LL << 30;
    settings.defaults.cpuLimit = 2.5;
    settings.defaults.isRootReadOnly = false;
    const auto planned = plan(inlineCode(), settings);
    QVERIFY(planned);
    QCOMPARE(planned->options.timeout, std::chrono::minutes(2));
    QCOMPARE(planned->options.memoryLimitBytes, 1LL << 30);
    QCOMPARE(planned->options.cpuLimit, 2.5);
    QVERIFY(!planned->options.isRootReadOnly);
}

void TestRunPlan::putsFlagsOverSettings()
{
    Settings settings;
    settings.defaults.timeout = std::chrono::minutes(2);
    settings.defaults.network = NetworkMode::Host;
    auto options = inlineCode();
    QCOMPARE(plan(options, settings)->options.network, NetworkMode::Host);
    QCOMPARE(plan(options, settings)->warnings.size(), 1);

    options.timeout = u"1500"_s;
    options.network = u"none"_s;
    options.memory = u"64m"_s;
    options.cpu = u"0.5"_s;
    options.pidsLimit = u"10"_s;
    options.maxOutput = u"2048"_s;
    options.writable = true;
    options.image = u"mine:latest"_s;
    options.workingDirectory = u"/sandbox/work"_s;
    options.arguments = QStringList { u"-x"_s, u"--help"_s };
    const auto planned = plan(options, settings);
    QVERIFY(planned);
    QCOMPARE(planned->options.timeout, std::chrono::milliseconds(1500));
    QCOMPARE(planned->options.network, NetworkMode::None);
    QCOMPARE(planned->options.memoryLimitBytes, 64LL << 20);
    QCOMPARE(planned->options.cpuLimit, 0.5);
    QCOMPARE(planned->options.pidsLimit, 10);
    QCOMPARE(planned->options.maxOutputBytes, 2048);
    QVERIFY(!planned->options.isRootReadOnly);
    QCOMPARE(planned->options.image, u"mine:latest"_s);
    QCOMPARE(planned->request.workingDirectory, u"/sandbox/work"_s);
    QCOMPARE(planned->request.arguments, options.arguments);
}

void TestRunPlan::refusesBadValues_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QString>("flag");
    QTest::addColumn<QString>("value");
    const std::pair<const char*, std::optional<QString> RunOptions::*> numbers[] {
        { "--timeout", &RunOptions::timeout },
        { "--cpu", &RunOptions::cpu },
        { "--pids-limit", &RunOptions::pidsLimit },
        { "--max-output", &RunOptions::maxOutput },
        { "--memory", &RunOptions::memory },
        { "--sandbox-size", &RunOptions::sandboxSize },
        { "--tmp-size", &RunOptions::tmpSize },
    };
    const QStringList values { u"abc"_s, u"-1"_s, u"0"_s, u"1e400"_s, u"99999999999999999999"_s,
        u"0x10"_s, u" 5"_s, u"5 "_s, u"٥"_s, u"1,5"_s, u"NaN"_s, u"inf"_s, u""_s, u"+5"_s, u"5x"_s,
        u"５m"_s, u"m"_s, u"5 m"_s, u"-1m"_s, u"1e3m"_s, u"1.5g"_s, u"999999999999g"_s,
        u"64m,exec,suid"_s, u"50%"_s };
    for (const auto& [flag, member] : numbers) {
        for (const auto& value : values) {
            auto options = inlineCode();
            options.*member = value;
            QTest::addRow("%s '%s'", flag, value.toUtf8().constData())
                << options << QString::fromLatin1(flag) << value;
        }
    }
    const auto add
        = [&](const char* flag, std::optional<QString> RunOptions::* member, const QString& value) {
              auto options = inlineCode();
              options.*member = value;
              QTest::addRow("%s '%s'", flag, value.toUtf8().constData())
                  << options << QString::fromLatin1(flag) << value;
          };
    add("--pids-limit", &RunOptions::pidsLimit, u"1.5"_s);
    add("--net", &RunOptions::network, u"bridge"_s);
    add("--net", &RunOptions::network, u"None"_s);
    add("--workdir", &RunOptions::workingDirectory, u"/etc"_s);
    add("--workdir", &RunOptions::workingDirectory, u"../etc"_s);
    add("--workdir", &RunOptions::workingDirectory, u"/sandbox/../etc"_s);
    add("--files", &RunOptions::filesDirectory, u"nowhere"_s);
    add("--session-id", &RunOptions::sessionId, u"a/b"_s);
    add("--session-id", &RunOptions::sessionId, u".."_s);
}

void TestRunPlan::refusesBadValues()
{
    QFETCH(RunOptions, options);
    QFETCH(QString, flag);
    QFETCH(QString, value);
    const auto error = errorOf(options);
    QVERIFY2(error != u"(no error)"_s, "accepted");
    QVERIFY2(error.contains(flag), qPrintable(error));
    QVERIFY2(error.contains(value), qPrintable(error));
}

void TestRunPlan::readsSizes_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("bytes");
    QTest::newRow("bytes") << u"67108864"_s << (64LL << 20);
    QTest::newRow("m") << u"512m"_s << (512LL << 20);
    QTest::newRow("M") << u"512M"_s << (512LL << 20);
    QTest::newRow("mb") << u"512mb"_s << (512LL << 20);
    QTest::newRow("GiB") << u"1GiB"_s << (1LL << 30);
    QTest::newRow("k") << u"65536k"_s << (64LL << 20);
}

void TestRunPlan::readsSizes()
{
    QFETCH(QString, text);
    auto options = inlineCode();
    options.memory = text;
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QTEST(planned->options.memoryLimitBytes, "bytes");
}

void TestRunPlan::readsDurations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<std::chrono::milliseconds>("duration");
    using std::chrono::milliseconds;
    QTest::newRow("bare") << u"30000"_s << milliseconds(30'000);
    QTest::newRow("s") << u"5s"_s << milliseconds(5000);
    QTest::newRow("m") << u"5m"_s << milliseconds(300'000);
    QTest::newRow("h") << u"1h"_s << milliseconds(3'600'000);
}

void TestRunPlan::readsDurations()
{
    QFETCH(QString, text);
    QFETCH(std::chrono::milliseconds, duration);
    auto options = inlineCode();
    options.timeout = text;
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QCOMPARE(planned->options.timeout, duration);
}

void TestRunPlan::collectsSecrets()
{
    auto options = inlineCode();
    options.secrets = QStringList { u"A=x=y"_s, u"TOKEN"_s, u"EMPTY="_s };
    options.environment = QStringList { u"B=2"_s, u"C="_s };
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    const QMap<QString, QString> secrets { { u"A"_s, u"x=y"_s },
        { u"TOKEN"_s, u"from-environment"_s }, { u"EMPTY"_s, u""_s } };
    QCOMPARE(planned->options.secrets, secrets);
    const QMap<QString, QString> environment { { u"B"_s, u"2"_s }, { u"C"_s, u""_s } };
    QCOMPARE(planned->request.environment, environment);
}

void TestRunPlan::refusesBadSecrets_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("text");
    QTest::newRow("not set") << u"UNSET"_s << u"UNSET"_s;
    QTest::newRow("no name") << u"=hunter2"_s << u"--secret"_s;
    QTest::newRow("empty") << u""_s << u"--secret"_s;
    QTest::newRow("line break") << u"A\nB=hunter2"_s << u"--secret"_s;
}

void TestRunPlan::refusesBadSecrets()
{
    QFETCH(QString, typed);
    QFETCH(QString, text);
    auto options = inlineCode();
    options.secrets = QStringList { typed };
    const auto error = errorOf(options);
    QVERIFY2(error.contains(text), qPrintable(error));
    QVERIFY2(!error.contains(u"hunter2"_s), qPrintable(error));
    options.secrets.clear();
    options.environment = QStringList { typed };
    QVERIFY(errorOf(options).contains(u"--env"_s));
}

void TestRunPlan::joinsSetup()
{
    auto options = inlineCode();
    options.setup = QStringList { u"missing command"_s, u"script.sh"_s };
    QCOMPARE(plan(options)->request.setupScript, u"missing command\ncontent of script.sh"_s);
    options.setup = QStringList { u""_s };
    QVERIFY(errorOf(options).contains(u"--setup"_s));
    options.setup = QStringList { u"folder"_s };
    QVERIFY(errorOf(options).contains(u"--setup"_s));
}

void TestRunPlan::plansFetchedFiles()
{
    auto options = inlineCode();
    options.get = QStringList { u"out/a.txt"_s, u"/sandbox/b.txt:local:name"_s };
    const auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    const QList<FetchedFile> files { { u"out/a.txt"_s, u"a.txt"_s },
        { u"/sandbox/b.txt"_s, u"local:name"_s } };
    QCOMPARE(planned->fetchedFiles, files);
    QCOMPARE(planned->request.outputPaths, QStringList({ u"out/a.txt"_s, u"/sandbox/b.txt"_s }));
}

void TestRunPlan::refusesBadFetches_data()
{
    QTest::addColumn<QString>("typed");
    QTest::newRow("outside") << u"/etc/passwd"_s;
    QTest::newRow("escape") << u"../etc/passwd:x"_s;
    QTest::newRow("the folder itself") << u"/sandbox"_s;
    QTest::newRow("empty") << u""_s;
    QTest::newRow("no path") << u":local"_s;
    QTest::newRow("no local name") << u"a.txt:"_s;
}

void TestRunPlan::refusesBadFetches()
{
    QFETCH(QString, typed);
    auto options = inlineCode();
    options.get = QStringList { typed };
    const auto error = errorOf(options);
    QVERIFY2(error.contains(u"--get"_s), qPrintable(error));
}

void TestRunPlan::saysWhatIsComing_data()
{
    QTest::addColumn<RunOptions>("options");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, auto change, const QString& text) {
        auto options = inlineCode();
        change(options);
        QTest::newRow(name) << options << text;
    };
    row("allow alone", [](auto& o) { o.allow << u"x"_s; }, u"--net filtered"_s);
    row("log alone", [](auto& o) { o.logNetwork = true; }, u"--net filtered"_s);
    row("glob alone", [](auto& o) { o.denyHost << u"x"_s; }, u"--net filtered"_s);
    row(
        "log with host", [](auto& o) { o.network = u"host"_s, o.logNetwork = true; },
        u"--net filtered"_s);
    row("bad pattern", [](auto& o) { o.deny << u"[a-"_s; }, u"--deny: the pattern \"[a-\""_s);
    row(
        "bad glob", [](auto& o) { o.allowHost << u"https://x/"_s; },
        u"--allow-host: \"https://x/\""_s);
    row("bad hash", [](auto& o) { o.hash = u"abc"_s; }, u"--hash"_s);
    row("agent without network", [](auto& o) { o.runtime = u"agent"_s; }, u"needs a network"_s);
}

void TestRunPlan::saysWhatIsComing()
{
    QFETCH(RunOptions, options);
    QFETCH(QString, text);
    const auto error = errorOf(options);
    QVERIFY2(error.contains(text), qPrintable(error));
}

void TestRunPlan::plansTheAgent()
{
    auto options = inlineCode();
    options.runtime = u"agent"_s;
    options.network = u"host"_s;
    options.agentFlags = u"--model a/b"_s;
    auto planned = plan(options);
    QVERIFY2(planned, qPrintable(errorOf(options)));
    QCOMPARE(planned->request.runtime, Runtime::Agent);
    QCOMPARE(planned->request.agentFlags, u"--model a/b"_s);
    QCOMPARE(planned->options.pidsLimit, 200);
    QCOMPARE(planned->options.sandboxSizeBytes, 2LL << 30);
    // It would wait for the end of a terminal's input.
    QVERIFY(!planned->request.isStdinLive);

    options.pidsLimit = u"50"_s;
    options.sandboxSize = u"64m"_s;
    planned = plan(options);
    QCOMPARE(planned->options.pidsLimit, 50);
    QCOMPARE(planned->options.sandboxSizeBytes, 64LL << 20);
    options.agentFlags = u"--model 'a"_s;
    QVERIFY(errorOf(options).contains(u"agentFlags"_s));
}

void TestRunPlan::plansSessions()
{
    auto options = inlineCode();
    options.sessionId = u"my.session-1"_s;
    const auto planned = plan(options);
    QVERIFY(planned);
    QCOMPARE(planned->sessionId, u"my.session-1"_s);
    QCOMPARE(planned->options.mode, Mode::Persistent);
}

void TestRunPlan::plansContainers()
{
    auto options = inlineCode();
    options.persist = true;
    options.persistent = true;
    options.tty = true;
    options.filesDirectory = u"project"_s;
    const auto planned = plan(options);
    QVERIFY(planned);
    QVERIFY(planned->options.isKept);
    QVERIFY(planned->request.hasTerminal);
    QCOMPARE(planned->options.mode, Mode::Persistent);
    QCOMPARE(planned->request.filesDirectory, u"project"_s);
}

QTEST_GUILESS_MAIN(TestRunPlan)
#include "tst_runplan.moc"
