// SPDX-License-Identifier: MIT
#include "httpclient.h"

#include <QCoroTask>
#include <QSignalSpy>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QByteArray get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const QByteArray post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

} // namespace

/// The life of connections: limits, time limits, clients and servers that go away.
class TestHttpConnections : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void headerTimeout_data();
    void headerTimeout();
    void idleTimeout();
    void tooManyConnections_data();
    void tooManyConnections();
    void limitsChange();
    void refusalsAreReported_data();
    void refusalsAreReported();
    void lateConnectionsGetOneAnswer();
    void clientGone_data();
    void clientGone();
    void clientGoneWhileReadingBody();
    void clientGoneInTheHead();
    void clientGoneAfterTheAnswer();
    void backPressure();
    void handlerWithoutBackPressureIsCut();
    void slowReaderIsCut();
    void closeIdle();
    void stopListening();
    void destroyedServer_data();
    void destroyedServer();
    void serverDestroyedByHandler_data();
    void serverDestroyedByHandler();
};

void TestHttpConnections::headerTimeout_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("nothing") << QByteArray() << QByteArray();
    QTest::newRow("one byte") << QByteArray("G") << QByteArray("HTTP/1.1 408 ");
    QTest::newRow("half") << get.chopped(2) << QByteArray("HTTP/1.1 408 ");
}

void TestHttpConnections::headerTimeout()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, answer);
    // On a busy machine a short limit passes before the first byte is there: then try a longer one.
    for (auto limit = 20ms; limit < 60s; limit *= 5) {
        HttpLimits limits;
        limits.headerTimeout = limit;
        TestServer server(limits);
        RawClient client(server.port(), bytes);
        QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
        QVERIFY(server.exchanges.empty());
        if (client.received.startsWith(answer) && client.received.isEmpty() == answer.isEmpty())
            return;
        QVERIFY(client.received.isEmpty());
    }
    QFAIL("the client was never told");
}

void TestHttpConnections::idleTimeout()
{
    HttpLimits limits;
    limits.idleTimeout = 10ms;
    TestServer server(limits);
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.endsWith("end"));
    QCOMPARE(client.answers(), 1);
}

void TestHttpConnections::tooManyConnections_data()
{
    QTest::addColumn<int>("total");
    QTest::addColumn<int>("perAddress");
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("total") << 2 << 10 << QByteArray("HTTP/1.1 503 ");
    QTest::newRow("address") << 10 << 2 << QByteArray("HTTP/1.1 429 ");
}

