// SPDX-License-Identifier: MIT
#include "tests/app/serve/serverfixture.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QTcpSocket>

#include <csignal>

using namespace isol8;
using namespace isol8::serve;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// The server over the wire, with an engine that does what the test says.
class TestServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void healthNeedsNoKey();
    void everythingElseNeedsTheKey_data();
    void everythingElseNeedsTheKey();
    void unknownPathsAndMethods();
    void executes();
    void requestFaults_data();
    void requestFaults();
    void engineFailuresAreErrors_data();
    void engineFailuresAreErrors();
    void streamsEvents();
    void quietStreamHasAHeartbeat();
    void failureBeforeTheStreamHasAStatus();
    void slowReaderPausesTheOutput();
    void clientThatGoesCancels();
    void clientThatGoesWhileQueuedNeverStarts();
    void fullQueueIs429();
    void waitIsPartOfTheResult();
    void timeLimitCountsWhileQueued();
    void cancelsByRequest();
    void webSocketDeliversInput();
    void webSocketRefusesNonsense();
    void webSocketThatGoesCancels();
    void generalRoutes();
    void authRoutesNeedADatabase();
};

void TestServer::healthNeedsNoKey()
{
    ServerFixture fixture;
    HttpClient nobody(fixture.server->port(), {});
    const auto reply = nobody.get(u"/health"_s);
    QCOMPARE(reply.status, 200);
    QCOMPARE(reply.json().value(u"status"_s), u"ok"_s);
    QCOMPARE(reply.json().value(u"version"_s), QStringLiteral(ISOL8_VERSION));
}

void TestServer::everythingElseNeedsTheKey_data()
{
    QTest::addColumn<QByteArray>("authorization");
    QTest::addColumn<int>("status");
    QTest::newRow("none") << QByteArray() << 401;
    QTest::newRow("wrong") << "Bearer wrong"_ba << 403;
    QTest::newRow("right") << "Bearer master"_ba << 404;
}

void TestServer::everythingElseNeedsTheKey()
{
    QFETCH(QByteArray, authorization);
    QFETCH(int, status);
    ServerFixture fixture;
    HttpClient client(fixture.server->port(), authorization);
    for (const auto& path : { u"/sessions"_s, u"/metrics"_s, u"/openapi.json"_s, u"/nowhere"_s,
             u"//health"_s, u"/HEALTH"_s, u"/execute/"_s }) {
        const auto reply = client.get(path);
        const bool isKnown
            = path == "/sessions"_L1 || path == "/metrics"_L1 || path == "/openapi.json"_L1;
        QCOMPARE(reply.status, status == 404 && isKnown ? 200 : status);
        QVERIFY(reply.status == 200 || !reply.error().isEmpty());
    }
}

void TestServer::unknownPathsAndMethods()
{
    ServerFixture fixture;
    QCOMPARE(fixture.client->get(u"/execute"_s).status, 405);
    QCOMPARE(fixture.client->send("PUT", u"/file"_s, "{}").status, 405);
    QCOMPARE(fixture.client->get(u"/session/a/b"_s).status, 404);
}

void TestServer::executes()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) {
        run.begin();
        run.give("hi \n");
        run.end(3);
    };
    const auto reply = fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner));
    QCOMPARE(reply.status, 200);
    const auto result = reply.json();
    QCOMPARE(result.value(u"stdout"_s), u"hi"_s);
    QCOMPARE(result.value(u"exitCode"_s), 3);
    const auto id = result.value(u"executionId"_s).toString();
    QVERIFY(id != "of-the-engine"_L1);
    const auto kept = fixture.client->get(u"/executions/"_s + id).json();
    QCOMPARE(kept.value(u"state"_s), u"finished"_s);
    QCOMPARE(kept.value(u"result"_s).toObject().value(u"executionId"_s), id);
    QCOMPARE(fixture.client->get(u"/executions/other"_s).status, 404);
}

