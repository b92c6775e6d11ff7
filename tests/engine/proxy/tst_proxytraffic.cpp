// SPDX-License-Identifier: MIT
#include "tests/engine/proxy/peer.h"

#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 muchBytes = 48 << 20;

/// One server, one client, everything allowed.
struct Traffic {
    RawServer server;
    ProxyFixture fixture;
    std::unique_ptr<Peer> client;

    Traffic()
    {
        fixture.filter.ports = { server.serverPort() };
        client = fixture.connect();
    }

    void send(const QByteArray& requestLineStart, const QByteArray& fields = "",
        const QByteArray& body = "", const QByteArray& version = "1.1")
    {
        client->write(requestLineStart + " http://" + server.authority() + "/x HTTP/" + version
            + "\r\nHost: x\r\n" + fields + "\r\n" + body);
    }
    /// The server's side of the newest request once its head is there.
    bool hasRequest(int count = 1)
    {
        return QTest::qWaitFor(
            [&] { return server.count() == count && peer().received().contains("\r\n\r\n"); });
    }
    Peer& peer() { return server.peer(server.count() - 1); }
    void answer(const QByteArray& bytes) { peer().write(bytes); }
    void answerAndClose(const QByteArray& bytes)
    {
        peer().write(bytes);
        peer().stream().finishWriting();
    }
};

/// Whether a number does not change any more between two looks.
template <typename Look> auto settled(Look look)
{
    return [look, before = qint64(-1)]() mutable {
        const qint64 now = look();
        return std::exchange(before, now) == now && now > 0;
    };
}

QByteArray bodyOf(const QByteArray& message)
{
    return message.mid(message.indexOf("\r\n\r\n") + 4);
}

} // namespace

/// What HTTP can do goes through unharmed, and in constant memory.
class TestProxyTraffic : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void passesAnswersOn_data();
    void passesAnswersOn();
    void answersWithoutABody_data();
    void answersWithoutABody();
    void passesBodiesOn_data();
    void passesBodiesOn();
    void bytesMayComeOneByOne();
    void asksBeforeTheBody();
    void passesInterimAnswersOn();
    void serversMayAnswerEarly();
    void oldClientsGetWhatTheyKnow();
    void keepsOldConnectionsIfAsked();
    void closesIfAsked();
    void largeCookies();
    void stripsFieldsOfAnswers();
    void webSockets();
    void refusedUpgradesAreAnswers();
    void tunnels();
    void tunnelsEndOneWayAtATime();
    void halfClosedClientsGetTheirAnswer();
    void largeUploads();
    void largeDownloads();
    void largeTunnels();
    void holdsServersBack();
    void holdsClientsBack();
    void whoDoesNotReadIsNotHeard();
};

void TestProxyTraffic::passesAnswersOn_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("length") << QByteArray(
        "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello")
                            << QByteArray(
                                   "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
    QTest::newRow("empty") << QByteArray("HTTP/1.1 404 Nope\r\nContent-Length: 0\r\n\r\n")
                           << QByteArray("HTTP/1.1 404 Nope\r\nContent-Length: 0\r\n\r\n");
    QTest::newRow("chunked") << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n")
                             << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "5\r\nhello\r\n0\r\n\r\n");
    QTest::newRow("until the end")
        << QByteArray("HTTP/1.0 200 OK\r\n\r\nhello")
        << QByteArray(
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    QTest::newRow("until the end, empty")
        << QByteArray("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    QTest::newRow("coded") << QByteArray("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                         "Content-Length: 3\r\n\r\n\x1f\x8b\xff")
                           << QByteArray("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                         "Content-Length: 3\r\n\r\n\x1f\x8b\xff");
}

void TestProxyTraffic::passesAnswersOn()
{
    QFETCH(QByteArray, answer);
    QFETCH(QByteArray, expected);
    Traffic traffic;
    for (int i = 1; i <= 2; ++i) { // The connection goes on.
        traffic.send("GET");
        QVERIFY(traffic.hasRequest(i));
        traffic.answerAndClose(answer);
        QTRY_COMPARE(traffic.client->received(), expected);
        (void)traffic.client->take();
    }
    QVERIFY(!traffic.client->hasFinished());
}

void TestProxyTraffic::answersWithoutABody_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("HEAD") << QByteArray("HEAD")
                          << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    QTest::newRow("304") << QByteArray("GET")
                         << QByteArray("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
    QTest::newRow("204") << QByteArray("GET") << QByteArray("HTTP/1.1 204 No Content\r\n\r\n");
    QTest::newRow("HEAD without a length")
        << QByteArray("HEAD") << QByteArray("HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
}

void TestProxyTraffic::answersWithoutABody()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, answer);
    Traffic traffic;
    traffic.send(method);
    QVERIFY(traffic.hasRequest());
    traffic.answer(answer); // The server does not close.
    QTRY_COMPARE(traffic.client->received(), answer);
    traffic.send("GET");
    QVERIFY(traffic.hasRequest(2));
}

