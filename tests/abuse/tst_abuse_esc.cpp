// SPDX-License-Identifier: MIT
// Section B1 of ABUSE.md: escape, and how Docker is configured.
#include "engine/core/owner.h"
#include "engine/docker/attachedstream.h"
#include "engine/sandbox/guestvolume.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/policy.h"
#include "tests/abuse/engineabusetest.h"
#include "tests/abuse/httpabusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/support/dockergate.h"
#include "tests/support/fakedocker.h"

#include <QCoroTask>
#include <QDirIterator>
#include <QJsonArray>

#include <csignal>

#include <sys/stat.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

/// What inspecting a container must say (ESC-02), and never does; empty: all well.
QByteArray auditOf(const QJsonObject& raw)
{
    const auto host = raw[u"HostConfig"_s].toObject();
    const auto config = raw[u"Config"_s].toObject();
    QByteArrayList wrong;
    const auto expect = [&wrong](const char* what, bool isRight) {
        if (!isRight)
            wrong << what;
    };
    expect("CapDrop", host[u"CapDrop"_s].toArray() == QJsonArray { u"ALL"_s });
    for (const auto& capability : host[u"CapAdd"_s].toArray()) {
        const auto name = capability.toString().remove(u"CAP_"_s);
        expect("CapAdd",
            QStringList { u"SETUID"_s, u"SETGID"_s, u"SETPCAP"_s, u"KILL"_s }.contains(name));
    }
    expect("Privileged", !host[u"Privileged"_s].toBool());
    expect("Binds", host[u"Binds"_s].toArray().isEmpty());
    expect("Devices", host[u"Devices"_s].toArray().isEmpty());
    expect("DeviceRequests", host[u"DeviceRequests"_s].toArray().isEmpty());
    expect("VolumesFrom", host[u"VolumesFrom"_s].toArray().isEmpty());
    expect("ReadonlyRootfs", host[u"ReadonlyRootfs"_s].toBool());
    expect("NetworkMode", host[u"NetworkMode"_s].toString() == "none"_L1);
    expect("IpcMode", host[u"IpcMode"_s].toString() == "private"_L1);
    for (const auto* mode : { "PidMode", "UTSMode", "UsernsMode" })
        expect(mode, host[QLatin1StringView(mode)].toString() != "host"_L1);
    expect("Memory", host[u"Memory"_s].toInteger() == 512LL << 20);
    expect("MemorySwap", host[u"MemorySwap"_s] == host[u"Memory"_s]);
    expect("NanoCpus", host[u"NanoCpus"_s].toInteger() == 1'000'000'000);
    const bool isPool = config[u"Labels"_s][labels::kind].toString() == "pool"_L1;
    expect("PidsLimit", host[u"PidsLimit"_s].toInteger() == (isPool ? 67 : 66));
    expect("LogConfig", host[u"LogConfig"_s][u"Type"_s].toString() == "none"_L1);
    expect("RestartPolicy", host[u"RestartPolicy"_s][u"MaximumRetryCount"_s].toInt() == 0);
    expect("MaskedPaths", host[u"MaskedPaths"_s].toArray().size() > 5);
    expect("ReadonlyPaths", host[u"ReadonlyPaths"_s].toArray().size() > 3);
    QStringList limits;
    for (const auto& limit : host[u"Ulimits"_s].toArray())
        limits << u"%1 %2"_s.arg(limit[u"Name"_s].toString()).arg(limit[u"Hard"_s].toInteger());
    limits.sort();
    expect("Ulimits", limits == QStringList { u"core 0"_s, u"nofile 1024"_s });
    QStringList security;
    for (const auto& option : host[u"SecurityOpt"_s].toArray())
        security << option.toString();
    expect("SecurityOpt",
        security.size() == 2 && security[0] == "no-new-privileges"_L1
            && security[1].startsWith("seccomp={"_L1));
    const auto tmpfs = host[u"Tmpfs"_s].toObject();
    expect("Tmpfs", tmpfs.size() == 2);
    for (const auto& path : { u"/sandbox"_s, u"/tmp"_s })
        expect("Tmpfs", tmpfs[path].toString().startsWith("rw,nosuid,nodev,"_L1));
    const auto mounts = raw[u"Mounts"_s].toArray();
    QStringList targets;
    for (const auto& mount : mounts) {
        targets << mount[u"Destination"_s].toString();
        expect("Mounts", !mount[u"RW"_s].toBool(true));
    }
    targets.sort();
    const bool isSpare = config[u"Labels"_s][labels::kind].toString() == "spare"_L1;
    expect("Mounts",
        targets
            == (isSpare ? QStringList { u"/.isol8"_s }
                        : QStringList { u"/.isol8"_s, u"/.isol8-host"_s }));
    expect(
        "Healthcheck", config[u"Healthcheck"_s][u"Test"_s].toArray() == QJsonArray { u"NONE"_s });
    expect("Tty", !config[u"Tty"_s].toBool());
    expect("User", config[u"User"_s].toString() == "0:0"_L1);
    expect("Entrypoint", config[u"Entrypoint"_s][0].toString() == "/.isol8/guest"_L1);
    return wrong.join(", ");
}

/// Processes of this machine in the pid namespace of process @p pid: `uid name`.
QByteArrayList processesBeside(int pid)
{
    const auto space = [](const QString& process) { // The link's text is no path.
        return QFile::symLinkTarget(u"/proc/%1/ns/pid"_s.arg(process)).section(u'/', -1);
    };
    QByteArrayList found;
    const auto wanted = space(QString::number(pid));
    for (const auto& entry : QDir(u"/proc"_s).entryList({ u"[0-9]*"_s }, QDir::Dirs)) {
        if (wanted.isEmpty() || space(entry) != wanted)
            continue;
        QFile name(u"/proc/%1/comm"_s.arg(entry));
        (void)name.open(QIODevice::ReadOnly);
        found << QByteArray::number(QFileInfo(u"/proc/"_s + entry).ownerId()) + ' '
                + name.readAll().trimmed();
    }
    return found;
}

} // namespace

