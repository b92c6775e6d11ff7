// SPDX-License-Identifier: MIT
// Section B10 of ABUSE.md: faults of the Docker daemon.
#include "engine/core/owner.h"
#include "engine/images/buildcontext.h"
#include "engine/sandbox/labels.h"
#include "tests/abuse/engineabusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/app/serve/httpclient.h"
#include "tests/support/dockergate.h"
#include "tests/support/fakedocker.h"
#include "tests/support/rawclient.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTcpServer>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 120'000;
const QString warmImage = u"isol8-test-warm"_s;

/// An engine whose Docker is behind a gate.
struct Gated {
    Gated()
        : host(u"unix://"_s + gate.socketPath())
    {
    }
    DockerGate gate;
    DockerHost host;
    EngineFixture fixture;
};

} // namespace

class TestAbuseDock : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseDock> cases[];

    void noDaemon(World& world);
    void helpWithoutDaemon(World& world);
    void retaggedImage(World& world);
    void fullDisk(World& world);
    void muchOutput(World& world);
    void versions(World& world);
    void conflicts(World& world);
    void missingProtection(World& world);
    void wholeProtection(World& world);
    void clockJumps(World& world);
    void manyContainers(World& world);

    /// `isol8 ARGUMENTS` beside the daemon at @p url.
    [[nodiscard]] static ProgramEnd beside(const QString& url, const QStringList& arguments)
    {
        ProgramFixture program;
        const DockerHost host(url);
        return program.run(arguments);
    }
};

const Case<TestAbuseDock> TestAbuseDock::cases[] {
    { "DOCK-01", &TestAbuseDock::noDaemon, &TestAbuseDock::helpWithoutDaemon },
    { "DOCK-05", &TestAbuseDock::retaggedImage, &TestAbuseDock::runs },
    { "DOCK-06", &TestAbuseDock::fullDisk, &TestAbuseDock::runs },
    { "DOCK-07", &TestAbuseDock::muchOutput, &TestAbuseDock::runs },
    { "DOCK-10", &TestAbuseDock::versions, &TestAbuseDock::runs },
    { "DOCK-11", &TestAbuseDock::conflicts, &TestAbuseDock::runs },
    { "DOCK-13", &TestAbuseDock::missingProtection, &TestAbuseDock::wholeProtection },
    { "DOCK-14", &TestAbuseDock::clockJumps, &TestAbuseDock::runs },
    { "DOCK-15", &TestAbuseDock::manyContainers, &TestAbuseDock::runs },
};

void TestAbuseDock::attack_data()
{
    addRows<TestAbuseDock>(cases);
}

void TestAbuseDock::attack()
{
    perform<TestAbuseDock>(this, cases);
    for (const auto& tag : { u":one"_s, u":other"_s }) // Once no sandbox of them is left.
        QTRY_VERIFY_WITH_TIMEOUT(QCoro::waitFor(client().removeImage(warmImage + tag)), patience);
}

