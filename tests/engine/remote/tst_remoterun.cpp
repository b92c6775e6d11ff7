// SPDX-License-Identifier: MIT
#include "fakeserver.h"

#include "engine/remote/remoteengine.h"

#include <QCoroTask>
#include <QFile>
#include <QJsonDocument>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QTest>
#include <QWebSocket>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

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
    void tellsHowItFailed_data();
    void tellsHowItFailed();
    void trustsNoUnknownCertificate_data();
    void trustsNoUnknownCertificate();
    void followsNoRedirect();
    void tellsALostConnection_data();
    void tellsALostConnection();
    void refusesNonsense_data();
    void refusesNonsense();
    void tellsTheServersFailure();
    void tellsATimeLimit();
    void overlooksComplaints();
    void pausesReading_data();
    void pausesReading();
    void cancels_data();
    void cancels();
    void isDestroyedAnytime_data();
    void isDestroyedAnytime();
    void refusesWhatCannotTravel();
};

namespace {

constexpr int generous = 60'000;

using Speak = std::function<void(const QJsonObject&)>;

/// A run on a fake server, and what came of it.
struct Fixture {
    FakeServer server;
    RemoteEngine engine { parseServerAddress(server.url()).value(), u"key"_s };
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId;
    std::unique_ptr<Run> run;
    QByteArray out;
    QByteArray err;
    QList<Result<ExecutionResult>> results;

    Fixture() { request.code = "print(1)"; }

    void start()
    {
        run = engine.start(request, options, sessionId);
        watch();
    }
    void watch()
    {
        QObject::connect(run.get(), &Run::outputReceived, run.get(),
            [this](Channel channel, const QByteArray& bytes) {
                (channel == Channel::Stdout ? out : err) += bytes;
            });
        QObject::connect(run.get(), &Run::finished, run.get(),
            [this](const auto& result) { results << result; });
    }
    [[nodiscard]] bool waitForEnd()
    {
        return QTest::qWaitFor([this] { return !results.isEmpty(); }, generous);
    }
    [[nodiscard]] const ExecutionResult& result() const { return results.first().value(); }
    [[nodiscard]] const Error& error() const { return results.first().error(); }

    /// @p speak is called once the execution has come, by WebSocket.
    void onExecute(const std::function<void(QWebSocket&)>& speak)
    {
        server.onMessage = [speak](QWebSocket& socket, const QJsonObject& message) {
            if (message.value(u"type"_s) == u"execute"_s)
                speak(socket);
        };
    }
    /// The same by POST.
    void onPost(const std::function<void(QTcpSocket&)>& speak)
    {
        server.onRequest = [speak](QTcpSocket& socket, const FakeRequest& request) {
            if (request.target != "/execute/stream")
                return false;
            speak(socket);
            return true;
        };
    }
};

QJsonObject exitOf(const QString& code, const QString& id = {})
{
    auto exit = makeEvent(u"exit"_s, code);
    if (!id.isEmpty())
        exit.insert(u"executionId"_s, id);
    return exit;
}

} // namespace

void TestRemoteRun::streamsOverWebSocket()
{
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
    Fixture f;
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
    Fixture f;
    f.onExecute([](QWebSocket& socket) { FakeServer::sendEvent(socket, exitOf(u"0"_s)); });
    f.start();
    QVERIFY(f.waitForEnd());
    const auto request = f.server.messages.value(0).value(u"request"_s).toObject();
    QVERIFY(request.value(u"stdin"_s).isString());
}

void TestRemoteRun::fallsBackToEventStream()
{
    Fixture f;
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
    Fixture f;
    f.onPost([](QTcpSocket& socket) { socket.disconnectFromHost(); });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Unreachable);
    QCOMPARE(f.server.countOf("/execute/stream"), 1);
}

