// SPDX-License-Identifier: MIT
#include "engine/docker/endpoint.h"

#include <QCryptographicHash>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;
using Transport = Endpoint::Transport;

class TestEndpoint : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();

    void urls_data();
    void urls();
    void wrongUrls_data();
    void wrongUrls();
    void sshNamesTheWayOut();

    void defaultIsTheSystemSocket();
    void rootlessSocketWhenOnlyThatExists();
    void hostWinsOverContext();
    void wrongHostIsNamed();
    void currentContextOfTheConfiguration();
    void contextVariableWinsOverConfiguration();
    void defaultContextIsTheDefault();
    void missingContextIsNamed();
    void brokenFilesAreNamed_data();
    void brokenFilesAreNamed();
    void contextWithTlsMaterial();
    void verifyWithoutMaterialUsesTheSystems();
    void brokenTlsMaterialIsNamed_data();
    void brokenTlsMaterialIsNamed();

private:
    void write(const QString& path, const QByteArray& content) const;
    void writeContext(const QString& name, const QByteArray& meta) const;
    static QString contextId(const QString& name);

    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestEndpoint::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    for (const auto* name :
        { "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT" })
        qunsetenv(name);
    qputenv("DOCKER_CONFIG", m_directory->path().toUtf8());
    qputenv("XDG_RUNTIME_DIR", m_directory->path().toUtf8());
}

void TestEndpoint::write(const QString& path, const QByteArray& content) const
{
    QFile file(m_directory->filePath(path));
    QDir().mkpath(QFileInfo(file).path());
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(content), content.size());
}

QString TestEndpoint::contextId(const QString& name)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(name.toUtf8(), QCryptographicHash::Sha256).toHex());
}

void TestEndpoint::writeContext(const QString& name, const QByteArray& meta) const
{
    write(u"contexts/meta/%1/meta.json"_s.arg(contextId(name)), meta);
}

void TestEndpoint::urls_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<Transport>("transport");
    QTest::addColumn<QString>("address");
    QTest::addColumn<QString>("shown");
    QTest::newRow("unix") << u"unix:///run/my docker.sock"_s << Transport::Local
                          << u"/run/my docker.sock"_s << u"unix:///run/my docker.sock"_s;
    QTest::newRow("tcp") << u"tcp://build:1234"_s << Transport::Tcp << u"build 1234"_s
                         << u"tcp://build:1234"_s;
    QTest::newRow("tcp default") << u"tcp://build"_s << Transport::Tcp << u"build 2375"_s
                                 << u"tcp://build:2375"_s;
    QTest::newRow("slash") << u"tcp://build:1/"_s << Transport::Tcp << u"build 1"_s
                           << u"tcp://build:1"_s;
    QTest::newRow("IPv6") << u"tcp://[::1]:99"_s << Transport::Tcp << u"::1 99"_s
                          << u"tcp://[::1]:99"_s;
    QTest::newRow("http") << u"http://h:80"_s << Transport::Tcp << u"h 80"_s << u"tcp://h:80"_s;
    QTest::newRow("https") << u"https://h"_s << Transport::Tls << u"h 2376"_s
                           << u"tcp://h:2376 (TLS)"_s;
}

void TestEndpoint::urls()
{
    QFETCH(QString, url);
    const auto endpoint = endpointFromUrl(url);
    QVERIFY(endpoint);
    QTEST(endpoint->transport, "transport");
    const auto address = endpoint->transport == Transport::Local
        ? endpoint->socketPath
        : u"%1 %2"_s.arg(endpoint->host).arg(endpoint->port);
    QTEST(address, "address");
    QTEST(endpoint->toString(), "shown");
}

void TestEndpoint::wrongUrls_data()
{
    QTest::addColumn<QString>("url");
    for (const auto* url :
        { "", "docker", "/var/run/docker.sock", "unix://", "unix://docker.sock", "tcp://",
            "tcp://:2375", "tcp://h:99999", "tcp://h:x", "tcp://user@h:1", "tcp://h:1/path",
            "tcp://h:1?x", "npipe:////./pipe/docker", "fd://3", "ftp://h", "tcp:h:1" })
        QTest::newRow(url) << QString::fromLatin1(url);
}

