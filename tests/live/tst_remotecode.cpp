// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"
#include "tests/support/localserver.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using isol8::test::LocalServer;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Code from URLs, from the request to what runs in the sandbox. The server that it comes from is
/// let through on purpose (network.allowAddresses).
class TestRemoteCode : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void runsWhatAUrlGives();
    void refusalsMakeNoSandbox();
    void timeLimitCoversTheFetch();
    void cancelEndsTheFetch();
    void auditKnowsWhatWasRun();

private:
    void restart();
    [[nodiscard]] ExecutionRequest requestFor(const QString& path) const
    {
        ExecutionRequest request;
        request.codeUrl = m_server->url(path);
        request.allowInsecureCodeUrl = true;
        request.runtime = Runtime::Bash;
        return request;
    }
    [[nodiscard]] std::unique_ptr<WatchedRun> start(
        const ExecutionRequest& request, const ExecutionOptions& options = {})
    {
        return std::make_unique<WatchedRun>(m_engine->start(request, options, {}));
    }

    std::unique_ptr<QTemporaryDir> m_directory;
    std::unique_ptr<LocalServer> m_server;
    Settings m_settings;
    std::unique_ptr<DockerEngine> m_engine;
};

void TestRemoteCode::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_server = std::make_unique<LocalServer>();
    m_settings = {};
    m_settings.remoteCode.enabled = true;
    m_settings.remoteCode.blockedHosts.clear();
    m_settings.network.allowAddresses = { u"127.0.0.1:%1"_s.arg(m_server->port()) };
    m_settings.audit.logDirectory = m_directory->filePath(u"audit"_s);
    restart();
}

void TestRemoteCode::restart()
{
    cleanup();
    auto settings = engineSettings(m_settings);
    settings.stateDirectory = m_directory->filePath(u"state"_s);
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    m_engine = std::make_unique<DockerEngine>(*endpoint, settings);
}

void TestRemoteCode::cleanup()
{
    if (m_engine)
        QVERIFY(QCoro::waitFor(m_engine->shutdown()));
    m_engine.reset();
}

void TestRemoteCode::runsWhatAUrlGives()
{
    m_server->addBody(u"/run.sh"_s, "echo \"$0 $1 $KEY\"");
    auto request = requestFor(u"/run.sh"_s);
    request.arguments = { u"one"_s };
    request.codeHash = QString::fromLatin1(
        QCryptographicHash::hash("echo \"$0 $1 $KEY\"", QCryptographicHash::Sha256)
            .toHex()
            .toUpper());
    ExecutionOptions options;
    options.secrets = { { u"KEY"_s, u"topsecret"_s } };
    const auto result = start(request, options)->result();
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->standardOutput, "/sandbox/main.sh one ***\n");
}

void TestRemoteCode::refusalsMakeNoSandbox()
{
    auto request = requestFor(u"/missing.sh"_s);
    const auto missing = start(request);
    QVERIFY(!missing->result());
    QVERIFY(missing->containerId.isEmpty());
    QCOMPARE(missing->result().error().kind, Kind::Invalid);

    request.codeUrl = u"http://user:topsecret@127.0.0.1:%1/"_s.arg(m_server->port());
    ExecutionOptions options;
    options.secrets = { { u"KEY"_s, u"topsecret"_s } };
    const auto refused = start(request, options)->result();
    QVERIFY(!refused);
    QVERIFY(!refused.error().message.contains(u"topsecret"));

    m_settings.remoteCode.enabled = false;
    restart();
    m_server->addBody(u"/run.sh"_s, "echo");
    QVERIFY(!start(requestFor(u"/run.sh"_s))->result());
}

void TestRemoteCode::timeLimitCoversTheFetch()
{
    m_server->add(u"/slow.sh"_s, "HTTP/1.1 200 OK\r\n", LocalServer::End::Hold);
    ExecutionOptions options;
    options.timeout = 300ms;
    const auto result = start(requestFor(u"/slow.sh"_s), options)->result();
    QVERIFY(result);
    QVERIFY(result->isTimedOut);
    QCOMPARE(result->exitCode, 137);
    QVERIFY(result->containerId.isEmpty());
}

void TestRemoteCode::cancelEndsTheFetch()
{
    m_server->add(u"/slow.sh"_s, "HTTP/1.1 200 OK\r\n", LocalServer::End::Hold);
    const auto run = start(requestFor(u"/slow.sh"_s));
    connect(m_server.get(), &LocalServer::requested, this, [&run] { run->run().cancel(); });
    const auto result = run->result();
    QVERIFY(result);
    QCOMPARE(result->ending.reason, EndReason::Cancelled);
    QVERIFY(run->containerId.isEmpty());
}

void TestRemoteCode::auditKnowsWhatWasRun()
{
    m_settings.audit.enabled = true;
    restart();
    m_server->addBody(u"/run.sh"_s, "echo 1");
    QVERIFY(start(requestFor(u"/run.sh"_s))->result());
    QFile file(m_directory->filePath(u"audit/executions.log"_s));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto record = QJsonDocument::fromJson(file.readLine()).object();
    QCOMPARE(record[u"codeHash"],
        QString::fromLatin1(
            QCryptographicHash::hash("echo 1", QCryptographicHash::Sha256).toHex()));
    QCOMPARE(record[u"codeUrl"], m_server->url(u"/run.sh"_s));
}

QTEST_GUILESS_MAIN(TestRemoteCode)
#include "tst_remotecode.moc"
