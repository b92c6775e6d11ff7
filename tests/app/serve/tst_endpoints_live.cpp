// SPDX-License-Identifier: MIT
#include "app/serve/routes.h"
#include "tests/support/rawclient.h"
#include "tests/support/serverprocess.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QUuid>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 240'000;

struct Answer {
    int status = 0;
    QByteArray head; ///< With the status line and the empty line.
    QByteArray body;

    [[nodiscard]] QJsonObject json() const { return QJsonDocument::fromJson(body).object(); }
    [[nodiscard]] QString error() const { return json().value(u"error"_s).toString(); }
    [[nodiscard]] bool has(const QByteArray& line) const { return head.contains(line + "\r\n"); }
};

/// What the events of a streamed @p answer have of standard output, however many they are.
QString printed(const QByteArray& answer)
{
    const auto stream = unchunked(QByteArrayView(answer).sliced(answer.indexOf("\r\n\r\n") + 4));
    QString text;
    for (const auto& line : stream.split('\n')) {
        const auto event
            = QJsonDocument::fromJson(line.sliced(std::min<qsizetype>(6, line.size()))).object();
        if (event[u"type"_s] == u"stdout"_s)
            text += event[u"data"_s].toString();
    }
    return text;
}

QByteArray session(const QByteArray& name)
{
    return name + '-' + QByteArray::number(QCoreApplication::applicationPid());
}

} // namespace

/// Every row of http-api.md, asked and heard in bytes, against the real Docker.
class TestEndpoints : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();

    void health();
    void keyMatrix_data();
    void keyMatrix();
    void wrongMethods();
    void unknownPaths_data();
    void unknownPaths();
    void execute();
    void executeTakesEveryFormOfFile();
    void executionsThatFail();
    void executeStream();
    void streamIsValidWhateverIsPrinted();
    void executions();
    void files();
    void missingParameters_data();
    void missingParameters();
    void sessions();
    void cleanUp();
    void authKeys();
    void authLogin();
    void runtimes();
    void metrics();
    void openApi();
    void pipelined();

private:
    [[nodiscard]] Answer ask(const QByteArray& bytes);
    [[nodiscard]] Answer ask(const QByteArray& method, const QByteArray& target,
        const QByteArray& body = {}, const QByteArray& key = "master")
    {
        return ask(rawRequest(method, target, body, key));
    }
    [[nodiscard]] Answer bash(const QByteArray& command, const QByteArray& sessionId = {});

    std::unique_ptr<ServerProcess> m_server;
};

void TestEndpoints::initTestCase()
{
    ServerProcess::Options options;
    options.arguments = { u"--auth-db"_s, u"keys.db"_s };
    m_server = std::make_unique<ServerProcess>(options);
    QVERIFY2(m_server->start(), m_server->log().constData());
}

void TestEndpoints::cleanupTestCase()
{
    QCOMPARE(m_server->terminate(), 0);
}

Answer TestEndpoints::ask(const QByteArray& bytes)
{
    RawClient client(m_server->port(), bytes);
    (void)QTest::qWaitFor([&] { return !client.body().isNull() || client.isClosed; }, patience);
    const auto end = client.received.indexOf("\r\n\r\n");
    return { client.status(), end < 0 ? QByteArray() : client.received.first(end + 4),
        client.body() };
}

Answer TestEndpoints::bash(const QByteArray& command, const QByteArray& sessionId)
{
    QJsonObject body { { u"request"_s, QJsonObject { { u"cmd"_s, QString::fromUtf8(command) } } } };
    if (!sessionId.isEmpty())
        body.insert(u"sessionId"_s, QString::fromUtf8(sessionId));
    return ask("POST", "/execute", QJsonDocument(body).toJson());
}