class TestAbuseEsc : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseEsc> cases[];

    void identityOfEveryPhase(World& world);
    void hostConfigs(World& world);
    void everyRuntime(World& world);
    void hostVariables(World& world);
    void hostFiles(World& world);
    void mountSizes(World& world);
    void writableRoot(World& world);
    void looserSeccomp(World& world);
    void hostNetwork(World& world);
    void hostNetworkTwin(World& world);
    void terminal(World& world);
    /// What @p command says beside a Docker of such versions, until @p until.
    [[nodiscard]] static QByteArray errorsWith(const QString& command, const QByteArray& engine,
        const QByteArray& runc, const QByteArray& until);
    void oldRuntimes(World& world);
    void newRuntime(World& world);
    void securityModule(World& world);
    void whoRuns(World& world);
    void sources(World& world);
    void asRoot(World& world);
};

const Case<TestAbuseEsc> TestAbuseEsc::cases[] {
    { "ESC-01", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-01 phases", &TestAbuseEsc::identityOfEveryPhase, &TestAbuseEsc::runs },
    { "ESC-02", &TestAbuseEsc::hostConfigs, &TestAbuseEsc::runs },
    { "ESC-03", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-06", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-07", &TestAbuseEsc::script, &TestAbuseEsc::everyRuntime },
    { "ESC-08", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-09", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-10", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-14", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-15", &TestAbuseEsc::script, &TestAbuseEsc::runs },
    { "ESC-16", &TestAbuseEsc::hostVariables, &TestAbuseEsc::runs },
    { "ESC-17", &TestAbuseEsc::hostFiles, &TestAbuseEsc::runs },
    { "ESC-18", &TestAbuseEsc::script, &TestAbuseEsc::mountSizes },
    { "ESC-18 writable root", &TestAbuseEsc::writableRoot, &TestAbuseEsc::runs },
    { "ESC-19", &TestAbuseEsc::looserSeccomp, &TestAbuseEsc::runs },
    { "ESC-20", &TestAbuseEsc::hostNetwork, &TestAbuseEsc::hostNetworkTwin },
    { "ESC-22", &TestAbuseEsc::terminal, &TestAbuseEsc::runs },
    { "ESC-23", &TestAbuseEsc::oldRuntimes, &TestAbuseEsc::newRuntime },
    { "ESC-24", &TestAbuseEsc::securityModule, &TestAbuseEsc::runs },
    { "ESC-25", &TestAbuseEsc::whoRuns, &TestAbuseEsc::runs },
    { "ESC-25 sources", &TestAbuseEsc::sources, &TestAbuseEsc::runs },
    { "ESC-26", &TestAbuseEsc::asRoot, &TestAbuseEsc::runs },
    { "ESC-27", &TestAbuseEsc::script, &TestAbuseEsc::runs },
};

void TestAbuseEsc::attack_data()
{
    addRows<TestAbuseEsc>(cases);
}

void TestAbuseEsc::attack()
{
    perform<TestAbuseEsc>(this, cases);
}

void TestAbuseEsc::identityOfEveryPhase(World&)
{
    auto request = requestOf(Runtime::Bash, "stat -c '%u:%g' given.txt; id -u");
    request.setupScript = u"grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid)' /proc/self/status"_s;
    request.files = { { u"given.txt"_s, "given" } };
    const auto result = run(request);
    RUN_OR_FAIL(result);
    const auto lines = result->standardOutput.simplified();
    for (const auto* set : { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
        QVERIFY2(lines.contains(set + ": 0000000000000000"_ba), lines.constData());
    QVERIFY2(lines.contains("NoNewPrivs: 1 Seccomp: 2"), lines.constData());
    QVERIFY2(lines.contains("Uid: 100 100 100 100 Gid: 101 101 101 101"), lines.constData());
    QVERIFY2(lines.endsWith("100:101 100"), lines.constData());
}

void TestAbuseEsc::hostConfigs(World&)
{
    EngineFixture pooled;
    pooled.restartWithPool(PoolLimits {});
    ExecutionOptions kept;
    kept.isKept = true;
    auto request = requestOf(Runtime::Bash, "echo ready; read line");
    request.isStdinLive = true;
    const auto session = sessionNamed(u"audit"_s);
    std::vector<std::pair<QString, std::unique_ptr<WatchedRun>>> going;
    going.emplace_back(u"run"_s, fixture().start(request));
    going.emplace_back(u"kept"_s, fixture().start(request, kept));
    going.emplace_back(u"session"_s, fixture().start(request, {}, session));
    going.emplace_back(u"pool"_s, pooled.start(request));
    for (const auto& [kind, each] : going) {
        QVERIFY2(each->waitForOutput("ready"), qPrintable(kind));
        const auto raw = QCoro::waitFor(client().inspectContainerRaw(each->containerId));
        RUN_OR_FAIL(raw);
        QCOMPARE((*raw)[u"Config"_s][u"Labels"_s][labels::kind].toString(), kind);
        QVERIFY2(auditOf(*raw).isEmpty(), kind.toLatin1() + ": " + auditOf(*raw));
        each->run().closeStdin();
        RUN_OR_FAIL(each->result());
    }
    RUN_OR_FAIL(QCoro::waitFor(client().removeContainer(going[1].second->containerId)));
    RUN_OR_FAIL(QCoro::waitFor(fixture().engine().stopSession(session)));

    // The spare that a command leaves.
    ProgramFixture program;
    QCOMPARE(program.run({ u"run"_s, u"--cmd"_s, u"true"_s }).exitCode, 0);
    const auto spare = labels::kind + u"=spare"_s;
    QList<docker::ContainerSummary> spares;
    const auto hasSpare = [&] {
        spares = QCoro::waitFor(client().listContainers({ spare }))
                     .value_or(QList<docker::ContainerSummary>());
        return !spares.isEmpty();
    };
    QTRY_VERIFY_WITH_TIMEOUT(hasSpare(), patience);
    const auto raw = QCoro::waitFor(client().inspectContainerRaw(spares[0].id));
    RUN_OR_FAIL(raw);
    QVERIFY2(auditOf(*raw).isEmpty(), auditOf(*raw));
}

void TestAbuseEsc::everyRuntime(World&)
{
    const std::pair<Runtime, QByteArray> programs[] {
        { Runtime::Python, "import ssl, sqlite3, json; print(6 * 7)" },
        { Runtime::Node, "const w = await import('worker_threads'); console.log(6 * 7)" },
        { Runtime::Bun, "const x: number = 7; console.log(6 * x)" },
        { Runtime::Deno, "const x: number = 7; console.log(6 * x)" },
        { Runtime::Bash, "echo $((6 * 7)) | cat" },
    };
    for (const auto& [runtime, code] : programs) {
        const auto result = run(requestOf(runtime, code));
        RUN_OR_FAIL(result);
        QVERIFY2(result->standardOutput == "42\n", result->standardError + code);
    }
}

void TestAbuseEsc::hostVariables(World& world)
{
    qputenv("ISOL8_CANARY", "canary-" + world.secret);
    const auto removed = qScopeGuard([] { qunsetenv("ISOL8_CANARY"); });
    verifyScript(u"ESC-16"_s);
    // Nor where isol8 is a program of its own.
    ProgramFixture program;
    const auto end = program.run({ u"run"_s, u"--cmd"_s, u"env; cat /proc/self/environ"_s });
    QCOMPARE(end.exitCode, 0);
    QVERIFY(end.out.contains("HOME=/sandbox"));
    QVERIFY2(!end.out.contains(world.secret), end.out.constData());
}

void TestAbuseEsc::hostFiles(World&)
{
    verifyScript(u"ESC-17"_s);
    if (QTest::currentTestFailed())
        return;
    ExecutionOptions filtered;
    filtered.network = NetworkMode::Filtered;
    verifyScript(u"ESC-17"_s, filtered);
}

void TestAbuseEsc::mountSizes(World&)
{
    auto request = requestOf(Runtime::Python, scriptOf({ u"ESC-18"_s }));
    request.environment.insert(u"TMP_SIZE"_s, QString::number(32 << 20));
    ExecutionOptions options;
    options.tmpSizeBytes = 32 << 20;
    const auto result = run(request, options);
    RUN_OR_FAIL(result);
    verifyAttempts(result->standardOutput, result->standardError);
}

void TestAbuseEsc::writableRoot(World&)
{
    // Where the root may be written to, what is root's may still not.
    ExecutionOptions options;
    options.isRootReadOnly = false;
    const auto result = bash(
        "echo x >/etc/passwd || echo refused; echo x >/usr/bin/x || echo refused; id -u", options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "refused\nrefused\n100\n");
}

void TestAbuseEsc::looserSeccomp(World& world)
{
    ServerSubject server({});
    const auto ask = [&](const QJsonObject& security) {
        auto client = std::make_unique<RawClient>(server.server().port(),
            rawRequest("POST", "/execute",
                executeCall(isol8::tests::bash("echo RAN"), { { u"security"_s, security } }),
                server.attackerKey()));
        (void)QTest::qWaitFor(
            [&] { return !client->body().isNull() || client->isClosed; }, patience);
        return client;
    };
    const auto loose = ask({ { u"seccomp"_s, u"unconfined"_s } });
    QCOMPARE(loose->status(), 403);
    QVERIFY(!loose->received.contains("RAN"));

    QTemporaryDir folder;
    const auto fifo = folder.filePath(u"fifo"_s);
    QCOMPARE(::mkfifo(QFile::encodeName(fifo).constData(), 0600), 0);
    QByteArray refusal;
    for (const auto& path :
        { u"/etc/shadow"_s, u"/etc/passwd"_s, world.canary, fifo, u"/nowhere/at/all"_s }) {
        const auto answer
            = ask({ { u"seccomp"_s, u"custom"_s }, { u"customProfilePath"_s, path } });
        QVERIFY2(answer->status() == 403, answer->received.constData());
        // The same whether the file is there or not.
        if (refusal.isEmpty())
            refusal = answer->body();
        QCOMPARE(answer->body(), refusal);
    }
}

void TestAbuseEsc::hostNetwork(World&)
{
    // Loud on the command line.
    ProgramFixture program;
    const auto loud = program.run({ u"run"_s, u"--net"_s, u"host"_s, u"--cmd"_s, u"echo ran"_s });
    QVERIFY2(loud.exitCode == 0, loud.err.constData());
    QVERIFY2(loud.err.contains("[WARN]") && loud.err.contains("host"), loud.err.constData());
    // Not for a server's clients.
    ServerSubject server({});
    RawClient client(server.server().port(),
        rawRequest("POST", "/execute",
            executeCall(isol8::tests::bash("echo RAN"), { { u"network"_s, u"host"_s } }),
            server.attackerKey()));
    QVERIFY(QTest::qWaitFor([&] { return !client.body().isNull(); }, patience));
    QCOMPARE(client.status(), 403);
    // And small: no raw sockets, no way into containerd's shims (CVE-2020-15257).
    ExecutionOptions options;
    options.network = NetworkMode::Host;
    const auto code = testData(u"abuse/prelude.py"_s) + R"(
import socket
refused("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1), (errno.EPERM, errno.EACCES))
refused("packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3), (errno.EPERM, errno.EAFNOSUPPORT))
refused("netlink socket", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), (errno.EPERM, errno.EAFNOSUPPORT))
for line in read('/proc/net/unix').decode().splitlines()[1:]:
    name = line.split()[-1]
    if name.startswith('@') and 'containerd-shim' in name:
        refused('connect to ' + name, lambda: socket.socket(socket.AF_UNIX).connect('\0' + name[1:]))
refused("docker.sock", lambda: socket.socket(socket.AF_UNIX).connect('/run/docker.sock'))
say("no capabilities", 'CapEff:\t0000000000000000' in read('/proc/self/status').decode())
print('all attempted')
)";
    const auto result = python(code, options);
    RUN_OR_FAIL(result);
    verifyAttempts(result->standardOutput, result->standardError);
}

void TestAbuseEsc::hostNetworkTwin(World&)
{
    // Never the sandbox of another mode, although a pool has one ready.
    EngineFixture pooled;
    pooled.restartWithPool(PoolLimits {});
    const auto before = pooled.run(Runtime::Bash, "echo before");
    RUN_OR_FAIL(before);
    ExecutionOptions options;
    options.network = NetworkMode::Host;
    const auto result = pooled.run(Runtime::Bash, "echo hi", options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "hi\n");
    const auto after = pooled.run(Runtime::Bash, "tail -n +3 /proc/net/dev | cut -d: -f1");
    RUN_OR_FAIL(after);
    QCOMPARE(after->standardOutput.simplified(), "lo");
    QVERIFY(result->containerId != before->containerId);
    QVERIFY(result->containerId != after->containerId);
}

void TestAbuseEsc::terminal(World&)
{
    auto request = requestOf(Runtime::Python, scriptOf({ u"ESC-22"_s }));
    request.hasTerminal = true;
    request.isStdinLive = true; // Its end would be typed, too, between what the script types.
    const auto result = run(request);
    RUN_OR_FAIL(result);
    verifyAttempts(QByteArray(result->standardOutput).replace("\r\n", "\n"), {});
}

QByteArray TestAbuseEsc::errorsWith(const QString& command, const QByteArray& engine,
    const QByteArray& runc, const QByteArray& until)
{
    isol8::test::FakeDocker fake;
    const auto version = R"({"Version":")" + engine
        + R"(","ApiVersion":"1.41","MinAPIVersion":"1.12","Components":[{"Name":"runc","Version":")"
        + runc + R"(","Details":{}}]})";
    // A server asks for more beside it.
    for (int i = 0; i < (command == "serve"_L1 ? 60 : 1); ++i)
        fake.enqueueJson(200, version);
    fake.enqueueJson(500, R"({"message":"that is enough"})");
    ProgramFixture program;
    auto arguments = QStringList { command };
    if (command == "serve"_L1)
        arguments << u"--key"_s << u"a-long-enough-key"_s << u"--port"_s << u"0"_s;
    std::unique_ptr<LiveProgram> going;
    {
        const DockerHost host(u"unix://"_s + fake.endpoint().socketPath);
        going = program.start(arguments);
    }
    (void)QTest::qWaitFor([&] { return going->errors().contains(until); }, patience);
    going->signal(SIGTERM);
    return going->end().err;
}

