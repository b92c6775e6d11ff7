// SPDX-License-Identifier: MIT
#include "runfixture.h"

#include <QJsonDocument>
#include <QWebSocket>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

/// What a run on a server gives and takes.
class TestRemoteRun : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void streamsOverWebSocket();
    void asksForTheWholeResult();
    void doesWithoutTheWholeResult_data();
    void doesWithoutTheWholeResult();
    void sendsInput();
    void sendsSignalsAndSizes();
    void givesAnEmptyInputWhenThereIsNone();
    void fallsBackToEventStream();
    void neverRunsTwice();
    void tellsATimeLimit();
    void overlooksComplaints();
    void refusesWhatCannotTravel();
};

void TestRemoteRun::streamsOverWebSocket()
{
    RunFixture f;
    f.sessionId = u"s1"_s;
    f.request.environment.insert(u"A"_s, u"b"_s);
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"ä\n"_s));
        FakeServer::sendEvent(socket, makeEvent(u"stderr"_s, u"oops"_s));
        FakeServer::sendEvent(socket, exitOf(u"3"_s));
        socket.close();
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY2(f.results[0], f.results[0] ? "" : qPrintable(f.error().message));
    QCOMPARE(f.out, "ä\n");
    QCOMPARE(f.err, "oops");
    QCOMPARE(f.result().exitCode, 3);
    QCOMPARE(f.result().standardOutput, "ä\n");
    QCOMPARE(f.result().standardError, "oops");
    QCOMPARE(f.result().ending.reason, EndReason::Exited);
    QVERIFY(!f.result().isTruncated);
    const auto message = f.server.messages.value(0);
    QCOMPARE(message.value(u"sessionId"_s).toString(), u"s1"_s);
    QCOMPARE(message[u"request"_s][u"code"_s].toString(), u"print(1)"_s);
    QCOMPARE(message[u"request"_s][u"env"_s][u"A"_s].toString(), u"b"_s);
    QCOMPARE(message[u"options"_s][u"network"_s].toString(), u"none"_s);
    QCOMPARE(f.server.requests[0].headers.value("authorization"), "Bearer key");
    QCOMPARE(f.server.countOf("/execute/stream"), 0);
}

void TestRemoteRun::asksForTheWholeResult()
{
    RunFixture f;
    f.request.outputPaths << u"a.txt"_s;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"x \n\n"_s));
        FakeServer::sendEvent(socket, exitOf(u"137"_s, u"0a-1b"_s));
    });
    f.server.onRequest = [](QTcpSocket& socket, const FakeRequest& request) {
        if (request.target != "/executions/0a-1b")
            return false;
        FakeServer::answer(socket, 200, R"({"id":"0a-1b","state":"finished","result":{
            "stdout":"x","stderr":"","exitCode":137,"oomKilled":true,"executionId":"0a-1b",
            "ending":{"reason":"oom"},"files":{"a.txt":"AGE="}}})");
        return true;
    };
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QVERIFY(f.result().isOutOfMemory);
    QCOMPARE(f.result().ending.reason, EndReason::OutOfMemory);
    QCOMPARE(f.result().files.value(u"a.txt"_s), QByteArray("\0a", 2));
    // As streamed, since JSON loses white space at the end.
    QCOMPARE(f.result().standardOutput, "x \n\n");
}

void TestRemoteRun::doesWithoutTheWholeResult_data()
{
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("gone") << u"a1"_s << 404 << QByteArray(R"({"error":"unknown"})");
    QTest::newRow("nonsense") << u"a1"_s << 200 << QByteArray(R"({"result":{"exitCode":"x"}})");
    QTest::newRow("page") << u"a1"_s << 200 << QByteArray("<html>");
    QTest::newRow("strange id") << u"../sessions"_s << 200 << QByteArray("{}");
}

void TestRemoteRun::doesWithoutTheWholeResult()
{
    QFETCH(QString, id);
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    RunFixture f;
    f.sessionId = u"s"_s;
    f.request.outputPaths << u"a.txt"_s << u"b.txt"_s;
    f.onExecute([&id](QWebSocket& socket) { FakeServer::sendEvent(socket, exitOf(u"0"_s, id)); });
    f.server.onRequest = [&](QTcpSocket& socket, const FakeRequest& request) {
        if (request.target == "/file?sessionId=s&path=a.txt")
            FakeServer::answer(socket, 200, R"({"content":"YQ=="})");
        else if (request.target.startsWith("/file"))
            FakeServer::answer(socket, 404, R"({"error":"no such file"})");
        else
            FakeServer::answer(socket, status, body);
        return true;
    };
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QCOMPARE(f.result().exitCode, 0);
    QCOMPARE(f.result().files.value(u"a.txt"_s), "a");
    QCOMPARE(f.result().missingFiles, QStringList { u"b.txt: no such file"_s });
    QCOMPARE(f.server.countOf("/sessions"), 0);
}