void TestEndpoints::health()
{
    const auto answer = ask("GET", "/health", {}, {});
    QVERIFY(answer.head.startsWith("HTTP/1.1 200 OK\r\n"));
    QVERIFY(answer.has("Content-Type: application/json"));
    QVERIFY(answer.has("X-Content-Type-Options: nosniff"));
    QCOMPARE(answer.json(),
        (QJsonObject {
            { u"status"_s, u"ok"_s }, { u"version"_s, QStringLiteral(ISOL8_VERSION) } }));
    // HEAD tells the same without the body.
    RawClient head(
        m_server->port(), "HEAD /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    QVERIFY(head.waitForEnd());
    QVERIFY(head.received.contains(
        "Content-Length: " + QByteArray::number(answer.body.size()) + "\r\n"));
    QVERIFY(head.received.endsWith("\r\n\r\n"));
}

void TestEndpoints::keyMatrix_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<QString>("error");
    const auto missing = u"Missing Authorization header"_s;
    const auto invalid = u"Invalid API key"_s;
    const auto row = [](const char* name, const QByteArray& fields, const QString& error) {
        QTest::newRow(name) << fields << error;
    };
    row("none", "", missing);
    row("empty", "Authorization:\r\n", missing);
    row("scheme alone", "Authorization: Bearer\r\n", invalid);
    row("two blanks", "Authorization: Bearer  master\r\n", invalid);
    row("key alone", "Authorization: master\r\n", invalid);
    row("other scheme", "Authorization: Basic master\r\n", invalid);
    row("two fields", "Authorization: Bearer master\r\nAuthorization: Bearer master\r\n", invalid);
    row("wrong", "Authorization: Bearer wrong\r\n", invalid);
    row("longer", "Authorization: Bearer masters\r\n", invalid);
    row("shorter", "Authorization: Bearer maste\r\n", invalid);
    row("not ASCII", "Authorization: Bearer m\xc3\xa4ster\r\n", invalid);
}

/// HTTP-01 of ABUSE.md; tst_authenticator has the keys that are no text, too long or revoked.
void TestEndpoints::keyMatrix()
{
    QFETCH(QByteArray, fields);
    QFETCH(QString, error);
    const int status = error.startsWith(u'M') ? 401 : 403;
    // Every route and one that is none, also where the answer to its holder would be another error.
    QList<std::pair<QByteArray, QByteArray>> targets { { "GET", "/nowhere" }, { "PUT", "/file" },
        { "HEAD", "/sessions" }, { "OPTIONS", "/execute" }, { "OPTIONS", "*" } };
    for (const auto& route : serve::routes()) {
        if (route.access != serve::Access::Anyone)
            targets.emplaceBack(QByteArray(route.method.data(), route.method.size()),
                QByteArray(route.path.data(), route.path.size()).replace(":id", "x"));
    }
    // The server slows down whoever fails often, so these come from many places.
    static int place = 2;
    for (const auto& [method, target] : targets) {
        RawClient client(m_server->port(),
            method + ' ' + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + fields
                + "\r\n",
            QHostAddress(u"127.0.%1.%2"_s.arg(place / 200 + 1).arg(place % 200 + 1)));
        ++place;
        QVERIFY(client.waitForEnd());
        QVERIFY2(client.status() == status, (method + ' ' + target + client.received).constData());
        if (method != "HEAD")
            QCOMPARE(QJsonDocument::fromJson(client.body())[u"error"_s].toString(), error);
        QVERIFY(!client.received.contains("Access-Control"));
        QVERIFY(status != 401 || client.received.contains("WWW-Authenticate: Bearer\r\n"));
    }
    QCOMPARE(ask("GET", "/health", {}, {}).status, 200);
}

void TestEndpoints::wrongMethods()
{
    for (const auto& route : serve::routes()) {
        const auto target = QByteArray(route.path.data(), route.path.size()).replace(":id", "x");
        const auto answer = ask("PATCH", target);
        QCOMPARE(answer.status, 405);
        QVERIFY2(answer.head.contains("\r\nAllow: "), answer.head.constData());
        QVERIFY(answer.head.contains(QByteArray(route.method.data(), route.method.size())));
    }
}