void TestAbuseEsc::oldRuntimes(World&)
{
    const std::tuple<QByteArray, QByteArray, QByteArray> old[] {
        { "28.5.1", "1.1.11", "CVE-2024-21626" },
        { "28.5.1", "1.2.7", "CVE-2025-31133" },
        { "20.10.24", "1.3.3", "Docker 20.10.24 gets no security fixes" },
    };
    for (const auto& [engine, runc, sentence] : old) {
        for (const auto& command : { u"setup"_s, u"serve"_s }) {
            const auto errors = errorsWith(command, engine, runc, sentence);
            QVERIFY2(errors.contains("[WARN]") && errors.contains(sentence), errors.constData());
        }
    }
}

void TestAbuseEsc::newRuntime(World&)
{
    const auto errors = errorsWith(u"setup"_s, "28.5.1", "1.3.3", "that is enough");
    QVERIFY2(errors.contains("[OK] Docker 28.5.1"), errors.constData());
    QVERIFY2(!errors.contains("[WARN]"), errors.constData());
}

void TestAbuseEsc::securityModule(World&)
{
    auto request = requestOf(Runtime::Bash, "echo ready; read line");
    request.isStdinLive = true;
    const auto going = fixture().start(request);
    QVERIFY(going->waitForOutput("ready"));
    const auto info = QCoro::waitFor(client().info());
    RUN_OR_FAIL(info);
    const auto raw = QCoro::waitFor(client().inspectContainerRaw(going->containerId));
    RUN_OR_FAIL(raw);
    const bool hasAppArmor = std::ranges::any_of(
        info->securityOptions, [](const QString& option) { return option.contains(u"apparmor"); });
    QCOMPARE(
        (*raw)[u"AppArmorProfile"_s].toString(), hasAppArmor ? u"docker-default"_s : QString());
    for (const auto& option : (*raw)[u"HostConfig"_s][u"SecurityOpt"_s].toArray())
        QVERIFY2(!option.toString().startsWith("apparmor"_L1)
                && !option.toString().startsWith("label"_L1),
            qPrintable(option.toString()));
    going->run().closeStdin();
    RUN_OR_FAIL(going->result());
}