void TestRemoteRun::tellsHowItFailed_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("text");
    const QByteArray json = "Content-Type: application/json\r\n";
    QTest::newRow("missing key") << 401 << QByteArray(R"({"error":"Missing"})") << json
                                 << Kind::Denied << u"asks for an API key"_s;
    QTest::newRow("wrong key") << 403 << QByteArray(R"({"error":"Invalid API key"})") << json
                               << Kind::Denied << u"does not accept this API key"_s;
    QTest::newRow("another server")
        << 200 << QByteArray("<html>") << QByteArray("Content-Type: text/html\r\n")
        << Kind::Protocol << u"does not speak as an isol8 server"_s;
    QTest::newRow("no such path") << 404 << QByteArray("<html>")
                                  << QByteArray("Content-Type: text/html\r\n") << Kind::NotFound
                                  << u"not an isol8 server"_s;
    QTest::newRow("busy") << 429 << QByteArray(R"({"error":"the queue is full"})")
                          << json + "Retry-After: 7\r\n"
                          << Kind::Limit << u"try again in 7 s"_s;
    QTest::newRow("failed") << 500 << QByteArray(R"({"error":"no Docker"})") << json
                            << Kind::Internal << u"no Docker"_s;
    QTest::newRow("endless refusal")
        << 500 << QByteArray(1 << 20, 'x') << json << Kind::Internal << u"HTTP 500"_s;
}

void TestRemoteRun::tellsHowItFailed()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, headers);
    QFETCH(QString, text);
    Fixture f;
    f.server.onRequest = [&](QTcpSocket& socket, const FakeRequest&) {
        FakeServer::answer(socket, status, body, headers);
        return true;
    };
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QTEST(f.error().kind, "kind");
    QVERIFY2(f.error().message.contains(text), qPrintable(f.error().message));
}

void TestRemoteRun::trustsNoUnknownCertificate_data()
{
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("text");
    QTest::newRow("self-signed") << u"selfsigned.pem"_s << u"self-signed"_s;
    QTest::newRow("expired") << u"expired.pem"_s << u"has expired"_s;
    QTest::newRow("other host") << u"otherhost.pem"_s << u"for another host"_s;
    QTest::newRow("no TLS") << QString() << u"does it speak plain http?"_s;
}

void TestRemoteRun::trustsNoUnknownCertificate()
{
    QFETCH(QString, certificate);
    QFETCH(QString, text);
    const auto folder = QStringLiteral(ISOL8_TEST_DATA "/remote/");
    QTcpServer* listener = nullptr;
    if (!certificate.isEmpty()) {
        QFile keyFile(folder + u"key.pem"_s);
        QVERIFY(keyFile.open(QIODevice::ReadOnly));
        const auto chain = QSslCertificate::fromPath(folder + certificate);
        QCOMPARE(chain.size(), 1);
        auto configuration = QSslConfiguration::defaultConfiguration();
        configuration.setLocalCertificate(chain.first());
        configuration.setPrivateKey(QSslKey(&keyFile, QSsl::Ec));
        auto* tls = new QSslServer;
        tls->setSslConfiguration(configuration);
        listener = tls;
    }
    FakeServer server(listener);
    RemoteEngine engine(parseServerAddress(server.url(u"https"_s)).value(), u"key"_s);
    Fixture f;
    f.run = engine.start(f.request, f.options, {});
    f.watch();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Denied);
    QVERIFY2(f.error().message.contains(text), qPrintable(f.error().message));
    QVERIFY(server.requests.isEmpty());
}

void TestRemoteRun::followsNoRedirect()
{
    FakeServer other;
    Fixture f;
    f.server.onRequest = [&other](QTcpSocket& socket, const FakeRequest& request) {
        FakeServer::answer(
            socket, 307, {}, "Location: " + other.url().toLatin1() + request.target + "\r\n");
        return true;
    };
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Protocol);
    QVERIFY(f.error().message.contains(u"does not follow"_s));
    QVERIFY(other.connections.isEmpty());
}