void TestEndpoints::unknownPaths_data()
{
    QTest::addColumn<QByteArray>("target");
    for (const auto* target : { "/", "//execute", "/execute/", "/health/../execute", "/HEALTH",
             "/health%2f..%2fexecute", "/execute%00", "/session/", "/session/a/b",
             "/session/%2e%2e%2f", "/executions/a/b/cancel", "/favicon.ico" })
        QTest::newRow(target) << QByteArray(target);
}

void TestEndpoints::unknownPaths()
{
    QFETCH(QByteArray, target);
    const auto answer = ask("GET", target);
    QVERIFY2(answer.status == 404 || answer.status == 400 || answer.status == 405,
        answer.head.constData());
    QVERIFY(!answer.error().isEmpty());
    // Without a key nothing of it is told.
    const auto stranger = ask("GET", target, {}, {});
    QVERIFY2(stranger.status == 401 || stranger.status == 400, stranger.head.constData());
}

void TestEndpoints::execute()
{
    const auto answer = ask("POST", "/execute", R"json({"request":{
        "code":"import sys, os\nprint(sys.argv[1:], os.environ['A'], sys.stdin.read())\nprint('e  ', file=sys.stderr)\nopen('made', 'w').write('x')\nsys.exit(3)",
        "runtime":"python","args":["a b"],"env":{"A":"secret-value"},"stdin":"in","timeoutMs":60000,
        "outputPaths":["made","missing"],"metadata":{"userId":"u"}},
        "options":{"secrets":{"A":"secret-value"},"poolSize":7,"poolStrategy":"fast"}})json");
    QVERIFY2(answer.status == 200, answer.body.constData());
    const auto result = answer.json();
    QCOMPARE(result[u"stdout"_s], u"['a b'] *** in"_s);
    QCOMPARE(result[u"stderr"_s], u"e"_s);
    QCOMPARE(result[u"exitCode"_s], 3);
    QCOMPARE(result[u"runtime"_s], u"python"_s);
    QCOMPARE(result[u"truncated"_s], false);
    QCOMPARE(result[u"timedOut"_s], false);
    QCOMPARE(result[u"oomKilled"_s], false);
    QCOMPARE(result[u"files"_s].toObject(), (QJsonObject { { u"made"_s, u"eA=="_s } }));
    QCOMPARE(result[u"missingFiles"_s].toArray().size(), 1);
    QCOMPARE(result[u"ending"_s][u"reason"_s], u"exited"_s);
    QVERIFY(result[u"networkLogs"_s].isArray() && result[u"violations"_s].isArray());
    for (const auto& key : { u"cpuPercent"_s, u"memoryMB"_s, u"peakMemoryMB"_s, u"networkBytesIn"_s,
             u"networkBytesOut"_s })
        QVERIFY2(result[u"resourceUsage"_s][key].isDouble(), qPrintable(key));
    for (const auto& key : { u"queue"_s, u"acquire"_s, u"install"_s, u"setup"_s, u"run"_s })
        QVERIFY2(result[u"phasesMs"_s][key].isDouble(), qPrintable(key));
    QVERIFY(result[u"durationMs"_s].isDouble() && result[u"cpuMs"_s].isDouble());
    QVERIFY(!QUuid(result[u"executionId"_s].toString()).isNull());
    QVERIFY(result[u"timestamp"_s].toString().endsWith(u'Z'));
    QCOMPARE(result[u"containerId"_s].toString().size(), 64);
    QVERIFY(result[u"imageDigest"_s].toString().startsWith("sha256:"_L1));
    QVERIFY(answer.has("X-Execution-Id: " + result[u"executionId"_s].toString().toLatin1()));
}

void TestEndpoints::executeTakesEveryFormOfFile()
{
    const auto answer = ask("POST", "/execute", R"({"request":{"cmd":"cat a b c | od -An -tx1",
        "files":{"a":"t\u00e4","b":{"base64":"AP8="},"c":{"type":"Buffer","data":[1,254]}}}})");
    QCOMPARE(answer.json().value(u"stdout"_s).toString().simplified(), u"74 c3 a4 00 ff 01 fe"_s);
}

