// SPDX-License-Identifier: MIT
#include "engine/docker/attachedstream.h"
#include "engine/docker/client.h"
#include "engine/docker/transport.h"
#include "tests/support/fakedocker.h"

#include <QProcess>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QSslKey>
#include <QTemporaryDir>
#include <QTest>

#include <QCoroTask>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;
using isol8::test::FakeDocker;

namespace {

constexpr int patience = 60'000;

template <typename T> Result<T> wait(Task<T> task)
{
    return QCoro::waitFor(std::move(task));
}

Result<HttpAnswer> send(
    const Endpoint& endpoint, const HttpRequest& request, CancelToken cancel = {})
{
    const auto transport = std::make_shared<Transport>(endpoint);
    auto answer = wait(perform(transport, request, cancel));
    transport->close();
    return answer;
}

} // namespace

/// Time limits, what keeps a daemon from being reached, and TLS with an authority of our own.
class TestTransport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();

    void silentDaemonTimesOut_data();
    void silentDaemonTimesOut();
    void closedTransportRefusesCalls();
    void emptyNamesAreRefused();
    void targetsAreEncoded();

    void missingSocketIsTold();
    void fileInsteadOfASocketIsTold();
    void deadSocketIsTold();
    void closedPortIsTold();

    void tlsWithClientCertificate();
    void tlsAttach();
    void tlsOfAnUnknownAuthority();
    void tlsForAnotherHost();
    void tlsWithoutTheClientsCertificate();
    void tlsWantedFromAPlainPort();
    void plainWantedFromATlsPort();

private:
    void makeCertificate(const QString& name, const QString& subject, const QStringList& more);
    QSslConfiguration serverTls(const QString& name) const;
    Result<Endpoint> endpoint(quint16 port) const;

    QTemporaryDir m_directory;
};

void TestTransport::makeCertificate(
    const QString& name, const QString& subject, const QStringList& more)
{
    QProcess openssl;
    openssl.setWorkingDirectory(m_directory.path());
    openssl.start(u"openssl"_s,
        QStringList { u"req"_s, u"-x509"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s,
            u"ec_paramgen_curve:prime256v1"_s, u"-nodes"_s, u"-days"_s, u"2"_s, u"-subj"_s,
            u"/CN="_s + subject, u"-keyout"_s, name + u"-key.pem"_s, u"-out"_s, name + u".pem"_s }
            + more);
    QVERIFY2(openssl.waitForFinished(patience), qPrintable(openssl.errorString()));
    QVERIFY2(openssl.exitCode() == 0, openssl.readAllStandardError().constData());
}

void TestTransport::initTestCase()
{
    const QStringList byAuthority { u"-CA"_s, u"ca.pem"_s, u"-CAkey"_s, u"ca-key.pem"_s,
        u"-addext"_s, u"basicConstraints=critical,CA:FALSE"_s };
    makeCertificate(u"ca"_s, u"isol8 test authority"_s, {});
    makeCertificate(
        u"stranger"_s, u"stranger"_s, { u"-addext"_s, u"subjectAltName=IP:127.0.0.1"_s });
    makeCertificate(u"server"_s, u"docker"_s,
        byAuthority + QStringList { u"-addext"_s, u"subjectAltName=IP:127.0.0.1"_s });
    makeCertificate(u"other"_s, u"other"_s,
        byAuthority + QStringList { u"-addext"_s, u"subjectAltName=IP:127.0.0.2"_s });
    makeCertificate(u"cert"_s, u"client"_s, byAuthority);
    QVERIFY(
        QFile::rename(m_directory.filePath(u"cert-key.pem"_s), m_directory.filePath(u"key.pem"_s)));
}

void TestTransport::cleanup()
{
    for (const auto* name : { "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH" })
        qunsetenv(name);
}

QSslConfiguration TestTransport::serverTls(const QString& name) const
{
    auto tls = QSslConfiguration::defaultConfiguration();
    QFile key(m_directory.filePath(name + u"-key.pem"_s));
    if (!key.open(QIODevice::ReadOnly))
        qFatal("no key for the fake daemon");
    tls.setPrivateKey(QSslKey(&key, QSsl::Ec));
    tls.setLocalCertificateChain(QSslCertificate::fromPath(m_directory.filePath(name + u".pem"_s)));
    tls.setCaCertificates(QSslCertificate::fromPath(m_directory.filePath(u"ca.pem"_s)));
    tls.setPeerVerifyMode(QSslSocket::VerifyPeer);
    return tls;
}

