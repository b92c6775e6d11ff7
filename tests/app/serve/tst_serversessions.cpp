// SPDX-License-Identifier: MIT
#include "tests/app/serve/serverfixture.h"

using namespace isol8;
using namespace isol8::serve;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Sessions and their files over the wire, with an engine that does what the test says.
class TestServerSessions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sessionsAreSerialised();
    void sessionHasOneRuntime();
    void sessionFiles();
    void clientThatGoesEndsItsTransfer();
    void deletingASessionEndsItsRun();
    void sessionLimitIs429();
    void takesUpSessionsOfAnEarlierServer();
    void idleSessionsEnd();
};

void TestServerSessions::sessionsAreSerialised()
{
    ServerFixture fixture;
    const auto body = executeBody(oneLiner, u"box"_s);
    const auto first = fixture.client->begin("POST", u"/execute"_s, body);
    QVERIFY(fixture.run());
    QVERIFY(fixture.run()->sessionId.endsWith(".box"_L1));
    const auto second = fixture.client->begin("POST", u"/execute"_s, body);
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->executions.activeCount(), 2, 60'000);
    QCOMPARE(fixture.engine->startCount, 1);
    const auto sessions = fixture.client->get(u"/sessions"_s).json();
    const auto session = sessions.value(u"sessions"_s)[0].toObject();
    QCOMPARE(session.value(u"id"_s), u"box"_s);
    QCOMPARE(session.value(u"isActive"_s), true);
    fixture.run(0)->end();
    QCOMPARE(HttpClient::finish(*first).status, 200);
    QVERIFY(fixture.run(1));
    fixture.run(1)->end();
    QCOMPARE(HttpClient::finish(*second).status, 200);
}

void TestServerSessions::sessionHasOneRuntime()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 200);
    auto other = oneLiner;
    other.insert(u"runtime"_s, u"node"_s);
    const auto reply = fixture.client->send("POST", u"/execute"_s, executeBody(other, u"box"_s));
    QCOMPARE(reply.status, 409);
    QVERIFY2(reply.error().contains("Cannot switch runtime from \"python\" to \"node\""_L1),
        qPrintable(reply.error()));
}

void TestServerSessions::sessionFiles()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    const auto place = u"?sessionId=box&path=a%20b.txt"_s;
    QCOMPARE(fixture.client->get(u"/file"_s + place).status, 404);
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 200);
    const auto put = fixture.client->post(u"/file"_s,
        { { u"sessionId"_s, u"box"_s }, { u"path"_s, u"a b.txt"_s }, { u"content"_s, u"aGk="_s } });
    QCOMPARE(put.json(), (QJsonObject { { u"ok"_s, true } }));
    QCOMPARE(fixture.client->get(u"/file"_s + place).json().value(u"content"_s), u"aGk="_s);
    const auto listing = fixture.client->get(u"/files?sessionId=box"_s).json();
    QCOMPARE(listing.value(u"files"_s)[0].toObject().value(u"name"_s), u"a b.txt"_s);
    QCOMPARE(fixture.client->remove(u"/file"_s + place).status, 200);
    const auto missing = fixture.client->get(u"/file"_s + place);
    QCOMPARE(missing.status, 404);
    QVERIFY2(missing.error().endsWith(" in box"_L1), qPrintable(missing.error()));
    QCOMPARE(fixture.client->get(u"/file?sessionId=box"_s).status, 400);
    QCOMPARE(fixture.client->get(u"/file?path=a"_s).status, 400);
    QCOMPARE(fixture.client->get(u"/file?sessionId=..&path=a"_s).status, 400);
}

void TestServerSessions::clientThatGoesEndsItsTransfer()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 200);
    fixture.engine->areTransfersHeld = true;
    const auto fetch = fixture.client->begin("GET", u"/file?sessionId=box&path=a"_s);
    QTRY_COMPARE_WITH_TIMEOUT(*fixture.engine->heldTransfers, 1, 60'000);
    fetch->abort();
    QTRY_COMPARE_WITH_TIMEOUT(*fixture.engine->heldTransfers, 0, 60'000);
    const auto put = fixture.client->begin(
        "POST", u"/file"_s, R"({"sessionId":"box","path":"a","content":"aGk="})");
    QTRY_COMPARE_WITH_TIMEOUT(*fixture.engine->heldTransfers, 1, 60'000);
    // So does whoever deletes the session.
    QCOMPARE(fixture.client->remove(u"/session/box"_s).status, 200);
    QCOMPARE(*fixture.engine->heldTransfers, 0);
    QCOMPARE(HttpClient::finish(*put).status, 409);
}

void TestServerSessions::deletingASessionEndsItsRun()
{
    ServerFixture fixture;
    const auto reply
        = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s));
    QVERIFY(fixture.run());
    QCOMPARE(fixture.client->remove(u"/session/box"_s).json(), (QJsonObject { { u"ok"_s, true } }));
    const auto result = HttpClient::finish(*reply).json();
    QCOMPARE(result.value(u"ending"_s).toObject().value(u"reason"_s), u"cancelled"_s);
    QVERIFY(fixture.engine->files.empty());
    QCOMPARE(fixture.service->sessions.count(), 0);
    QCOMPARE(fixture.client->remove(u"/session/box"_s).status, 200);
    QCOMPARE(fixture.client->remove(u"/session/-%00"_s).status, 400);
}

void TestServerSessions::sessionLimitIs429()
{
    Settings settings;
    settings.serve.maxSessions = 1;
    ServerFixture fixture(settings);
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"a"_s)).status, 200);
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"b"_s)).status, 429);
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"a"_s)).status, 200);
}

void TestServerSessions::takesUpSessionsOfAnEarlierServer()
{
    Settings settings;
    settings.serve.keepSessions = true;
    ServerFixture fixture(settings);
    const auto id = SessionTable::engineId(u"default"_s, u"old"_s);
    fixture.engine->files[id][u"kept"_s] = "x";
    fixture.engine->files[u"of-the-command-line"_s][u"kept"_s] = "x";
    QVERIFY(QCoro::waitFor(fixture.server->adoptSessions()));
    QCOMPARE(fixture.client->get(u"/file?sessionId=old&path=kept"_s).status, 200);
    QCOMPARE(fixture.client->get(u"/file?sessionId=of-the-command-line&path=kept"_s).status, 404);
    QVERIFY(QCoro::waitFor(fixture.server->shutdown()));
    QCOMPARE(fixture.engine->files.size(), 2U);
}

void TestServerSessions::idleSessionsEnd()
{
    Settings settings;
    settings.cleanup.maxContainerAge = 30ms;
    ServerFixture fixture(settings);
    const auto listed = [&fixture] {
        QStringList ids;
        for (const auto& session :
            fixture.client->get(u"/sessions"_s).json().value(u"sessions"_s).toArray())
            ids << session[u"id"_s].toString();
        return ids;
    };
    // One that is in use is never idle.
    const auto busy
        = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner, u"busy"_s));
    QVERIFY(fixture.run());
    const auto done
        = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner, u"idle"_s));
    QVERIFY(fixture.run(1));
    fixture.run(1)->end();
    QCOMPARE(HttpClient::finish(*done).status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->sessions.count(), 1, 60'000);
    QTRY_COMPARE_WITH_TIMEOUT(listed(), QStringList { u"busy"_s }, 60'000);
    fixture.run(0)->end();
    QCOMPARE(HttpClient::finish(*busy).status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(listed(), QStringList(), 60'000);
}

QTEST_GUILESS_MAIN(TestServerSessions)
#include "tst_serversessions.moc"