void TestEndpoints::executionsThatFail()
{
    auto answer = ask("POST", "/execute", R"({"request":{"cmd":"sleep 600","timeoutMs":500}})");
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.json().value(u"exitCode"_s), 137);
    QCOMPARE(answer.json().value(u"timedOut"_s), true);
    QCOMPARE(answer.json().value(u"ending"_s)[u"reason"_s], u"timeout"_s);

    answer = ask("POST", "/execute", R"({"request":{"cmd":"kill -SEGV $$"}})");
    QCOMPARE(answer.json().value(u"signal"_s), u"SIGSEGV"_s);
    QCOMPARE(answer.json().value(u"exitCode"_s), 139);

    answer = ask("POST", "/execute",
        R"({"request":{"cmd":"true"},"options":{"image":"isol8-test/none:none"}})");
    QCOMPARE(answer.status, 404);
    QVERIFY2(answer.error().contains("isol8-test/none:none"_L1), qPrintable(answer.error()));

    QCOMPARE(ask("POST", "/execute", R"({"request":{"code":"1","cmd":"2"}})").status, 400);
    QCOMPARE(ask("POST", "/execute", "nonsense").status, 400);
    auto form = rawRequest("POST", "/execute", R"({"request":{"cmd":"true"}})");
    QCOMPARE(ask(form.replace("application/json", "text/plain")).status, 415);
    QCOMPARE(ask("POST", "/execute").status, 400);
}

void TestEndpoints::executeStream()
{
    auto request = rawRequest("POST", "/execute/stream",
        R"({"request":{"cmd":"echo out; echo err >&2; exit 4","setupScript":"echo before"}})");
    RawClient client(m_server->port(), request.replace("Host:", "Connection: close\r\nHost:"));
    QVERIFY(client.waitForEnd(patience));
    QCOMPARE(client.status(), 200);
    QVERIFY(client.received.contains("\r\nContent-Type: text/event-stream\r\n"));
    QVERIFY(client.received.contains("\r\nTransfer-Encoding: chunked\r\n"));
    QVERIFY(client.received.contains("\r\nX-Execution-Id: "));
    const auto body = unchunked(
        QByteArrayView(client.received).sliced(client.received.indexOf("\r\n\r\n") + 4));
    QVERIFY2(!body.isNull(), client.received.constData());
    QVERIFY(body.contains(R"(data: {"data":"before\n","phase":"setup","type":"stdout"})"
                          "\n\n"));
    QVERIFY(body.contains(R"(data: {"data":"out\n","phase":"code","type":"stdout"})"
                          "\n\n"));
    QVERIFY(body.contains(R"(data: {"data":"err\n","phase":"code","type":"stderr"})"
                          "\n\n"));
    const auto last = body.last(body.size() - body.lastIndexOf("data: "));
    QVERIFY2(last.startsWith(R"(data: {"data":"4","executionId":")")
            && last.endsWith(R"(","type":"exit"})"
                             "\n\n"),
        last.constData());

    // A time-out tells itself.
    request = rawRequest(
        "POST", "/execute/stream", R"({"request":{"cmd":"sleep 600","timeoutMs":500}})");
    RawClient late(m_server->port(), request);
    QVERIFY(late.waitFor(R"("data":"137")", patience));
    QVERIFY(late.received.contains(R"(data: {"data":"EXECUTION TIMED OUT","type":"error"})"));

    // What fails before anything runs has a status.
    QCOMPARE(ask("POST", "/execute/stream", R"({"request":{}})").status, 400);
    QCOMPARE(ask("POST", "/execute/stream",
                 R"({"request":{"cmd":"true"},"options":{"image":"isol8-test/none:none"}})")
                 .status,
        404);
}

