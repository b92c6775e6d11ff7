// SPDX-License-Identifier: MIT
#include "engine/http/websocket.h"
#include "engine/http/websockethandshake.h"
#include "httpclient.h"

#include <QCoroTask>
#include <QFile>
#include <QLocalServer>
#include <QLocalSocket>
#include <QProcess>
#include <QSignalSpy>
#include <QSslCertificate>
#include <QSslSocket>
#include <QTemporaryDir>
#include <QWebSocket>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QByteArray get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

void answerEverything(HttpServer& server)
{
    QObject::connect(&server, &HttpServer::requestReceived, &server,
        [](const std::shared_ptr<Exchange>& exchange) {
            const bool isLocal = exchange->head().peerAddress.isNull();
            exchange->respond(200, {},
                exchange->head().isEncrypted ? "encrypted"
                    : isLocal                ? "local"
                                             : "plain");
        });
}

/// A local socket that is bound and, as its owner is gone, refuses connections.
void makeStaleSocket(const QByteArray& path)
{
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    qstrncpy(address.sun_path, path.constData(), sizeof address.sun_path);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QCOMPARE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(descriptor);
}

} // namespace

/// Everything but plain TCP: TLS, local sockets, sockets from elsewhere, upgrades.
class TestHttpTransports : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void tls();
    void tlsRefusesPlainHttp();
    void tlsHandshakeTimeout();
    void badTlsFiles_data();
    void badTlsFiles();
    void certificateIsReplaced();
    void localSocket();
    void localSocketThatIsTaken();
    void localSocketThatIsStale();
    void localSocketThatIsAFile();
    void badAddresses_data();
    void badAddresses();
    void portInUse();
    void listensOnDescriptor();
    void passedLocalSocketStays();
    void upgrade_data();
    void upgrade();
    void refusedUpgrade();
    void upgradeOfTheClientGone();

private:
    [[nodiscard]] TlsFiles makeTls(const QString& certificate, const QString& key);
    [[nodiscard]] QByteArray answerOver(const QString& certificate, quint16 port);

    QTemporaryDir m_dir;
    TlsFiles m_tls;
};

void TestHttpTransports::initTestCase()
{
    m_tls = makeTls(u"cert.pem"_s, u"key.pem"_s);
}

/// A self-signed certificate of 127.0.0.1 and its key.
TlsFiles TestHttpTransports::makeTls(const QString& certificate, const QString& key)
{
    const TlsFiles files { m_dir.filePath(certificate), m_dir.filePath(key) };
    QProcess openssl;
    openssl.start(u"openssl"_s,
        { u"req"_s, u"-x509"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s,
            u"ec_paramgen_curve:prime256v1"_s, u"-nodes"_s, u"-subj"_s, u"/CN=localhost"_s,
            u"-addext"_s, u"subjectAltName=IP:127.0.0.1"_s, u"-keyout"_s, files.keyPath, u"-out"_s,
            files.certificatePath });
    if (!openssl.waitForFinished(patience) || openssl.exitCode() != 0)
        qFatal("openssl: %s", qPrintable(openssl.errorString()));
    return files;
}

/// What a new client that trusts @p certificate alone gets.
QByteArray TestHttpTransports::answerOver(const QString& certificate, quint16 port)
{
    QSslSocket client;
    auto configuration = client.sslConfiguration();
    configuration.setCaCertificates(QSslCertificate::fromPath(certificate));
    client.setSslConfiguration(configuration);
    QByteArray received;
    bool isEnded = false;
    connect(&client, &QSslSocket::readyRead, this, [&] { received += client.readAll(); });
    connect(&client, &QSslSocket::encrypted, this, [&] { client.write(get); });
    connect(&client, &QSslSocket::errorOccurred, this, [&] { isEnded = true; });
    client.connectToHostEncrypted(u"127.0.0.1"_s, port);
    if (!QTest::qWaitFor(
            [&] { return isEnded || received.endsWith("\r\n\r\nencrypted"); }, patience))
        return "nothing";
    client.disconnect(this);
    return isEnded ? client.errorString().toUtf8() : received.last(9);
}

