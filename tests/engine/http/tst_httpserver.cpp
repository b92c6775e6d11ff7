// SPDX-License-Identifier: MIT
#include "engine/http/httpserver.h"

#include "httpclient.h"

#include <QCoroTask>
#include <QSignalSpy>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QByteArray get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

QByteArray post(const QByteArray& fields, const QByteArray& body = {})
{
    return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

/// Answers each request with its body, or with the status of what was wrong with it.
Task<> echo(std::shared_ptr<Exchange> exchange, qint64 maxBytes)
{
    const auto body = co_await exchange->readBody(maxBytes);
    if (body)
        exchange->respond(200, {}, exchange->head().target + ':' + *body);
    else
        exchange->respond(body.error().httpStatus);
    co_return {};
}

void makeEcho(HttpServer& server, qint64 maxBytes = 1 << 20)
{
    QObject::connect(&server, &HttpServer::requestReceived, &server,
        [maxBytes](const std::shared_ptr<Exchange>& exchange) { echo(exchange, maxBytes); });
}

} // namespace

class TestHttpServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void givesTheRequestBeforeItsBody();
    void respondsAndKeepsTheConnection();
    void pipelinedInOrderOneAtATime();
    void bodyInPieces_data();
    void bodyInPieces();
    void manyRequestsInOneBuffer();
    void largeBody();
    void continues();
    void refusedBodyIsNeverRead_data();
    void refusedBodyIsNeverRead();
    void bodyErrors_data();
    void bodyErrors();
    void malformed_data();
    void malformed();
    void malformedAfterGood();
    void headHasNoBody();
    void statusWithoutBody();
    void fieldsCannotBeInjected();
    void streams();
    void streamsToHttp10();
    void droppedExchangeIs500();
    void droppedStreamIsCut();
    void secondAnswerIsIgnored();
    void readBodyTwice();
    void readBodyPendingWhenAnswered();
};

void TestHttpServer::givesTheRequestBeforeItsBody()
{
    TestServer server;
    RawClient client(server.port(), post("Content-Length: 5\r\nX: y\r\n"));
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QCOMPARE(server.last().head().path, u"/p"_s);
    QCOMPARE(server.last().head().header("x"), "y");
    QCOMPARE(server.last().head().peerAddress, QHostAddress(QHostAddress::LocalHost));
    QVERIFY(!server.last().head().isEncrypted);
    auto task = server.last().readBody(100);
    client.send("hello");
    const auto body = QCoro::waitFor(task);
    QVERIFY(body);
    QCOMPARE(*body, "hello");
}

void TestHttpServer::respondsAndKeepsTheConnection()
{
    TestServer server;
    RawClient client(server.port());
    for (int i = 1; i <= 3; ++i) {
        client.send(get);
        QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), size_t(i), patience);
        client.received.clear();
        server.last().respond(201, { { "X-One", "1" } }, "body");
        QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("\r\n\r\nbody"), patience);
        QVERIFY(client.received.startsWith("HTTP/1.1 201 Created\r\n"));
        QVERIFY(client.received.contains("\r\nX-One: 1\r\n"));
        QVERIFY(client.received.contains("\r\nContent-Length: 4\r\n"));
        QVERIFY(client.received.contains("\r\nDate: "));
        QVERIFY(!client.received.contains("Connection:"));
    }
    QCOMPARE(server.server->connectionCount(), 1);
    QVERIFY(!client.isClosed);
}

void TestHttpServer::pipelinedInOrderOneAtATime()
{
    TestServer server;
    RawClient client(server.port(),
        post("Content-Length: 2\r\n", "ab") + get
            + "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    const auto body = QCoro::waitFor(server.last().readBody(10));
    QCOMPARE(body, Result<QByteArray>("ab"));
    QCOMPARE(server.exchanges.size(), 1u);
    server.last().startStream(200);
    server.last().write("first");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.contains("first"), patience);
    QCOMPARE(server.exchanges.size(), 1u);
    server.last().endStream();
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    QCOMPARE(server.last().head().path, u"/a"_s);
    server.last().respond(200, {}, "second");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 3u, patience);
    server.last().respond(200, {}, "third");
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.indexOf("first") < client.received.indexOf("second"));
    QVERIFY(client.received.endsWith("third"));
    QVERIFY(client.received.contains("Connection: close\r\n"));
    QCOMPARE(client.answers(), 3);
    QCOMPARE(server.exchanges.size(), 3u);
}

