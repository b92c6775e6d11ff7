// SPDX-License-Identifier: MIT
// Section B11 of ABUSE.md: crashes.
#include "engine/core/owner.h"
#include "engine/sandbox/labels.h"
#include "tests/abuse/engineabusetest.h"
#include "tests/abuse/httpabusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/app/serve/httpclient.h"
#include "tests/support/dockergate.h"

#include <QCoroTask>
#include <QJsonDocument>

#include <csignal>

#include <sys/resource.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;
const QString imageName = u"isol8-test-crash"_s;

} // namespace

class TestAbuseCr : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseCr> cases[];

    void serverCrashes(World& world);
    void crashesWhilePreparing(World& world);
    void brokenStateFiles(World& world);
    void brokenAuditLog(World& world);
    void wellAuditLog(World& world);
    void unwritableAudit(World& world);
    void starvedServer(World& world);
    void removalFails(World& world);

    /// Kills isol8 with @p arguments as soon as it asks Docker for what matches @p target.
    void killAt(DockerGate& gate, const ProgramFixture& program, const QStringList& arguments,
        const QString& target);
    [[nodiscard]] qsizetype danglingImages();
    /// Images without a name are what a build leaves; those of others stay as they are.
    static void audit(const ProgramFixture& program, const QString& onFailure);
};

const Case<TestAbuseCr> TestAbuseCr::cases[] {
    { "CR-02", &TestAbuseCr::serverCrashes, &TestAbuseCr::runs },
    { "CR-03", &TestAbuseCr::crashesWhilePreparing, &TestAbuseCr::runs },
    { "CR-04", &TestAbuseCr::brokenStateFiles, &TestAbuseCr::runs },
    { "CR-04 audit", &TestAbuseCr::brokenAuditLog, &TestAbuseCr::wellAuditLog },
    { "CR-05", &TestAbuseCr::unwritableAudit, &TestAbuseCr::wellAuditLog },
    { "CR-06", &TestAbuseCr::starvedServer, &TestAbuseCr::runs },
    { "CR-07", &TestAbuseCr::removalFails, &TestAbuseCr::runs },
};

void TestAbuseCr::attack_data()
{
    addRows<TestAbuseCr>(cases);
}

void TestAbuseCr::attack()
{
    perform<TestAbuseCr>(this, cases);
    QTRY_VERIFY_WITH_TIMEOUT(QCoro::waitFor(client().removeImage(imageName + u":one"_s)), patience);
}

void TestAbuseCr::serverCrashes(World& world)
{
    ServerProcess server;
    for (const int number : { SIGSEGV, SIGABRT, SIGBUS }) {
        QVERIFY2(server.start(), server.log().constData());
        const auto call = executeCall(
            isol8::tests::bash("echo up $TOKEN; exec -a " + world.marker + " sleep 1000"),
            { { u"secrets"_s,
                QJsonObject { { u"TOKEN"_s, QString::fromLatin1(world.secret) } } } });
        RawClient client(server.port(), rawRequest("POST", "/execute/stream", call));
        QVERIFY2(client.waitFor("up ***", patience), client.received.constData());
        server.signal(number);
        QTRY_VERIFY_WITH_TIMEOUT(!server.isRunning(), patience);
        QVERIFY(client.waitForEnd(patience));
        QVERIFY(!client.received.contains(R"("type":"exit")"));
        QVERIFY2(!server.log().contains(world.secret), server.log().constData());
        // No core file, nor another file with what was in memory.
        QStringList names = QDir(server.home()).entryList(QDir::Files | QDir::Hidden);
        for (const auto& name : names)
            QVERIFY2(!name.startsWith("core"_L1), qPrintable(name));
    }
    // What was left is cleared away by the next one.
    QVERIFY2(server.start(), server.log().constData());
    HttpClient client(server.port(), "Bearer master");
    const auto next = client.post(
        u"/execute"_s, { { u"request"_s, QJsonObject { { u"cmd"_s, u"echo again"_s } } } });
    QCOMPARE(next.status, 200);
    QCOMPARE(server.terminate(), 0);
}