void TestHttpTransports::tls()
{
    HttpServer server;
    answerEverything(server);
    QVERIFY(server.listen({ .tls = m_tls }));
    QSslSocket client;
    client.setPeerVerifyMode(QSslSocket::VerifyPeer);
    auto configuration = client.sslConfiguration();
    configuration.setCaCertificates(QSslCertificate::fromPath(m_tls.certificatePath));
    client.setSslConfiguration(configuration);
    QByteArray received;
    connect(&client, &QSslSocket::readyRead, this, [&] { received += client.readAll(); });
    connect(&client, &QSslSocket::encrypted, this, [&] { client.write(get.repeated(1000)); });
    client.connectToHostEncrypted(u"127.0.0.1"_s, server.port());
    QTRY_COMPARE_WITH_TIMEOUT(received.count("\r\n\r\nencrypted"), 1000, patience);
    client.disconnectFromHost();
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, patience);
}

void TestHttpTransports::tlsRefusesPlainHttp()
{
    HttpServer server;
    QSignalSpy received(&server, &HttpServer::requestReceived);
    QVERIFY(server.listen({ .tls = m_tls }));
    RawClient client(server.port(), get);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QVERIFY(!client.received.contains("HTTP"));
    QCOMPARE(received.size(), 0);
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, patience);
}

void TestHttpTransports::tlsHandshakeTimeout()
{
    HttpLimits limits;
    limits.headerTimeout = 10ms;
    HttpServer server(limits);
    QVERIFY(server.listen({ .tls = m_tls }));
    RawClient client(server.port(), QByteArray("\x16\x03\x01", 3));
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed, patience);
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, patience);
}

void TestHttpTransports::badTlsFiles_data()
{
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("key");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("no certificate file") << u"absent.pem"_s << u"key.pem"_s << Kind::NotFound;
    QTest::newRow("no key file") << u"cert.pem"_s << u"absent.pem"_s << Kind::NotFound;
    QTest::newRow("key as certificate") << u"key.pem"_s << u"key.pem"_s << Kind::Invalid;
    QTest::newRow("certificate as key") << u"cert.pem"_s << u"cert.pem"_s << Kind::Invalid;
    (void)makeTls(u"other-cert.pem"_s, u"other-key.pem"_s);
    QTest::newRow("another's key") << u"cert.pem"_s << u"other-key.pem"_s << Kind::Invalid;
}

void TestHttpTransports::badTlsFiles()
{
    QFETCH(QString, certificate);
    QFETCH(QString, key);
    HttpServer server;
    const auto listening
        = server.listen({ .tls = TlsFiles { m_dir.filePath(certificate), m_dir.filePath(key) } });
    QVERIFY(!listening);
    QTEST(listening.error().kind, "kind");
    QCOMPARE(server.port(), 0);
}

void TestHttpTransports::certificateIsReplaced()
{
    const auto files = makeTls(u"first-cert.pem"_s, u"first-key.pem"_s);
    const auto second = makeTls(u"second-cert.pem"_s, u"second-key.pem"_s);
    const QString first = m_dir.filePath(u"kept.pem"_s);
    QVERIFY(QFile::copy(files.certificatePath, first));
    HttpServer server;
    answerEverything(server);
    QVERIFY(server.listen({ .tls = files }));
    QCOMPARE(answerOver(first, server.port()), "encrypted"_ba);

    // Half a replacement: the old pair stays.
    QVERIFY(QFile::remove(files.certificatePath));
    QVERIFY(QFile::copy(second.certificatePath, files.certificatePath));
    QCOMPARE(server.reloadTls().error().kind, Kind::Invalid);
    QCOMPARE(answerOver(first, server.port()), "encrypted"_ba);

    QVERIFY(QFile::remove(files.keyPath));
    QVERIFY(QFile::copy(second.keyPath, files.keyPath));
    QVERIFY(server.reloadTls());
    QCOMPARE(answerOver(second.certificatePath, server.port()), "encrypted"_ba);
    QVERIFY(answerOver(first, server.port()) != "encrypted"_ba);
}

