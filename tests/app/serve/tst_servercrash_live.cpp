// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/sandbox/labels.h"
#include "tests/app/serve/httpclient.h"
#include "tests/support/rawclient.h"
#include "tests/support/serverprocess.h"

#include <QCoroTask>
#include <QElapsedTimer>
#include <QJsonArray>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 240'000;
constexpr int runCount = 20;
constexpr int sessionCount = 5;

QString sessionId(int number)
{
    return u"crash-%1-%2"_s.arg(number).arg(QCoreApplication::applicationPid());
}

QByteArray streamRequest(const QString& command, const QString& session = {})
{
    return rawRequest("POST", "/execute/stream",
        executeBody({ { u"cmd"_s, command }, { u"timeoutMs"_s, 600'000 } }, session));
}

} // namespace

/// The server is killed without a warning.
class TestServerCrash : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void killedServerLeavesSessionsAndNothingElse();

private:
    [[nodiscard]] int containers(const ServerProcess& server, const QString& kind);

    std::unique_ptr<docker::Client> m_docker;
};

/// How many of the server's containers there are.
int TestServerCrash::containers(const ServerProcess& server, const QString& kind)
{
    const auto all = QCoro::waitFor(m_docker->listContainers({ labels::kind + u'=' + kind }));
    if (!all)
        return -1;
    return int(std::ranges::count_if(*all, [&](const docker::ContainerSummary& container) {
        const auto owner = Owner::fromString(container.labels.value(labels::owner));
        return owner && owner->pid == server.pid();
    }));
}

void TestServerCrash::killedServerLeavesSessionsAndNothingElse()
{
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    m_docker = std::make_unique<docker::Client>(*endpoint);
    ServerProcess::Options options;
    options.config = { { u"maxConcurrent"_s, runCount + sessionCount } };
    ServerProcess server(options);
    QVERIFY2(server.start(), server.log().constData());
    auto client = std::make_unique<HttpClient>(server.port(), "Bearer master");

    for (int i = 0; i < sessionCount; ++i) {
        const auto made = client->send("POST", u"/execute"_s,
            executeBody({ { u"cmd"_s, u"echo file of %1 > kept"_s.arg(i) } }, sessionId(i)));
        QVERIFY2(made.status == 200, made.body.constData());
    }
    std::vector<std::unique_ptr<RawClient>> runs;
    for (int i = 0; i < runCount; ++i)
        runs.push_back(std::make_unique<RawClient>(server.port(),
            streamRequest(u"trap '' TERM HUP; (setsid sleep 600 &); echo up; sleep 600"_s)));
    // Two of the sessions are in use as well.
    for (int i = 0; i < 2; ++i)
        runs.push_back(std::make_unique<RawClient>(
            server.port(), streamRequest(u"echo up; sleep 600"_s, sessionId(i))));
    for (const auto& run : runs)
        QVERIFY2(run->waitFor("up", patience), run->received.constData());
    // Those of the pool that nobody uses are no more anybody's than those that run.
    QVERIFY(containers(server, u"run"_s) + containers(server, u"pool"_s) >= runCount);
    QCOMPARE(containers(server, u"session"_s), sessionCount);

    QElapsedTimer sinceTheKill;
    sinceTheKill.start();
    server.kill();
    for (const auto& run : runs) {
        QVERIFY(run->waitForEnd(patience));
        QVERIFY(!run->received.contains(R"("type":"exit")"));
    }
    QTRY_COMPARE_WITH_TIMEOUT(
        containers(server, u"run"_s) + containers(server, u"pool"_s), 0, patience);
    qInfo("no orphan %lld ms after the kill", static_cast<long long>(sinceTheKill.elapsed()));
    QCOMPARE(containers(server, u"session"_s), sessionCount);

    QVERIFY2(server.start(), server.log().constData());
    client = std::make_unique<HttpClient>(server.port(), "Bearer master");
    QStringList listed;
    for (const auto& session : client->get(u"/sessions"_s).json().value(u"sessions"_s).toArray())
        listed << session[u"id"_s].toString();
    for (int i = 0; i < sessionCount; ++i) {
        QVERIFY(listed.contains(sessionId(i)));
        const auto file = client->get(u"/file?path=kept&sessionId="_s + sessionId(i));
        QVERIFY2(file.status == 200, file.body.constData());
        QCOMPARE(QByteArray::fromBase64(file.json().value(u"content"_s).toString().toLatin1()),
            "file of " + QByteArray::number(i) + '\n');
        const auto used = client->send(
            "POST", u"/execute"_s, executeBody({ { u"cmd"_s, u"cat kept"_s } }, sessionId(i)));
        QCOMPARE(used.json().value(u"stdout"_s).toString(), u"file of %1"_s.arg(i));
        QCOMPARE(client->remove(u"/session/"_s + sessionId(i)).status, 200);
    }
    QCOMPARE(server.terminate(), 0);
}

QTEST_GUILESS_MAIN(TestServerCrash)
#include "tst_servercrash_live.moc"