void TestProxyTraffic::passesBodiesOn_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("length") << QByteArray("Content-Length: 5\r\n") << QByteArray("hello")
                            << QByteArray("hello");
    QTest::newRow("chunked") << QByteArray("Transfer-Encoding: chunked\r\n")
                             << QByteArray("5;x\r\nhello\r\n0\r\nT: x\r\n\r\n")
                             << QByteArray("5\r\nhello\r\n0\r\n\r\n");
    QTest::newRow("empty chunked") << QByteArray("Transfer-Encoding: chunked\r\n")
                                   << QByteArray("0\r\n\r\n") << QByteArray("0\r\n\r\n");
}

void TestProxyTraffic::passesBodiesOn()
{
    QFETCH(QByteArray, fields);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    Traffic traffic;
    traffic.send("POST", fields, body);
    QVERIFY(traffic.hasRequest());
    QTRY_COMPARE(bodyOf(traffic.peer().received()), expected);
    traffic.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    QTRY_VERIFY(traffic.client->received().endsWith("ok"));
}

void TestProxyTraffic::bytesMayComeOneByOne()
{
    Traffic traffic;
    const QByteArray request = "POST http://" + traffic.server.authority()
        + "/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (const char byte : request) {
        traffic.client->write(QByteArray(1, byte));
        QCoreApplication::processEvents();
    }
    QVERIFY(traffic.hasRequest());
    QTRY_VERIFY(traffic.peer().received().endsWith("0\r\n\r\n"));
    const QByteArray answer = "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    for (const char byte : answer) {
        traffic.answer(QByteArray(1, byte));
        QCoreApplication::processEvents();
    }
    QTRY_VERIFY(traffic.client->received().endsWith("0\r\n\r\n"));
    QVERIFY(traffic.client->received().startsWith("HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"));
}

void TestProxyTraffic::asksBeforeTheBody()
{
    Traffic traffic;
    traffic.send("PUT", "Expect: 100-continue\r\nContent-Length: 4\r\n");
    QVERIFY(traffic.hasRequest());
    QVERIFY(traffic.peer().received().contains("Expect: 100-continue\r\n"));
    traffic.answer("HTTP/1.1 100 Continue\r\n\r\n");
    QTRY_COMPARE(traffic.client->received(), QByteArray("HTTP/1.1 100 Continue\r\n\r\n"));
    traffic.client->write("body");
    QTRY_VERIFY(traffic.peer().received().endsWith("\r\n\r\nbody"));
    traffic.answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    QTRY_VERIFY(traffic.client->received().contains("201 Created"));
}