void TestHttpTransports::localSocket()
{
    const QString path = m_dir.filePath(u"http.sock"_s);
    {
        HttpLimits limits;
        limits.maxConnectionsPerAddress = 1; // Does not count here.
        HttpServer server(limits);
        answerEverything(server);
        QVERIFY(server.listen({ .localPath = path }));
        struct stat entry {};
        QCOMPARE(::stat(QFile::encodeName(path).constData(), &entry), 0);
        QVERIFY(S_ISSOCK(entry.st_mode));
        QCOMPARE(entry.st_mode & 0777, 0600u);
        QLocalSocket clients[3];
        for (auto& client : clients) {
            client.connectToServer(path);
            client.write(get);
        }
        for (auto& client : clients) {
            QByteArray received;
            connect(&client, &QLocalSocket::readyRead, this, [&] { received += client.readAll(); });
            received += client.readAll();
            QTRY_VERIFY_WITH_TIMEOUT(received.endsWith("\r\n\r\nlocal"), patience);
            client.disconnect(this);
        }
        for (auto& client : clients)
            client.disconnectFromServer();
        QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, patience);
    }
    QVERIFY(!QFile::exists(path));
}

void TestHttpTransports::localSocketThatIsTaken()
{
    const QString path = m_dir.filePath(u"taken.sock"_s);
    HttpServer first;
    answerEverything(first);
    QVERIFY(first.listen({ .localPath = path }));
    HttpServer second;
    QCOMPARE(second.listen({ .localPath = path }).error().kind, Kind::Conflict);
    QLocalSocket client;
    client.connectToServer(path);
    client.write(get);
    QTRY_VERIFY_WITH_TIMEOUT(client.bytesAvailable() > 0, patience);
}

void TestHttpTransports::localSocketThatIsStale()
{
    const QString path = m_dir.filePath(u"stale.sock"_s);
    makeStaleSocket(QFile::encodeName(path));
    QVERIFY(QFile::exists(path));
    HttpServer server;
    answerEverything(server);
    const auto listening = server.listen({ .localPath = path });
    QVERIFY2(listening, listening ? "" : qPrintable(listening.error().message));
    QLocalSocket client;
    client.connectToServer(path);
    client.write(get);
    QTRY_VERIFY_WITH_TIMEOUT(client.bytesAvailable() > 0, patience);
}

void TestHttpTransports::localSocketThatIsAFile()
{
    const QString path = m_dir.filePath(u"file"_s);
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("precious");
    file.close();
    HttpServer server;
    QCOMPARE(server.listen({ .localPath = path }).error().kind, Kind::Conflict);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), "precious");
}

void TestHttpTransports::badAddresses_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("path");
    QTest::newRow("name") << u"no.such.host.invalid"_s << QString();
    QTest::newRow("empty") << QString() << QString();
    QTest::newRow("not ours") << u"192.0.2.1"_s << QString();
    QTest::newRow("relative path") << QString() << u"http.sock"_s;
    QTest::newRow("long path") << QString() << u'/' + QString(108, u'a');
    QTest::newRow("no folder") << QString() << m_dir.filePath(u"no/http.sock"_s);
}

void TestHttpTransports::badAddresses()
{
    QFETCH(QString, host);
    QFETCH(QString, path);
    HttpServer server;
    const auto listening = server.listen({ .host = host, .localPath = path });
    QVERIFY(!listening);
    QCOMPARE(listening.error().kind, Kind::Invalid);
    QVERIFY(!listening.error().message.isEmpty());
}

void TestHttpTransports::portInUse()
{
    HttpServer first;
    QVERIFY(first.listen({}));
    HttpServer second;
    const auto listening = second.listen({ .port = first.port() });
    QVERIFY(!listening);
    QCOMPARE(listening.error().kind, Kind::Conflict);
}

void TestHttpTransports::listensOnDescriptor()
{
    HttpServer server;
    answerEverything(server);
    QCOMPARE(server.listenOn(-1).error().kind, Kind::Invalid);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QCOMPARE(server.listenOn(descriptor).error().kind, Kind::Invalid);
    QCOMPARE(::listen(descriptor, 10), 0);
    QVERIFY(server.listenOn(descriptor));
    QVERIFY(server.port() != 0);
    RawClient client(server.port(), get);
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("plain"), patience);
}