void TestRemoteRun::tellsALostConnection_data()
{
    QTest::addColumn<bool>("isWebSocket");
    QTest::addColumn<bool>("isPolite");
    QTest::newRow("WebSocket closed") << true << true;
    QTest::newRow("WebSocket cut") << true << false;
    QTest::newRow("events ended") << false << true;
    QTest::newRow("events cut") << false << false;
}

void TestRemoteRun::tellsALostConnection()
{
    QFETCH(bool, isWebSocket);
    QFETCH(bool, isPolite);
    Fixture f;
    QPointer<QWebSocket> webSocket;
    QPointer<QTcpSocket> socket;
    if (isWebSocket)
        f.onExecute([&webSocket](QWebSocket& each) {
            FakeServer::sendEvent(each, makeEvent(u"stdout"_s, u"begun"_s));
            webSocket = &each;
        });
    else
        f.onPost([&socket](QTcpSocket& each) {
            FakeServer::beginEvents(each);
            FakeServer::sendEvent(each, makeEvent(u"stdout"_s, u"begun"_s));
            socket = &each;
        });
    f.start();
    QTRY_COMPARE_WITH_TIMEOUT(f.out, "begun", generous);
    if (isWebSocket)
        isPolite ? webSocket->close() : webSocket->abort();
    else
        isPolite ? socket->disconnectFromHost() : socket->abort();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Unreachable);
    QVERIFY2(f.error().message.contains(u"lost connection"_s), qPrintable(f.error().message));
    QCOMPARE(f.server.countOf("/execute/stream"), isWebSocket ? 0 : 1);
}

void TestRemoteRun::refusesNonsense_data()
{
    QTest::addColumn<bool>("isWebSocket");
    QTest::addColumn<QString>("text");
    for (const bool isWebSocket : { true, false }) {
        const auto row = [isWebSocket](const char* name, const QString& text) {
            QTest::addRow("%s %s", isWebSocket ? "WebSocket" : "events", name)
                << isWebSocket << text;
        };
        row("no JSON", u"hello"_s);
        row("list", u"[]"_s);
        row("no type", u"{}"_s);
        row("unknown type", uR"({"type":"x","data":""})"_s);
        row("data of another type", uR"({"type":"stdout","data":1})"_s);
        row("exit abc", uR"({"type":"exit","data":"abc"})"_s);
        row("exit 300", uR"({"type":"exit","data":"300"})"_s);
        row("exit -5", uR"({"type":"exit","data":"-5"})"_s);
        row("exit of nothing", uR"({"type":"exit","data":""})"_s);
        row("exit 0x1", uR"({"type":"exit","data":"0x1"})"_s);
        row("deep", QString(100'000, u'['));
    }
}

void TestRemoteRun::refusesNonsense()
{
    QFETCH(bool, isWebSocket);
    QFETCH(QString, text);
    Fixture f;
    if (isWebSocket)
        f.onExecute([&text](QWebSocket& socket) { socket.sendTextMessage(text); });
    else
        f.onPost([&text](QTcpSocket& socket) {
            FakeServer::beginEvents(socket);
            socket.write("data: " + text.toUtf8() + "\n\n");
        });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Protocol);
    QVERIFY(f.error().message.size() < 2'000);
}

void TestRemoteRun::tellsTheServersFailure()
{
    Fixture f;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"no such image"_s));
        FakeServer::sendEvent(socket, exitOf(u"1"_s));
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().message, u"no such image"_s);

    Fixture old; // 0.20 ends the stream after the error.
    old.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"no such image"_s));
        socket.close();
    });
    old.start();
    QVERIFY(old.waitForEnd());
    QCOMPARE(old.error().message, u"no such image"_s);
}

void TestRemoteRun::tellsATimeLimit()
{
    Fixture f;
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
    Fixture f;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"Unknown message type: stdin"_s));
        FakeServer::sendEvent(socket, exitOf(u"2"_s));
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(f.results[0]);
    QCOMPARE(f.result().exitCode, 2);
}