void TestAbuseEsc::whoRuns(World&)
{
    // In the container only the guest is root, and isol8 starts nothing to get there.
    ProgramFixture program;
    // A spare that another command has left would be that one's by its label.
    program.write(u"isol8.config.json"_s, R"({"cli":{"spare":false}})");
    const auto going = program.start(
        { u"run"_s, u"--setup"_s, u"true"_s, u"--cmd"_s, u"echo ready; sleep 1000; true"_s });
    QVERIFY(going->waitForOutput("ready"));
    QFile children(u"/proc/%1/task/%1/children"_s.arg(going->pid()));
    QVERIFY(children.open(QIODevice::ReadOnly));
    QCOMPARE(children.readAll(), QByteArray());
    const auto containers
        = QCoro::waitFor(client().listContainers({ labels::managed + u"=true"_s }));
    RUN_OR_FAIL(containers);
    QList<int> guests;
    for (const auto& container : *containers) {
        const auto owner = Owner::fromString(container.labels.value(labels::owner));
        if (!owner || owner->pid != going->pid())
            continue;
        const auto details = QCoro::waitFor(client().inspectContainer(container.id));
        RUN_OR_FAIL(details);
        guests << details->pid;
    }
    QCOMPARE(guests.size(), 1);
    QByteArrayList processes;
    const auto hasShellAndMore = [&] {
        processes = processesBeside(guests[0]);
        return processes.size() >= 3;
    };
    QVERIFY2(QTest::qWaitFor(hasShellAndMore, patience), processes.join(", ").constData());
    QCOMPARE(processes.removeAll("0 guest"), 1);
    for (const auto& process : std::as_const(processes))
        QVERIFY2(process.startsWith("100 "), process.constData());
    going->signal(SIGTERM);
    (void)going->end();
}

