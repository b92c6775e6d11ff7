// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/sandbox/labels.h"
#include "tests/app/serve/httpclient.h"

#include <QCoroTask>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

QJsonObject bash(const QString& command)
{
    return { { u"cmd"_s, command } };
}

/// A session's name that nobody else on this Docker uses.
QString named(const QString& session)
{
    return u"%1-%2"_s.arg(session).arg(QCoreApplication::applicationPid());
}

} // namespace

/// `isol8 serve` as users start it, against the real Docker.
class TestServeLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void cleanupTestCase();

    void executes();
    void streams();
    void webSocketTakesInputAndSignals();
    void sessionKeepsFiles();
    void disconnectCancels();
    void deletedSessionEndsItsRun();
    void keysAreBoundToTheirTenant();
    void policyHoldsForTheirHolders();
    void missingKeyEndsAtOnce();
    void busyPortIsReplaced();

private:
    void startServer();
    [[nodiscard]] HttpReply execute(const QJsonObject& request, const QString& session = {});
    [[nodiscard]] QStringList containers(const QString& kind);

    QTemporaryDir m_home;
    QProcess m_server;
    QByteArray m_log;
    quint16 m_port = 0;
    std::unique_ptr<HttpClient> m_client;
    std::unique_ptr<docker::Client> m_docker;
};

void TestServeLive::startServer()
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, m_home.path());
    environment.insert(u"ISOL8_API_KEY"_s, u"master"_s);
    m_server.setProcessEnvironment(environment);
    m_server.setWorkingDirectory(m_home.path());
    m_server.start(QStringLiteral(ISOL8_PROGRAM),
        { u"serve"_s, u"--port"_s, u"0"_s, u"--auth-db"_s, m_home.filePath(u"keys.db"_s) });
    connect(&m_server, &QProcess::readyReadStandardError, this,
        [this] { m_log += m_server.readAllStandardError(); });
    static const QRegularExpression greeting(
        u"isol8 server v[0-9.]+ listening on http://localhost:([0-9]+)"_s);
    QTRY_VERIFY2_WITH_TIMEOUT(
        greeting.match(QString::fromUtf8(m_log)).hasMatch(), m_log.constData(), patience);
    m_port = greeting.match(QString::fromUtf8(m_log)).captured(1).toUShort();
    m_client = std::make_unique<HttpClient>(m_port, "Bearer master");
}

void TestServeLive::initTestCase()
{
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    m_docker = std::make_unique<docker::Client>(*endpoint);
    startServer();
}

void TestServeLive::cleanup()
{
    // Every run's container goes by itself.
    QTRY_COMPARE_WITH_TIMEOUT(containers(u"run"_s), QStringList(), patience);
}

void TestServeLive::cleanupTestCase()
{
    if (m_server.state() == QProcess::NotRunning)
        return;
    // A session and a run are there when the server is told to end.
    QCOMPARE(execute(bash(u"true"_s), named(u"left"_s)).status, 200);
    const auto running
        = m_client->begin("POST", u"/execute/stream"_s, executeBody(bash(u"echo up; sleep 300"_s)));
    QTRY_VERIFY_WITH_TIMEOUT(running->peek(4096).contains("up"), patience);
    m_server.terminate();
    QTRY_VERIFY_WITH_TIMEOUT(m_log.contains("Ending"), patience);
    m_server.terminate();
    QTRY_COMPARE_WITH_TIMEOUT(m_server.state(), QProcess::NotRunning, patience);
    QCOMPARE(m_server.exitStatus(), QProcess::NormalExit);
    QVERIFY2(m_server.exitCode() == 0, m_log.constData());
    QVERIFY(HttpClient::finish(*running).body.contains(R"("data":"137")"));
    QTRY_COMPARE_WITH_TIMEOUT(containers(u"run"_s), QStringList(), patience);
    for (const auto& kind : { u"session"_s, u"pool"_s })
        QTRY_COMPARE_WITH_TIMEOUT(containers(kind), QStringList(), patience);
}

HttpReply TestServeLive::execute(const QJsonObject& request, const QString& session)
{
    return m_client->send("POST", u"/execute"_s, executeBody(request, session));
}

/// Ids of the server's containers.
QStringList TestServeLive::containers(const QString& kind)
{
    static qint64 serverId = 0;
    if (m_server.processId() != 0)
        serverId = m_server.processId();
    const auto all = QCoro::waitFor(m_docker->listContainers({ labels::kind + u'=' + kind }));
    if (!all)
        return { all.error().message };
    QStringList ids;
    for (const auto& container : *all) {
        const auto owner = Owner::fromString(container.labels.value(labels::owner));
        if (owner && owner->pid == serverId)
            ids << container.id;
    }
    return ids;
}

void TestServeLive::executes()
{
    const auto reply = execute({ { u"code"_s, u"import sys; print(6 * 7); sys.exit(3)"_s },
        { u"runtime"_s, u"python"_s } });
    QVERIFY2(reply.status == 200, reply.body.constData());
    QCOMPARE(reply.json().value(u"stdout"_s), u"42"_s);
    QCOMPARE(reply.json().value(u"exitCode"_s), 3);
    auto late = bash(u"sleep 300"_s);
    late.insert(u"timeoutMs"_s, 500);
    const auto timedOut = execute(late).json();
    QCOMPARE(timedOut.value(u"exitCode"_s), 137);
    QCOMPARE(timedOut.value(u"timedOut"_s), true);
}