void TestAbuseCr::killAt(DockerGate& gate, const ProgramFixture& program,
    const QStringList& arguments, const QString& target)
{
    const QRegularExpression wanted(target);
    const auto before = gate.requests().size();
    const auto going = program.start(arguments);
    const auto hasCome = [&] {
        const auto& all = gate.requests();
        return std::any_of(all.begin() + before, all.end(), [&wanted](const QByteArray& request) {
            return wanted.match(QString::fromLatin1(request)).hasMatch();
        });
    };
    QVERIFY2(QTest::qWaitFor(hasCome, patience), qPrintable(target));
    going->signal(SIGKILL);
    (void)going->end();
}

qsizetype TestAbuseCr::danglingImages()
{
    const auto images = QCoro::waitFor(client().listImages({ u"isol8.build"_s }));
    if (!images)
        return -1;
    return std::ranges::count_if(
        *images, [](const docker::ImageDetails& image) { return image.tags.isEmpty(); });
}

void TestAbuseCr::crashesWhilePreparing(World&)
{
    const auto dangling = danglingImages();
    QVERIFY(dangling >= 0);
    DockerGate gate;
    const DockerHost host(u"unix://"_s + gate.socketPath());
    // A home of its own: whatever was found out before counts for nothing.
    ProgramFixture program;
    const QStringList run { u"run"_s, u"--cmd"_s, u"echo completed"_s };
    for (const auto& moment : { u"POST .*/containers/create.*isol8-helper"_s,
             u"(GET|PUT) .*/archive"_s, u"POST .*/containers/create(?!.*isol8-helper)"_s,
             u"POST .*/attach"_s, u"POST .*/start"_s }) {
        killAt(gate, program, run, moment);
        if (QTest::currentTestFailed())
            return;
    }
    const QStringList build { u"build"_s, u"--base"_s, u"bash"_s, u"--setup"_s, u"echo built"_s,
        u"--tag"_s, imageName + u":one"_s };
    killAt(gate, program, build, u"POST .*/build"_s);
    if (QTest::currentTestFailed())
        return;
    // The next ones complete, and nothing piles up.
    const auto built = program.run(build);
    QVERIFY2(built.exitCode == 0, built.err.constData());
    const auto runningSpares = [&] {
        QSet<QString> ids;
        const auto found = QCoro::waitFor(client().listContainers({ labels::kind + u"=spare"_s }));
        for (const auto& each : found.value_or(QList<docker::ContainerSummary>())) {
            if (each.state == "running"_L1)
                ids << each.id;
        }
        return ids;
    };
    const auto before = runningSpares();
    const auto end = program.run(run);
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, "completed\n");
    // The spare that it leaves is made through the gate, too.
    QTRY_VERIFY_WITH_TIMEOUT(!(runningSpares() - before).isEmpty(), patience);
    QTRY_VERIFY_WITH_TIMEOUT(danglingImages() <= dangling, patience);
    const auto hasHelpers = [&] {
        const auto found = QCoro::waitFor(client().listContainers({ labels::kind + u"=helper"_s }));
        return !found || !found->isEmpty();
    };
    QTRY_VERIFY_WITH_TIMEOUT(!hasHelpers(), patience);
}

