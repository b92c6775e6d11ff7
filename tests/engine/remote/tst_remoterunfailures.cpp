// SPDX-License-Identifier: MIT
#include "runfixture.h"

#include <QFile>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QWebSocket>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

/// What is said when a server fails, lies or goes away.
class TestRemoteRunFailures : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsHowItFailed_data();
    void tellsHowItFailed();
    void trustsNoUnknownCertificate_data();
    void trustsNoUnknownCertificate();
    void followsNoRedirect();
    void opensNoFalseWebSocket_data();
    void opensNoFalseWebSocket();
    void tellsALostConnection_data();
    void tellsALostConnection();
    void refusesNonsense_data();
    void refusesNonsense();
    void tellsTheServersFailure();
};

void TestRemoteRunFailures::tellsHowItFailed_data()
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

void TestRemoteRunFailures::tellsHowItFailed()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, headers);
    QFETCH(QString, text);
    RunFixture f;
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

/// GUI-06 of ABUSE.md, of the window too; where it keeps keys: tst_keystore_ui.
void TestRemoteRunFailures::trustsNoUnknownCertificate_data()
{
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("text");
    QTest::newRow("self-signed") << u"selfsigned.pem"_s << u"self-signed"_s;
    QTest::newRow("expired") << u"expired.pem"_s << u"has expired"_s;
    QTest::newRow("other host") << u"otherhost.pem"_s << u"for another host"_s;
    QTest::newRow("no TLS") << QString() << u"does it speak plain http?"_s;
}

void TestRemoteRunFailures::trustsNoUnknownCertificate()
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
    RunFixture f;
    f.run = engine.start(f.request, f.options, {});
    f.watch();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().kind, Kind::Denied);
    QVERIFY2(f.error().message.contains(text), qPrintable(f.error().message));
    QVERIFY(server.requests.isEmpty());
}

void TestRemoteRunFailures::followsNoRedirect()
{
    FakeServer other;
    RunFixture f;
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

void TestRemoteRunFailures::opensNoFalseWebSocket_data()
{
    QTest::addColumn<QByteArray>("answer");
    const QByteArray upgraded
        = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    QTest::newRow("without a proof") << upgraded + "\r\n";
    QTest::newRow("with another's proof")
        << upgraded + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    QTest::newRow("no HTTP") << "220 mail.example ESMTP\r\n\r\n"_ba;
    QTest::newRow("endless") << QByteArray(1 << 20, 'x');
}

/// The run goes on over the way that needs none.
void TestRemoteRunFailures::opensNoFalseWebSocket()
{
    QFETCH(QByteArray, answer);
    RunFixture f;
    f.server.onRequest = [&answer](QTcpSocket& socket, const FakeRequest& request) {
        if (request.target == "/execute/ws") {
            socket.write(answer);
            return true;
        }
        FakeServer::beginEvents(socket);
        FakeServer::sendEvent(socket, exitOf(u"3"_s));
        socket.disconnectFromHost();
        return true;
    };
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY2(f.results[0], f.results[0] ? "" : qPrintable(f.error().message));
    QCOMPARE(f.result().exitCode, 3);
}

void TestRemoteRunFailures::tellsALostConnection_data()
{
    QTest::addColumn<bool>("isWebSocket");
    QTest::addColumn<bool>("isPolite");
    QTest::newRow("WebSocket closed") << true << true;
    QTest::newRow("WebSocket cut") << true << false;
    QTest::newRow("events ended") << false << true;
    QTest::newRow("events cut") << false << false;
}

void TestRemoteRunFailures::tellsALostConnection()
{
    QFETCH(bool, isWebSocket);
    QFETCH(bool, isPolite);
    RunFixture f;
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

void TestRemoteRunFailures::refusesNonsense_data()
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

void TestRemoteRunFailures::refusesNonsense()
{
    QFETCH(bool, isWebSocket);
    QFETCH(QString, text);
    RunFixture f;
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

void TestRemoteRunFailures::tellsTheServersFailure()
{
    RunFixture f;
    f.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"no such image"_s));
        FakeServer::sendEvent(socket, exitOf(u"1"_s));
    });
    f.start();
    QVERIFY(f.waitForEnd());
    QVERIFY(!f.results[0]);
    QCOMPARE(f.error().message, u"no such image"_s);

    RunFixture old; // 0.20 ends the stream after the error.
    old.onExecute([](QWebSocket& socket) {
        FakeServer::sendEvent(socket, makeEvent(u"error"_s, u"no such image"_s));
        socket.close();
    });
    old.start();
    QVERIFY(old.waitForEnd());
    QCOMPARE(old.error().message, u"no such image"_s);
}

QTEST_GUILESS_MAIN(TestRemoteRunFailures)
#include "tst_remoterunfailures.moc"
