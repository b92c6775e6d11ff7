// SPDX-License-Identifier: MIT
#include "tests/engine/proxy/peer.h"

#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

int statusOf(const QByteArray& answer)
{
    return answer.startsWith("HTTP/1.1 ") ? answer.mid(9, 3).toInt() : 0;
}

struct Traffic {
    RawServer server;
    ProxyFixture fixture;
    std::unique_ptr<Peer> client;

    explicit Traffic(const ProxyLimits& limits = {})
    {
        fixture.settings.limits = limits;
        fixture.filter.ports = { server.serverPort() };
        client = fixture.connect();
    }
    void send(const QByteArray& method, const QByteArray& fields = "", const QByteArray& body = "")
    {
        client->write(method + " http://" + server.authority() + "/x HTTP/1.1\r\nHost: x\r\n"
            + fields + "\r\n" + body);
    }
    void tunnel()
    {
        client->write("CONNECT " + server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    bool hasRequest()
    {
        return QTest::qWaitFor([this] { return server.count() == 1; })
            && QTest::qWaitFor([this] { return server.peer(0).received().contains("\r\n\r\n"); });
    }
};

} // namespace

/// Servers and programs that do not behave: every connection ends with a truthful answer, or is cut
/// off where the answer had begun.
class TestProxyFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void serversThatAreNotThere();
    void namesThatAreNotThere();
    void namesThatTakeTooLong();
    void badAnswers_data();
    void badAnswers();
    void answersThatBreakOff_data();
    void answersThatBreakOff();
    void oldClientsSeeThatItBrokeOff();
    void silentServers();
    void silenceWithinAnAnswer();
    void endlessHeads();
    void endlessInterimAnswers();
    void serversThatResetTunnels();
    void serversThatRefuseUploads();
    void programsThatResetTunnels();
    void programsThatLeaveInTheMiddle_data();
    void programsThatLeaveInTheMiddle();
    void programsThatSendHalfARequest();
    void badChunksOfARequest();
    void headsThatDrip();
    void idleConnections();
    void whoStaysAfterTheLastAnswer();
};

void TestProxyFaults::serversThatAreNotThere()
{
    Traffic traffic;
    traffic.server.close();
    traffic.send("GET");
    QTRY_COMPARE(statusOf(traffic.client->received()), 502);
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().contains("cannot be reached"));
    QVERIFY(traffic.fixture.network().log().first().isAllowed);
    const auto tunnel = traffic.fixture.connect();
    tunnel->write("CONNECT " + traffic.server.authority() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(statusOf(tunnel->received()), 502);
}

