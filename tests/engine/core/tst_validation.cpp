// SPDX-License-Identifier: MIT
#include "engine/core/validation.h"

#include "engine/core/units.h"

#include <QTest>

#include <cmath>
#include <functional>

using namespace Qt::StringLiterals;
using namespace isol8;

using Change = std::function<void(ExecutionRequest&, ExecutionOptions&)>;

class TestValidation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void acceptsOrdinaryExecutions_data();
    void acceptsOrdinaryExecutions();
    void refusesAndNames_data();
    void refusesAndNames();
    void neverShowsASecret();
    void sandboxPaths_data();
    void sandboxPaths();
    void directoriesMayBeTheRoot();
};

namespace {

QString nul()
{
    return QString(QChar(u'\0'));
}

Result<> check(const Change& change)
{
    ExecutionRequest request;
    request.code = "print(1)";
    ExecutionOptions options;
    change(request, options);
    return validate(request, options);
}

} // namespace

Q_DECLARE_METATYPE(Change)

void TestValidation::acceptsOrdinaryExecutions_data()
{
    QTest::addColumn<Change>("change");
    const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
    row("defaults", [](auto&, auto&) { });
    row("empty code", [](auto& r, auto&) { r.code = QByteArray(""); });
    row("code with NUL", [](auto& r, auto&) { r.code = QByteArray("\0", 1); });
    row("command", [](auto& r, auto&) { r.code = {}, r.command = u"ls"_s; });
    row("URL", [](auto& r, auto&) { r.code = {}, r.codeUrl = u"https://example.org/a.py"_s; });
    row("hash", [](auto& r, auto&) { r.codeHash = QString(64, u'f'); });
    row("least", [](auto&, auto& o) {
        o.memoryLimitBytes = minMemoryBytes;
        o.pidsLimit = minPids;
        o.cpuLimit = minCpuLimit;
        o.sandboxSizeBytes = o.tmpSizeBytes = minTmpfsBytes;
        o.maxOutputBytes = 1;
        o.timeout = std::chrono::milliseconds(1);
    });
    row("longest", [](auto& r, auto&) { r.timeout = maxTimeout; });
    row("packages", [](auto& r, auto&) {
        r.installPackages = { u"numpy==2.1; python_version<\"4\""_s, u"@types/node@^22"_s };
    });
    row("image", [](auto&, auto& o) { o.image = u"registry:5000/a/b:1.2@sha256:00ff"_s; });
    row("agent with a filter", [](auto& r, auto& o) {
        r.runtime = Runtime::Agent;
        o.network = NetworkMode::Filtered;
        o.networkFilter.allow = { u"^api\\.example\\.org$"_s };
    });
    row("agent on the host's network", [](auto& r, auto& o) {
        r.runtime = Runtime::Agent;
        o.network = NetworkMode::Host;
    });
    row("files", [](auto& r, auto&) {
        r.files = { { u"a/b.txt"_s, "x" }, { u"/sandbox/c"_s, {} } };
        r.outputPaths = { u"out.txt"_s };
    });
}

void TestValidation::acceptsOrdinaryExecutions()
{
    QFETCH(Change, change);
    const auto checked = check(change);
    QVERIFY2(checked, qPrintable(checked ? QString() : checked.error().message));
}