void TestHttpServer::bodyInPieces_data()
{
    QTest::addColumn<QByteArray>("request");
    const QByteArray chunked = "Transfer-Encoding: chunked\r\n";
    QTest::newRow("length") << post("Content-Length: 5\r\n", "hello");
    QTest::newRow("chunked") << post(chunked, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
    QTest::newRow("after an empty line") << "\r\n" + post("Content-Length: 5\r\n", "hello");
}

void TestHttpServer::bodyInPieces()
{
    QFETCH(QByteArray, request);
    HttpServer server;
    makeEcho(server);
    QVERIFY(server.listen({}));
    RawClient client(server.port());
    QTRY_COMPARE_WITH_TIMEOUT(client.socket.state(), QTcpSocket::ConnectedState, patience);
    for (const char byte : request) {
        client.socket.write(&byte, 1);
        client.socket.flush();
        QCoreApplication::processEvents();
    }
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("/p:hello"), patience);
    client.received.clear();
    client.send(request + get);
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("/a:"), patience);
    QVERIFY(client.received.contains("/p:hello"));
    QVERIFY(!client.isClosed);
}

void TestHttpServer::manyRequestsInOneBuffer()
{
    HttpServer server;
    makeEcho(server);
    QVERIFY(server.listen({}));
    RawClient client(server.port());
    QByteArray requests;
    constexpr int count = 4000;
    for (int i = 0; i < count; ++i)
        requests += i % 2 == 0 ? get : post("Content-Length: 40\r\n", QByteArray(40, 'x'));
    QVERIFY(requests.size() > 200'000);
    client.send(requests);
    QTRY_COMPARE_WITH_TIMEOUT(client.answers(), count, patience);
}

void TestHttpServer::largeBody()
{
    TestServer server;
    const QByteArray body(5'000'000, 'b');
    RawClient client(server.port(), post("Content-Length: 5000000\r\n", body));
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    const auto read = QCoro::waitFor(server.last().readBody(5'000'000));
    QVERIFY(read);
    QVERIFY(*read == body);
    server.last().respond(200, {}, body);
    QTRY_VERIFY_WITH_TIMEOUT(client.received.size() > body.size(), patience);
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith(body), patience);
}

void TestHttpServer::continues()
{
    TestServer server;
    RawClient client(server.port(), post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QVERIFY(client.received.isEmpty());
    auto task = server.last().readBody(5);
    QTRY_COMPARE_WITH_TIMEOUT(client.received, "HTTP/1.1 100 Continue\r\n\r\n", patience);
    client.send("hello");
    QCOMPARE(QCoro::waitFor(task), Result<QByteArray>("hello"));
}

void TestHttpServer::refusedBodyIsNeverRead_data()
{
    QTest::addColumn<QByteArray>("request");
    const QByteArray junk(200'000, 'j');
    QTest::newRow("length") << post("Content-Length: 2000000000\r\n", junk);
    QTest::newRow("chunked") << post("Transfer-Encoding: chunked\r\n", "fffff\r\n" + junk);
    QTest::newRow("nothing sent") << post("Content-Length: 2000000000\r\n");
    QTest::newRow("continue") << post("Content-Length: 20\r\nExpect: 100-continue\r\n");
}

void TestHttpServer::refusedBodyIsNeverRead()
{
    QFETCH(QByteArray, request);
    TestServer server;
    RawClient client(server.port(), request);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(401, {}, "who?");
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.startsWith("HTTP/1.1 401 Unauthorized\r\n"));
    QVERIFY(client.received.endsWith("who?"));
    QVERIFY(client.received.contains("Connection: close\r\n"));
    QVERIFY(!client.received.contains("100 Continue"));
    QCOMPARE(server.exchanges.size(), 1u);
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
}

void TestHttpServer::bodyErrors_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const QByteArray chunked = "Transfer-Encoding: chunked\r\n";
    QTest::newRow("too long") << post("Content-Length: 11\r\n", QByteArray(11, 'x')) << 413;
    QTest::newRow("too long, waiting")
        << post("Content-Length: 11\r\nExpect: 100-continue\r\n") << 413;
    QTest::newRow("too long chunks") << post(chunked, "b\r\n" + QByteArray(11, 'x')) << 413;
    QTest::newRow("bad chunk") << post(chunked, "x\r\n") << 400;
    QTest::newRow("short body") << post("Content-Length: 5\r\n", "hell") << 408;
    QTest::newRow("short chunk") << post(chunked, "5\r\nhell") << 408;
    QTest::newRow("endless extension") << post(chunked, "5;" + QByteArray(1000, 'x')) << 408;
}