Result<Endpoint> TestTransport::endpoint(quint16 port) const
{
    qputenv("DOCKER_HOST", "tcp://127.0.0.1:" + QByteArray::number(port));
    qputenv("DOCKER_TLS_VERIFY", "1");
    qputenv("DOCKER_CERT_PATH", m_directory.path().toUtf8());
    return resolveEndpoint();
}

void TestTransport::silentDaemonTimesOut_data()
{
    QTest::addColumn<HttpRequest::LimitKind>("limitKind");
    QTest::addColumn<QByteArray>("beginning");
    QTest::newRow("total") << HttpRequest::LimitKind::Total << QByteArray();
    QTest::newRow("silence") << HttpRequest::LimitKind::Silence << QByteArray();
    QTest::newRow("total, in mid-answer")
        << HttpRequest::LimitKind::Total
        << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123");
    QTest::newRow("silence, in mid-answer")
        << HttpRequest::LimitKind::Silence
        << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123");
}

void TestTransport::silentDaemonTimesOut()
{
    QFETCH(HttpRequest::LimitKind, limitKind);
    QFETCH(QByteArray, beginning);
    FakeDocker docker;
    if (!beginning.isEmpty())
        docker.enqueue(beginning);
    HttpRequest request;
    request.target = "/info";
    request.limit = std::chrono::milliseconds(20);
    request.limitKind = limitKind;
    const auto answer = send(docker.endpoint(), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Timeout);
    QVERIFY(answer.error().message.contains(u"GET /info"_s));
    QTRY_COMPARE_WITH_TIMEOUT(docker.openConnections(), 0, patience);
}

void TestTransport::closedTransportRefusesCalls()
{
    FakeDocker docker;
    const auto transport = std::make_shared<Transport>(docker.endpoint());
    transport->close();
    HttpRequest request;
    request.target = "/info";
    const auto answer = wait(perform(transport, request, {}));
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Cancelled);
    QVERIFY(docker.requests().isEmpty());
}

void TestTransport::emptyNamesAreRefused()
{
    FakeDocker docker;
    Client client(docker.endpoint());
    const auto removed = wait(client.removeContainer({}));
    QVERIFY(!removed);
    QCOMPARE(removed.error().kind, Kind::Invalid);
    const auto inspected = wait(client.inspectVolume({}));
    QVERIFY(!inspected);
    QCOMPARE(inspected.error().kind, Kind::Invalid);
    QVERIFY(docker.requests().isEmpty());
}

void TestTransport::targetsAreEncoded()
{
    QCOMPARE(makeTarget("/a/%/b", u"x/y %ä"_s), "/a/x%2Fy%20%25%C3%A4/b");
    QCOMPARE(makeTarget("/a", {}, { { u"k"_s, u"a=b&c+d"_s }, { u"l"_s, {} } }),
        "/a?k=a%3Db%26c%2Bd&l=");
    QVERIFY(labelFilter({}).isEmpty());
    QCOMPARE(labelFilter({ u"a=\"b\""_s }).first().second, uR"({"label":["a=\"b\""]})"_s);
}