void TestRemoteRun::pausesReading_data()
{
    QTest::addColumn<bool>("isWebSocket");
    QTest::newRow("WebSocket") << true;
    QTest::newRow("events") << false;
}

void TestRemoteRun::pausesReading()
{
    QFETCH(bool, isWebSocket);
    constexpr int pieces = 160;
    const QString piece(64 << 10, u'x');
    Fixture f;
    f.options.maxOutputBytes = 1 << 20;
    QPointer<QWebSocket> webSocket;
    QPointer<QTcpSocket> socket;
    if (isWebSocket)
        f.onExecute([&](QWebSocket& each) {
            webSocket = &each;
            for (int i = 0; i < pieces; ++i)
                FakeServer::sendEvent(each, makeEvent(u"stdout"_s, piece));
            FakeServer::sendEvent(each, exitOf(u"0"_s));
            each.close();
        });
    else
        f.onPost([&](QTcpSocket& each) {
            socket = &each;
            FakeServer::beginEvents(each);
            for (int i = 0; i < pieces; ++i)
                FakeServer::sendEvent(each, makeEvent(u"stdout"_s, piece));
            FakeServer::sendEvent(each, exitOf(u"0"_s));
            each.disconnectFromHost();
        });
    qint64 received = 0;
    f.run = f.engine.start(f.request, f.options, {});
    QObject::connect(
        f.run.get(), &Run::outputReceived, f.run.get(), [&](Channel, const QByteArray& bytes) {
            if (received == 0)
                f.run->setOutputPaused(true);
            received += bytes.size();
        });
    QObject::connect(f.run.get(), &Run::finished, f.run.get(),
        [&f](const auto& result) { f.results << result; });
    QTRY_VERIFY_WITH_TIMEOUT(received > 0, generous);
    // Other calls go on, while the server cannot get rid of this output.
    for (int i = 0; i < 50; ++i)
        (void)QCoro::waitFor(f.engine.sessions());
    QCOMPARE(received, piece.size());
    QVERIFY(isWebSocket ? webSocket && webSocket->bytesToWrite() > 0
                        : socket && socket->bytesToWrite() > 0);
    QVERIFY(f.results.isEmpty());
    f.run->setOutputPaused(false);
    QVERIFY(f.waitForEnd());
    QVERIFY2(f.results[0], f.results[0] ? "" : qPrintable(f.error().message));
    QCOMPARE(received, qint64(pieces) * piece.size());
    // What is kept for the result is bounded as the output is.
    QCOMPARE(f.result().standardOutput.size(), 1 << 20);
    QVERIFY(f.result().isTruncated);
}

void TestRemoteRun::cancels_data()
{
    QTest::addColumn<QString>("when");
    for (const auto* when : { "at once", "connecting", "posting", "running", "asking" })
        QTest::newRow(when) << QString::fromLatin1(when);
}