void TestAbuseEsc::sources(World&)
{
    // No shell and no `docker` between us and the daemon, and nothing that Docker's exec would run.
    const auto source = QDir(QStringLiteral(ISOL8_TEST_DATA "/../.."));
    const QStringList starters { u"engine/core/hostprocess.cpp"_s,
        u"engine/images/workdirectory.cpp"_s };
    int read = 0;
    for (const auto& folder : { u"engine"_s, u"app"_s }) {
        QDirIterator files(source.filePath(folder), { u"*.cpp"_s, u"*.h"_s }, QDir::Files,
            QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            const auto text = file.readAll();
            const auto name = source.relativeFilePath(file.fileName());
            ++read;
            for (const auto* word : { "popen(", " system(", "/exec/", "u\"sh\"_s" })
                QVERIFY2(!text.contains(word), (name.toLatin1() + ": " + word).constData());
            if (!starters.contains(name) && !name.startsWith("engine/guest"_L1)) {
                QVERIFY2(!text.contains("QProcess process"), qPrintable(name));
                QVERIFY2(!text.contains("QProcess::execute"), qPrintable(name));
                QVERIFY2(!text.contains("new QProcess"), qPrintable(name));
            }
        }
    }
    QVERIFY(read > 200);
}

void TestAbuseEsc::asRoot(World&)
{
    // Were the program root, it would still be contained: the same container, without the guest.
    SandboxPlan plan;
    plan.image = u"isol8:python"_s;
    plan.guestVolume = guestVolumeName();
    plan.owner = Owner::self().toString();
    auto spec = containerSpec({}, plan);
    RUN_OR_FAIL(spec);
    spec->entrypoint = { u"python3"_s, u"-c"_s,
        QString::fromUtf8(scriptOf(
            { u"ESC-03"_s, u"ESC-06"_s, u"ESC-08"_s, u"ESC-09"_s, u"ESC-10"_s, u"ESC-15"_s })) };
    const auto id = QCoro::waitFor(client().createContainer(*spec, {}));
    RUN_OR_FAIL(id);
    const auto stream = QCoro::waitFor(client().attach(*id));
    RUN_OR_FAIL(stream);
    QByteArray output;
    QByteArray errors;
    bool isOver = false;
    connect(stream->get(), &docker::AttachedStream::stdoutReceived, this,
        [&](const QByteArray& bytes) { output += bytes; });
    connect(stream->get(), &docker::AttachedStream::stderrReceived, this,
        [&](const QByteArray& bytes) { errors += bytes; });
    connect(stream->get(), &docker::AttachedStream::closed, this, [&] { isOver = true; });
    (*stream)->setReading(true);
    RUN_OR_FAIL(QCoro::waitFor(client().startContainer(*id)));
    const bool hasEnded = QTest::qWaitFor([&] { return isOver; }, patience);
    (*stream)->disconnect(this);
    RUN_OR_FAIL(QCoro::waitFor(client().removeContainer(*id)));
    QVERIFY(hasEnded);
    verifyAttempts(output, errors);
}

QTEST_GUILESS_MAIN(TestAbuseEsc)
#include "tst_abuse_esc.moc"