/// Its file belongs to whoever passed the socket in, and so do the clients that still wait.
void TestHttpTransports::passedLocalSocketStays()
{
    const QByteArray path = QFile::encodeName(m_dir.filePath(u"passed.sock"_s));
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    qstrncpy(address.sun_path, path.constData(), sizeof address.sun_path);
    const int held = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QCOMPARE(::bind(held, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    QCOMPARE(::listen(held, 10), 0);
    for (int i = 0; i < 2; ++i) {
        HttpServer server;
        answerEverything(server);
        QLocalSocket client;
        client.connectToServer(QFile::decodeName(path));
        QCOMPARE(client.state(), QLocalSocket::ConnectedState);
        client.write(get);
        QVERIFY(server.listenOn(::dup(held)));
        QTRY_VERIFY_WITH_TIMEOUT(client.bytesAvailable() > 0, patience);
        QVERIFY(client.readAll().endsWith("local"));
    }
    QVERIFY(QFile::exists(QFile::decodeName(path)));
    ::close(held);
}

void TestHttpTransports::upgrade_data()
{
    QTest::addColumn<bool>("isTls");
    QTest::newRow("plain") << false;
    QTest::newRow("TLS") << true;
}

void TestHttpTransports::upgrade()
{
    QFETCH(bool, isTls);
    HttpServer server;
    std::unique_ptr<WebSocket> peer;
    connect(&server, &HttpServer::requestReceived, this,
        [&](const std::shared_ptr<Exchange>& exchange) {
            QVERIFY(exchange->head().isUpgrade);
            QCOMPARE(exchange->head().path, u"/ws"_s);
            QVERIFY(checkWebSocketRequest(exchange->head()));
            std::unique_ptr<QTcpSocket> socket(exchange->takeSocketForUpgrade());
            QVERIFY(socket);
            QCOMPARE(exchange->takeSocketForUpgrade(), nullptr);
            socket->write(webSocketAnswer(exchange->head()));
            peer = std::make_unique<WebSocket>(std::move(socket), WebSocketRole::Server, 1 << 20);
        });
    QVERIFY(server.listen({ .tls = isTls ? std::optional(m_tls) : std::nullopt }));
    QWebSocket client;
    auto configuration = client.sslConfiguration();
    configuration.setCaCertificates(QSslCertificate::fromPath(m_tls.certificatePath));
    client.setSslConfiguration(configuration);
    QSignalSpy connected(&client, &QWebSocket::connected);
    client.open(QUrl(u"%1://127.0.0.1:%2/ws"_s.arg(isTls ? u"wss"_s : u"ws"_s).arg(server.port())));
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 1, patience);
    QVERIFY(peer);
    QSignalSpy toPeer(peer.get(), &WebSocket::messageReceived);
    QSignalSpy toClient(&client, &QWebSocket::textMessageReceived);
    // More than the read buffer of the server's connections.
    const QString message(200'000, u'm');
    client.sendTextMessage(message);
    peer->sendText("hello");
    QTRY_COMPARE_WITH_TIMEOUT(toPeer.size(), 1, patience);
    QTRY_COMPARE_WITH_TIMEOUT(toClient.size(), 1, patience);
    QCOMPARE(toPeer.first().first().toByteArray(), message.toLatin1());
    QCOMPARE(toClient.first().first().toString(), u"hello"_s);
    QCOMPARE(server.connectionCount(), 1);
    QSignalSpy disconnected(peer.get(), &WebSocket::disconnected);
    client.close();
    QTRY_COMPARE_WITH_TIMEOUT(disconnected.size(), 1, patience);
    peer.reset();
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, patience);
}

void TestHttpTransports::refusedUpgrade()
{
    TestServer server;
    const QByteArray upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n\r\n";
    RawClient client(server.port(), upgrade + get);
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    server.last().respond(401, {}, "who?");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 2u, patience);
    QVERIFY(!server.last().head().isUpgrade);
    QCOMPARE(server.last().takeSocketForUpgrade(), nullptr);
    server.last().respond(200, {}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(client.received.endsWith("end"), patience);
    QCOMPARE(client.answers(), 2);
}

void TestHttpTransports::upgradeOfTheClientGone()
{
    TestServer server;
    RawClient client(server.port(),
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    QTRY_COMPARE_WITH_TIMEOUT(server.exchanges.size(), 1u, patience);
    QSignalSpy gone(&server.last(), &Exchange::clientGone);
    client.socket.disconnectFromHost();
    QTRY_COMPARE_WITH_TIMEOUT(gone.size(), 1, patience);
    QCOMPARE(server.last().takeSocketForUpgrade(), nullptr);
}

QTEST_GUILESS_MAIN(TestHttpTransports)
#include "tst_httptransports.moc"