void TestServer::requestFaults_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("contentType");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const QByteArray& body, const QString& says) {
        QTest::newRow(name) << body << "application/json"_ba << 400 << says;
    };
    row("empty", "", u"JSON"_s);
    row("null", "null", u"JSON"_s);
    row("list", "[]", u"JSON"_s);
    row("nothing", "{}", u"request"_s);
    row("no code", R"({"request":{}})", u"code"_s);
    row("two sources", R"({"request":{"code":"1","cmd":"2"}})", u"only one"_s);
    row("runtime", R"({"request":{"code":"1","runtime":"cobol"}})", u"request.runtime"_s);
    row("memory", R"({"request":{"code":"1"},"options":{"memoryLimit":"x"}})",
        u"options.memoryLimit"_s);
    row("session id", R"({"request":{"code":"1"},"sessionId":"../../x"})", u"session"_s);
    row("empty session id", R"({"request":{"code":"1"},"sessionId":""})", u"session"_s);
    row("pattern",
        R"({"request":{"code":"1"},"options":{"network":"filtered","networkFilter":{"blacklist":["*x"]}}})",
        u"\"*x\""_s);
    row("url", R"({"request":{"codeUrl":"https://x/a.py"}})", u"remote code"_s);
    QTest::newRow("form") << R"({"request":{"code":"1"}})"_ba
                          << "text/plain"_ba << 415 << u"application/json"_s;
}

void TestServer::requestFaults()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, contentType);
    QFETCH(int, status);
    QFETCH(QString, says);
    ServerFixture fixture;
    for (const auto& path : { u"/execute"_s, u"/execute/stream"_s }) {
        const auto reply = fixture.client->send("POST", path, body, contentType);
        QCOMPARE(reply.status, status);
        QVERIFY2(reply.error().contains(says), qPrintable(reply.error()));
    }
    QCOMPARE(fixture.engine->startCount, 0);
}

void TestServer::engineFailuresAreErrors_data()
{
    QTest::addColumn<Error>("error");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const Error& error, int status, const QString& says) {
        QTest::newRow(name) << error << status << says;
    };
    const QString failed = u"the server failed; its log says why"_s;
    row("Docker away", { Kind::Unreachable, u"/run/docker.sock is away"_s, 0 }, 503,
        u"Docker does not answer"_s);
    row("Docker forbidden", { Kind::Denied, u"no permission to use /run/docker.sock"_s, 0 }, 500,
        failed);
    row("Docker's words", { Kind::Internal, u"mount /var/lib/docker/x"_s, 500 }, 500, failed);
    row("our words", { Kind::Internal, u"the sandbox was lost"_s, 0 }, 500,
        u"the sandbox was lost"_s);
    row("request's fault", { Kind::Invalid, u"Minimum memory limit allowed is 6MB"_s, 400 }, 400,
        u"Minimum memory limit allowed is 6MB"_s);
    row("no image", { Kind::NotFound, u"there is no image"_s, 0 }, 404, u"there is no image"_s);
    row("too large", { Kind::Limit, u"too much"_s, 0 }, 413, u"too much"_s);
}

void TestServer::engineFailuresAreErrors()
{
    QFETCH(Error, error);
    QFETCH(int, status);
    QFETCH(QString, says);
    ServerFixture fixture;
    fixture.engine->script = [error](FakeRun& run) { run.fail(error); };
    const auto reply = fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner));
    QCOMPARE(reply.status, status);
    QCOMPARE(reply.error(), says);
    QCOMPARE(reply.retryAfter.isEmpty(), status != 503);
}