void TestRemoteRun::sendsInput()
{
    RunFixture f;
    f.request.isStdinLive = true;
    QString input;
    f.server.onMessage = [&input](QWebSocket& socket, const QJsonObject& message) {
        input += message.value(u"data"_s).toString();
        if (message.value(u"eof"_s).toBool())
            FakeServer::sendEvent(socket, exitOf(u"0"_s));
    };
    f.start();
    // Before the connection is there, and cut within a character.
    f.run->writeStdin("one \xc3");
    f.run->writeStdin("\xa4 ");
    f.run->writeStdin(QByteArray(300'000, 'x'));
    QVERIFY(f.run->pendingStdinBytes() > 300'000);
    f.run->writeStdin("\xff");
    f.run->closeStdin();
    f.run->writeStdin("too late");
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QCOMPARE(input, u"one ä "_s + QString(300'000, u'x') + QChar(0xfffd));
    QCOMPARE(f.run->pendingStdinBytes(), 0);
}

void TestRemoteRun::sendsSignalsAndSizes()
{
    RunFixture f;
    f.request.hasTerminal = true;
    f.request.terminalRows = 10;
    f.request.terminalColumns = 20;
    f.server.onMessage = [&f](QWebSocket& socket, const QJsonObject& message) {
        if (message.value(u"signal"_s) == u"SIGTERM"_s)
            FakeServer::sendEvent(socket, exitOf(u"143"_s));
        else if (message.value(u"type"_s) == u"resize"_s && message.value(u"rows"_s) == 10)
            FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"ready"_s));
    };
    f.start();
    f.run->sendSignal(SIGINT); // Nobody to tell yet.
    QTRY_COMPARE_WITH_TIMEOUT(f.out, "ready", generous);
    f.run->resizeTerminal(30, 40);
    f.run->sendSignal(SIGINT);
    f.run->sendSignal(SIGUSR1); // Does not travel.
    f.run->sendSignal(SIGHUP);
    QVERIFY(f.waitForEnd());
    QStringList told;
    for (const auto& message : std::as_const(f.server.messages).sliced(1))
        told << message.value(u"signal"_s)
                    .toString(QString::number(message.value(u"cols"_s).toInt()));
    QCOMPARE(told, (QStringList { u"20"_s, u"40"_s, u"SIGINT"_s, u"SIGTERM"_s }));
}

void TestRemoteRun::givesAnEmptyInputWhenThereIsNone()
{
    RunFixture f;
    f.onExecute([](QWebSocket& socket) { FakeServer::sendEvent(socket, exitOf(u"0"_s)); });
    f.start();
    QVERIFY(f.waitForEnd());
    const auto request = f.server.messages.value(0).value(u"request"_s).toObject();
    QVERIFY(request.value(u"stdin"_s).isString());
}

void TestRemoteRun::fallsBackToEventStream()
{
    RunFixture f;
    f.sessionId = u"s1"_s;
    f.onPost([](QTcpSocket& socket) {
        FakeServer::beginEvents(socket);
        socket.write(": heartbeat\n\n");
        FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"a"_s));
        FakeServer::sendEvent(socket, exitOf(u"4"_s));
        socket.disconnectFromHost();
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY2(f.results[0], f.results[0] ? "" : qPrintable(f.error().message));
    QCOMPARE(f.out, "a");
    QCOMPARE(f.result().exitCode, 4);
    QCOMPARE(f.server.countOf("/execute/stream"), 1);
    const auto& posted = f.server.requests.last();
    QCOMPARE(posted.headers.value("authorization"), "Bearer key");
    const auto body = QJsonDocument::fromJson(posted.body).object();
    QCOMPARE(body.value(u"sessionId"_s).toString(), u"s1"_s);
    QVERIFY(!body.contains(u"type"_s));
}

void TestRemoteRun::neverRunsTwice()
{
    RunFixture f;
    f.onPost([](QTcpSocket& socket) { socket.disconnectFromHost(); });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Unreachable);
    QCOMPARE(f.server.countOf("/execute/stream"), 1);
}

void TestRemoteRun::tellsATimeLimit()
{
    RunFixture f;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"EXECUTION TIMED OUT"_s));
        FakeServer::sendEvent(socket, exitOf(u"137"_s));
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QVERIFY(f.result().isTimedOut);
    QCOMPARE(f.result().exitCode, 137);
    QCOMPARE(f.result().ending.reason, EndReason::Timeout);
}

void TestRemoteRun::overlooksComplaints()
{
    RunFixture f;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"Unknown message type: stdin"_s));
        FakeServer::sendEvent(socket, exitOf(u"2"_s));
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QCOMPARE(f.result().exitCode, 2);
}

void TestRemoteRun::refusesWhatCannotTravel()
{
    RunFixture f;
    f.request.code = "print('\xff')";
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Invalid);
    QVERIFY(f.error().message.contains(u"UTF-8"_s));

    RunFixture session;
    session.sessionId = u"../x"_s;
    session.start();
    QVERIFY(session.waitForEnd());
    QCOMPARE(session.error().kind, Kind::Invalid);
    QVERIFY(session.server.connections.isEmpty());
}

QTEST_GUILESS_MAIN(TestRemoteRun)
#include "tst_remoterun.moc"