void TestHttpServer::bodyErrors()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    HttpLimits limits;
    limits.bodyTimeout = status == 408 ? 5ms : 60'000ms;
    HttpServer server(limits);
    makeEcho(server, 10);
    QVERIFY(server.listen({}));
    RawClient client(server.port(), request);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY2(client.received.startsWith("HTTP/1.1 " + QByteArray::number(status) + ' '),
        client.received.constData());
    QCOMPARE(client.answers(), 1);
}

void TestHttpServer::malformed_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::newRow("random bytes") << QByteArray("\x01\x02\x03\xff\xfe random", 12) << 400;
    QTest::newRow("LF only") << QByteArray("GET / HTTP/1.1\nHost: a\n\n") << 400;
    QTest::newRow("smuggling") << post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n" + get) << 400;
    QTest::newRow("coding") << post("Transfer-Encoding: gzip\r\n") << 501;
    QTest::newRow("version") << QByteArray("GET / HTTP/2.0\r\nHost: a\r\n\r\n") << 505;
    QTest::newRow("absolute form")
        << QByteArray("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n") << 400;
    QTest::newRow("20,000 fields")
        << "GET / HTTP/1.1\r\n" + QByteArray("X: y\r\n").repeated(20'000) << 431;
    QTest::newRow("1 MB target") << "GET /" + QByteArray(1 << 20, 'a') << 414;
    QTest::newRow("1 MB method") << QByteArray(1 << 20, 'A') << 400;
}

void TestHttpServer::malformed()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    TestServer server;
    RawClient client(server.port(), bytes);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY2(client.received.startsWith("HTTP/1.1 " + QByteArray::number(status) + ' '),
        client.received.constData());
    QVERIFY(client.received.contains("{\"error\":\""));
    QCOMPARE(client.answers(), 1);
    QVERIFY(server.exchanges.empty());
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
}

void TestHttpServer::malformedAfterGood()
{
    HttpServer server;
    makeEcho(server);
    QVERIFY(server.listen({}));
    RawClient client(server.port(), get + "nonsense\r\n\r\n" + get);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.startsWith("HTTP/1.1 200 "));
    QVERIFY(client.received.contains("HTTP/1.1 400 "));
    QCOMPARE(client.answers(), 2);
}

void TestHttpServer::headHasNoBody()
{
    TestServer server;
    RawClient client(server.port(), "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(200, {}, "unseen");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("Content-Length: 6\r\n\r\n"), patience);
    server.last().respond(200);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 3u, patience);
    server.last().startStream(200);
    server.last().write("unseen");
    server.last().endStream();
    client.send(get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 4u, patience);
    server.last().respond(404, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("end"), patience);
    QVERIFY(!client.received.contains("unseen"));
    QVERIFY(!client.received.contains("\r\n0\r\n"));
}

