// SPDX-License-Identifier: MIT
#include "engine/source/pinnedget.h"

#include "tests/support/localserver.h"

#include <KCompressionDevice>

#include <QBuffer>
#include <QFile>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QTest>

using namespace isol8;
using isol8::test::LocalServer;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestPinnedGet : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_server = std::make_unique<LocalServer>(); }
    void connectsToTheAddressAndNamesTheHost();
    void givesRawBytes();
    void chunkedBodies();
    void endsWithTheHeadOfOthers_data();
    void endsWithTheHeadOfOthers();
    void boundsTheBody_data();
    void boundsTheBody();
    void decodesGzip();
    void refusesEncodings_data();
    void refusesEncodings();
    void brokenAnswers_data();
    void brokenAnswers();
    void deadAddress();
    void silenceEndsWithTheConnectTimeout();
    void cancelAtEveryMoment_data();
    void cancelAtEveryMoment();
    void provesTheNameByTls();
    void namesTheHostToTls();

private:
    [[nodiscard]] PinnedRequest request(const QString& path = u"/a"_s, quint16 port = 0) const
    {
        PinnedRequest made;
        const quint16 chosen = port != 0 ? port : m_server->port();
        made.target.url = QUrl(u"http://code.test:%1%2"_s.arg(chosen).arg(path));
        made.target.host = { *hostNameFromText(u"code.test"_s), chosen };
        made.address = QHostAddress(QHostAddress::LocalHost);
        made.maxBytes = 10'000;
        return made;
    }
    [[nodiscard]] static Result<PinnedAnswer> get(PinnedRequest request, CancelToken cancel = {})
    {
        return QCoro::waitFor(pinnedGet(std::move(request), cancel));
    }

    std::unique_ptr<LocalServer> m_server;
};