void TestEndpoint::wrongUrls()
{
    QFETCH(QString, url);
    const auto endpoint = endpointFromUrl(url);
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QVERIFY(endpoint.error().message.contains(url));
}

void TestEndpoint::sshNamesTheWayOut()
{
    const auto endpoint = endpointFromUrl(u"ssh://me@build:22"_s);
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QVERIFY(endpoint.error().message.contains(u"ssh -nNT -L"_s));
    QVERIFY(endpoint.error().message.contains(u"me@build"_s));
}

void TestEndpoint::defaultIsTheSystemSocket()
{
    qunsetenv("XDG_RUNTIME_DIR");
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    QCOMPARE(endpoint->transport, Transport::Local);
    QCOMPARE(endpoint->socketPath, u"/var/run/docker.sock"_s);
    QCOMPARE(endpoint->origin, u"default"_s);
}

void TestEndpoint::rootlessSocketWhenOnlyThatExists()
{
    write(u"docker.sock"_s, {});
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    const bool hasSystemSocket = QFileInfo::exists(u"/var/run/docker.sock"_s);
    QCOMPARE(endpoint->socketPath,
        hasSystemSocket ? u"/var/run/docker.sock"_s : m_directory->filePath(u"docker.sock"_s));
}

void TestEndpoint::hostWinsOverContext()
{
    qputenv("DOCKER_HOST", "tcp://h:1");
    qputenv("DOCKER_CONTEXT", "missing");
    write(u"config.json"_s, "not JSON");
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    QCOMPARE(endpoint->host, u"h"_s);
    QCOMPARE(endpoint->origin, u"DOCKER_HOST"_s);
    // Certificates alone do not switch TLS on; the docker command does not either.
    qputenv("DOCKER_CERT_PATH", "/nonexistent");
    QCOMPARE(resolveEndpoint()->transport, Transport::Tcp);
}

void TestEndpoint::wrongHostIsNamed()
{
    qputenv("DOCKER_HOST", "nonsense");
    const auto endpoint = resolveEndpoint();
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QVERIFY(endpoint.error().message.contains(u"DOCKER_HOST"_s));
}

void TestEndpoint::currentContextOfTheConfiguration()
{
    write(u"config.json"_s, R"({"auths":{},"currentContext":"far"})");
    writeContext(u"far"_s,
        R"({"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:7","SkipTLSVerify":false}}})");
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    QCOMPARE(endpoint->host, u"far"_s);
    QCOMPARE(endpoint->port, 7);
    QCOMPARE(endpoint->transport, Transport::Tcp);
    QCOMPARE(endpoint->origin, u"context far"_s);
}