void TestServeLive::streams()
{
    const auto reply = m_client->begin("POST", u"/execute/stream"_s,
        executeBody(bash(u"echo first; read -r -t 1 line; echo second >&2; exit 4"_s)));
    const auto body = HttpClient::finish(*reply).body;
    QVERIFY2(body.startsWith("data: {\"data\":\"first\\n\""), body.constData());
    QVERIFY(body.contains("\"data\":\"second\\n\",\"phase\":\"code\",\"type\":\"stderr\""));
    QVERIFY(body.contains("\"data\":\"4\""));
}

void TestServeLive::webSocketTakesInputAndSignals()
{
    QWebSocket socket;
    QString out;
    QString exitCode;
    connect(&socket, &QWebSocket::textMessageReceived, this, [&](const QString& text) {
        const auto event = QJsonDocument::fromJson(text.toUtf8()).object();
        (event.value(u"type"_s) == u"exit"_s ? exitCode : out) += event.value(u"data"_s).toString();
    });
    const auto send = [&socket](const QJsonObject& message) {
        socket.sendTextMessage(QString::fromUtf8(QJsonDocument(message).toJson()));
    };
    socket.open(m_client->request(u"/execute/ws"_s, u"ws"_s));
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::ConnectedState, patience);
    send({ { u"type"_s, u"execute"_s },
        { u"request"_s,
            bash(u"trap 'echo caught; exit 7' TERM; read -r line; echo got $line; "
                 "while :; do read -r -t 1 more; done"_s) } });
    send({ { u"type"_s, u"stdin"_s }, { u"data"_s, u"hello\n"_s } });
    QTRY_COMPARE_WITH_TIMEOUT(out, u"got hello\n"_s, patience);
    send({ { u"type"_s, u"signal"_s }, { u"signal"_s, u"SIGTERM"_s } });
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::UnconnectedState, patience);
    QCOMPARE(out, u"got hello\ncaught\n"_s);
    QCOMPARE(exitCode, u"7"_s);
    QCOMPARE(socket.closeCode(), QWebSocketProtocol::CloseCodeNormal);
}

void TestServeLive::sessionKeepsFiles()
{
    QCOMPARE(execute(bash(u"echo one > kept"_s), named(u"files"_s)).status, 200);
    QCOMPARE(execute(bash(u"cat kept"_s), named(u"files"_s)).json().value(u"stdout"_s), u"one"_s);
    const auto put = m_client->post(u"/file"_s,
        { { u"sessionId"_s, named(u"files"_s) }, { u"path"_s, u"given"_s },
            { u"content"_s, u"AAEC"_s } });
    QVERIFY2(put.status == 200, put.body.constData());
    const auto place = u"/file?path=given&sessionId="_s + named(u"files"_s);
    QCOMPARE(m_client->get(place).json().value(u"content"_s), u"AAEC"_s);
    QStringList names;
    const auto listing = m_client->get(u"/files?sessionId="_s + named(u"files"_s)).json();
    for (const auto& file : listing.value(u"files"_s).toArray())
        names << file[u"name"_s].toString();
    names.sort();
    QCOMPARE(names, (QStringList { u"given"_s, u"kept"_s }));
    QCOMPARE(m_client->remove(place).status, 200);
    QCOMPARE(m_client->get(place).status, 404);
    const auto escape = m_client->get(u"/file?path=../etc/passwd&sessionId="_s + named(u"files"_s));
    QCOMPARE(escape.status, 400);
    QCOMPARE(
        execute({ { u"code"_s, u"1"_s }, { u"runtime"_s, u"node"_s } }, named(u"files"_s)).status,
        409);
    QCOMPARE(m_client->remove(u"/session/"_s + named(u"files"_s)).status, 200);
    QCOMPARE(m_client->get(u"/files?sessionId="_s + named(u"files"_s)).status, 404);
}

void TestServeLive::disconnectCancels()
{
    const auto reply
        = m_client->begin("POST", u"/execute/stream"_s, executeBody(bash(u"echo up; sleep 300"_s)));
    QTRY_VERIFY_WITH_TIMEOUT(reply->peek(4096).contains("up"), patience);
    const auto id = QString::fromLatin1(reply->rawHeader("X-Execution-Id"));
    reply->abort();
    const auto state = [&] { return m_client->get(u"/executions/"_s + id).json(); };
    QTRY_COMPARE_WITH_TIMEOUT(state().value(u"state"_s), u"finished"_s, patience);
    const auto ending = state().value(u"result"_s).toObject().value(u"ending"_s).toObject();
    QCOMPARE(ending.value(u"reason"_s), u"cancelled"_s);
}