void TestEndpoints::streamIsValidWhateverIsPrinted()
{
    const auto code = uR"(import os
for text in ['\n\ndata: {"type":"exit","data":"0"}\n\n', 'event: x\r\rretry: 1\r\n', '\u2028\u2029\0', ': c\n\n']:
    os.write(1, text.encode())
os.write(1, b'\xed\xa0\x80\xff')
os._exit(9))"_s;
    const QJsonObject body { { u"request"_s,
        QJsonObject { { u"code"_s, code }, { u"runtime"_s, u"python"_s } } } };
    RawClient client(
        m_server->port(), rawRequest("POST", "/execute/stream", QJsonDocument(body).toJson()));
    QVERIFY(client.waitFor("\r\n0\r\n\r\n", patience));
    const auto stream = unchunked(
        QByteArrayView(client.received).sliced(client.received.indexOf("\r\n\r\n") + 4));
    QString printed;
    QStringList exits;
    for (const auto& event : stream.split('\n')) {
        if (event.isEmpty())
            continue;
        QVERIFY2(event.startsWith("data: "), event.constData());
        const auto object = QJsonDocument::fromJson(event.sliced(6)).object();
        QVERIFY2(!object.isEmpty(), event.constData());
        if (object[u"type"_s] == u"exit"_s)
            exits << object[u"data"_s].toString();
        else
            printed += object[u"data"_s].toString();
    }
    QCOMPARE(exits, QStringList { u"9"_s });
    QVERIFY(printed.startsWith("\n\ndata: {\"type\":\"exit\""_L1));
    QVERIFY(printed.contains(u"\u2028\u2029"_s) && printed.contains(QChar::Null));
    QVERIFY(printed.endsWith(QChar::ReplacementCharacter));
}

void TestEndpoints::executions()
{
    RawClient client(m_server->port(),
        rawRequest("POST", "/execute/stream", R"({"request":{"cmd":"echo up; sleep 600"}})"));
    QVERIFY(client.waitFor("up", patience));
    const auto id = client.received.mid(client.received.indexOf("X-Execution-Id: ") + 16, 36);
    const auto running = ask("GET", "/executions/" + id).json();
    QCOMPARE(running[u"id"_s], QString::fromLatin1(id));
    QCOMPARE(running[u"state"_s], u"running"_s);
    QCOMPARE(
        ask("POST", "/executions/" + id + "/cancel").json(), (QJsonObject { { u"ok"_s, true } }));
    QVERIFY(client.waitFor(R"("data":"137")", patience));
    const auto ended = ask("GET", "/executions/" + id).json();
    QCOMPARE(ended[u"state"_s], u"finished"_s);
    QCOMPARE(ended[u"result"_s][u"ending"_s][u"reason"_s], u"cancelled"_s);
    // Once more does no harm.
    QCOMPARE(ask("POST", "/executions/" + id + "/cancel").status, 200);
    QCOMPARE(ask("GET", "/executions/unknown").status, 404);
    QCOMPARE(ask("POST", "/executions/unknown/cancel").status, 404);
}

void TestEndpoints::files()
{
    const auto id = session("files");
    QCOMPARE(bash("mkdir d", id).status, 200);
    const auto put
        = ask("POST", "/file", R"({"sessionId":")" + id + R"(","path":"d/a b","content":"AAEC"})");
    QVERIFY2(put.status == 200, put.body.constData());
    QCOMPARE(put.json(), (QJsonObject { { u"ok"_s, true } }));
    const auto place = "?sessionId=" + id + "&path=d%2Fa%20b";
    QCOMPARE(ask("GET", "/file" + place).json(), (QJsonObject { { u"content"_s, u"AAEC"_s } }));
    QCOMPARE(ask("GET", "/file?path=/sandbox/d/a+b&sessionId=" + id).status, 200);
    const auto listing
        = ask("GET", "/files?path=d&sessionId=" + id).json().value(u"files"_s).toArray();
    QCOMPARE(listing.size(), 1);
    const auto file = listing.first().toObject();
    QCOMPARE(file[u"name"_s], u"a b"_s);
    QCOMPARE(file[u"type"_s], u"file"_s);
    QCOMPARE(file[u"size"_s], 3);
    QCOMPARE(file[u"mode"_s], 0644);
    QVERIFY(QDateTime::fromString(file[u"mtime"_s].toString(), Qt::ISODate).isValid());
    QCOMPARE(ask("DELETE", "/file" + place).json(), (QJsonObject { { u"ok"_s, true } }));
    QCOMPARE(ask("GET", "/file" + place).status, 404);
    QCOMPARE(ask("DELETE", "/file" + place).status, 404);

    // What cannot be.
    for (const auto& path : { "../etc/passwd", "/etc/passwd", "a%00b", "a%0ab", "%ff", "a%zz" }) {
        const auto answer = ask("GET", "/file?sessionId=" + id + "&path=" + path);
        QVERIFY2(answer.status == 400, (path + answer.body).constData());
    }
    QCOMPARE(
        ask("POST", "/file", R"({"sessionId":")" + id + R"(","path":"x","content":"not base64!"})")
            .status,
        400);
    QCOMPARE(
        ask("POST", "/file", R"({"sessionId":")" + id + R"(","path":"d","content":"AA=="})").status,
        409);
    QCOMPARE(ask("GET", "/file?path=x&sessionId=" + session("unknown")).status, 404);
    QCOMPARE(ask("DELETE", "/session/" + id).status, 200);
}