void TestProxyTraffic::passesInterimAnswersOn()
{
    Traffic traffic;
    traffic.send("GET", "", "", "1.0"); // HTTP/1.0 knows none.
    QVERIFY(traffic.hasRequest());
    traffic.answer("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().startsWith("HTTP/1.1 200 OK\r\n"));
}

void TestProxyTraffic::serversMayAnswerEarly()
{
    Traffic traffic;
    traffic.send("POST", "Content-Length: 1000000\r\n", "only the beginning");
    QVERIFY(traffic.hasRequest());
    traffic.answerAndClose("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    QTRY_VERIFY(traffic.client->received().endsWith("no"));
    QTRY_VERIFY(traffic.client->hasFinished()); // Nobody knows what would come next.
    QVERIFY(!traffic.client->isCutOff());
}

void TestProxyTraffic::oldClientsGetWhatTheyKnow()
{
    for (const auto* answer :
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello" }) {
        Traffic traffic;
        traffic.send("GET", "Connection: keep-alive\r\n", "", "1.0");
        QVERIFY(traffic.hasRequest());
        traffic.answerAndClose(answer);
        QTRY_VERIFY(traffic.client->hasFinished());
        QCOMPARE(traffic.client->received(),
            QByteArray("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"));
    }
}

void TestProxyTraffic::keepsOldConnectionsIfAsked()
{
    Traffic traffic;
    for (int i = 1; i <= 2; ++i) {
        traffic.send("GET", "Connection: keep-alive\r\n", "", "1.0");
        QVERIFY(traffic.hasRequest(i));
        traffic.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        QTRY_COMPARE(traffic.client->received(),
            QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"));
        (void)traffic.client->take();
    }
}

void TestProxyTraffic::closesIfAsked()
{
    Traffic traffic;
    traffic.send("GET", "Connection: close\r\n");
    QVERIFY(traffic.hasRequest());
    traffic.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    QTRY_VERIFY(traffic.client->hasFinished());
    QCOMPARE(traffic.client->received(),
        QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
    QTRY_VERIFY(traffic.client->stream().pendingBytes() == 0);
    QVERIFY(!traffic.client->isCutOff());
}

void TestProxyTraffic::largeCookies()
{
    Traffic traffic;
    const QByteArray cookie(64 << 10, 'c');
    traffic.send("GET", "Cookie: " + cookie + "\r\n");
    QVERIFY(traffic.hasRequest());
    QVERIFY(traffic.peer().received().contains("Cookie: " + cookie + "\r\n"));
    traffic.answer("HTTP/1.1 200 OK\r\nSet-Cookie: " + cookie + "\r\nContent-Length: 0\r\n\r\n");
    QTRY_VERIFY(traffic.client->received().endsWith("Content-Length: 0\r\n\r\n"));
    QVERIFY(traffic.client->received().contains("Set-Cookie: " + cookie + "\r\n"));
}

void TestProxyTraffic::stripsFieldsOfAnswers()
{
    Traffic traffic;
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    traffic.answer("HTTP/1.1 200 OK\r\nProxy-Authenticate: Basic\r\nProxy-Connection: close\r\n"
                   "Keep-Alive: timeout=5\r\nUpgrade: h2c\r\nTrailer: X\r\nVia: 1.1 them\r\n"
                   "Connection: X-Gone, upgrade\r\nX-Gone: 1\r\nX-Stays: 2\r\n"
                   "Content-Length: 2\r\ncontent-length: 2\r\n\r\nok");
    QTRY_COMPARE(traffic.client->received(),
        QByteArray(
            "HTTP/1.1 200 OK\r\nVia: 1.1 them\r\nX-Stays: 2\r\nContent-Length: 2\r\n\r\nok"));
}

void TestProxyTraffic::webSockets()
{
    Traffic traffic;
    traffic.send(
        "GET", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n", "early");
    QVERIFY(traffic.hasRequest());
    QVERIFY(traffic.peer().received().contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    traffic.answer("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: a\r\n\r\nfirst");
    QTRY_COMPARE(traffic.client->received(),
        QByteArray("HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: a\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\n\r\nfirst"));
    QTRY_VERIFY(traffic.peer().received().endsWith("early"));
    traffic.client->write("ping");
    QTRY_VERIFY(traffic.peer().received().endsWith("ping"));
    traffic.answer("pong");
    QTRY_VERIFY(traffic.client->received().endsWith("pong"));
    traffic.peer().stream().finishWriting();
    QTRY_VERIFY(traffic.client->hasFinished());
}

void TestProxyTraffic::refusedUpgradesAreAnswers()
{
    Traffic traffic;
    traffic.send("GET", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    QVERIFY(traffic.hasRequest());
    traffic.answer("HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno");
    QTRY_VERIFY(traffic.client->received().endsWith("no"));
    traffic.send("GET");
    QVERIFY(traffic.hasRequest(2));
    QVERIFY(!traffic.peer().received().contains("Upgrade"));
}

void TestProxyTraffic::tunnels()
{
    Traffic traffic;
    traffic.client->write(
        "CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01");
    QTRY_COMPARE(traffic.server.count(), 1);
    QTRY_COMPARE(
        traffic.client->received(), QByteArray("HTTP/1.1 200 Connection established\r\n\r\n"));
    QTRY_COMPARE(traffic.peer().received(), QByteArray("\x16\x03\x01"));
    traffic.peer().write(QByteArray("\0\r\n\r\n\xff", 6));
    QTRY_VERIFY(traffic.client->received().endsWith(QByteArray("\0\r\n\r\n\xff", 6)));
}

void TestProxyTraffic::tunnelsEndOneWayAtATime()
{
    Traffic traffic;
    traffic.client->write("CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(traffic.server.count(), 1);
    traffic.client->write("question");
    traffic.client->stream().finishWriting();
    QTRY_VERIFY(traffic.peer().hasFinished());
    QCOMPARE(traffic.peer().received(), QByteArray("question"));
    traffic.peer().write("answer");
    traffic.peer().stream().finishWriting();
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().endsWith("answer"));
    QTRY_VERIFY(traffic.client->isClosed());
    QVERIFY(!traffic.client->isCutOff() && !traffic.peer().isCutOff());
}

void TestProxyTraffic::halfClosedClientsGetTheirAnswer()
{
    Traffic traffic;
    traffic.send("GET");
    traffic.client->stream().finishWriting();
    QVERIFY(traffic.hasRequest());
    traffic.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    QTRY_VERIFY(traffic.client->received().endsWith("ok"));
    QTRY_VERIFY(traffic.client->isClosed());
    QVERIFY(!traffic.client->isCutOff());
}

void TestProxyTraffic::largeUploads()
{
    for (const bool isChunked : { false, true }) {
        Traffic traffic;
        const QByteArray piece(1 << 20, 'u');
        traffic.send("POST",
            isChunked ? QByteArray("Transfer-Encoding: chunked\r\n")
                      : "Content-Length: " + QByteArray::number(muchBytes) + "\r\n");
        QVERIFY(traffic.hasRequest());
        const auto headBytes = traffic.peer().received().size();
        traffic.peer().setKeeping(false);
        for (qint64 sent = 0; sent < muchBytes; sent += piece.size())
            traffic.client->write(isChunked ? "100000\r\n" + piece + "\r\n" : piece);
        if (isChunked)
            traffic.client->write("0\r\n\r\n");
        QTRY_VERIFY_WITH_TIMEOUT(traffic.peer().receivedBytes() >= muchBytes + headBytes, 60'000);
        traffic.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        QTRY_VERIFY(traffic.client->received().endsWith("ok"));
    }
}

void TestProxyTraffic::largeDownloads()
{
    for (const bool isChunked : { false, true }) {
        Traffic traffic;
        const QByteArray piece(1 << 20, 'd');
        traffic.client->setKeeping(false);
        traffic.send("GET");
        QVERIFY(traffic.hasRequest());
        traffic.answer("HTTP/1.1 200 OK\r\n"
            + (isChunked ? QByteArray("Transfer-Encoding: chunked\r\n\r\n")
                         : "Content-Length: " + QByteArray::number(muchBytes) + "\r\n\r\n"));
        for (qint64 sent = 0; sent < muchBytes; sent += piece.size())
            traffic.answer(isChunked ? "100000\r\n" + piece + "\r\n" : piece);
        if (isChunked)
            traffic.answer("0\r\n\r\n");
        QTRY_VERIFY_WITH_TIMEOUT(traffic.client->receivedBytes() >= muchBytes, 60'000);
        traffic.client->setKeeping(true);
        traffic.send("GET");
        QVERIFY(traffic.hasRequest(2));
    }
}

void TestProxyTraffic::largeTunnels()
{
    Traffic traffic;
    traffic.client->write("CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(traffic.server.count(), 1);
    traffic.peer().setKeeping(false);
    traffic.client->setKeeping(false);
    traffic.client->write(QByteArray(muchBytes, 'c'));
    traffic.peer().write(QByteArray(muchBytes, 's'));
    QTRY_VERIFY_WITH_TIMEOUT(traffic.peer().receivedBytes() == muchBytes, 60'000);
    QTRY_VERIFY_WITH_TIMEOUT(traffic.client->receivedBytes() > muchBytes, 60'000);
    QCOMPARE(traffic.fixture.network().bytesIn(), muchBytes);
    QCOMPARE(traffic.fixture.network().bytesOut(), muchBytes);
}

void TestProxyTraffic::holdsServersBack()
{
    // A client that reads nothing: the server's bytes stay with the server.
    for (const bool isTunnel : { false, true }) {
        Traffic traffic;
        if (isTunnel)
            traffic.client->write(
                "CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
        else
            traffic.send("GET");
        QTRY_COMPARE(traffic.server.count(), 1);
        traffic.client->stream().setReading(false);
        const QByteArray head = isTunnel
            ? QByteArray()
            : QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 50331648\r\n\r\n");
        traffic.answer(head + QByteArray(muchBytes, 'd'));
        auto hasSettled = settled([&] { return traffic.fixture.network().bytesIn(); });
        QTRY_VERIFY(hasSettled());
        QVERIFY(traffic.fixture.network().bytesIn() < 8 << 20); // With the kernel's buffers.
        traffic.client->setKeeping(false);
        traffic.client->stream().setReading(true);
        QTRY_VERIFY_WITH_TIMEOUT(traffic.client->receivedBytes() >= muchBytes, 60'000);
    }
}

void TestProxyTraffic::holdsClientsBack()
{
    for (const bool isTunnel : { false, true }) {
        Traffic traffic;
        traffic.server.setReading(false);
        if (isTunnel)
            traffic.client->write(
                "CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
        else
            traffic.send("POST", "Content-Length: 50331648\r\n");
        QTRY_COMPARE(traffic.server.count(), 1);
        traffic.client->write(QByteArray(muchBytes, 'u'));
        auto hasSettled = settled([&] { return traffic.fixture.network().bytesOut(); });
        QTRY_VERIFY(hasSettled());
        QVERIFY(traffic.fixture.network().bytesOut() < 8 << 20);
        traffic.peer().setKeeping(false);
        traffic.peer().stream().setReading(true);
        QTRY_VERIFY_WITH_TIMEOUT(traffic.peer().receivedBytes() >= muchBytes, 60'000);
    }
}

void TestProxyTraffic::whoDoesNotReadIsNotHeard()
{
    ProxyFixture fixture;
    fixture.filter.deny = { u"."_s };
    const auto client = fixture.connect();
    client->stream().setReading(false);
    const QByteArray requests
        = ("GET http://evil.test/" + QByteArray(250, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n")
              .repeated(20'000);
    client->write(requests);
    // Neither the answers nor the requests pile up here.
    auto hasSettled = settled([&] { return client->stream().pendingBytes(); });
    QTRY_VERIFY(hasSettled());
    QVERIFY(client->stream().pendingBytes() > requests.size() / 2);
    client->setKeeping(false);
    client->stream().setReading(true);
    QTRY_COMPARE_WITH_TIMEOUT(client->stream().pendingBytes(), 0, 60'000);
}

QTEST_GUILESS_MAIN(TestProxyTraffic)
#include "tst_proxytraffic.moc"
