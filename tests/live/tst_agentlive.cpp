// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// A model's API on loopback (OpenAI's chat completions, streamed) that has its answers ready.
class ModelServer : public QObject {
    Q_OBJECT

public:
    ModelServer()
    {
        connect(&m_server, &QTcpServer::newConnection, this, [this] {
            while (auto* const socket = m_server.nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(*socket); });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
        m_isListening = m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] bool isListening() const { return m_isListening; }
    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }

    QList<QJsonObject> answers; ///< Deltas, one for each request.
    QList<QJsonObject> requests;
    QByteArray lastHead;

private:
    void read(QTcpSocket& socket)
    {
        auto& received = m_received[&socket];
        received += socket.readAll();
        const auto end = received.indexOf("\r\n\r\n");
        const auto field = received.toLower().indexOf("content-length: ");
        if (end < 0 || field < 0 || field > end)
            return;
        const auto size
            = received.mid(field + 16, received.indexOf('\r', field) - field - 16).toLongLong();
        if (received.size() < end + 4 + size)
            return;
        lastHead = received.first(end);
        requests << QJsonDocument::fromJson(received.mid(end + 4, size)).object();
        received.clear();
        socket.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
        const auto delta
            = answers.isEmpty() ? QJsonObject { { u"content"_s, u"done"_s } } : answers.takeFirst();
        send(socket, delta, QJsonValue());
        send(socket, {}, delta.contains(u"tool_calls") ? u"tool_calls"_s : u"stop"_s);
        socket.write("data: [DONE]\n\n");
        socket.disconnectFromHost();
    }

    static void send(QTcpSocket& socket, const QJsonObject& delta, const QJsonValue& reason)
    {
        const QJsonObject choice { { u"index"_s, 0 }, { u"delta"_s, delta },
            { u"finish_reason"_s, reason } };
        const QJsonObject event { { u"id"_s, u"1"_s }, { u"object"_s, u"chat.completion.chunk"_s },
            { u"created"_s, 1 }, { u"model"_s, u"m"_s }, { u"choices"_s, QJsonArray { choice } } };
        socket.write("data: " + QJsonDocument(event).toJson(QJsonDocument::Compact) + "\n\n");
    }

    QTcpServer m_server;
    bool m_isListening = false;
    QHash<QTcpSocket*, QByteArray> m_received;
};

QJsonObject toolCall(const QString& tool, const QJsonObject& arguments)
{
    const QJsonObject function { { u"name"_s, tool },
        { u"arguments"_s,
            QString::fromUtf8(QJsonDocument(arguments).toJson(QJsonDocument::Compact)) } };
    return { { u"role"_s, u"assistant"_s },
        { u"tool_calls"_s,
            QJsonArray { QJsonObject { { u"index"_s, 0 }, { u"id"_s, u"call1"_s },
                { u"type"_s, u"function"_s }, { u"function"_s, function } } } } };
}

} // namespace

/// The agent runtime, end to end: its model is a server of the test on loopback, which the filter
/// lets through on purpose (network.allowAddresses).
class TestAgentLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { QVERIFY(m_fixture->isNothingLeft()); }
    void cleanupTestCase() { m_fixture.reset(); }
    void editsAFile();
    void runsCommandsInTheSandbox();
    void reachesNothingElse();

private:
    [[nodiscard]] ExecutionRequest request(const QByteArray& prompt) const;
    [[nodiscard]] ExecutionOptions options() const;

    std::unique_ptr<EngineFixture> m_fixture;
    std::unique_ptr<ModelServer> m_model;
};

void TestAgentLive::init()
{
    if (!m_fixture)
        m_fixture = std::make_unique<EngineFixture>();
    m_model = std::make_unique<ModelServer>();
    QVERIFY(m_model->isListening());
}

ExecutionRequest TestAgentLive::request(const QByteArray& prompt) const
{
    const QJsonObject provider { { u"baseUrl"_s, u"http://127.0.0.1:%1/v1"_s.arg(m_model->port()) },
        { u"api"_s, u"openai-completions"_s }, { u"apiKey"_s, u"MODEL_KEY"_s },
        { u"models"_s, QJsonArray { QJsonObject { { u"id"_s, u"m"_s } } } } };
    const QJsonObject models { { u"providers"_s, QJsonObject { { u"local"_s, provider } } } };
    auto made = requestOf(Runtime::Agent, prompt);
    made.agentFlags = u"--model local/m"_s;
    made.files = { { u".pi/agent/models.json"_s, QJsonDocument(models).toJson() },
        { u"hello.txt"_s, "an old text\n" } };
    made.outputPaths = { u"hello.txt"_s };
    return made;
}

ExecutionOptions TestAgentLive::options() const
{
    ExecutionOptions made;
    made.network = NetworkMode::Filtered;
    made.networkFilter.allow = { u"^127\\.0\\.0\\.1$"_s };
    made.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(m_model->port()) };
    made.isNetworkLogged = true;
    made.secrets = { { u"MODEL_KEY"_s, u"sk-very-secret"_s } };
    made.pidsLimit = 200;
    made.timeout = 120s;
    return made;
}

void TestAgentLive::editsAFile()
{
    m_model->answers = { toolCall(u"edit"_s,
        { { u"path"_s, u"hello.txt"_s },
            { u"edits"_s,
                QJsonArray {
                    QJsonObject { { u"oldText"_s, u"old"_s }, { u"newText"_s, u"new"_s } } } } }) };
    const auto result = m_fixture->run(request("make it new"), options());
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QCOMPARE(result->files.value(u"hello.txt"_s), "an new text\n");
    QCOMPARE(result->standardOutput.trimmed(), "done");
    QCOMPARE(m_model->requests.size(), 2);
    QVERIFY(QJsonDocument(m_model->requests[0]).toJson().contains("make it new"));
    QVERIFY(m_model->lastHead.contains("Bearer sk-very-secret"));
    QVERIFY(!result->networkLogs.isEmpty());
    for (const auto& entry : result->networkLogs)
        QVERIFY2(entry.isAllowed, qPrintable(entry.host));
}

void TestAgentLive::runsCommandsInTheSandbox()
{
    m_model->answers = { toolCall(u"bash"_s,
        { { u"command"_s, u"id -u; grep -c : /proc/net/dev; echo $MODEL_KEY > seen.txt"_s } }) };
    auto asked = request("--version");
    asked.outputPaths = { u"seen.txt"_s };
    const auto result = m_fixture->run(asked, options());
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(m_model->requests.size(), 2);
    const auto told = QJsonDocument(m_model->requests[1]).toJson(QJsonDocument::Compact);
    QVERIFY2(told.contains("100\\n1\\n"), told.constData()); // The user, and nothing but lo.
    QVERIFY(QJsonDocument(m_model->requests[0]).toJson().contains("--version"));
}

void TestAgentLive::reachesNothingElse()
{
    m_model->answers = { toolCall(u"bash"_s,
        { { u"command"_s,
            u"curl -s -o /dev/null -w '%{http_code}' http://elsewhere.test/; echo; "
            "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:1/"_s } }) };
    const auto result = m_fixture->run(request("look around"), options());
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->exitCode, 0);
    const auto told = QJsonDocument(m_model->requests.value(1)).toJson(QJsonDocument::Compact);
    QVERIFY2(told.contains("403\\n403"), told.constData());
    QVERIFY(!result->violations.isEmpty());
}

QTEST_GUILESS_MAIN(TestAgentLive)
#include "tst_agentlive.moc"