void TestEndpoints::missingParameters_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("get, no path") << "GET"_ba << "/file?sessionId=x"_ba << QByteArray();
    QTest::newRow("get, no session") << "GET"_ba << "/file?path=x"_ba << QByteArray();
    QTest::newRow("delete, no path") << "DELETE"_ba << "/file?sessionId=x"_ba << QByteArray();
    QTest::newRow("list, no session") << "GET"_ba << "/files"_ba << QByteArray();
    QTest::newRow("put, no path") << "POST"_ba << "/file"_ba
                                  << R"({"sessionId":"x","content":""})"_ba;
    QTest::newRow("put, no session")
        << "POST"_ba << "/file"_ba << R"({"path":"x","content":""})"_ba;
    QTest::newRow("put, no content") << "POST"_ba << "/file"_ba
                                     << R"({"path":"x","sessionId":"x"})"_ba;
    QTest::newRow("key, no name") << "POST"_ba << "/auth/keys"_ba << "{}"_ba;
    QTest::newRow("bad session") << "DELETE"_ba << "/session/a,b"_ba << QByteArray();
}

void TestEndpoints::missingParameters()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, body);
    const auto answer = ask(method, target, body);
    QCOMPARE(answer.status, 400);
    QVERIFY(!answer.error().isEmpty());
}

void TestEndpoints::sessions()
{
    const auto id = session("listed");
    QCOMPARE(bash("echo x > kept", id).status, 200);
    QCOMPARE(bash("cat kept", id).json().value(u"stdout"_s), u"x"_s);
    QJsonObject listed;
    for (const auto& each : ask("GET", "/sessions").json().value(u"sessions"_s).toArray()) {
        if (each[u"id"_s].toString().toLatin1() == id)
            listed = each.toObject();
    }
    QCOMPARE(listed.value(u"isActive"_s), false);
    QVERIFY(listed.value(u"lastAccessedAt"_s).toString().endsWith(u'Z'));
    // One runtime a session.
    const auto other = ask("POST", "/execute",
        R"({"request":{"code":"1","runtime":"node"},"sessionId":")" + id + R"("})");
    QCOMPARE(other.status, 409);
    QVERIFY(other.error().contains("Cannot switch runtime from \"bash\" to \"node\""_L1));
    QCOMPARE(ask("DELETE", "/session/" + id).json(), (QJsonObject { { u"ok"_s, true } }));
    QCOMPARE(ask("DELETE", "/session/" + id).json(), (QJsonObject { { u"ok"_s, true } }));
}