void TestEndpoint::contextVariableWinsOverConfiguration()
{
    write(u"config.json"_s, R"({"currentContext":"missing"})");
    writeContext(u"near"_s, R"({"Endpoints":{"docker":{"Host":"unix:///near.sock"}}})");
    qputenv("DOCKER_CONTEXT", "near");
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    QCOMPARE(endpoint->socketPath, u"/near.sock"_s);
}

void TestEndpoint::defaultContextIsTheDefault()
{
    write(u"config.json"_s, R"({"currentContext":"default"})");
    QCOMPARE(resolveEndpoint()->origin, u"default"_s);
    qputenv("DOCKER_CONTEXT", "default");
    QCOMPARE(resolveEndpoint()->origin, u"default"_s);
}

void TestEndpoint::missingContextIsNamed()
{
    qputenv("DOCKER_CONTEXT", "../../etc");
    const auto endpoint = resolveEndpoint();
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QVERIFY(endpoint.error().message.contains(u"\"../../etc\""_s));
    QVERIFY(endpoint.error().message.contains(u"docker context ls"_s));
}

void TestEndpoint::brokenFilesAreNamed_data()
{
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("meta");
    QTest::addColumn<QString>("named");
    QTest::newRow("configuration") << QByteArray("{") << QByteArray() << u"config.json"_s;
    QTest::newRow("list") << QByteArray("[]") << QByteArray() << u"config.json"_s;
    const QByteArray config = R"({"currentContext":"c"})";
    QTest::newRow("meta") << config << QByteArray("nonsense") << u"meta.json"_s;
    QTest::newRow("no endpoint") << config << QByteArray("{}") << u"\"c\""_s;
    QTest::newRow("ssh") << config << QByteArray(R"({"Endpoints":{"docker":{"Host":"ssh://h"}}})")
                         << u"ssh -nNT"_s;
    QTest::newRow("large") << QByteArray(5 << 20, ' ') << QByteArray() << u"too large"_s;
}

void TestEndpoint::brokenFilesAreNamed()
{
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, meta);
    QFETCH(QString, named);
    write(u"config.json"_s, config);
    if (!meta.isEmpty())
        writeContext(u"c"_s, meta);
    const auto endpoint = resolveEndpoint();
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QVERIFY2(endpoint.error().message.contains(named), qPrintable(endpoint.error().message));
}

void TestEndpoint::contextWithTlsMaterial()
{
    writeContext(u"c"_s, R"({"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}})");
    qputenv("DOCKER_CONTEXT", "c");
    const auto skipped = resolveEndpoint();
    QVERIFY(skipped);
    QCOMPARE(skipped->transport, Transport::Tls);
    QCOMPARE(skipped->tls->peerVerifyMode(), QSslSocket::VerifyNone);

    writeContext(u"c"_s, R"({"Endpoints":{"docker":{"Host":"tcp://h:1"}}})");
    write(u"contexts/tls/%1/docker/ca.pem"_s.arg(contextId(u"c"_s)), "no certificate");
    const auto broken = resolveEndpoint();
    QVERIFY(!broken);
    QVERIFY(broken.error().message.contains(u"ca.pem"_s));
}

void TestEndpoint::verifyWithoutMaterialUsesTheSystems()
{
    qputenv("DOCKER_HOST", "tcp://h");
    qputenv("DOCKER_TLS_VERIFY", "1");
    const auto endpoint = resolveEndpoint();
    QVERIFY(endpoint);
    QCOMPARE(endpoint->transport, Transport::Tls);
    QCOMPARE(endpoint->port, 2376);
    QCOMPARE(endpoint->tls->peerVerifyMode(), QSslSocket::VerifyPeer);
    // A local socket knows no TLS.
    qputenv("DOCKER_HOST", "unix:///x");
    QCOMPARE(resolveEndpoint()->transport, Transport::Local);
}

void TestEndpoint::brokenTlsMaterialIsNamed_data()
{
    QTest::addColumn<QStringList>("files");
    QTest::addColumn<QString>("named");
    QTest::newRow("authority") << QStringList { u"ca.pem"_s } << u"ca.pem"_s;
    QTest::newRow("certificate") << QStringList { u"cert.pem"_s, u"key.pem"_s } << u"cert.pem"_s;
    QTest::newRow("key alone") << QStringList { u"key.pem"_s } << u"cert.pem"_s;
}

void TestEndpoint::brokenTlsMaterialIsNamed()
{
    QFETCH(QStringList, files);
    for (const auto& file : files)
        write(u"certificates/"_s + file, "nonsense");
    qputenv("DOCKER_HOST", "tcp://h:1");
    qputenv("DOCKER_TLS_VERIFY", "1");
    qputenv("DOCKER_CERT_PATH", m_directory->filePath(u"certificates"_s).toUtf8());
    const auto endpoint = resolveEndpoint();
    QVERIFY(!endpoint);
    QCOMPARE(endpoint.error().kind, Kind::Invalid);
    QFETCH(QString, named);
    QVERIFY(endpoint.error().message.contains(named));
}

QTEST_GUILESS_MAIN(TestEndpoint)
#include "tst_endpoint.moc"