void TestAbuseDock::noDaemon(World&)
{
    QTemporaryDir folder;
    const auto file = folder.filePath(u"file"_s);
    QFile plain(file);
    QVERIFY(plain.open(QIODevice::WriteOnly));
    QTcpServer silent; // Speaks no HTTP.
    QVERIFY(silent.listen(QHostAddress::LocalHost));
    connect(&silent, &QTcpServer::newConnection, &silent, [&silent] {
        auto* const socket = silent.nextPendingConnection();
        socket->write("SSH-2.0-OpenSSH_9\r\n");
        socket->disconnectFromHost();
    });
    for (const auto& url :
        { u"unix://"_s + folder.filePath(u"missing.sock"_s), u"unix://"_s + file, u"unix:///"_s,
            u"tcp://127.0.0.1:1"_s, u"tcp://127.0.0.1:%1"_s.arg(silent.serverPort()), u"nonsense"_s,
            u"ftp://x"_s, u"tcp://127.0.0.1:99999"_s }) {
        const auto end = beside(url, { u"run"_s, u"--cmd"_s, u"echo RAN"_s });
        QVERIFY2(end.exitCode == 1, (url.toLatin1() + ": " + end.err).constData());
        QVERIFY2(end.err.startsWith("[ERR] "), end.err.constData());
        QVERIFY2(end.err.size() > 20 && end.err.size() < 1'500, end.err.constData());
        QCOMPARE(end.out, QByteArray());
    }
    // A context that is not there, and one whose certificates are not.
    ProgramFixture program;
    qputenv("DOCKER_CONTEXT", "nowhere");
    const auto daemon = qgetenv("DOCKER_HOST");
    qunsetenv("DOCKER_HOST");
    const auto end = program.run({ u"run"_s, u"--cmd"_s, u"echo RAN"_s });
    qunsetenv("DOCKER_CONTEXT");
    if (!daemon.isNull())
        qputenv("DOCKER_HOST", daemon);
    QCOMPARE(end.exitCode, 1);
    QVERIFY2(end.err.contains("nowhere"), end.err.constData());
}

void TestAbuseDock::helpWithoutDaemon(World&)
{
    for (const auto& arguments : { QStringList { u"--version"_s }, QStringList { u"--help"_s },
             QStringList { u"run"_s, u"--help"_s }, QStringList { u"config"_s, u"--json"_s } }) {
        const auto end = beside(u"unix:///nowhere/at/all.sock"_s, arguments);
        QCOMPARE(end.exitCode, 0);
        QVERIFY(!end.out.isEmpty());
    }
}

void TestAbuseDock::retaggedImage(World&)
{
    QTemporaryDir folder;
    const auto build = [&](const QByteArray& mark, const QString& tag) {
        BuildContext context;
        context.files = { { u"Dockerfile"_s, "FROM isol8:bash\nENV MARK=" + mark + '\n' } };
        docker::BuildSpec spec;
        spec.contextPath = folder.filePath(u"context.tar"_s);
        spec.tag = warmImage + u':' + tag;
        RUN_OR_FAIL(QCoro::waitFor(writeContext(context, spec.contextPath, {})));
        RUN_OR_FAIL(QCoro::waitFor(client().buildImage(spec, {})));
    };
    build("one", u"one"_s);
    EngineFixture pooled;
    pooled.restartWithPool(PoolLimits {});
    ExecutionOptions options;
    options.image = warmImage + u":one"_s;
    const auto mark = [&] { return pooled.run(Runtime::Bash, "echo $MARK", options); };
    const auto first = mark();
    RUN_OR_FAIL(first);
    QCOMPARE(first->standardOutput, "one\n");
    // The name stands for another image now, while a sandbox of the old one is warm.
    build("two", u"other"_s);
    RUN_OR_FAIL(QCoro::waitFor(client().tagImage(warmImage + u":other"_s, warmImage, u"one"_s)));
    const auto isNew = [&] {
        const auto result = mark();
        return result && result->standardOutput == "two\n"
            && result->imageDigest != first->imageDigest;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isNew(), patience);
    // And now it is nobody's.
    RUN_OR_FAIL(QCoro::waitFor(client().removeImage(warmImage + u":one"_s)));
    Result<ExecutionResult> missing;
    const auto isMissing = [&] {
        missing = mark();
        return !missing;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isMissing(), patience);
    QCOMPARE(missing.error().kind, Kind::NotFound);
    QVERIFY2(missing.error().message.contains(warmImage), qPrintable(missing.error().message));
}

void TestAbuseDock::fullDisk(World&)
{
    Gated gated;
    for (const auto& target : { u"/containers/create"_s, u"/containers/[0-9a-f]+/start"_s }) {
        gated.gate.fail(
            "POST", target, 1, 500, "mkdir /var/lib/docker/overlay2/x: no space left on device");
        const auto full = gated.fixture.run(Runtime::Bash, "echo RAN");
        QVERIFY(!full);
        QVERIFY2(full.error().message.contains(u"no space left on device"),
            qPrintable(full.error().message));
        const auto next = gated.fixture.run(Runtime::Bash, "echo recovered");
        RUN_OR_FAIL(next);
        QCOMPARE(next->standardOutput, "recovered\n");
    }
    QCOMPARE(gated.gate.failed(), 2);
}

void TestAbuseDock::muchOutput(World&)
{
    auto request = requestOf(
        Runtime::Bash, "head -c 200M /dev/zero | tr '\\0' x; echo flooded >&2; read line");
    request.isStdinLive = true;
    request.keptOutputBytes = 1000;
    ExecutionOptions options;
    options.maxOutputBytes = 1LL << 30;
    options.timeout = std::chrono::seconds(100);
    const auto going = fixture().start(request, options);
    QTRY_VERIFY_WITH_TIMEOUT(going->standardError.contains("flooded"), patience);
    const auto raw = QCoro::waitFor(client().inspectContainerRaw(going->containerId));
    RUN_OR_FAIL(raw);
    QCOMPARE((*raw)[u"LogPath"_s].toString(), QString());
    QCOMPARE((*raw)[u"HostConfig"_s][u"LogConfig"_s][u"Type"_s].toString(), u"none"_s);
    going->run().closeStdin();
    RUN_OR_FAIL(going->result());
}

void TestAbuseDock::versions(World&)
{
    const auto refusal = [](const QByteArray& message) -> QByteArray {
        return R"({"message":"client version 1.41 is too )" + message + R"("})";
    };
    {
        // Docker 29: one refusal, and then in its own language.
        FakeDocker docker;
        docker::Client client(docker.endpoint());
        docker.enqueueJson(
            400, refusal("old. Minimum supported API version is 1.44, please upgrade"));
        docker.enqueueJson(200, R"({"Id":"sha256:1"})");
        RUN_OR_FAIL(QCoro::waitFor(client.inspectImage(u"a"_s)));
        QCOMPARE(docker.requests().last().target, "/v1.44/images/a/json");
    }
    const std::pair<QByteArray, QStringList> beyond[] {
        { refusal("new. Maximum supported API version is 1.40"), { u"1.40"_s, u"1.41"_s } },
        { refusal("old. Minimum supported API version is 1.60, please upgrade"),
            { u"1.60"_s, u"1.51"_s } },
        { refusal("old"), { u"1.51"_s } },
    };
    for (const auto& [answer, words] : beyond) {
        FakeDocker docker;
        for (int i = 0; i < 60; ++i)
            docker.enqueueJson(400, answer);
        const auto end = beside(
            u"unix://"_s + docker.endpoint().socketPath, { u"run"_s, u"--cmd"_s, u"echo RAN"_s });
        QCOMPARE(end.exitCode, 1);
        for (const auto& word : words)
            QVERIFY2(end.err.contains(word.toLatin1()), end.err.constData());
    }
    {
        // Something that is no Docker at all, without a version anywhere.
        FakeDocker docker;
        for (int i = 0; i < 60; ++i)
            docker.enqueue(FakeDocker::answer(404, "page not found"));
        const auto end = beside(
            u"unix://"_s + docker.endpoint().socketPath, { u"run"_s, u"--cmd"_s, u"echo RAN"_s });
        QCOMPARE(end.exitCode, 1);
        QVERIFY2(end.err.startsWith("[ERR] "), end.err.constData());
    }
}

void TestAbuseDock::conflicts(World&)
{
    Gated gated;
    RUN_OR_FAIL(gated.fixture.run(Runtime::Bash, "echo before")); // Its helper is no case.
    // Somebody else removes it at the same time, or has done so.
    gated.gate.fail(
        "DELETE", u"/containers/"_s, 1, 409, "removal of container x is already in progress");
    RUN_OR_FAIL(gated.fixture.run(Runtime::Bash, "echo one"));
    gated.gate.fail("DELETE", u"/containers/"_s, 1, 404, "No such container: x");
    RUN_OR_FAIL(gated.fixture.run(Runtime::Bash, "echo two"));
    QTRY_COMPARE_WITH_TIMEOUT(gated.gate.failed(), 2, patience);
    RUN_OR_FAIL(QCoro::waitFor(client().removeContainer(u"isol8-surely-not-there"_s)));
    // A name that is taken, a second start, a second removal.
    docker::ContainerSpec spec;
    spec.image = u"isol8:bash"_s;
    spec.entrypoint = { u"sleep"_s, u"1000"_s };
    const auto name = u"isol8-test-conflict-%1"_s.arg(QCoreApplication::applicationPid());
    const auto id = QCoro::waitFor(client().createContainer(spec, name));
    RUN_OR_FAIL(id);
    const auto again = QCoro::waitFor(client().createContainer(spec, name));
    QVERIFY(!again);
    QCOMPARE(again.error().kind, Kind::Conflict);
    for (int i = 0; i < 2; ++i)
        RUN_OR_FAIL(QCoro::waitFor(client().startContainer(*id)));
    for (int i = 0; i < 2; ++i)
        RUN_OR_FAIL(QCoro::waitFor(client().removeContainer(*id)));
}

void TestAbuseDock::missingProtection(World&)
{
    Gated gated;
    // A limit that the kernel has no means for is not left out in silence.
    for (const auto* warning : { "Your kernel does not support memory limit capabilities or the "
                                 "cgroup is not mounted. Limitation discarded.",
             "Your kernel does not support pids limit capabilities or the cgroup is not mounted. "
             "PIDs limit discarded." }) {
        gated.gate.answer("POST", u"/containers/create\\?name=isol8-[^h]"_s, 1, 201,
            R"({"Id":"0123456789ab","Warnings":[")" + QByteArray(warning) + R"("]})");
        const auto result = gated.fixture.run(Runtime::Bash, "echo RAN");
        QVERIFY2(!result, warning);
        QCOMPARE(result.error().kind, Kind::Denied);
        QVERIFY2(result.error().message.contains(u"doctor"), qPrintable(result.error().message));
    }
    // Nor is seccomp: such a Docker refuses to start what asks for a profile.
    gated.gate.fail("POST", u"/containers/[0-9a-f]+/start"_s, 1, 500,
        "seccomp is not enabled in your kernel, cannot run a custom seccomp profile");
    const auto result = gated.fixture.run(Runtime::Bash, "echo RAN");
    QVERIFY(!result);
    QVERIFY2(result.error().message.contains(u"seccomp"), qPrintable(result.error().message));
    // And doctor names what is missing.
    gated.gate.answer("GET", u"/info$"_s, 1, 200,
        R"({"ID":"x","OperatingSystem":"x","Architecture":"x86_64","Driver":"x","DockerRootDir":"/x","NCPU":1,"Warnings":null,"CgroupVersion":"1","CgroupDriver":"cgroupfs","SecurityOptions":[],"MemoryLimit":false,"PidsLimit":false,"CpuCfsQuota":true,"SwapLimit":false})");
    ProgramFixture program;
    const auto doctor = program.run({ u"doctor"_s });
    QCOMPARE(doctor.exitCode, 1);
    QVERIFY2(doctor.err.contains("missing: memory, pids"), doctor.err.constData());
    QVERIFY2(doctor.err.contains("seccomp: Docker does not support it"), doctor.err.constData());
}

void TestAbuseDock::wholeProtection(World&)
{
    ProgramFixture program;
    const auto doctor = program.run({ u"doctor"_s });
    QVERIFY2(doctor.err.contains("[OK] cgroup: "), doctor.err.constData());
    QVERIFY2(doctor.err.contains("[OK] seccomp: "), doctor.err.constData());
}

void TestAbuseDock::clockJumps(World&)
{
    QTemporaryDir folder;
    QFile clock(folder.filePath(u"clock"_s));
    QVERIFY(clock.open(QIODevice::ReadWrite | QIODevice::Unbuffered));
    const auto set = [&](std::chrono::seconds shift) {
        const qint64 seconds = shift.count();
        clock.seek(0);
        clock.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);
    };
    set(0s);
    ServerProcess::Options options;
    options.arguments << u"--auth-db"_s << u"keys.db"_s;
    options.variables.insert(u"LD_PRELOAD"_s, QStringLiteral(ISOL8_SHIFTED_CLOCK));
    options.variables.insert(u"ISOL8_TEST_CLOCK"_s, clock.fileName());
    options.variables.insert(u"ASAN_OPTIONS"_s, u"verify_asan_link_order=0"_s);
    ServerProcess server(options);
    QVERIFY2(server.start(), server.log().constData());
    HttpClient master(server.port(), "Bearer master");
    const auto keyOf = [&](std::chrono::milliseconds life) {
        const auto made = master.post(
            u"/auth/keys"_s, { { u"name"_s, u"k"_s }, { u"ttlMs"_s, qint64(life.count()) } });
        return std::make_unique<HttpClient>(
            server.port(), "Bearer " + made.json().value(u"key"_s).toString().toLatin1());
    };
    auto brief = keyOf(30min);
    const auto lasting = keyOf(3h);
    const auto begin = [&](const QString& command, std::chrono::milliseconds limit) {
        const QJsonObject request { { u"cmd"_s, command },
            { u"timeoutMs"_s, qint64(limit.count()) } };
        const QJsonObject call { { u"request"_s, request }, { u"sessionId"_s, u"jumps"_s } };
        return std::make_unique<RawClient>(server.port(),
            rawRequest(
                "POST", "/execute/stream", QJsonDocument(call).toJson(QJsonDocument::Compact)));
    };
    for (const auto shift : { 1h, 0h, -1h }) {
        // In mid-run: the limit neither comes at once nor never.
        auto going = begin(u"echo begun; sleep 3; echo ended"_s, 100s);
        QVERIFY2(going->waitFor("begun", patience), going->received.constData());
        set(shift);
        QVERIFY2(going->waitFor("ended", patience), going->received.constData());
        QVERIFY2(going->waitFor(R"("type":"exit")", patience), going->received.constData());
        QVERIFY2(!going->received.contains("TIMED OUT"), going->received.constData());
        auto endless = begin(u"echo begun; sleep 1000"_s, 3s);
        QVERIFY2(endless->waitFor("TIMED OUT", patience), endless->received.constData());
        // Keys are of the clock; sessions are not.
        const int expected = shift == 1h ? 403 : 200;
        QCOMPARE(brief->get(u"/sessions"_s).status, expected);
        QCOMPARE(lasting->get(u"/sessions"_s).status, 200);
        const auto sessions = master.get(u"/sessions"_s);
        QVERIFY2(sessions.body.contains("jumps"), sessions.body.constData());
        if (shift == 1h) // What has expired does not come back with the clock.
            brief = keyOf(30min);
    }
    QCOMPARE(master.remove(u"/session/jumps"_s).status, 200);
    QCOMPARE(server.terminate(), 0);
}

