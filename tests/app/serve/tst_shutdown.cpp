// SPDX-License-Identifier: MIT
#include "tests/app/serve/serverfixture.h"

#include <QTcpServer>
#include <QTcpSocket>

#include <unistd.h>

using namespace isol8;
using namespace isol8::tests;
using namespace std::chrono_literals;

/// How a server ends: who is refused, who gets time, who is told what.
class TestShutdown : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void waitsForWhatRuns();
    void refusesWhatIsNew();
    void refusesWhatWaits();
    void cancelsAtTheLimit();
    void hurries();
    void waitsForUploads();
    void streamsSayWhy();
    void webSocketSaysWhy();
    void idleWebSocketGoesAway();
    void passedSocketIsLeftAtOnce();
};

void TestShutdown::waitsForWhatRuns()
{
    Settings settings;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    const auto reply = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    const QPointer run(fixture.run());
    QVERIFY(run);
    auto ending = fixture.server->shutdown();
    QVERIFY(!ending.isReady());
    QVERIFY(!run->isCancelled);
    run->give("done");
    run->end(4);
    const auto ended = QCoro::waitFor(ending);
    QVERIFY(ended);
    const auto result = HttpClient::finish(*reply).json();
    QCOMPARE(result.value(u"stdout"_s), u"done"_s);
    QCOMPARE(result.value(u"exitCode"_s), 4);
    QVERIFY(fixture.engine->isShutDown);
}

void TestShutdown::refusesWhatIsNew()
{
    Settings settings;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    const auto running = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    auto ending = fixture.server->shutdown();
    HttpClient late(fixture.server->port(), "Bearer master");
    for (const auto& path : { u"/execute"_s, u"/execute/stream"_s }) {
        const auto reply = late.send("POST", path, executeBody(oneLiner));
        QCOMPARE(reply.status, 503);
        QCOMPARE(reply.error(), u"the server is shutting down"_s);
        QVERIFY(!reply.retryAfter.isEmpty());
    }
    QCOMPARE(late.get(u"/sessions"_s).status, 503);
    // Whoever balances load over servers asks here.
    QCOMPARE(late.get(u"/health"_s).status, 503);
    HttpClient stranger(fixture.server->port(), "Bearer wrong");
    QCOMPARE(stranger.get(u"/sessions"_s).status, 403);
    fixture.run()->end();
    QVERIFY(QCoro::waitFor(ending));
    QCOMPARE(HttpClient::finish(*running).status, 200);
    QCOMPARE(fixture.engine->startCount, 1);
    QCOMPARE(late.get(u"/health"_s).status, 0);
}

void TestShutdown::refusesWhatWaits()
{
    Settings settings;
    settings.maxConcurrent = 1;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    const auto running
        = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s));
    QVERIFY(fixture.run());
    const auto forAPlace = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    const auto forTheSession
        = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s));
    const auto forItsFile = fixture.client->begin("GET", u"/file?sessionId=box&path=a"_s);
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->requests.count(), 4, 60'000);
    auto ending = fixture.server->shutdown();
    for (auto* const reply : { forAPlace.get(), forTheSession.get(), forItsFile.get() })
        QCOMPARE(HttpClient::finish(*reply).status, 503);
    QVERIFY(!ending.isReady());
    fixture.run()->end();
    QVERIFY(QCoro::waitFor(ending));
    QCOMPARE(HttpClient::finish(*running).status, 200);
    QCOMPARE(fixture.engine->startCount, 1);
}

void TestShutdown::cancelsAtTheLimit()
{
    Settings settings;
    settings.serve.drain = 1ms;
    ServerFixture fixture(settings);
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 200);
    fixture.engine->script = nullptr;
    const auto reply = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run(1));
    QVERIFY(QCoro::waitFor(fixture.server->shutdown()));
    QVERIFY(fixture.engine->isShutDown);
    QVERIFY(fixture.engine->files.empty());
    const auto result = HttpClient::finish(*reply).json();
    QCOMPARE(result.value(u"ending"_s).toObject().value(u"reason"_s), u"cancelled"_s);
}