void TestEndpoints::cleanUp()
{
    const auto id = session("idle");
    QCOMPARE(bash("true", id).status, 200);
    const auto answer = ask("POST", "/cleanup", "{}");
    QVERIFY2(answer.status == 200, answer.body.constData());
    const auto said = answer.json();
    QCOMPARE(said[u"ok"_s], true);
    QVERIFY(said[u"sessions"_s][u"removed"_s].toInt() >= 1);
    for (const auto& group : { u"sessions"_s, u"containers"_s }) {
        QCOMPARE(said[group][u"failed"_s], 0);
        QVERIFY(said[group][u"errors"_s].toArray().isEmpty());
    }
    QVERIFY(!said.contains(u"images"_s));
    QCOMPARE(ask("GET", "/files?sessionId=" + id).status, 404);
    QCOMPARE(bash("echo fine").json().value(u"stdout"_s), u"fine"_s); // Its image is still there.
    QCOMPARE(ask("POST", "/cleanup").status, 200); // No body at all.
    QCOMPARE(ask("POST", "/cleanup", R"({"images":"yes"})").status, 400);
}

void TestEndpoints::authKeys()
{
    const auto made
        = ask("POST", "/auth/keys", R"({"name":"robot","tenantId":"acme","ttlMs":600000})");
    QVERIFY2(made.status == 201, made.body.constData());
    QVERIFY(made.has("Cache-Control: no-store"));
    const auto key = made.json();
    QCOMPARE(key[u"name"_s], u"robot"_s);
    QCOMPARE(key[u"tenantId"_s], u"acme"_s);
    const auto secret = key[u"key"_s].toString().toLatin1();
    QVERIFY(secret.size() >= 43); // 256 bits.
    const auto created = QDateTime::fromString(key[u"createdAt"_s].toString(), Qt::ISODateWithMs);
    const auto expires = QDateTime::fromString(key[u"expiresAt"_s].toString(), Qt::ISODateWithMs);
    QCOMPARE(created.msecsTo(expires), 600'000);

    // It opens what its holder may use, and nothing of the master's.
    QCOMPARE(ask("GET", "/sessions", {}, secret).status, 200);
    for (const auto& [method, target] : { std::pair { "POST"_ba, "/cleanup"_ba },
             { "POST"_ba, "/auth/keys"_ba }, { "GET"_ba, "/auth/keys"_ba },
             { "DELETE"_ba, "/auth/keys/x"_ba }, { "POST"_ba, "/auth/login"_ba } }) {
        const auto refused = ask(method, target, method == "POST" ? "{}"_ba : QByteArray(), secret);
        QCOMPARE(refused.status, 403);
        QCOMPARE(refused.error(), u"Master key required for this operation"_s);
    }
    const auto id = key[u"id"_s].toString().toLatin1();
    auto listed = ask("GET", "/auth/keys?tenantId=acme");
    QCOMPARE(listed.json().value(u"keys"_s).toArray().size(), 1);
    QVERIFY(!listed.body.contains(secret) && listed.body.contains(id));
    QCOMPARE(ask("GET", "/auth/keys?tenantId=other").json().value(u"keys"_s).toArray().size(), 0);
    QCOMPARE(ask("DELETE", "/auth/keys/" + id).json(),
        (QJsonObject { { u"ok"_s, true }, { u"id"_s, QString::fromLatin1(id) } }));
    QCOMPARE(ask("DELETE", "/auth/keys/" + id).status, 404);
    QCOMPARE(ask("GET", "/sessions", {}, secret).status, 403);
    for (const auto& ttl : { "0", "-1", "1e300", "\"1h\"" })
        QCOMPARE(
            ask("POST", "/auth/keys", "{\"name\":\"x\",\"ttlMs\":"_ba + ttl + "}").status, 400);
}

void TestEndpoints::authLogin()
{
    const auto login = ask("POST", "/auth/login", R"({"ttlMs":60000})");
    QVERIFY2(login.status == 200, login.body.constData());
    const auto token = login.json().value(u"token"_s).toString().toLatin1();
    QVERIFY(
        login.json().value(u"expiresAt"_s).isString() && login.json().value(u"keyId"_s).isString());
    QCOMPARE(ask("POST", "/execute", R"({"request":{"cmd":"echo hi"}})", token)
                 .json()
                 .value(u"stdout"_s),
        u"hi"_s);
    QCOMPARE(ask("POST", "/auth/login").status, 200); // No body at all.
}

void TestEndpoints::runtimes()
{
    const auto answer = ask("GET", "/runtimes");
    QCOMPARE(answer.status, 200);
    const auto array = QJsonDocument::fromJson(answer.body).array();
    QVERIFY(array.size() >= 5);
    const auto python = array.first().toObject();
    QCOMPARE(python[u"name"_s], u"python"_s);
    QCOMPARE(python[u"image"_s], u"isol8:python"_s);
    QCOMPARE(python[u"imageReady"_s], true);
    QVERIFY(python[u"extensions"_s].toArray().contains(u".py"_s));
    QVERIFY(python[u"packages"_s].isArray());
    const auto told = ask("POST", "/execute", R"({"request":{"cmd":"python3 -V"}})").json();
    QCOMPARE(u"Python "_s + python[u"version"_s].toString(), told.value(u"stdout"_s).toString());
    static const QRegularExpression version(uR"(\A\d+\.\d+\.\d+\z)"_s);
    for (const auto& runtime : array) {
        if (runtime[u"imageReady"_s].toBool())
            QVERIFY2(version.match(runtime[u"version"_s].toString()).hasMatch(),
                answer.body.constData());
    }
}

void TestEndpoints::metrics()
{
    const auto answer = ask("GET", "/metrics");
    QCOMPARE(answer.status, 200);
    QVERIFY(answer.head.contains("Content-Type: text/plain"));
    for (const auto* metric : { "isol8_running ", "isol8_queue_depth ", "isol8_sessions " })
        QVERIFY2(answer.body.contains(metric), metric);
    for (const auto& line : answer.body.split('\n')) {
        static const QRegularExpression form(
            uR"(\A(# (HELP|TYPE) \S+ .+|[a-z0-9_]+(\{[^{}]*\})? [0-9.e+-]+|)\z)"_s);
        QVERIFY2(form.match(QString::fromUtf8(line)).hasMatch(), line.constData());
    }
}

void TestEndpoints::openApi()
{
    const QJsonObject document = ask("GET", "/openapi.json").json();
    QVERIFY(document[u"openapi"_s].toString().startsWith("3.1"_L1));
    const auto paths = document[u"paths"_s].toObject();
    for (const auto& route : serve::routes()) {
        const auto path = QString(route.path).replace(":id"_L1, "{id}"_L1);
        const auto method = QString(route.method).toLower();
        QVERIFY2(paths[path].toObject().contains(method), qPrintable(path));
    }
}

void TestEndpoints::pipelined()
{
    // In order, each with its own key; the connection ends where one of them says so.
    RawClient client(m_server->port(),
        rawRequest("POST", "/execute", R"({"request":{"cmd":"echo one"}})")
            + rawRequest("GET", "/sessions", {}, {})
            + rawRequest("POST", "/execute/stream", R"({"request":{"cmd":"echo two"}})")
            + rawRequest("GET", "/health", {}, {})
            + "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            + rawRequest("GET", "/metrics"));
    QVERIFY(client.waitForEnd(patience));
    QCOMPARE(client.answers(), 5);
    QByteArrayList answers;
    for (qsizetype from = 0; from >= 0;) {
        const auto next = client.received.indexOf("HTTP/1.1 ", from + 1);
        answers << client.received.mid(from, next < 0 ? -1 : next - from);
        from = next;
    }
    QCOMPARE(answers.size(), 5);
    const QByteArrayList statuses { "200", "401", "200", "200", "200" };
    for (int i = 0; i < 5; ++i)
        QCOMPARE(answers[i].mid(9, 3), statuses[i]);
    QVERIFY(answers[0].contains(R"("stdout":"one")"));
    QCOMPARE(printed(answers[2]), u"two\n"_s);
    QVERIFY(answers[3].contains(R"("status":"ok")") && answers[4].contains(R"("status":"ok")"));
}

QTEST_GUILESS_MAIN(TestEndpoints)
#include "tst_endpoints_live.moc"