void TestServer::streamsEvents()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) {
        run.begin();
        run.give("setup", Channel::Stdout, Phase::Setup);
        run.give("\xC3");
        run.give("\xA4\n");
        run.give("no\n", Channel::Stderr);
        run.result.isTimedOut = true;
        run.end(137);
    };
    const auto reply = fixture.client->send("POST", u"/execute/stream"_s, executeBody(oneLiner));
    QCOMPARE(reply.status, 200);
    QVERIFY(reply.contentType.startsWith("text/event-stream"));
    QList<QByteArray> events = reply.body.split('\n');
    events.removeAll(QByteArray());
    QCOMPARE(events.size(), 5);
    QCOMPARE(events[0], R"(data: {"data":"setup","phase":"setup","type":"stdout"})"_ba);
    QCOMPARE(
        events[1], "data: {\"data\":\"\xC3\xA4\\n\",\"phase\":\"code\",\"type\":\"stdout\"}"_ba);
    QCOMPARE(events[2], R"(data: {"data":"no\n","phase":"code","type":"stderr"})"_ba);
    QCOMPARE(events[3], R"(data: {"data":"EXECUTION TIMED OUT","type":"error"})"_ba);
    QVERIFY(events[4].startsWith(R"(data: {"data":"137","executionId":")"));
}