void TestAbuseCr::brokenStateFiles(World&)
{
    // As a power cut leaves them: cut, empty, full of zeros.
    for (const auto& content :
        { "{\"credentials\":{\"http://127.0.0.1:1\":{\"tok"_ba, ""_ba, QByteArray(4096, '\0') }) {
        ProgramFixture program;
        QDir(program.home()).mkpath(u".isol8"_s);
        QFile stored(program.home() + u"/.isol8/credentials.json"_s);
        QVERIFY(stored.open(QIODevice::WriteOnly));
        stored.write(content);
        stored.close();
        const auto asked
            = program.run({ u"run"_s, u"--host"_s, u"http://127.0.0.1:1"_s, u"-e"_s, u"1"_s });
        QVERIFY(asked.exitCode != 0);
        QVERIFY2(asked.err.startsWith("[ERR] "), asked.err.constData());
        const auto local = program.run({ u"run"_s, u"--cmd"_s, u"echo fine"_s });
        QVERIFY2(local.out == "fine\n", local.err.constData());
    }
    for (const auto& content : { "SQLite format 3\0cut"_ba, QByteArray(8192, '\0'), "text"_ba }) {
        ServerProcess::Options options;
        options.arguments << u"--auth-db"_s << u"keys.db"_s;
        ServerProcess server(options);
        QFile keys(server.filePath(u"keys.db"_s));
        QVERIFY(keys.open(QIODevice::WriteOnly));
        keys.write(content);
        keys.close();
        // Closed when in doubt: it does not serve without its keys.
        QVERIFY2(!server.start(), server.log().constData());
        QVERIFY2(server.log().contains("[ERR] --auth-db"), server.log().constData());
    }
}

void TestAbuseCr::audit(const ProgramFixture& program, const QString& onFailure)
{
    QDir(program.home()).mkpath(u".isol8"_s);
    QFile config(program.home() + u"/.isol8/config.json"_s);
    QVERIFY(config.open(QIODevice::WriteOnly));
    const QJsonObject keys { { u"enabled"_s, true }, { u"logDir"_s, program.path(u"audit"_s) },
        { u"onFailure"_s, onFailure } };
    config.write(QJsonDocument(QJsonObject { { u"audit"_s, keys } }).toJson());
}

void TestAbuseCr::brokenAuditLog(World&)
{
    // Half a line, as a power cut leaves it, is closed off and not mixed up with the next one.
    ProgramFixture program;
    audit(program, u"warn"_s);
    QDir(program.folder()).mkpath(u"audit"_s);
    program.write(u"audit/executions.log"_s, "{\"executionId\":\"whole\"}\n{\"executionId\":\"ha");
    const auto end = program.run({ u"run"_s, u"--cmd"_s, u"echo fine"_s });
    QVERIFY2(end.exitCode == 0, end.err.constData());
    const auto lines = program.read(u"audit/executions.log"_s).trimmed().split('\n');
    QCOMPARE(lines.size(), 3);
    QCOMPARE(lines[0], "{\"executionId\":\"whole\"}");
    QCOMPARE(lines[1], "{\"executionId\":\"ha");
    QCOMPARE(QJsonDocument::fromJson(lines[2]).object()[u"exitCode"_s].toInt(-1), 0);
}

void TestAbuseCr::wellAuditLog(World& world)
{
    ProgramFixture program;
    audit(program, u"refuse"_s);
    const auto end = program.run({ u"run"_s, u"--secret"_s,
        u"TOKEN="_s + QString::fromLatin1(world.secret), u"--cmd"_s, u"echo $TOKEN"_s });
    QVERIFY2(end.exitCode == 0, end.err.constData());
    const auto log = program.read(u"audit/executions.log"_s);
    QCOMPARE(log.count('\n'), 1);
    QVERIFY(QJsonDocument::fromJson(log).isObject());
    QVERIFY(!log.contains(world.secret));
}

void TestAbuseCr::unwritableAudit(World& world)
{
    const auto secret = QString::fromLatin1(world.secret);
    for (const bool isRefusing : { false, true }) {
        ProgramFixture program;
        audit(program, isRefusing ? u"refuse"_s : u"warn"_s);
        program.write(u"audit"_s, "a file where the folder should be");
        const auto end = program.run(
            { u"run"_s, u"--secret"_s, u"TOKEN="_s + secret, u"--cmd"_s, u"echo ran $TOKEN"_s });
        QVERIFY2(!end.err.contains(world.secret), end.err.constData());
        QVERIFY2(end.err.contains("audit"), end.err.constData());
        if (isRefusing) {
            QVERIFY2(end.exitCode == 1 && end.out.isEmpty(), end.err.constData());
        } else {
            QVERIFY2(end.exitCode == 0 && end.out == "ran ***\n", end.err.constData());
            QCOMPARE(end.err.count("cannot be written"), 1);
        }
    }
}

