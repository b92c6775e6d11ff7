// SPDX-License-Identifier: MIT
#include "tests/support/rawclient.h"
#include "tests/support/serverprocess.h"

#include <QFile>
#include <QJsonDocument>
#include <QRandomGenerator>

#include <sys/resource.h>

using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;
constexpr int headerTimeoutMs = 3'000;
/// What the server may keep of everything below. The sanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr qint64 maxGrowthBytes = 64 << 20;
#else
constexpr qint64 maxGrowthBytes = 20 << 20;
#endif

QHostAddress loopback(int number)
{
    return QHostAddress(u"127.0.0.%1"_s.arg(number));
}

} // namespace

/// Clients that mean harm, without a key and with one, against `isol8 serve`: each is refused, the
/// server answers others all the while, and keeps nothing of it in memory.
class TestServerAbuse : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void cleanupTestCase();

    void raisesItsDescriptorLimit();
    void endlessBody_data();
    void endlessBody();
    void largeHeads_data();
    void largeHeads();
    void halfOpenConnections();
    void randomBytes();
    void ambiguousRequests_data();
    void ambiguousRequests();
    void nonsenseAsJson_data();
    void nonsenseAsJson();

private:
    [[nodiscard]] bool isHealthy();

    std::unique_ptr<ServerProcess> m_server;
    qint64 m_residentBytes = 0;
};

void TestServerAbuse::initTestCase()
{
    ServerProcess::Options options;
    options.config = { { u"serve"_s,
        QJsonObject {
            { u"headerTimeoutMs"_s, headerTimeoutMs }, { u"maxConnectionsPerAddress"_s, 64 } } } };
    options.variables = { { u"DOCKER_HOST"_s, u"unix:///nonexistent/docker.sock"_s } };
    m_server = std::make_unique<ServerProcess>(options);
    // As many systems do: a low limit that the program may raise.
    rlimit limit {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit low { std::min<rlim_t>(900, limit.rlim_max), limit.rlim_max };
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &low), 0);
    QVERIFY2(m_server->start(), m_server->log().constData());
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 20; ++i) // What it makes once is there.
        QVERIFY(isHealthy());
    m_residentBytes = m_server->residentBytes();
}

void TestServerAbuse::cleanup()
{
    QVERIFY(isHealthy());
    const auto growth = m_server->residentBytes() - m_residentBytes;
    qInfo("resident memory: %lld kB, grown by %lld kB",
        static_cast<long long>(m_server->residentBytes() >> 10),
        static_cast<long long>(growth >> 10));
    QVERIFY(growth < maxGrowthBytes);
}

void TestServerAbuse::cleanupTestCase()
{
    QCOMPARE(m_server->terminate(), 0);
}

bool TestServerAbuse::isHealthy()
{
    RawClient client(m_server->port(), rawRequest("GET", "/health", {}, {}), loopback(99));
    return client.waitFor(R"("status":"ok")") && client.status() == 200;
}

void TestServerAbuse::raisesItsDescriptorLimit()
{
    QFile limits(u"/proc/%1/limits"_s.arg(m_server->pid()));
    QVERIFY(limits.open(QIODevice::ReadOnly));
    for (const auto& line : limits.readAll().split('\n')) {
        if (!line.startsWith("Max open files"))
            continue;
        const auto fields = line.simplified().split(' ');
        QCOMPARE(fields.value(3), fields.value(4)); // The soft limit is the hard one.
        return;
    }
    QFAIL("no such limit");
}

void TestServerAbuse::endlessBody_data()
{
    QTest::addColumn<QByteArray>("authorization");
    QTest::addColumn<QByteArray>("framing");
    QTest::addColumn<int>("status");
    const auto length = "Content-Length: 2147483648\r\n"_ba;
    const auto chunks = "Transfer-Encoding: chunked\r\n"_ba;
    QTest::newRow("no key") << ""_ba << length << 401;
    QTest::newRow("no key, chunked") << ""_ba << chunks << 401;
    QTest::newRow("wrong key") << "Authorization: Bearer wrong\r\n"_ba << length << 403;
    QTest::newRow("the key") << "Authorization: Bearer master\r\n"_ba << length << 413;
}

void TestServerAbuse::endlessBody()
{
    QFETCH(QByteArray, authorization);
    QFETCH(QByteArray, framing);
    RawClient client(m_server->port(),
        "POST /execute HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + authorization
            + framing + "\r\n");
    // Writes what the server takes, up to the announced 2 GiB.
    const bool isChunked = framing.startsWith("Transfer");
    const QByteArray piece
        = isChunked ? "10000\r\n" + QByteArray(0x10000, 'x') + "\r\n" : QByteArray(0x10000, 'x');
    qint64 sent = 0;
    QObject::connect(&client.socket, &QTcpSocket::bytesWritten, &client.socket, [&](qint64 bytes) {
        sent += bytes;
        if (client.socket.bytesToWrite() < piece.size() && sent < 2LL << 30)
            client.socket.write(piece);
    });
    QVERIFY(client.waitForEnd(patience));
    QTEST(client.status(), "status");
    QCOMPARE(client.answers(), 1);
    QVERIFY2(sent < 32 << 20, QByteArray::number(sent).constData());
}