void TestShutdown::hurries()
{
    Settings settings;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    const auto reply = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    const QPointer run(fixture.run());
    QVERIFY(run);
    const CancelToken hurry;
    auto ending = fixture.server->shutdown(hurry);
    QVERIFY(!run->isCancelled);
    hurry.cancel();
    QVERIFY(QCoro::waitFor(ending));
    const auto result = HttpClient::finish(*reply).json();
    QCOMPARE(result.value(u"ending"_s).toObject().value(u"reason"_s), u"cancelled"_s);
}

void TestShutdown::waitsForUploads()
{
    Settings settings;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 200);
    settings.serve.keepSessions = true;
    QVERIFY(fixture.server->reconfigure(settings));
    const QByteArray body = R"({"sessionId":"box","path":"a","content":"aGk="})";
    QTcpSocket socket;
    socket.connectToHost(u"127.0.0.1"_s, fixture.server->port());
    socket.write("POST /file HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer master\r\n"
                 "Content-Type: application/json\r\nContent-Length: "
        + QByteArray::number(body.size()) + "\r\n\r\n" + body.first(10));
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->requests.count(), 1, 60'000);
    auto ending = fixture.server->shutdown();
    QVERIFY(!ending.isReady());
    socket.write(body.sliced(10));
    QVERIFY(QCoro::waitFor(ending));
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::UnconnectedState, 60'000);
    QVERIFY(socket.readAll().startsWith("HTTP/1.1 200 "));
    const auto id = SessionTable::engineId(u"default"_s, u"box"_s);
    QCOMPARE(fixture.engine->files[id][u"a"_s], "hi"_ba);
}

void TestShutdown::streamsSayWhy()
{
    Settings settings;
    settings.serve.drain = 1ms;
    ServerFixture fixture(settings);
    const auto reply = fixture.client->begin("POST", u"/execute/stream"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    fixture.run()->begin();
    QVERIFY(QCoro::waitFor(fixture.server->shutdown()));
    const auto body = HttpClient::finish(*reply).body;
    QVERIFY2(body.contains("EXECUTION CANCELLED: the server is shutting down"), body.constData());
    QVERIFY2(body.contains(R"("data":"137")"), body.constData());
}

void TestShutdown::webSocketSaysWhy()
{
    Settings settings;
    settings.serve.drain = 1ms;
    ServerFixture fixture(settings);
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    client.send({ { u"type"_s, u"execute"_s }, { u"request"_s, oneLiner } });
    QVERIFY(fixture.run());
    QVERIFY(QCoro::waitFor(fixture.server->shutdown()));
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodeNormal);
    QCOMPARE(client.messages.size(), 2);
    QVERIFY(client.messages[0].contains("EXECUTION CANCELLED"_L1));
    QVERIFY(client.messages[1].contains("137"_L1));
}

void TestShutdown::idleWebSocketGoesAway()
{
    Settings settings;
    settings.serve.drain = 600s;
    ServerFixture fixture(settings);
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    QVERIFY(QCoro::waitFor(fixture.server->shutdown()));
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodeGoingAway);
}

/// Clients that come now wait in it for the next server.
void TestShutdown::passedSocketIsLeftAtOnce()
{
    ServerFixture fixture;
    QTcpServer held;
    QVERIFY(held.listen(QHostAddress::LocalHost));
    held.pauseAccepting();
    QVERIFY(fixture.server->listenOn(::dup(int(held.socketDescriptor())), {}));
    HttpClient client(held.serverPort(), "Bearer master");
    const auto running = client.begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    auto ending = fixture.server->shutdown();
    QTcpSocket late;
    late.connectToHost(QHostAddress(QHostAddress::LocalHost), held.serverPort());
    late.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    QTRY_COMPARE_WITH_TIMEOUT(late.state(), QAbstractSocket::ConnectedState, 60'000);
    fixture.run()->end();
    QVERIFY(QCoro::waitFor(ending));
    QCOMPARE(HttpClient::finish(*running).status, 200);
    QCOMPARE(late.bytesAvailable(), 0);

    ServerFixture next;
    QVERIFY(next.server->listenOn(::dup(int(held.socketDescriptor())), {}));
    QTRY_VERIFY_WITH_TIMEOUT(late.bytesAvailable() > 0, 60'000);
    QVERIFY(late.readAll().startsWith("HTTP/1.1 200 "));
}

QTEST_GUILESS_MAIN(TestShutdown)
#include "tst_shutdown.moc"