void TestProxyFaults::namesThatAreNotThere()
{
    Traffic traffic;
    traffic.client->write("GET http://missing.test:"
        + QByteArray::number(traffic.server.serverPort()) + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(statusOf(traffic.client->received()), 502);
    QTRY_VERIFY(traffic.client->received().contains("missing.test cannot be resolved"));
}

void TestProxyFaults::namesThatTakeTooLong()
{
    ProxyLimits limits;
    limits.lookupTimeout = 20ms;
    Traffic traffic(limits);
    traffic.fixture.resolver->isSilent = true;
    traffic.client->write("CONNECT slow.test:" + QByteArray::number(traffic.server.serverPort())
        + " HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(statusOf(traffic.client->received()), 504);
}

void TestProxyFaults::badAnswers_data()
{
    QTest::addColumn<QByteArray>("answer");
    const auto row
        = [](const char* name, const QByteArray& answer) { QTest::newRow(name) << answer; };
    row("nothing", "");
    row("half a head", "HTTP/1.1 200 OK\r\nX: y");
    row("no HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
    row("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n");
    row("both lengths",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    row("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok");
    row("unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok");
    row("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    row("folded field", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n");
    row("NUL", QByteArray("HTTP/1.1 200 OK\r\nX: \0\r\n\r\n", 24));
    row("large head", "HTTP/1.1 200 OK\r\nX: " + QByteArray(1 << 20, 'x') + "\r\n\r\n");
    row("many fields", "HTTP/1.1 200 OK\r\n" + QByteArray("X: y\r\n").repeated(1000) + "\r\n");
    row("unasked switch", "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    row("only interim", "HTTP/1.1 100 Continue\r\n\r\n");
}

void TestProxyFaults::badAnswers()
{
    QFETCH(QByteArray, answer);
    Traffic traffic;
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    traffic.server.peer(0).write(answer);
    traffic.server.peer(0).stream().finishWriting();
    QTRY_VERIFY(traffic.client->hasFinished());
    auto received = traffic.client->take();
    if (received.startsWith("HTTP/1.1 100"))
        received = received.mid(received.indexOf("\r\n\r\n") + 4);
    QCOMPARE(statusOf(received), 502);
    QVERIFY(received.contains(traffic.server.authority()));
    // Another request has a connection of its own.
    const auto next = traffic.fixture.connect();
    next->write("GET http://" + traffic.server.authority() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
    QTRY_COMPARE(traffic.server.count(), 2);
}

void TestProxyFaults::answersThatBreakOff_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("in the body") << QByteArray(
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    QTest::newRow("in a chunk") << QByteArray(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this");
    QTest::newRow("between chunks")
        << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n");
    QTest::newRow("bad chunk") << QByteArray(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nx\r\n");
    QTest::newRow("endless trailers")
        << "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\n"
            + QByteArray("X: y\r\n").repeated(10'000);
    QTest::newRow("endless chunk extension")
        << "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n1;"
            + QByteArray(100'000, 'x');
}

void TestProxyFaults::answersThatBreakOff()
{
    QFETCH(QByteArray, answer);
    Traffic traffic;
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    traffic.server.peer(0).write(answer);
    traffic.server.peer(0).stream().finishWriting();
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().contains("only this")); // What came is not lost.
    QVERIFY(!traffic.client->received().endsWith("0\r\n\r\n"));
}

void TestProxyFaults::oldClientsSeeThatItBrokeOff()
{
    // Without a length or chunks only a reset tells a part from the whole.
    Traffic traffic;
    traffic.client->write("GET http://" + traffic.server.authority() + "/x HTTP/1.0\r\n\r\n");
    QVERIFY(traffic.hasRequest());
    traffic.server.peer(0).write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n");
    QTRY_VERIFY(traffic.client->received().endsWith("only this"));
    traffic.server.peer(0).stream().finishWriting();
    QTRY_VERIFY(traffic.client->isCutOff());
}

void TestProxyFaults::silentServers()
{
    ProxyLimits limits;
    limits.answerTimeout = 50ms;
    Traffic traffic(limits);
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    QTRY_COMPARE(statusOf(traffic.client->received()), 504);
    QTRY_VERIFY(traffic.server.peer(0).isClosed());
}

void TestProxyFaults::silenceWithinAnAnswer()
{
    ProxyLimits limits;
    limits.answerTimeout = 50ms;
    Traffic traffic(limits);
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    traffic.server.peer(0).write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().endsWith("hel"));
}

void TestProxyFaults::endlessHeads()
{
    // A byte now and then does not keep the time limit from passing.
    ProxyLimits limits;
    limits.answerTimeout = 100ms;
    Traffic traffic(limits);
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    auto& server = traffic.server.peer(0);
    server.write("HTTP/1.1 200 OK\r\nX: ");
    const auto drip = [&] {
        server.write("x");
        return statusOf(traffic.client->received()) == 504;
    };
    QTRY_VERIFY(drip());
}

void TestProxyFaults::endlessInterimAnswers()
{
    Traffic traffic;
    traffic.client->stream().setReading(false);
    traffic.send("GET");
    QVERIFY(traffic.hasRequest());
    auto& server = traffic.server.peer(0).stream();
    const auto interim = QByteArray("HTTP/1.1 102 Processing\r\n\r\n").repeated(10'000);
    for (int i = 0; i < 100; ++i)
        server.write(interim);
    qint64 before = -1;
    const auto hasSettled = [&] {
        const auto now = server.pendingBytes();
        return std::exchange(before, now) == now && now > 0;
    };
    QTRY_VERIFY(hasSettled()); // They wait at the server.
    QVERIFY(traffic.fixture.network().bytesIn() < 8 << 20);
}

void TestProxyFaults::serversThatResetTunnels()
{
    Traffic traffic;
    traffic.tunnel();
    QTRY_COMPARE(traffic.server.count(), 1);
    QTRY_COMPARE(statusOf(traffic.client->received()), 200);
    traffic.server.drop(0);
    QTRY_VERIFY(traffic.client->hasFinished());
    traffic.client->stream().finishWriting();
    QTRY_VERIFY(traffic.client->isClosed());
}

void TestProxyFaults::serversThatRefuseUploads()
{
    // The answer is there although the upload can go no further.
    Traffic traffic;
    traffic.send("POST", "Content-Length: 50000000\r\n");
    QVERIFY(traffic.hasRequest());
    traffic.server.peer(0).stream().setReading(false);
    traffic.server.peer(0).write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    traffic.client->write(QByteArray(50'000'000, 'u'));
    QTRY_VERIFY(traffic.client->received().endsWith("no"));
}

void TestProxyFaults::programsThatResetTunnels()
{
    Traffic traffic;
    traffic.tunnel();
    QTRY_COMPARE(traffic.server.count(), 1);
    QTRY_COMPARE(statusOf(traffic.client->received()), 200);
    traffic.client.reset();
    QTRY_VERIFY(traffic.server.peer(0).isClosed() || traffic.server.peer(0).hasFinished());
}

void TestProxyFaults::programsThatLeaveInTheMiddle_data()
{
    QTest::addColumn<int>("moment");
    QTest::newRow("of a head") << 0;
    QTest::newRow("of resolving") << 1;
    QTest::newRow("of a body") << 2;
    QTest::newRow("of an answer") << 3;
}

void TestProxyFaults::programsThatLeaveInTheMiddle()
{
    QFETCH(int, moment);
    Traffic traffic;
    const auto port = QByteArray::number(traffic.server.serverPort());
    traffic.fixture.resolver->isSilent = true;
    if (moment == 0) {
        traffic.client->write("GET http://");
    } else if (moment == 1) {
        traffic.client->write("GET http://slow.test:" + port + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(traffic.fixture.resolver->asked.size(), 1);
    } else if (moment == 2) {
        traffic.send("POST", "Content-Length: 100\r\n", "half");
        QVERIFY(traffic.hasRequest());
    } else {
        traffic.send("GET");
        QVERIFY(traffic.hasRequest());
        traffic.server.peer(0).write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        QTRY_VERIFY(traffic.client->received().endsWith("half"));
    }
    traffic.client.reset();
    if (moment == 3)
        traffic.server.peer(0).write("more");
    if (moment >= 2)
        QTRY_VERIFY(traffic.server.peer(0).isClosed());
    // The place is free: a proxy for one connection serves the next.
    QVERIFY(traffic.fixture.connect());
}

void TestProxyFaults::programsThatSendHalfARequest()
{
    // No server may take the beginning of a body for the whole.
    Traffic traffic;
    traffic.send("POST", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n");
    QVERIFY(traffic.hasRequest());
    traffic.client->stream().finishWriting();
    QTRY_VERIFY(traffic.server.peer(0).isCutOff());
    QVERIFY(!traffic.server.peer(0).received().endsWith("0\r\n\r\n"));
}

void TestProxyFaults::badChunksOfARequest()
{
    for (const auto* body : { "x\r\n", "5\r\nhello!\r\n", "-1\r\n", "5 5\r\nhello\r\n",
             "ffffffffffffffffff\r\n", "5\nhello\n0\n\n" }) {
        Traffic traffic;
        traffic.send("POST", "Transfer-Encoding: chunked\r\n", body);
        QTRY_COMPARE(statusOf(traffic.client->received()), 400);
        QTRY_VERIFY(traffic.client->hasFinished());
        if (traffic.server.count() > 0)
            QTRY_VERIFY(traffic.server.peer(0).isCutOff());
    }
}

void TestProxyFaults::headsThatDrip()
{
    ProxyLimits limits;
    limits.headTimeout = 50ms;
    Traffic traffic(limits);
    traffic.client->write("GET http://a.te");
    const auto drip = [&] {
        traffic.client->write("s");
        return statusOf(traffic.client->received()) == 408;
    };
    QTRY_VERIFY(drip());
    QTRY_VERIFY(traffic.client->hasFinished());
}

void TestProxyFaults::idleConnections()
{
    ProxyLimits limits;
    limits.idleTimeout = 50ms;
    Traffic traffic(limits);
    QTRY_VERIFY(traffic.client->hasFinished());
    QVERIFY(traffic.client->received().isEmpty());
}

void TestProxyFaults::whoStaysAfterTheLastAnswer()
{
    ProxyLimits limits;
    limits.lingerTimeout = 50ms;
    Traffic traffic(limits);
    traffic.client->write("nonsense\r\n\r\n");
    QTRY_COMPARE(statusOf(traffic.client->received()), 400);
    QTRY_VERIFY(traffic.client->isClosed()); // It did not close; the proxy did.
}

QTEST_GUILESS_MAIN(TestProxyFaults)
#include "tst_proxyfaults.moc"