void TestServeLive::deletedSessionEndsItsRun()
{
    const auto reply = m_client->begin("POST", u"/execute/stream"_s,
        executeBody(bash(u"echo up; sleep 300"_s), named(u"doomed"_s)));
    QTRY_VERIFY_WITH_TIMEOUT(reply->peek(4096).contains("up"), patience);
    QCOMPARE(m_client->remove(u"/session/"_s + named(u"doomed"_s)).status, 200);
    QVERIFY(HttpClient::finish(*reply).body.contains(R"("data":"137")"));
    QTRY_COMPARE_WITH_TIMEOUT(containers(u"session"_s), QStringList(), patience);
    const auto again = execute(bash(u"echo new"_s), named(u"doomed"_s));
    QCOMPARE(again.json().value(u"stdout"_s), u"new"_s);
    QCOMPARE(m_client->remove(u"/session/"_s + named(u"doomed"_s)).status, 200);
}

void TestServeLive::keysAreBoundToTheirTenant()
{
    const auto make = [this](const QString& tenant) {
        const auto made = m_client->post(
            u"/auth/keys"_s, { { u"name"_s, u"test"_s }, { u"tenantId"_s, tenant } });
        return std::pair(made.status, made.json());
    };
    const auto [oneStatus, one] = make(u"one"_s);
    const auto [twoStatus, two] = make(u"two"_s);
    QCOMPARE(oneStatus, 201);
    QCOMPARE(twoStatus, 201);
    HttpClient first(m_port, "Bearer " + one.value(u"key"_s).toString().toLatin1());
    HttpClient second(m_port, "Bearer " + two.value(u"key"_s).toString().toLatin1());
    const auto body = executeBody(bash(u"echo mine > secret"_s), named(u"box"_s));
    const auto ran = first.send("POST", u"/execute"_s, body);
    QVERIFY2(ran.status == 200, ran.body.constData());
    const auto place = u"/file?path=secret&sessionId="_s + named(u"box"_s);
    QCOMPARE(first.get(place).status, 200);
    QCOMPARE(second.get(place).status, 404);
    QCOMPARE(second.get(u"/sessions"_s).json().value(u"sessions"_s).toArray().size(), 0);
    const auto execution = u"/executions/"_s + ran.json().value(u"executionId"_s).toString();
    QCOMPARE(first.get(execution).status, 200);
    QCOMPARE(second.get(execution).status, 404);
    QCOMPARE(second.remove(u"/session/"_s + named(u"box"_s)).status, 200);
    QCOMPARE(first.get(place).status, 200);
    QCOMPARE(first.remove(u"/session/"_s + named(u"box"_s)).status, 200);

    QCOMPARE(first.get(u"/auth/keys"_s).status, 403);
    QCOMPARE(m_client->remove(u"/auth/keys/"_s + one.value(u"id"_s).toString()).status, 200);
    QCOMPARE(first.get(u"/sessions"_s).status, 403);
    QCOMPARE(second.get(u"/sessions"_s).status, 200);
    const auto listed = m_client->get(u"/auth/keys"_s);
    QVERIFY(!listed.body.contains(two.value(u"key"_s).toString().toLatin1()));
}

void TestServeLive::policyHoldsForTheirHolders()
{
    const auto login = m_client->post(u"/auth/login"_s, { { u"name"_s, u"someone"_s } });
    QCOMPARE(login.status, 200);
    HttpClient client(m_port, "Bearer " + login.json().value(u"token"_s).toString().toLatin1());
    const QJsonObject wish { { u"request"_s, bash(u"true"_s) },
        { u"options"_s, QJsonObject { { u"network"_s, u"host"_s } } } };
    QCOMPARE(client.post(u"/execute"_s, wish).status, 403);
    QCOMPARE(client.post(u"/cleanup"_s, {}).error(), u"Master key required for this operation"_s);
}

void TestServeLive::missingKeyEndsAtOnce()
{
    QProcess server;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, m_home.path());
    environment.remove(u"ISOL8_API_KEY"_s);
    server.setProcessEnvironment(environment);
    server.start(QStringLiteral(ISOL8_PROGRAM), { u"serve"_s, u"--port"_s, u"0"_s });
    QTRY_COMPARE_WITH_TIMEOUT(server.state(), QProcess::NotRunning, patience);
    QCOMPARE(server.exitCode(), 1);
    const auto said = server.readAllStandardError();
    QVERIFY2(said.startsWith("[ERR] API key required"), said.constData());
}

void TestServeLive::busyPortIsReplaced()
{
    QProcess server;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, m_home.path());
    server.setProcessEnvironment(environment);
    server.start(QStringLiteral(ISOL8_PROGRAM),
        { u"serve"_s, u"--key"_s, u"k"_s, u"--port"_s, QString::number(m_port) });
    QByteArray said;
    connect(&server, &QProcess::readyReadStandardError, this,
        [&] { said += server.readAllStandardError(); });
    QTRY_VERIFY2_WITH_TIMEOUT(said.contains("listening on"), said.constData(), patience);
    QVERIFY(said.contains("is in use"));
    server.terminate();
    QTRY_COMPARE_WITH_TIMEOUT(server.state(), QProcess::NotRunning, patience);
    QCOMPARE(server.exitCode(), 0);
}

QTEST_GUILESS_MAIN(TestServeLive)
#include "tst_serve_live.moc"