void TestValidation::refusesAndNames_data()
{
    QTest::addColumn<QString>("named");
    QTest::addColumn<Change>("change");
    const auto row = [](const char* name, const char* named, Change change) {
        QTest::newRow(name) << QString::fromLatin1(named) << change;
    };
    row("no source", "code", [](auto& r, auto&) { r.code = {}; });
    row("two sources", "only one", [](auto& r, auto&) { r.command = u"ls"_s; });
    row("three sources", "only one",
        [](auto& r, auto&) { r.command = u"ls"_s, r.codeUrl = u"https://a/b"_s; });
    row("large code", "code", [](auto& r, auto&) { r.code = QByteArray(maxCodeBytes + 1, 'x'); });
    row("large stdin", "stdin",
        [](auto& r, auto&) { r.stdinData = QByteArray(maxStdinBytes + 1, 'x'); });
    row("NUL in the command", "cmd",
        [](auto& r, auto&) { r.code = {}, r.command = u"a"_s + nul(); });
    row("relative URL", "codeUrl", [](auto& r, auto&) { r.code = {}, r.codeUrl = u"a.py"_s; });
    row("URL without a host", "codeUrl",
        [](auto& r, auto&) { r.code = {}, r.codeUrl = u"https:///x"_s; });
    row("short hash", "codeHash", [](auto& r, auto&) { r.codeHash = u"abc"_s; });
    row("extension", "fileExtension", [](auto& r, auto&) { r.fileExtension = u"../x"_s; });
    row("extension's line break", "fileExtension",
        [](auto& r, auto&) { r.fileExtension = u".py\n"_s; });
    row("no time", "timeoutMs", [](auto&, auto& o) { o.timeout = {}; });
    row("negative time", "timeoutMs", [](auto& r, auto&) { r.timeout = std::chrono::seconds(-1); });
    row("25 days", "timeoutMs",
        [](auto& r, auto&) { r.timeout = maxTimeout + std::chrono::milliseconds(1); });
    row("little memory", "memoryLimit", [](auto&, auto& o) { o.memoryLimitBytes = 1024; });
    row("no memory", "memoryLimit", [](auto&, auto& o) { o.memoryLimitBytes = 0; });
    row("negative memory", "memoryLimit", [](auto&, auto& o) { o.memoryLimitBytes = -1; });
    row("no sandbox", "sandboxSize", [](auto&, auto& o) { o.sandboxSizeBytes = 0; });
    row("no tmp", "tmpSize", [](auto&, auto& o) { o.tmpSizeBytes = -1; });
    row("no output", "maxOutputSize", [](auto&, auto& o) { o.maxOutputBytes = 0; });
    row("endless output", "maxOutputSize",
        [](auto&, auto& o) { o.maxOutputBytes = maxOutputLimitBytes + 1; });
    row("no cpu", "cpuLimit", [](auto&, auto& o) { o.cpuLimit = 0; });
    row("infinite cpu", "cpuLimit", [](auto&, auto& o) { o.cpuLimit = INFINITY; });
    row("NaN", "cpuLimit", [](auto&, auto& o) { o.cpuLimit = NAN; });
    row("pids", "pidsLimit", [](auto&, auto& o) { o.pidsLimit = -1; });
    row("no pids", "pidsLimit", [](auto&, auto& o) { o.pidsLimit = 0; });
    row("variable", "env", [](auto& r, auto&) { r.environment[u"A=B"_s] = u"x"_s; });
    row("variable's NUL", "env.A", [](auto& r, auto&) { r.environment[u"A"_s] = nul(); });
    row("large variable", "env.A",
        [](auto& r, auto&) { r.environment[u"A"_s] = QString(maxVariableBytes, u'x'); });
    row("large environment", "together", [](auto& r, auto&) {
        for (int i = 0; i < 9; ++i)
            r.environment[u"A%1"_s.arg(i)] = QString(120'000, u'x');
    });
    row("nameless secret", "secrets", [](auto&, auto& o) { o.secrets[QString()] = u"x"_s; });
    row("argument's NUL", "args", [](auto& r, auto&) { r.arguments = { nul() }; });
    row("large argument", "args",
        [](auto& r, auto&) { r.arguments = { QString(maxVariableBytes, u'x') }; });
    row("file outside", "files", [](auto& r, auto&) { r.files[u"../x"_s] = {}; });
    row("same file twice", "files",
        [](auto& r, auto&) { r.files[u"x"_s] = {}, r.files[u"./x"_s] = {}; });
    row("many files", "files", [](auto& r, auto&) {
        for (int i = 0; i <= maxFileCount; ++i)
            r.files[QString::number(i)] = {};
    });
    row("output outside", "outputPaths",
        [](auto& r, auto&) { r.outputPaths = { u"/etc/passwd"_s }; });
    row("output is all", "outputPaths", [](auto& r, auto&) { r.outputPaths = { u"/sandbox"_s }; });
    row("workdir", "workdir", [](auto& r, auto&) { r.workingDirectory = u"/tmp"_s; });
    row("no workdir", "workdir", [](auto& r, auto&) { r.workingDirectory.clear(); });
    row("option as a package", "installPackages",
        [](auto& r, auto&) { r.installPackages = { u"--index-url=http://x"_s }; });
    row("option behind a space", "installPackages",
        [](auto& r, auto&) { r.installPackages = { u" -r/etc/passwd"_s }; });
    row("blank package", "installPackages", [](auto& r, auto&) { r.installPackages = { u" "_s }; });
    row("package's line break", "installPackages",
        [](auto& r, auto&) { r.installPackages = { u"a\nb"_s }; });
    row("setup's NUL", "setupScript", [](auto& r, auto&) { r.setupScript = nul(); });
    row("terminal", "terminal", [](auto& r, auto&) { r.hasTerminal = true, r.terminalRows = 0; });
    row("image's option", "image", [](auto&, auto& o) { o.image = u"--privileged"_s; });
    row("image's space", "image", [](auto&, auto& o) { o.image = u"a b"_s; });
    row("image's line break", "image", [](auto&, auto& o) { o.image = u"a\n"_s; });
    row("bad pattern", "networkFilter", [](auto&, auto& o) { o.networkFilter.deny = { u"["_s }; });
    row("empty pattern", "networkFilter", [](auto&, auto& o) { o.networkFilter.allow = { {} }; });
    row("custom without a profile", "customProfilePath",
        [](auto&, auto& o) { o.seccomp = SeccompMode::Custom; });
    row("agent without a network", "agent", [](auto& r, auto&) { r.runtime = Runtime::Agent; });
    const auto agent = [](auto& r, auto& o) {
        r.runtime = Runtime::Agent;
        o.network = NetworkMode::Host;
    };
    row("agent's NUL", "code", [agent](auto& r, auto& o) {
        agent(r, o);
        r.code = "a\0b"_ba;
    });
    row("agent's long prompt", "prompt", [agent](auto& r, auto& o) {
        agent(r, o);
        r.code = QByteArray(200'000, 'x');
    });
    row("open quote", "agentFlags", [agent](auto& r, auto& o) {
        agent(r, o);
        r.agentFlags = u"--model 'x"_s;
    });
    row("agent without a pattern", "agent", [](auto& r, auto& o) {
        r.runtime = Runtime::Agent;
        o.network = NetworkMode::Filtered;
        o.networkFilter.deny = { u"x"_s };
    });
}

void TestValidation::refusesAndNames()
{
    QFETCH(QString, named);
    QFETCH(Change, change);
    const auto checked = check(change);
    QVERIFY(!checked);
    QCOMPARE(checked.error().kind, Kind::Invalid);
    QVERIFY2(checked.error().message.contains(named), qPrintable(checked.error().message));
    QVERIFY(checked.error().message.size() < 600);
    QVERIFY(!checked.error().message.contains(u'\n'));
}

void TestValidation::neverShowsASecret()
{
    for (const QString& value : { u"hunter22"_s + nul(), u"hunter22"_s.repeated(20'000) }) {
        const auto checked = check([&](auto&, auto& o) { o.secrets[u"PASSWORD"_s] = value; });
        QVERIFY(!checked);
        QVERIFY(checked.error().message.contains(u"PASSWORD"));
        QVERIFY(!checked.error().message.contains(u"hunter22"));
    }
}

void TestValidation::sandboxPaths_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("clean");
    const QString longName(255, u'n');
    QTest::newRow("relative") << u"a.txt"_s << u"/sandbox/a.txt"_s;
    QTest::newRow("absolute") << u"/sandbox/a/b"_s << u"/sandbox/a/b"_s;
    QTest::newRow("dots and slashes") << u"./a//b/../c/"_s << u"/sandbox/a/c"_s;
    QTest::newRow("comes back") << u"../sandbox/a"_s << u"/sandbox/a"_s;
    QTest::newRow("hidden") << u"..a/...b"_s << u"/sandbox/..a/...b"_s;
    QTest::newRow("other scripts") << u"ä/日本"_s << u"/sandbox/ä/日本"_s;
    QTest::newRow("tilde") << u"~/x"_s << u"/sandbox/~/x"_s;
    QTest::newRow("longest name") << longName << u"/sandbox/"_s + longName;
    QTest::newRow("empty") << QString() << QString();
    QTest::newRow("root of the sandbox") << u"/sandbox"_s << QString();
    QTest::newRow("dot") << u"."_s << QString();
    QTest::newRow("parent") << u".."_s << QString();
    QTest::newRow("leaves") << u"a/../../b"_s << QString();
    QTest::newRow("above everything") << u"/../../sandbox/a"_s << QString();
    QTest::newRow("elsewhere") << u"/etc/passwd"_s << QString();
    QTest::newRow("only looks like it") << u"/sandboxed/a"_s << QString();
    QTest::newRow("NUL") << u"a"_s + nul() << QString();
    QTest::newRow("line break") << u"a\nb"_s << QString();
    QTest::newRow("return") << u"a\rb"_s << QString();
    QTest::newRow("surrogate") << QString(QChar(0xd800)) << QString();
    QTest::newRow("too long a name") << longName + u'n' << QString();
    QTest::newRow("too long") << u"a/"_s.repeated(2100) << QString();
    QTest::newRow("too long in bytes") << QString(128, u'ä') << QString();
}

void TestValidation::sandboxPaths()
{
    QFETCH(QString, path);
    QFETCH(QString, clean);
    const auto result = sandboxPath(path);
    QCOMPARE(result.value_or(QString()), clean);
    QCOMPARE(result.has_value(), !clean.isEmpty());
    if (!result)
        QCOMPARE(result.error().kind, Kind::Invalid);
    else
        QCOMPARE(sandboxPath(*result), clean);
}

void TestValidation::directoriesMayBeTheRoot()
{
    for (const QString& path : { u"/sandbox"_s, u"/sandbox/"_s, u"."_s, u"a/.."_s })
        QCOMPARE(sandboxDirectory(path), u"/sandbox"_s);
    QCOMPARE(sandboxDirectory(u"a"_s), u"/sandbox/a"_s);
    QVERIFY(!sandboxDirectory(u"/"_s));
    QVERIFY(!sandboxDirectory(u"/tmp"_s));
}

QTEST_GUILESS_MAIN(TestValidation)
#include "tst_validation.moc"