void TestTransport::missingSocketIsTold()
{
    qputenv("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(*resolveEndpoint(), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Unreachable);
    QVERIFY(answer.error().message.contains(u"/nonexistent/docker.sock"_s));
    QVERIFY(answer.error().message.contains(u"unset DOCKER_HOST"_s));
}

void TestTransport::fileInsteadOfASocketIsTold()
{
    HttpRequest request;
    request.target = "/info";
    const auto answer
        = send(*endpointFromUrl(u"unix://"_s + m_directory.filePath(u"ca.pem"_s)), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Unreachable);
    QVERIFY2(
        answer.error().message.contains(u"is not a socket"_s), qPrintable(answer.error().message));
}

void TestTransport::deadSocketIsTold()
{
    const auto path = m_directory.filePath(u"dead.sock"_s);
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    const auto name = QFile::encodeName(path);
    QVERIFY(name.size() < qsizetype(sizeof address.sun_path));
    std::ranges::copy(name, address.sun_path);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    QVERIFY(listener >= 0);
    const auto closeListener = qScopeGuard([listener] { ::close(listener); });
    QCOMPARE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(*endpointFromUrl(u"unix://"_s + path), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Unreachable);
    QVERIFY2(
        answer.error().message.contains(u"nothing listens"_s), qPrintable(answer.error().message));
}

void TestTransport::closedPortIsTold()
{
    FakeDocker docker(Endpoint::Transport::Tcp);
    docker.die();
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(docker.endpoint(), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Unreachable);
    QVERIFY(answer.error().message.contains(docker.endpoint().toString()));
}

void TestTransport::tlsWithClientCertificate()
{
    FakeDocker docker(Endpoint::Transport::Tls, serverTls(u"server"_s));
    const auto where = endpoint(docker.endpoint().port);
    QVERIFY2(where, qPrintable(where ? QString() : where.error().message));
    QCOMPARE(where->transport, Endpoint::Transport::Tls);
    docker.enqueueJson(200, R"({"Id":"sha256:1"})");
    Client client(*where);
    const auto image = wait(client.inspectImage(u"x"_s));
    QVERIFY2(image, qPrintable(image ? QString() : image.error().message));
    QCOMPARE(image->id, u"sha256:1"_s);
}

void TestTransport::tlsAttach()
{
    FakeDocker docker(Endpoint::Transport::Tls, serverTls(u"server"_s));
    Client client(*endpoint(docker.endpoint().port));
    docker.enqueue(FakeDocker::answer(200, "OK"));
    docker.enqueue("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        + QByteArray("\1\0\0\0\0\0\0\2hi", 10));
    const auto stream = wait(client.attach(u"x"_s));
    QVERIFY2(stream, qPrintable(stream ? QString() : stream.error().message));
    QByteArray heard;
    connect(stream->get(), &AttachedStream::stdoutReceived, this,
        [&heard](const QByteArray& bytes) { heard += bytes; });
    (*stream)->setReading(true);
    QTRY_COMPARE_WITH_TIMEOUT(heard, "hi", patience);
    (*stream)->write("answer");
    QTRY_COMPARE_WITH_TIMEOUT(docker.connection()->peek(100), "answer", patience);
}

void TestTransport::tlsOfAnUnknownAuthority()
{
    FakeDocker docker(Endpoint::Transport::Tls, serverTls(u"stranger"_s));
    const auto where = *endpoint(docker.endpoint().port);
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(where, request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Denied);
    QVERIFY2(
        answer.error().message.contains(u"DOCKER_CERT_PATH"_s), qPrintable(answer.error().message));
    QVERIFY(docker.requests().isEmpty());
}

void TestTransport::tlsForAnotherHost()
{
    FakeDocker docker(Endpoint::Transport::Tls, serverTls(u"other"_s));
    const auto where = *endpoint(docker.endpoint().port);
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(where, request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Denied);
    Client client(where);
    const auto stream = wait(client.attach(u"x"_s));
    QVERIFY(!stream);
    QCOMPARE(stream.error().kind, Kind::Denied);
    QVERIFY(docker.requests().isEmpty());
}

void TestTransport::tlsWithoutTheClientsCertificate()
{
    FakeDocker docker(Endpoint::Transport::Tls, serverTls(u"server"_s));
    auto where = *endpoint(docker.endpoint().port);
    where.tls->setLocalCertificateChain({});
    where.tls->setPrivateKey({});
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(where, request);
    QVERIFY(!answer);
    QVERIFY2(answer.error().kind == Kind::Denied || answer.error().kind == Kind::Unreachable,
        qPrintable(answer.error().message));
    QVERIFY(docker.requests().isEmpty());
}

void TestTransport::tlsWantedFromAPlainPort()
{
    FakeDocker docker(Endpoint::Transport::Tcp);
    connect(&docker, &FakeDocker::accepted, &docker, &FakeDocker::dropAll);
    const auto where = *endpoint(docker.endpoint().port);
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(where, request);
    QVERIFY(!answer);
    QVERIFY2(answer.error().kind == Kind::Denied || answer.error().kind == Kind::Unreachable,
        qPrintable(answer.error().message));
}

void TestTransport::plainWantedFromATlsPort()
{
    FakeDocker docker(Endpoint::Transport::Tcp);
    docker.enqueue(
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        FakeDocker::After::Close);
    HttpRequest request;
    request.target = "/info";
    const auto answer = send(docker.endpoint(), request);
    QVERIFY(!answer);
    QCOMPARE(answer.error().kind, Kind::Unreachable);
    QVERIFY2(answer.error().message.contains(u"DOCKER_TLS_VERIFY=1"_s),
        qPrintable(answer.error().message));
}

QTEST_GUILESS_MAIN(TestTransport)
#include "tst_transport.moc"