void TestHttpConnections::tooManyConnections()
{
    QFETCH(int, total);
    QFETCH(int, perAddress);
    QFETCH(QByteArray, answer);
    HttpLimits limits;
    limits.maxConnections = total;
    limits.maxConnectionsPerAddress = perAddress;
    TestServer server(limits);
    RawClient first(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    RawClient second(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    for (int i = 0; i < 3; ++i) {
        RawClient third(server.port(), get);
        QTRY_VERIFY_WITH_TIMEOUT(third.isClosed, patience);
        QVERIFY(third.received.startsWith(answer));
    }
    QCOMPARE(server.exchanges.size(), 2u);
    QCOMPARE(server.server->connectionCount(), 2);
    first.socket.abort();
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 1, patience);
    RawClient fourth(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 3u, patience);
    server.last().respond(200, {}, "welcome");
    QTRY_VERIFY_WITH_TIMEOUT(fourth.received.endsWith("welcome"), patience);
}

void TestHttpConnections::limitsChange()
{
    HttpLimits limits;
    limits.maxConnections = 1;
    TestServer server(limits);
    RawClient first(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    RawClient refused(server.port(), get);
    QTRY_VERIFY_WITH_TIMEOUT(refused.isClosed, patience);
    limits.maxConnections = 2;
    limits.maxHeaderFields = 1;
    server.server->setLimits(limits);
    RawClient second(server.port(), "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(second.isClosed, patience);
    QVERIFY(second.received.startsWith("HTTP/1.1 431 "));
    // The request that is under way ends as it began; the next one on its connection has the new
    // limits.
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(first.received.endsWith("end"), patience);
    first.send("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(first.isClosed, patience);
    QVERIFY(first.received.contains("HTTP/1.1 431 "));
    QCOMPARE(server.exchanges.size(), 1u);
}

void TestHttpConnections::refusalsAreReported_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::newRow("no HTTP") << QByteArray("\x01") << 400;
    QTest::newRow("fields") << "GET / HTTP/1.1\r\nHost: a\r\n"
            + QByteArray("A: b\r\n").repeated(100)
            + "\r\n" << 431;
    QTest::newRow("target") << "GET /" + QByteArray(40'000, 'a') << 414;
}

void TestHttpConnections::refusalsAreReported()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    TestServer server;
    QSignalSpy refused(server.server.get(), &HttpServer::connectionRefused);
    RawClient client(server.port(), bytes);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.startsWith("HTTP/1.1 " + QByteArray::number(status) + ' '));
    QCOMPARE(refused.size(), 1);
    QCOMPARE(refused[0][0].toInt(), status);
    QCOMPARE(refused[0][1].value<QHostAddress>(), QHostAddress(QHostAddress::LocalHost));
}

void TestHttpConnections::lateConnectionsGetOneAnswer()
{
    TestServer server;
    RawClient idle(server.port());
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 1, patience);
    server.server->closeIdle();
    QTRY_VERIFY_WITH_TIMEOUT(idle.isClosed, patience);
    RawClient late(server.port(), get + get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(503, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(late.isClosed, patience);
    QVERIFY(late.received.contains("Connection: close"));
    QCOMPARE(late.answers(), 1);
    QCOMPARE(server.exchanges.size(), 1u);
}

void TestHttpConnections::clientGone_data()
{
    QTest::addColumn<bool>("isStreaming");
    QTest::addColumn<QByteArray>("more");
    QTest::newRow("before the answer") << false << QByteArray();
    QTest::newRow("in the stream") << true << QByteArray();
    QTest::newRow("with a request waiting") << false << get;
    // Fills the read buffer, behind which the end of the connection hides.
    QTest::newRow("with a full buffer") << false << get.repeated(3000);
    QTest::newRow("in the stream, full buffer") << true << get.repeated(3000);
}

void TestHttpConnections::clientGone()
{
    QFETCH(bool, isStreaming);
    QFETCH(QByteArray, more);
    TestServer server;
    RawClient client(server.port(), get + more);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QSignalSpy gone(&server.last(), &Exchange::clientGone);
    if (isStreaming) {
        server.last().startStream(200);
        server.last().write("hello");
        QTRY_VERIFY_WITH_TIMEOUT(client.received.contains("hello"), patience);
    }
    QTRY_COMPARE_WITH_TIMEOUT(client.socket.bytesToWrite(), 0, patience);
    QVERIFY(!server.last().isClientGone());
    client.socket.disconnectFromHost();
    QTRY_COMPARE_WITH_TIMEOUT(gone.size(), 1, patience);
    QVERIFY(server.last().isClientGone());
    server.last().respond(200);
    server.last().startStream(200);
    server.last().write("late");
    server.last().endStream();
    QCOMPARE(QCoro::waitFor(server.last().readBody(1)).error().kind, Kind::Cancelled);
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
    QCOMPARE(gone.size(), 1);
    QCOMPARE(server.exchanges.size(), 1u);
}

void TestHttpConnections::clientGoneWhileReadingBody()
{
    TestServer server;
    RawClient client(server.port(), post + "hell");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QSignalSpy gone(&server.last(), &Exchange::clientGone);
    auto task = server.last().readBody(5);
    client.socket.disconnectFromHost();
    const auto body = QCoro::waitFor(task);
    QCOMPARE(body.error().kind, Kind::Cancelled);
    QTRY_COMPARE_WITH_TIMEOUT(gone.size(), 1, patience);
}

void TestHttpConnections::clientGoneInTheHead()
{
    TestServer server;
    QSignalSpy last(server.server.get(), &HttpServer::lastConnectionClosed);
    RawClient client(server.port(), get.chopped(1));
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 1, patience);
    client.socket.disconnectFromHost();
    QTRY_COMPARE_WITH_TIMEOUT(last.size(), 1, patience);
    QVERIFY(server.exchanges.empty());
}

void TestHttpConnections::clientGoneAfterTheAnswer()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QSignalSpy gone(&server.last(), &Exchange::clientGone);
    server.last().respond(200, {}, "end");
    client.socket.disconnectFromHost();
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
    QCOMPARE(gone.size(), 0);
}

void TestHttpConnections::backPressure()
{
    TestServer server;
    RawClient client(server.port(), get);
    client.socket.setReadBufferSize(1000);
    client.socket.disconnect(); // Nobody reads.
    QObject::connect(&client.socket, &QTcpSocket::connected, &client.socket,
        [&client] { client.socket.write(get); });
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    auto& exchange = server.last();
    QSignalSpy drained(&exchange, &Exchange::drained);
    exchange.startStream(200);
    qint64 written = 0;
    const auto writeSome = [&] {
        while (exchange.pendingBytes() <= Exchange::highWaterBytes) {
            exchange.write(QByteArray(64 << 10, 'x'));
            written += 64 << 10;
        }
    };
    // The kernel's buffers take some; when it takes no more for good, the reader must move it.
    writeSome();
    QVERIFY(exchange.pendingBytes() > Exchange::highWaterBytes);
    qint64 received = 0;
    client.socket.setReadBufferSize(0);
    QObject::connect(&client.socket, &QTcpSocket::readyRead, &client.socket,
        [&] { received += client.socket.readAll().size(); });
    received += client.socket.readAll().size();
    for (int i = 1; i <= 5; ++i) {
        QTRY_COMPARE_WITH_TIMEOUT(drained.size(), i, patience);
        QVERIFY(exchange.pendingBytes() <= Exchange::highWaterBytes);
        writeSome();
    }
    exchange.endStream();
    QCOMPARE(exchange.pendingBytes(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(received > written, patience);
}

void TestHttpConnections::handlerWithoutBackPressureIsCut()
{
    HttpLimits limits;
    limits.maxPendingBytes = 1 << 20;
    TestServer server(limits);
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QSignalSpy gone(&server.last(), &Exchange::clientGone);
    server.last().startStream(200);
    for (int i = 0; i < 100; ++i) {
        server.last().write(QByteArray(64 << 10, 'x'));
        QVERIFY(server.last().pendingBytes() <= limits.maxPendingBytes);
    }
    QCOMPARE(gone.size(), 0);
    QTRY_COMPARE_WITH_TIMEOUT(gone.size(), 1, patience);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
}

void TestHttpConnections::slowReaderIsCut()
{
    HttpLimits limits;
    limits.writeTimeout = 50ms;
    TestServer server(limits);
    RawClient client(server.port());
    client.socket.setReadBufferSize(1000);
    QObject::disconnect(&client.socket, &QTcpSocket::readyRead, nullptr, nullptr);
    client.send(get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(200, {}, QByteArray(64 << 20, 'x'));
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
}

void TestHttpConnections::closeIdle()
{
    TestServer server;
    RawClient idle(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(200);
    RawClient busy(server.port(), get + get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    QTRY_COMPARE_WITH_TIMEOUT(idle.answers(), 1, patience);
    server.server->closeIdle();
    QTRY_VERIFY_WITH_TIMEOUT(idle.isClosed, patience);
    QCOMPARE(server.server->connectionCount(), 1);
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(busy.isClosed, patience);
    QVERIFY(busy.received.contains("Connection: close\r\n"));
    QVERIFY(busy.received.endsWith("end"));
    QCOMPARE(server.exchanges.size(), 2u);
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
}

void TestHttpConnections::stopListening()
{
    TestServer server;
    const auto port = server.port();
    RawClient client(port, get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.server->stopListening();
    QCOMPARE(server.port(), 0);
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("end"), patience);
    client.send(get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    RawClient late(port, get);
    QSignalSpy refused(&late.socket, &QTcpSocket::errorOccurred);
    QTRY_COMPARE_WITH_TIMEOUT(refused.size(), 1, patience);
    QCOMPARE(late.socket.error(), QTcpSocket::ConnectionRefusedError);
}

void TestHttpConnections::destroyedServer_data()
{
    QTest::addColumn<int>("moment");
    QTest::newRow("connected") << 0;
    QTest::newRow("before the answer") << 1;
    QTest::newRow("reading the body") << 2;
    QTest::newRow("streaming") << 3;
    QTest::newRow("answered") << 4;
}

void TestHttpConnections::destroyedServer()
{
    QFETCH(int, moment);
    TestServer server;
    RawClient client(server.port());
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 1, patience);
    QTRY_COMPARE_WITH_TIMEOUT(client.socket.state(), QTcpSocket::ConnectedState, patience);
    std::optional<Task<QByteArray>> task;
    if (moment > 0) {
        client.send(post + "h");
        QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    }
    if (moment == 2)
        task = server.last().readBody(5);
    if (moment == 3)
        server.last().startStream(200);
    if (moment == 4)
        server.last().respond(200);
    server.server.reset();
    if (task)
        QCOMPARE(QCoro::waitFor(*task).error().kind, Kind::Cancelled);
    if (moment > 0) {
        auto& exchange = server.last();
        QCOMPARE(exchange.isClientGone(), moment < 4);
        exchange.respond(200);
        exchange.startStream(200);
        exchange.write("x");
        exchange.endStream();
        QCOMPARE(exchange.pendingBytes(), 0);
        QCOMPARE(exchange.takeSocketForUpgrade(), nullptr);
    }
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
}

void TestHttpConnections::serverDestroyedByHandler_data()
{
    QTest::addColumn<int>("moment");
    QTest::newRow("on the request") << 0;
    QTest::newRow("on the body") << 1;
    QTest::newRow("on the client's end") << 2;
    QTest::newRow("on the last connection's end") << 3;
}

namespace {

Task<> destroyOnBody(std::shared_ptr<Exchange> exchange, TestServer* server)
{
    const auto body = co_await exchange->readBody(5);
    server->server.reset();
    exchange->respond(200, {}, body.value_or("none"));
    co_return {};
}

} // namespace

void TestHttpConnections::serverDestroyedByHandler()
{
    QFETCH(int, moment);
    TestServer server;
    QObject::connect(server.server.get(), &HttpServer::requestReceived, this,
        [&](const std::shared_ptr<Exchange>& exchange) {
            if (moment == 0)
                server.server.reset();
            else if (moment == 1)
                destroyOnBody(exchange, &server);
            else
                connect(exchange.get(), &Exchange::clientGone, this, [&] {
                    if (moment == 2)
                        server.server.reset();
                });
        });
    if (moment == 3)
        connect(server.server.get(), &HttpServer::lastConnectionClosed, this,
            [&] { server.server.release()->deleteLater(); });
    RawClient client(server.port(), post + "hello");
    if (moment >= 2) {
        QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
        client.socket.disconnectFromHost();
    }
    QTRY_VERIFY_WITH_TIMEOUT(!server.server, patience);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
}

QTEST_GUILESS_MAIN(TestHttpConnections)
#include "tst_httpconnections.moc"