void TestServer::quietStreamHasAHeartbeat()
{
    ServerFixture fixture;
    fixture.service->heartbeat = 10ms;
    const auto reply = fixture.client->begin("POST", u"/execute/stream"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    // Also before the sandbox is there.
    QTRY_VERIFY_WITH_TIMEOUT(reply->peek(1000).count(": waiting\n\n") > 2, 60'000);
    fixture.run()->begin();
    fixture.run()->give("hi");
    fixture.run()->end();
    auto body = HttpClient::finish(*reply).body;
    body.replace(": waiting\n\n", "");
    QVERIFY2(body.startsWith(R"(data: {"data":"hi",)"), body.constData());
    QCOMPARE(body.count("\n\n"), 2);
}

void TestServer::failureBeforeTheStreamHasAStatus()
{
    ServerFixture fixture;
    fixture.engine->script
        = [](FakeRun& run) { run.fail({ Kind::Conflict, u"another runtime"_s, 0 }); };
    QCOMPARE(fixture.client->send("POST", u"/execute/stream"_s, executeBody(oneLiner)).status, 409);

    fixture.engine->script = [](FakeRun& run) {
        run.begin();
        run.fail({ Kind::Internal, u"the sandbox was lost"_s, 0 });
    };
    const auto reply = fixture.client->send("POST", u"/execute/stream"_s, executeBody(oneLiner));
    QCOMPARE(reply.status, 200);
    QVERIFY(reply.body.contains("the sandbox was lost"));
    QVERIFY(reply.body.contains(R"("data":"1")"));
}

void TestServer::slowReaderPausesTheOutput()
{
    ServerFixture fixture;
    QTcpSocket socket;
    socket.setReadBufferSize(1024);
    socket.connectToHost(u"127.0.0.1"_s, fixture.server->port());
    const auto body = executeBody(oneLiner);
    socket.write("POST /execute/stream HTTP/1.1\r\nHost: localhost\r\n"
                 "Authorization: Bearer master\r\nContent-Type: application/json\r\n"
                 "Connection: close\r\nContent-Length: "
        + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    const QPointer run(fixture.run());
    QVERIFY(run);
    run->begin();
    const QByteArray chunk(64 << 10, 'x');
    // What the kernel keeps for the two of them is bounded.
    for (int given = 0; !run->isPaused && given < 4096; ++given) {
        run->give(chunk);
        QCoreApplication::processEvents();
    }
    QVERIFY(run->isPaused);
    QVERIFY(!run->isCancelled);

    socket.setReadBufferSize(0);
    connect(&socket, &QTcpSocket::readyRead, &socket, [&socket] { socket.readAll(); });
    socket.readAll();
    QTRY_VERIFY_WITH_TIMEOUT(!run->isPaused, 60'000);
    run->end();
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::UnconnectedState, 60'000);
}

void TestServer::clientThatGoesCancels()
{
    ServerFixture fixture;
    for (const auto& path : { u"/execute"_s, u"/execute/stream"_s }) {
        fixture.engine->runs.clear();
        const auto reply = fixture.client->begin("POST", path, executeBody(oneLiner));
        const QPointer run(fixture.run());
        QVERIFY(run);
        run->begin();
        reply->abort();
        QTRY_VERIFY_WITH_TIMEOUT(!run || run->isCancelled, 60'000);
        QTRY_COMPARE_WITH_TIMEOUT(fixture.service->executions.activeCount(), 0, 60'000);
    }
}

void TestServer::clientThatGoesWhileQueuedNeverStarts()
{
    Settings settings;
    settings.maxConcurrent = 1;
    ServerFixture fixture(settings);
    const auto first = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    const auto second = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->queue.waiting(), 1, 60'000);
    second->abort();
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->queue.waiting(), 0, 60'000);
    fixture.run()->end();
    QCOMPARE(HttpClient::finish(*first).status, 200);
    QCOMPARE(fixture.engine->startCount, 1);
}

void TestServer::fullQueueIs429()
{
    Settings settings;
    settings.maxConcurrent = 1;
    settings.serve.maxQueue = 0;
    ServerFixture fixture(settings);
    const auto first = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    const auto refused = fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner));
    QCOMPARE(refused.status, 429);
    QVERIFY(refused.retryAfter.toInt() >= 1);
    fixture.run()->end();
    QCOMPARE(HttpClient::finish(*first).status, 200);
}

void TestServer::waitIsPartOfTheResult()
{
    Settings settings;
    settings.maxConcurrent = 1;
    ServerFixture fixture(settings);
    const auto first = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    const auto second = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->queue.waiting(), 1, 60'000);
    QElapsedTimer waited;
    waited.start();
    QCOMPARE(fixture.client->get(u"/health"_s).status, 200);
    const auto leastWait = waited.durationElapsed();
    fixture.run()->end();
    QVERIFY(fixture.run(1));
    fixture.run(1)->end();
    const auto wait = [](const HttpReply& reply) {
        return std::chrono::duration<double, std::milli>(
            reply.json()[u"phasesMs"_s][u"queue"_s].toDouble());
    };
    QVERIFY(wait(HttpClient::finish(*first)).count() >= 0);
    QVERIFY(wait(HttpClient::finish(*second)) + 1us >= leastWait);
}

void TestServer::timeLimitCountsWhileQueued()
{
    Settings settings;
    settings.maxConcurrent = 1;
    ServerFixture fixture(settings);
    const auto first = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    auto quick = oneLiner;
    quick.insert(u"timeoutMs"_s, 1);
    const auto late = fixture.client->send("POST", u"/execute"_s, executeBody(quick));
    QCOMPARE(late.status, 408);
    QVERIFY2(late.error().contains("time limit"_L1), qPrintable(late.error()));
    QCOMPARE(fixture.engine->startCount, 1);
    fixture.run()->end();
    QCOMPARE(HttpClient::finish(*first).status, 200);
}

void TestServer::cancelsByRequest()
{
    ServerFixture fixture;
    const auto reply = fixture.client->begin("POST", u"/execute/stream"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    fixture.run()->begin();
    QTRY_VERIFY_WITH_TIMEOUT(!reply->rawHeader("X-Execution-Id").isEmpty(), 60'000);
    const auto path = u"/executions/"_s + QString::fromLatin1(reply->rawHeader("X-Execution-Id"));
    QCOMPARE(fixture.client->get(path).json().value(u"state"_s), u"running"_s);
    QCOMPARE(fixture.client->send("POST", path + u"/cancel"_s, "").status, 200);
    QVERIFY(HttpClient::finish(*reply).body.contains("137"));
    const auto result = fixture.client->get(path).json().value(u"result"_s).toObject();
    QCOMPARE(result.value(u"ending"_s).toObject().value(u"reason"_s), u"cancelled"_s);
}

void TestServer::webSocketDeliversInput()
{
    ServerFixture fixture;
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    client.socket.sendTextMessage(u"{\"type\":\"execute\",\"request\":{\"code\":\"1\"}}"_s);
    client.socket.sendTextMessage(u"{\"type\":\"stdin\",\"data\":\"line\\n\"}"_s);
    QVERIFY(fixture.run());
    client.socket.sendTextMessage(u"{\"type\":\"signal\",\"signal\":\"SIGINT\"}"_s);
    QTRY_COMPARE_WITH_TIMEOUT(fixture.run()->signalNumbers, QList<int> { SIGINT }, 60'000);
    client.socket.sendTextMessage(u"{\"type\":\"resize\",\"rows\":10,\"cols\":20}"_s);
    client.socket.sendTextMessage(u"{\"type\":\"stdin\",\"eof\":true}"_s);
    QTRY_VERIFY_WITH_TIMEOUT(fixture.run()->isStdinClosed, 60'000);
    QCOMPARE(fixture.run()->stdinBytes, "line\n"_ba);
    QCOMPARE(fixture.run()->size, qMakePair(20, 10));
    QVERIFY(fixture.run()->request.isStdinLive);
    fixture.run()->give("out");
    fixture.run()->end(2);
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodeNormal);
    QCOMPARE(client.socket.closeReason(), u"Execution complete"_s);
    QCOMPARE(client.messages.size(), 2);
    QCOMPARE(client.messages[0], uR"({"data":"out","phase":"code","type":"stdout"})"_s);
    QVERIFY(client.messages[1].contains(uR"("data":"2")"_s));
}

void TestServer::webSocketRefusesNonsense()
{
    ServerFixture fixture;
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    client.socket.sendTextMessage(u"{\"type\":\"dance\"}"_s);
    QTRY_COMPARE_WITH_TIMEOUT(client.messages.size(), 1, 60'000);
    QVERIFY(client.messages[0].contains("Unknown message type: dance"_L1));
    client.socket.sendTextMessage(u"{\"type\":\"stdin\",\"data\":\"x\"}"_s);
    QTRY_COMPARE_WITH_TIMEOUT(client.messages.size(), 2, 60'000);
    client.socket.sendTextMessage(u"not JSON"_s);
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodeDatatypeNotSupported);
    QCOMPARE(client.messages.size(), 3);
    QCOMPARE(fixture.engine->startCount, 0);

    HttpClient nobody(fixture.server->port(), "Bearer wrong");
    QCOMPARE(nobody.get(u"/execute/ws"_s).status, 403);
    QCOMPARE(fixture.client->get(u"/execute/ws"_s).status, 426);
}

void TestServer::webSocketThatGoesCancels()
{
    ServerFixture fixture;
    auto client = std::make_unique<ServerSocket>(fixture);
    QVERIFY(client->isOpen());
    client->socket.sendTextMessage(u"{\"type\":\"execute\",\"request\":{\"code\":\"1\"}}"_s);
    const QPointer run(fixture.run());
    QVERIFY(run);
    client->socket.abort();
    QTRY_VERIFY_WITH_TIMEOUT(!run || run->isCancelled, 60'000);
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->executions.activeCount(), 0, 60'000);
}

void TestServer::generalRoutes()
{
    ServerFixture fixture;
    QVERIFY(fixture.client->get(u"/runtimes"_s).body.startsWith("[{"));
    const auto cleaned = fixture.client->post(u"/cleanup"_s, { { u"images"_s, true } }).json();
    QCOMPARE(cleaned.value(u"containers"_s).toObject().value(u"removed"_s), 2);
    QCOMPARE(cleaned.value(u"images"_s).toObject().value(u"removed"_s), 1);
    QVERIFY(!fixture.client->send("POST", u"/cleanup"_s, "").json().contains(u"images"_s));
    const auto metrics = fixture.client->get(u"/metrics"_s);
    QVERIFY(metrics.contentType.startsWith("text/plain"));
    QVERIFY(metrics.body.contains("isol8_queue_depth"));
    QCOMPARE(fixture.client->get(u"/openapi.json"_s).json().value(u"openapi"_s).toString().left(3),
        u"3.1"_s);
}

void TestServer::authRoutesNeedADatabase()
{
    ServerFixture fixture;
    const auto reply = fixture.client->get(u"/auth/keys"_s);
    QCOMPARE(reply.status, 400);
    QCOMPARE(reply.error(), u"DB-backed auth is not enabled"_s);
}

QTEST_GUILESS_MAIN(TestServer)
#include "tst_server.moc"