void TestServerAbuse::largeHeads_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<int>("status");
    const auto start = "GET /health HTTP/1.1\r\nHost: h\r\n"_ba;
    const QByteArray million(1 << 20, 'x');
    QTest::newRow("20,000 lines") << start + "X-Line: value\r\n"_ba.repeated(20'000) + "\r\n"
                                  << 431;
    QTest::newRow("200 short lines") << start + "a:b\r\n"_ba.repeated(200) + "\r\n" << 431;
    QTest::newRow("one long line") << start + "X: " + million + "\r\n\r\n" << 431;
    QTest::newRow("long name") << start + million + ": x\r\n\r\n" << 431;
    QTest::newRow("long target") << "GET /" + million + " HTTP/1.1\r\nHost: h\r\n\r\n" << 414;
    QTest::newRow("long method") << million + " / HTTP/1.1\r\nHost: h\r\n\r\n" << 400;
    QTest::newRow("long version") << "GET / HTTP/" + million + "\r\n\r\n" << 414;
    QTest::newRow("empty lines") << "\r\n"_ba.repeated(1 << 19) << 0;
}

void TestServerAbuse::largeHeads()
{
    QFETCH(QByteArray, head);
    QFETCH(int, status);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(std::make_unique<RawClient>(m_server->port(), head, loopback(2 + i)));
    QVERIFY(isHealthy());
    for (const auto& client : clients) {
        QVERIFY(client->waitForEnd(patience));
        if (status == 0)
            QVERIFY2(client->status() >= 400, client->received.constData());
        else
            QVERIFY2(client->status() == status, client->received.constData());
    }
}

void TestServerAbuse::halfOpenConnections()
{
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 500; ++i)
        clients.push_back(std::make_unique<RawClient>(m_server->port(),
            i % 2 == 0 ? "GET /health HTTP/1.1\r\nHos"_ba : QByteArray(), loopback(2 + i / 60)));
    for (const auto& client : clients)
        QTRY_VERIFY_WITH_TIMEOUT(
            client->socket.state() == QTcpSocket::ConnectedState || client->isClosed, patience);
    QVERIFY(isHealthy());
    // More of one address than it may have are told so.
    for (int i = 0; i < 70; ++i)
        clients.push_back(std::make_unique<RawClient>(m_server->port(), ""_ba, loopback(2)));
    QTRY_VERIFY_WITH_TIMEOUT(
        std::ranges::any_of(clients, [](const auto& each) { return each->status() == 429; }),
        patience);
    QVERIFY(isHealthy());
    // None of them stays.
    for (const auto& client : clients)
        QVERIFY(client->waitForEnd(patience));
    QVERIFY(std::ranges::any_of(clients, [](const auto& each) { return each->status() == 408; }));
}

void TestServerAbuse::randomBytes()
{
    QRandomGenerator random(20'25);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 300; ++i) {
        QByteArray bytes(qsizetype(random.bounded(1, 3000)), '\0');
        for (auto& byte : bytes)
            byte = char(random.bounded(256));
        clients.push_back(
            std::make_unique<RawClient>(m_server->port(), bytes, loopback(2 + i / 50)));
        clients.back()->socket.flush();
    }
    QVERIFY(isHealthy());
    for (const auto& client : clients) {
        client->socket.disconnectFromHost();
        QVERIFY(client->waitForEnd(patience));
        QVERIFY(client->received.isEmpty() || client->status() >= 400);
    }
}