void TestAbuseCr::starvedServer(World&)
{
    ServerProcess server;
    QVERIFY2(server.start(), server.log().constData());
    HttpClient client(server.port(), "Bearer master");
    const QJsonObject call { { u"request"_s, QJsonObject { { u"cmd"_s, u"echo fed"_s } } } };
    QCOMPARE(client.post(u"/execute"_s, call).status, 200);
    // Few more descriptors than it has, and twenty floods. Not fewer: the sanitizer needs some for
    // itself, to look whether an object is there.
    rlimit before {};
    QCOMPARE(::prlimit(pid_t(server.pid()), RLIMIT_NOFILE, nullptr, &before), 0);
    const rlimit few { rlim_t(server.descriptorCount() + 40), before.rlim_max };
    QCOMPARE(::prlimit(pid_t(server.pid()), RLIMIT_NOFILE, &few, nullptr), 0);
    std::vector<std::unique_ptr<RawClient>> floods;
    for (int i = 0; i < 20; ++i) {
        const auto body = QJsonDocument(call).toJson(QJsonDocument::Compact);
        floods.push_back(
            std::make_unique<RawClient>(server.port(), rawRequest("POST", "/execute", body)));
    }
    const auto answered = [&] {
        return std::ranges::count_if(
            floods, [](const auto& each) { return each->status() != 0 || each->isClosed; });
    };
    QTRY_VERIFY_WITH_TIMEOUT(answered() > 0, patience);
    for (const auto& each : floods) {
        const auto status = each->status();
        QVERIFY2(status == 0 || status == 200 || status == 429 || status >= 500,
            each->received.constData());
    }
    floods.clear();
    QVERIFY2(server.isRunning(), server.log().right(3'000).constData());
    QCOMPARE(::prlimit(pid_t(server.pid()), RLIMIT_NOFILE, &before, nullptr), 0);
    const auto isWell = [&] { return client.post(u"/execute"_s, call).status == 200; };
    QTRY_VERIFY_WITH_TIMEOUT(isWell(), patience);
    QCOMPARE(server.terminate(), 0);
}

void TestAbuseCr::removalFails(World&)
{
    DockerGate gate;
    const DockerHost host(u"unix://"_s + gate.socketPath());
    EngineFixture gated;
    gated.restartWithPool(PoolLimits { .isReusing = false });
    RUN_OR_FAIL(gated.run(Runtime::Bash, "echo before"));
    gate.fail("DELETE", u"/containers/[0-9a-f]{64}"_s, 3, 500, "driver failed to remove: busy");
    const auto first = gated.run(Runtime::Bash, "echo first");
    RUN_OR_FAIL(first);
    const auto second = gated.run(Runtime::Bash, "echo second");
    RUN_OR_FAIL(second);
    QVERIFY(second->containerId != first->containerId);
    // Asked again, until it is gone.
    QTRY_COMPARE_WITH_TIMEOUT(gate.failed(), 3, patience);
    const auto removals = [&] {
        return std::ranges::count_if(gate.requests(), [&](const QByteArray& request) {
            return request.startsWith("DELETE ") && request.contains(first->containerId.toLatin1());
        });
    };
    QTRY_VERIFY_WITH_TIMEOUT(removals() >= 2, patience);
    const auto isGone = [&] {
        const auto details = QCoro::waitFor(client().inspectContainer(first->containerId));
        return !details && details.error().kind == Kind::NotFound;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isGone(), patience);
}

QTEST_GUILESS_MAIN(TestAbuseCr)
#include "tst_abuse_cr.moc"