void TestAbuseDock::manyContainers(World&)
{
    // 1,000 of others and 300 leftovers of a dead isol8: a server answers all the while.
    constexpr int foreign = 1'000;
    constexpr int own = 300;
    auto dead = Owner::self();
    dead.pid = 4'000'000; // Beyond what a process can have.
    QJsonArray containers;
    for (int i = 0; i < foreign + own; ++i) {
        const bool isOwn = i % ((foreign + own) / own) == 0 && i / 4 < own;
        QJsonObject names { { labels::managed, u"true"_s }, { labels::kind, u"run"_s },
            { labels::owner, isOwn ? dead.toString() : Owner::self().toString() } };
        containers << QJsonObject { { u"Id"_s, u"%1"_s.arg(i, 64, 16, QChar(u'0')) },
            { u"Names"_s, QJsonArray { u"/isol8-run-%1"_s.arg(i) } },
            { u"Image"_s, u"isol8:bash"_s }, { u"State"_s, u"running"_s },
            { u"Created"_s, 1'700'000'000 }, { u"Labels"_s, names } };
    }
    DockerGate gate;
    gate.answer("GET", u"/containers/json.*isol8.managed"_s, 1, 200,
        QJsonDocument(containers).toJson(QJsonDocument::Compact));
    gate.answer("DELETE", u"/containers/0{50,}"_s, own, 204, {});
    ServerProcess::Options options;
    options.variables.insert(u"DOCKER_HOST"_s, u"unix://"_s + gate.socketPath());
    ServerProcess server(options);
    QVERIFY2(server.start(), server.log().constData());
    HttpClient client(server.port(), "Bearer master");
    QCOMPARE(client.get(u"/health"_s).status, 200);
    const auto result = client.post(
        u"/execute"_s, { { u"request"_s, QJsonObject { { u"cmd"_s, u"echo beside"_s } } } });
    QCOMPARE(result.status, 200);
    const auto removed = [&] {
        return std::ranges::count_if(gate.requests(), [](const QByteArray& request) {
            return request.startsWith("DELETE ") && request.contains("/containers/00000000");
        });
    };
    QTRY_COMPARE_WITH_TIMEOUT(removed(), qsizetype(own), patience);
    QCOMPARE(client.get(u"/health"_s).status, 200);
    QCOMPARE(server.terminate(), 0);
}

QTEST_GUILESS_MAIN(TestAbuseDock)
#include "tst_abuse_dock.moc"
