// SPDX-License-Identifier: MIT
#include "tests/abuse/httpabusetest.h"

#include <QCoroTask>
#include <QProcess>

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// ABUSE.md, section B7, the HTTP server: the life of the server.
class TestAbuseHttpServer : public HttpAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseHttpServer> cases[];

    void endsUnderLoad(World& world);
    void endsAfterItsRuns(World& world);
    void badTls(World& world);
    void tls(World& world);
    void badStarts(World& world);
    void busyPort(World& world);
};

const Case<TestAbuseHttpServer> TestAbuseHttpServer::cases[] {
    { "HTTP-30", &TestAbuseHttpServer::endsUnderLoad, &TestAbuseHttpServer::endsAfterItsRuns },
    { "HTTP-33", &TestAbuseHttpServer::badTls, &TestAbuseHttpServer::tls },
    { "HTTP-34", &TestAbuseHttpServer::badStarts, &TestAbuseHttpServer::busyPort },
};

void TestAbuseHttpServer::attack_data()
{
    addRows<TestAbuseHttpServer>(cases);
}

void TestAbuseHttpServer::attack()
{
    perform<TestAbuseHttpServer>(this, cases);
}

void TestAbuseHttpServer::endsUnderLoad(World& world)
{
    ServerProcess::Options options;
    options.config
        = { { u"maxConcurrent"_s, 4 }, { u"serve"_s, QJsonObject { { u"drainMs"_s, 600'000 } } } };
    ServerProcess own(options);
    QVERIFY2(own.start(), own.log().constData());
    const auto endless = bash("echo up; exec -a " + world.marker + " sleep 600");
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto stream = [&](const QJsonValue& sessionId) {
        clients.push_back(std::make_unique<RawClient>(own.port(),
            rawRequest("POST", "/execute/stream", executeCall(endless, {}, sessionId))));
    };
    for (int i = 0; i < 3; ++i)
        stream(QJsonValue::Undefined);
    stream(QString::fromLatin1(world.marker));
    for (const auto& client : clients)
        QVERIFY(client->waitFor("up", patience));
    // These wait for a place, and this one for the rest of a body.
    for (int i = 0; i < 4; ++i)
        stream(QJsonValue::Undefined);
    RawClient upload(
        own.port(), rawRequest("POST", "/execute", QByteArray(1 << 20, 'x')).chopped(9));
    RawClient held(own.port(), rawRequest("GET", "/health", {}, {}));
    QVERIFY(held.waitFor("ok", patience));

    own.signal(SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(own.log().contains("Ending"), patience);
    QVERIFY(own.isRunning()); // It would wait ten minutes for what runs.
    RawClient late(own.port(), rawRequest("POST", "/execute", executeCall(endless)));
    QVERIFY(late.waitForEnd(patience));
    QCOMPARE(late.status(), 503);
    own.signal(SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(!own.isRunning(), patience);
    QCOMPARE(own.terminate(), 0);
    for (size_t i = 0; i < 4; ++i)
        QVERIFY2(
            clients[i]->received.contains(R"("data":"137")"), clients[i]->received.constData());
    for (size_t i = 4; i < clients.size(); ++i)
        QVERIFY(clients[i]->waitForEnd(patience) && !clients[i]->received.contains("up"));
    QVERIFY(QCoro::waitFor(client().inspectImage(u"isol8:bash"_s)));
}

void TestAbuseHttpServer::endsAfterItsRuns(World&)
{
    ServerProcess own;
    QVERIFY2(own.start(), own.log().constData());
    RawClient running(own.port(),
        rawRequest(
            "POST", "/execute/stream", executeCall(bash("echo up; sleep 1; echo done; exit 6"))));
    QVERIFY(running.waitFor("up", patience));
    QCOMPARE(own.terminate(), 0);
    QVERIFY2(running.received.contains("done") && running.received.contains(R"("data":"6")"),
        running.received.constData());
}

void TestAbuseHttpServer::badTls(World&)
{
    const QTemporaryDir folder;
    const auto make = [&](const QString& name) {
        return QProcess::execute(u"openssl"_s,
                   { u"req"_s, u"-x509"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s,
                       u"ec_paramgen_curve:P-256"_s, u"-nodes"_s, u"-subj"_s, u"/CN=localhost"_s,
                       u"-keyout"_s, folder.filePath(name + u".key"_s), u"-out"_s,
                       folder.filePath(name + u".pem"_s) })
            == 0;
    };
    QVERIFY(make(u"a"_s) && make(u"b"_s));
    const auto with = [&](const QString& certificate, const QString& key) {
        ServerProcess::Options options;
        options.arguments = { u"--tls-cert"_s, folder.filePath(certificate), u"--tls-key"_s,
            folder.filePath(key) };
        return options;
    };
    ServerProcess mixed(with(u"a.pem"_s, u"b.key"_s));
    QVERIFY(!mixed.start());
    QVERIFY2(mixed.log().contains("[ERR]"), mixed.log().constData());

    ServerProcess own(with(u"a.pem"_s, u"a.key"_s));
    QVERIFY2(own.start(), own.log().constData());
    RawClient plain(own.port(), rawRequest("GET", "/health", {}, {}));
    QVERIFY(plain.waitForEnd(patience));
    QVERIFY(!plain.received.contains("ok"));
    RawClient half(own.port(), QByteArray::fromHex("16030100c8010000c40303"));
    const auto shake = [&](const QString& version) {
        QProcess client;
        client.start(u"openssl"_s,
            { u"s_client"_s, version, u"-connect"_s, u"127.0.0.1:%1"_s.arg(own.port()) });
        client.closeWriteChannel();
        (void)QTest::qWaitFor([&] { return client.state() == QProcess::NotRunning; }, patience);
        return client.exitCode() == 0;
    };
    QVERIFY(!shake(u"-tls1"_s) && !shake(u"-tls1_1"_s));
    QVERIFY(shake(u"-tls1_2"_s) && shake(u"-tls1_3"_s)); // Beside the half handshake.
    QCOMPARE(own.terminate(), 0);
}

void TestAbuseHttpServer::tls(World&)
{
    const QTemporaryDir folder;
    QCOMPARE(
        QProcess::execute(u"openssl"_s,
            { u"req"_s, u"-x509"_s, u"-newkey"_s, u"rsa:2048"_s, u"-nodes"_s, u"-subj"_s,
                u"/CN=localhost"_s, u"-addext"_s, u"subjectAltName=DNS:localhost"_s, u"-keyout"_s,
                folder.filePath(u"key"_s), u"-out"_s, folder.filePath(u"pem"_s) }),
        0);
    ServerProcess::Options options;
    options.arguments
        = { u"--tls-cert"_s, folder.filePath(u"pem"_s), u"--tls-key"_s, folder.filePath(u"key"_s) };
    ServerProcess own(options);
    QVERIFY2(own.start(), own.log().constData());
    QProcess curl;
    curl.start(u"curl"_s,
        { u"-sS"_s, u"--noproxy"_s, u"*"_s, u"--cacert"_s, folder.filePath(u"pem"_s),
            u"https://localhost:%1/health"_s.arg(own.port()) });
    QVERIFY(QTest::qWaitFor([&] { return curl.state() == QProcess::NotRunning; }, patience));
    const auto said = curl.readAllStandardOutput() + curl.readAllStandardError();
    QVERIFY2(said.contains(R"("status":"ok")"), said.constData());
    QCOMPARE(own.terminate(), 0);
}

void TestAbuseHttpServer::badStarts(World&)
{
    const QList<QStringList> starts { { u"--key"_s, u""_s }, { u"--key"_s, u"two words"_s },
        { u"--key"_s, u"ä"_s }, { u"--bind"_s, u"nowhere.invalid"_s },
        { u"--bind"_s, u"unix:relative"_s }, { u"--bind"_s, u"unix:/nonexistent/x"_s },
        { u"--tls-cert"_s, u"/nonexistent"_s },
        { u"--tls-cert"_s, u"/etc/passwd"_s, u"--tls-key"_s, u"/etc/passwd"_s },
        { u"--port"_s, u"65536"_s }, { u"--port"_s, u"-1"_s }, { u"--port"_s, u"80x"_s } };
    for (const auto& arguments : starts) {
        ServerProcess::Options options;
        options.arguments = arguments;
        ServerProcess own(options);
        QVERIFY2(!own.start(), qPrintable(arguments.join(u' ')));
        QVERIFY2(
            own.log().contains("[ERR]") || own.log().contains("--port"), own.log().constData());
        QVERIFY2(!own.log().contains("root:"), own.log().constData());
    }
    ServerProcess::Options options;
    options.variables = { { u"ISOL8_API_KEY"_s, {} } };
    ServerProcess keyless(options);
    QVERIFY(!keyless.start());
    QVERIFY(keyless.log().startsWith("[ERR] API key required"));
}

void TestAbuseHttpServer::busyPort(World&)
{
    ServerProcess::Options options;
    options.arguments = { u"--port"_s, QString::number(port()) };
    ServerProcess own(options);
    QVERIFY2(own.start(), own.log().constData());
    QVERIFY(own.port() != port());
    QVERIFY2(own.log().contains("is in use"), own.log().constData());
    QCOMPARE(own.terminate(), 0);
}

QTEST_GUILESS_MAIN(TestAbuseHttpServer)
#include "tst_abuse_httpserver.moc"