void TestServerAbuse::ambiguousRequests_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto start = "POST /execute HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer master\r\n"
                       "Content-Type: application/json\r\n"_ba;
    const auto inner
        = "GET /sessions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer master\r\n\r\n"_ba;
    const auto row = [&](const char* name, const QByteArray& fields, const QByteArray& body,
                         int status = 400) {
        QTest::newRow(name) << start + fields + "\r\n" + body << status;
    };
    row("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + inner);
    row("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "5c\r\n" + inner + "\r\n0\r\n\r\n");
    row("TE.TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "0\r\n\r\n" + inner);
    row("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n" + inner);
    row("TE list", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n" + inner, 501);
    row("TE unknown", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + inner, 501);
    row("TE quoted", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n" + inner, 501);
    row("TE with a vertical tab", "Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n" + inner);
    row("TE before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + inner);
    row("TE folded", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + inner);
    row("two lengths", "Content-Length: 0\r\nContent-Length: 80\r\n", inner);
    row("the same length twice", "Content-Length: 0\r\nContent-Length: 0\r\n", inner);
    row("list of lengths", "Content-Length: 0, 0\r\n", inner);
    row("signed length", "Content-Length: +0\r\n", inner);
    row("negative length", "Content-Length: -1\r\n", inner);
    row("hexadecimal length", "Content-Length: 0x0\r\n", inner);
    row("length beyond 64 bits", "Content-Length: 18446744073709551616\r\n", inner);
    row("empty length", "Content-Length:\r\n", inner);
    row("folded line", "X: a\r\n b\r\nContent-Length: 0\r\n", inner);
    row("bare line feed", "X: a\nContent-Length: 0\r\n", inner);
    row("bare carriage return", "X: a\rContent-Length: 0\r\n", inner);
    row("NUL", "X: a\0b\r\nContent-Length: 0\r\n"_ba, inner);
    row("line without a colon", "nonsense\r\nContent-Length: 0\r\n", inner);
    row("two hosts", "Host: i\r\nContent-Length: 0\r\n", inner);
    row("chunk size with a sign", "Transfer-Encoding: chunked\r\n", "+0\r\n\r\n" + inner);
    row("chunk size of 17 digits", "Transfer-Encoding: chunked\r\n",
        "10000000000000000\r\n\r\n" + inner);
    row("chunk without its end", "Transfer-Encoding: chunked\r\n", "1\r\nxx0\r\n\r\n" + inner);
    row("chunk with a bare line feed", "Transfer-Encoding: chunked\r\n", "0\n\n" + inner);
    QTest::newRow("TE in HTTP/1.0") << QByteArray(start).replace("1.1", "1.0")
            + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + inner << 400;
    QTest::newRow("no host") << "GET /sessions HTTP/1.1\r\nAuthorization: Bearer master\r\n\r\n"_ba
                             << 400;
    QTest::newRow("absolute target")
        << "GET http://h/sessions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer master\r\n\r\n"_ba
        << 400;
    QTest::newRow("HTTP/2 preface") << "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"_ba << 505;
    QTest::newRow("HTTP/0.9") << "GET /sessions\r\n\r\n"_ba << 400;
}

void TestServerAbuse::ambiguousRequests()
{
    QFETCH(QByteArray, bytes);
    RawClient client(m_server->port(), bytes);
    QVERIFY(client.waitForEnd(patience));
    QTEST(client.status(), "status");
    // Nothing behind it was taken for a request.
    QCOMPARE(client.answers(), 1);
    QVERIFY(QJsonDocument::fromJson(client.body()).isObject());
}

void TestServerAbuse::nonsenseAsJson_data()
{
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char* name, const QByteArray& body) { QTest::newRow(name) << body; };
    row("empty", "");
    row("white space", " \n");
    row("null", "null");
    row("list", "[]");
    row("nothing in it", "{}");
    row("no request", R"({"request":null})");
    row("bytes behind it", R"({"request":{"code":"1"}} x)");
    row("second document", R"({"request":{"code":"1"}}{})");
    row("keys twice", R"({"request":{"code":"1"},"request":{"code":"2"}})");
    row("a million levels", R"({"request":)" + QByteArray(1'000'000, '['));
    row("number too large", R"({"request":{"code":"1","timeoutMs":1e999}})");
    row("no number", R"({"request":{"code":"1","timeoutMs":NaN}})");
    row("number of 64 bits", R"({"request":{"code":"1","timeoutMs":9223372036854775808}})");
    row("lone surrogate", R"({"request":{"code":"\ud800"}})");
    row("bad UTF-8", "{\"request\":{\"code\":\"\xff\"}}");
    row("overlong UTF-8", "{\"request\":{\"code\":\"\xc0\xaf\"}}");
    row("surrogate in UTF-8", "{\"request\":{\"code\":\"\xed\xa0\x80\"}}");
    row("UTF-16", QByteArray("{\0\"\0r\0", 6));
    row("byte order mark", "\xef\xbb\xbf{\"request\":{\"code\":\"1\"}}");
    row("NUL", QByteArray("{\"request\":{\"code\":\"a\0b\"}}", 26));
    row("comment", R"({"request":{"code":"1"}/**/})");
    row("single quotes", "{'request':{'code':'1'}}");
    row("comma at the end", R"({"request":{"code":"1",}})");
    row("request is a text", R"({"request":"code"})");
    row("code is a number", R"({"request":{"code":1}})");
    row("cut short", R"({"request":{"code":"1")");
}

void TestServerAbuse::nonsenseAsJson()
{
    QFETCH(QByteArray, body);
    RawClient client(m_server->port(), rawRequest("POST", "/execute", body));
    QTRY_VERIFY_WITH_TIMEOUT(!client.body().isNull() || client.isClosed, patience);
    QCOMPARE(client.status(), 400);
    const auto error = QJsonDocument::fromJson(client.body())[u"error"_s].toString();
    QVERIFY(!error.isEmpty() && error.size() < 500);
    // The connection is good for the next one.
    client.received.clear();
    client.send(rawRequest("GET", "/health"));
    QVERIFY(client.waitFor("\"ok\""));
}

QTEST_GUILESS_MAIN(TestServerAbuse)
#include "tst_serverabuse.moc"