namespace {

QByteArray gzipped(const QByteArray& bytes)
{
    QBuffer buffer;
    KCompressionDevice device(&buffer, false, KCompressionDevice::GZip);
    if (!device.open(QIODevice::WriteOnly) || device.write(bytes) != bytes.size())
        qFatal("cannot compress");
    device.close();
    return buffer.data();
}

QByteArray answer(const QByteArray& fields, const QByteArray& body)
{
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

QByteArray testFile(const QString& name)
{
    QFile file(QStringLiteral(ISOL8_TEST_DATA "/remote/") + name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Speaks TLS as example.org.
std::unique_ptr<QTcpServer> tlsServer()
{
    auto configuration = QSslConfiguration::defaultConfiguration();
    configuration.setLocalCertificate(QSslCertificate(testFile(u"otherhost.pem"_s)));
    configuration.setPrivateKey(QSslKey(testFile(u"key.pem"_s), QSsl::Ec));
    auto server = std::make_unique<QSslServer>();
    server->setSslConfiguration(configuration);
    return server;
}

PinnedRequest encrypted(const QString& name, quint16 port)
{
    PinnedRequest request;
    request.target.url = QUrl(u"https://%1:%2/a"_s.arg(name).arg(port));
    request.target.host = { *hostNameFromText(name), port };
    request.address = QHostAddress(QHostAddress::LocalHost);
    request.maxBytes = 100;
    request.caBundle = testFile(u"otherhost.pem"_s);
    return request;
}

} // namespace

void TestPinnedGet::connectsToTheAddressAndNamesTheHost()
{
    m_server->addBody(u"/a?b=c%20d"_s, "print(1)");
    const auto got = get(request(u"/a?b=c%20d"_s));
    QVERIFY2(got, got ? "" : qPrintable(got.error().message));
    QCOMPARE(got->status, 200);
    QCOMPARE(got->body, "print(1)");
    const auto head = m_server->heads().value(0).toLower();
    QVERIFY2(head.contains("\r\nhost: code.test:" + QByteArray::number(m_server->port()) + "\r\n"),
        head.constData());
    QCOMPARE(head.count("\r\nhost:"), 1);
    QVERIFY2(!head.contains("127.0.0.1"), head.constData());
    QVERIFY2(head.contains("\r\nuser-agent: isol8/"), head.constData());
    for (const auto* field : { "cookie:", "authorization:", "referer:" })
        QVERIFY2(!head.contains(field), head.constData());
}

void TestPinnedGet::givesRawBytes()
{
    QByteArray bytes = "\xef\xbb\xbf";
    for (int byte = 0; byte < 256; ++byte)
        bytes += char(byte);
    m_server->addBody(u"/a"_s, bytes, "text/plain; charset=latin1");
    QCOMPARE(get(request())->body, bytes);
    m_server->addBody(u"/empty"_s, {});
    const auto empty = get(request(u"/empty"_s));
    QVERIFY(empty);
    QVERIFY(empty->body.isEmpty());
}

void TestPinnedGet::chunkedBodies()
{
    m_server->add(
        u"/a"_s, answer("Transfer-Encoding: chunked\r\n", "5\r\nprint\r\n3\r\n(1)\r\n0\r\n\r\n"));
    QCOMPARE(get(request())->body, "print(1)");
}

void TestPinnedGet::endsWithTheHeadOfOthers_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("status");
    QTest::newRow("204") << "204 No Content"_ba << 204;
    QTest::newRow("302") << "302 Found\r\nLocation: https://b.test/x?y"_ba << 302;
    QTest::newRow("401") << "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\""_ba << 401;
    QTest::newRow("404") << "404 Not Found"_ba << 404;
    QTest::newRow("407") << "407 Proxy Authentication Required"_ba << 407;
    QTest::newRow("500") << "500 Broken"_ba << 500;
}

void TestPinnedGet::endsWithTheHeadOfOthers()
{
    QFETCH(QByteArray, line);
    QFETCH(int, status);
    // The body is endless, but nobody waits for it; Qt does where it might have a password to give.
    const bool isQtWaiting = status == 401 || status == 407;
    const QByteArray length = status == 204 ? ""
        : isQtWaiting                       ? "Content-Length: 0\r\n"
                                            : "Content-Length: 1000000\r\n";
    m_server->add(u"/a"_s, "HTTP/1.1 " + line + "\r\n" + length + "\r\n", LocalServer::End::Hold);
    const auto got = get(request());
    QVERIFY2(got, got ? "" : qPrintable(got.error().message));
    QCOMPARE(got->status, status);
    QCOMPARE(got->location, status == 302 ? "https://b.test/x?y"_ba : QByteArray());
    QVERIFY(got->body.isEmpty());
    QCOMPARE(m_server->requests().size(), 1);
}

/// NET-28 of ABUSE.md, with brokenAnswers(); hash and time: tst_sourcefetcher.
void TestPinnedGet::boundsTheBody_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("announced") << answer("Content-Length: 10001\r\n", {});
    QTest::newRow("announced hugely")
        << answer("Content-Length: 999999999999999\r\n", QByteArray(100, 'x'));
    QTest::newRow("until the end") << answer({}, QByteArray(10'001, 'x'));
    QTest::newRow("chunked") << answer(
        "Transfer-Encoding: chunked\r\n", "2711\r\n" + QByteArray(10'001, 'x') + "\r\n0\r\n\r\n");
    QTest::newRow("gzip bomb") << answer(
        "Content-Encoding: gzip\r\nConnection: close\r\n", gzipped(QByteArray(9'000'000, '\0')));
}

void TestPinnedGet::boundsTheBody()
{
    QFETCH(QByteArray, bytes);
    m_server->add(u"/a"_s, bytes);
    const auto got = get(request());
    QVERIFY(!got);
    QVERIFY2(got.error().kind == Kind::Limit, qPrintable(got.error().message));
    // The innocent twin: as much as is allowed.
    m_server->addBody(u"/b"_s, QByteArray(10'000, 'x'));
    QCOMPARE(get(request(u"/b"_s))->body.size(), 10'000);
}

void TestPinnedGet::decodesGzip()
{
    m_server->add(
        u"/a"_s, answer("Content-Encoding: gzip\r\nConnection: close\r\n", gzipped("print('ä')")));
    QCOMPARE(get(request())->body, "print('ä')");
    QCOMPARE(decodedBody(gzipped({}), "gzip", 10).value_or("x"), QByteArray());
}

void TestPinnedGet::refusesEncodings_data()
{
    QTest::addColumn<QByteArray>("encoding");
    QTest::addColumn<QByteArray>("body");
    const auto good = gzipped("print(1); print(2); print(3)");
    QTest::newRow("brotli") << "br"_ba << good;
    QTest::newRow("twice") << "gzip, gzip"_ba << gzipped(good);
    QTest::newRow("not gzip") << "gzip"_ba << "print(1)"_ba;
    QTest::newRow("empty gzip") << "gzip"_ba << ""_ba;
    for (const qsizetype size :
        { good.size() - 1, good.size() - 8, good.size() - 12, qsizetype(5) })
        QTest::addRow("gzip of %d bytes", int(size)) << "gzip"_ba << good.first(size);
    auto changed = good;
    changed[good.size() - 10] = char(changed[good.size() - 10] ^ 1);
    QTest::newRow("damaged gzip") << "gzip"_ba << changed;
}

void TestPinnedGet::refusesEncodings()
{
    QFETCH(QByteArray, encoding);
    QFETCH(QByteArray, body);
    const auto decoded = decodedBody(body, encoding, 10'000);
    QVERIFY2(!decoded, decoded ? decoded->constData() : "");
    QCOMPARE(decoded.error().kind, Kind::Protocol);
}

void TestPinnedGet::brokenAnswers_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("nothing") << QByteArray();
    QTest::newRow("no HTTP") << "SSH-2.0-OpenSSH_9\r\n"_ba;
    QTest::newRow("cut head") << "HTTP/1.1 200 OK\r\nContent-Le"_ba;
    QTest::newRow("short body") << answer("Content-Length: 10\r\n", "12345");
    QTest::newRow("short body of a closing server")
        << answer("Connection: close\r\nContent-Length: 10\r\n", "12345");
    QTest::newRow("cut chunk") << answer("Transfer-Encoding: chunked\r\n", "5\r\npri");
    QTest::newRow("bad chunk") << answer("Transfer-Encoding: chunked\r\n", "xyz\r\nprint\r\n");
    QTest::newRow("endless head") << "HTTP/1.1 200 OK\r\nX: "_ba + QByteArray(3'000'000, 'x');
}

void TestPinnedGet::brokenAnswers()
{
    QFETCH(QByteArray, bytes);
    m_server->add(u"/a"_s, bytes);
    const auto got = get(request());
    QVERIFY2(!got, got ? got->body.constData() : "");
    QVERIFY(!got.error().message.isEmpty());
}

void TestPinnedGet::deadAddress()
{
    const auto port = m_server->port();
    m_server.reset();
    const auto got = get(request(u"/a"_s, port));
    QVERIFY(!got);
    QCOMPARE(got.error().kind, Kind::Unreachable);
}

void TestPinnedGet::silenceEndsWithTheConnectTimeout()
{
    // A full queue of connections: the handshake of TCP is never answered.
    QTcpServer full;
    full.setListenBacklogSize(0);
    QVERIFY(full.listen(QHostAddress::LocalHost));
    full.pauseAccepting();
    std::vector<std::unique_ptr<QTcpSocket>> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(std::make_unique<QTcpSocket>());
        waiting.back()->connectToHost(QHostAddress::LocalHost, full.serverPort());
    }
    QTRY_VERIFY(waiting[0]->state() == QAbstractSocket::ConnectedState);
    auto asked = request(u"/a"_s, full.serverPort());
    asked.connectTimeout = 100ms;
    const auto got = get(asked);
    QVERIFY(!got);
    QCOMPARE(got.error().kind, Kind::Unreachable);
}

void TestPinnedGet::cancelAtEveryMoment_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("before") << QByteArray();
    QTest::newRow("silent server") << "H"_ba;
    QTest::newRow("in the head") << "HTTP/1.1 200 OK\r\n"_ba;
    QTest::newRow("in the body") << answer("Content-Length: 10\r\n", "12345");
}

void TestPinnedGet::cancelAtEveryMoment()
{
    QFETCH(QByteArray, bytes);
    m_server->add(u"/a"_s, bytes, LocalServer::End::Hold);
    const CancelToken cancel;
    if (bytes.isEmpty())
        cancel.cancel();
    // Queued twice: what was sent has been read by then, or not.
    connect(m_server.get(), &LocalServer::requested, this, [cancel] {
        QMetaObject::invokeMethod(qApp, [cancel] { cancel.cancel(); }, Qt::QueuedConnection);
    });
    const auto got = get(request(), cancel);
    QVERIFY(!got);
    QCOMPARE(got.error().kind, Kind::Cancelled);
}

void TestPinnedGet::provesTheNameByTls()
{
    LocalServer server(tlsServer());
    server.addBody(u"/a"_s, "print(1)");
    const auto good = get(encrypted(u"example.org"_s, server.port()));
    QVERIFY2(good, good ? "" : qPrintable(good.error().message));
    QCOMPARE(good->body, "print(1)");
    QVERIFY(server.heads().value(0).toLower().contains("\r\nhost: example.org:"));

    const auto other = get(encrypted(u"other.test"_s, server.port()));
    QVERIFY(!other);
    QCOMPARE(other.error().kind, Kind::Denied);
    auto untrusted = encrypted(u"example.org"_s, server.port());
    untrusted.caBundle.clear();
    QCOMPARE(get(untrusted).error().kind, Kind::Denied);
    QCOMPARE(server.requests().size(), 1);
}

void TestPinnedGet::namesTheHostToTls()
{
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress::LocalHost));
    QByteArray hello;
    connect(&server, &QTcpServer::newConnection, &server, [&] {
        auto* const socket = server.nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, socket, [socket, &hello] {
            hello += socket->readAll();
            socket->disconnectFromHost();
        });
    });
    QVERIFY(!get(encrypted(u"example.org"_s, server.serverPort())));
    QVERIFY2(hello.contains("example.org"), hello.toHex(' ').constData());
    QVERIFY2(!hello.contains("\x02h2"), "HTTP/2 would name the address");
}

QTEST_GUILESS_MAIN(TestPinnedGet)
#include "tst_pinnedget.moc"