void TestRemoteRun::cancels()
{
    QFETCH(QString, when);
    Fixture f;
    const auto cancel = [&f] { f.run->cancel(); };
    if (when == u"posting"_s) {
        f.onPost([&](QTcpSocket&) { cancel(); });
    } else if (when == u"connecting"_s) {
        f.server.onRequest = [&](QTcpSocket&, const FakeRequest&) {
            cancel();
            return true;
        };
    } else {
        f.onExecute([&](QWebSocket& socket) {
            FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"a"_s));
            if (when == u"asking"_s)
                FakeServer::sendEvent(socket, exitOf(u"5"_s, u"a1"_s));
        });
        f.server.onRequest = [&](QTcpSocket&, const FakeRequest&) {
            cancel();
            return true;
        };
    }
    f.start();
    if (when == u"at once"_s) {
        f.run->cancel();
        QVERIFY(f.results.isEmpty()); // Never from within the call.
    }
    if (when == u"running"_s) {
        QTRY_COMPARE_WITH_TIMEOUT(f.out, "a", generous);
        f.run->cancel();
        f.run->cancel();
        QVERIFY(f.results.isEmpty());
    }
    QVERIFY(f.waitForEnd());
    if (when == u"running"_s) {
        QVERIFY(f.results[0]);
        QCOMPARE(f.result().ending.reason, EndReason::Cancelled);
        QCOMPARE(f.result().exitCode, 137);
        QCOMPARE(f.result().standardOutput, "a");
    } else if (when == u"asking"_s) {
        QVERIFY(f.results[0]);
        QCOMPARE(f.result().exitCode, 5);
    } else {
        QVERIFY(!f.results[0]);
        QCOMPARE(f.error().kind, Kind::Cancelled);
    }
    // The server sees it: every connection of the run ends.
    for (const auto& connection : std::as_const(f.server.connections))
        if (when == u"running"_s)
            QTRY_VERIFY_WITH_TIMEOUT(
                !connection || connection->state() == QAbstractSocket::UnconnectedState, generous);
    QCOMPARE(f.results.size(), 1);
}

void TestRemoteRun::isDestroyedAnytime_data()
{
    QTest::addColumn<QString>("when");
    QTest::addColumn<bool>("isEngine");
    for (const auto* when : { "at once", "connecting", "posting", "within output", "asking" }) {
        QTest::addRow("run, %s", when) << QString::fromLatin1(when) << false;
        QTest::addRow("engine, %s", when) << QString::fromLatin1(when) << true;
    }
}

void TestRemoteRun::isDestroyedAnytime()
{
    QFETCH(QString, when);
    QFETCH(bool, isEngine);
    FakeServer server;
    auto engine
        = std::make_unique<RemoteEngine>(parseServerAddress(server.url()).value(), u"key"_s);
    ExecutionRequest request;
    request.code = "1";
    auto run = engine->start(request, {}, {});
    bool isGone = false;
    int ends = 0;
    QObject::connect(run.get(), &Run::finished, &server, [&ends] { ++ends; });
    const auto destroy = [&] {
        isEngine ? engine.reset() : run.reset();
        isGone = true;
    };
    const auto take = [&](QTcpSocket&, const FakeRequest&) {
        destroy();
        return true;
    };
    if (when == u"connecting"_s || when == u"posting"_s) {
        server.onRequest = [&](QTcpSocket& socket, const FakeRequest& each) {
            return (when == u"posting"_s && each.target != "/execute/stream") ? false
                                                                              : take(socket, each);
        };
    } else {
        server.onRequest = take;
        server.onMessage = [](QWebSocket& socket, const QJsonObject&) {
            FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"a"_s));
            FakeServer::sendEvent(socket, exitOf(u"5"_s, u"a1"_s));
        };
    }
    if (when == u"within output"_s)
        QObject::connect(run.get(), &Run::outputReceived, &server, [&] {
            if (!isGone)
                destroy();
        });
    if (when == u"at once"_s)
        destroy();
    QTRY_VERIFY_WITH_TIMEOUT(isGone, generous);
    if (isEngine)
        QTRY_COMPARE_WITH_TIMEOUT(ends, 1, generous);
    else
        QCoreApplication::processEvents();
    QCOMPARE(ends, isEngine ? 1 : 0);
}

void TestRemoteRun::refusesWhatCannotTravel()
{
    Fixture f;
    f.request.code = "print('\xff')";
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Invalid);
    QVERIFY(f.error().message.contains(u"UTF-8"_s));

    Fixture session;
    session.sessionId = u"../x"_s;
    session.start();
    QVERIFY(session.waitForEnd());
    QCOMPARE(session.error().kind, Kind::Invalid);
    QVERIFY(session.server.connections.isEmpty());
}

QTEST_GUILESS_MAIN(TestRemoteRun)
#include "tst_remoterun.moc"