void TestHttpServer::statusWithoutBody()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(204, {}, "unseen");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("\r\n\r\n"), patience);
    QVERIFY(client.received.startsWith("HTTP/1.1 204 No Content\r\n"));
    QVERIFY(!client.received.contains("Content-Length"));
}

void TestHttpServer::fieldsCannotBeInjected()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(799, { { "X", "a\r\nSet-Cookie: b\r\n\r\n" } }, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("\r\n\r\nend"), patience);
    QVERIFY(client.received.startsWith("HTTP/1.1 799 \r\n"));
    QVERIFY(!client.received.contains("\nSet-Cookie"));
    QCOMPARE(client.received.count("\r\n\r\n"), 1);
}

void TestHttpServer::streams()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    auto& exchange = server.last();
    exchange.write("too early");
    QVERIFY(!exchange.isAnswerStarted());
    exchange.startStream(200, { { "Content-Type", "text/event-stream" } });
    QVERIFY(exchange.isAnswerStarted());
    exchange.write("hello");
    exchange.write({});
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("\r\n\r\n5\r\nhello\r\n"), patience);
    exchange.write(QByteArray(20, 'x'));
    exchange.endStream();
    exchange.write("too late");
    exchange.endStream();
    QTRY_VERIFY_WITH_TIMEOUT(
        client.received.endsWith("14\r\n" + QByteArray(20, 'x') + "\r\n0\r\n\r\n"), patience);
    QVERIFY(client.received.contains("Transfer-Encoding: chunked\r\n"));
    QVERIFY(!client.received.contains("too"));
    client.send(get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
}

void TestHttpServer::streamsToHttp10()
{
    TestServer server;
    RawClient client(server.port(), "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().startStream(200);
    server.last().write("hello ");
    server.last().write("world");
    server.last().endStream();
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.endsWith("\r\n\r\nhello world"));
    QVERIFY(client.received.contains("Connection: close\r\n"));
    QVERIFY(!client.received.contains("chunked"));
}

void TestHttpServer::droppedExchangeIs500()
{
    HttpServer server;
    QVERIFY(server.listen({}));
    RawClient client(server.port(), get + get);
    QTRY_COMPARE_WITH_TIMEOUT(client.received.count("HTTP/1.1 500 "), 2, patience);
}

void TestHttpServer::droppedStreamIsCut()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().startStream(200);
    server.last().write("hello");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.contains("hello"), patience);
    server.exchanges.clear();
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(!client.received.endsWith("0\r\n\r\n"));
    QTRY_COMPARE_WITH_TIMEOUT(server.server->connectionCount(), 0, patience);
}

void TestHttpServer::secondAnswerIsIgnored()
{
    TestServer server;
    RawClient client(server.port(), get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(200, {}, "one");
    server.last().respond(500, {}, "two");
    server.last().startStream(200);
    server.last().write("three");
    server.last().endStream();
    server.last().abort();
    client.send(get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    server.exchanges.front()->abort();
    server.last().respond(200, {}, "four");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("four"), patience);
    QCOMPARE(client.answers(), 2);
}

void TestHttpServer::readBodyTwice()
{
    TestServer server;
    RawClient client(server.port(), post("Content-Length: 5\r\n", "hello"));
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QVERIFY(QCoro::waitFor(server.last().readBody(5)));
    QCOMPARE(QCoro::waitFor(server.last().readBody(5)).error().kind, Kind::Internal);
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("end"), patience);
    QVERIFY(!client.isClosed);
    QCOMPARE(QCoro::waitFor(server.last().readBody(5)).error().kind, Kind::Internal);
}

void TestHttpServer::readBodyPendingWhenAnswered()
{
    TestServer server;
    RawClient client(server.port(), post("Content-Length: 5\r\n", "hell"));
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    auto task = server.last().readBody(5);
    server.last().respond(503, {}, "end");
    QCOMPARE(QCoro::waitFor(task).error().kind, Kind::Cancelled);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(client.received.endsWith("end"));
}

QTEST_GUILESS_MAIN(TestHttpServer)
#include "tst_httpserver.moc"
