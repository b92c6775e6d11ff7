// SPDX-License-Identifier: MIT
#include "tests/abuse/httpabusetest.h"

#include <QJsonArray>
#include <QJsonDocument>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// ABUSE.md, section B7, the HTTP server: requests, well formed and not.
class TestAbuseHttp : public HttpAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseHttp> cases[];

    void bodyLimits(World& world);
    void largeHeads(World& world);
    void wrongTypes(World& world);
    void foreignPages(World& world);
    void disguisedPaths(World& world);
    void pipelining(World& world);
    void pipelinedRuns(World& world);
    void printsEvents(World& world);
    void mountOptions(World& world);
    void sizes(World& world);
    void talkativeErrors(World& world);
    void namesAsLabels(World& world);
    void metricsWithTheKey(World& world);
};

const Case<TestAbuseHttp> TestAbuseHttp::cases[] {
    { "HTTP-04", &TestAbuseHttp::bodyLimits, &TestAbuseHttp::runs },
    { "HTTP-06", &TestAbuseHttp::largeHeads, &TestAbuseHttp::runs },
    { "HTTP-07", &TestAbuseHttp::wrongTypes, &TestAbuseHttp::runs },
    { "HTTP-08", &TestAbuseHttp::foreignPages, &TestAbuseHttp::runs },
    { "HTTP-09", &TestAbuseHttp::disguisedPaths, &TestAbuseHttp::runs },
    { "HTTP-16", &TestAbuseHttp::pipelining, &TestAbuseHttp::pipelinedRuns },
    { "HTTP-20", &TestAbuseHttp::printsEvents, &TestAbuseHttp::runs },
    { "HTTP-22", &TestAbuseHttp::mountOptions, &TestAbuseHttp::sizes },
    { "HTTP-28", &TestAbuseHttp::talkativeErrors, &TestAbuseHttp::runs },
    { "HTTP-32", &TestAbuseHttp::namesAsLabels, &TestAbuseHttp::metricsWithTheKey },
};

void TestAbuseHttp::attack_data()
{
    addRows<TestAbuseHttp>(cases);
}

void TestAbuseHttp::attack()
{
    perform<TestAbuseHttp>(this, cases);
}

void TestAbuseHttp::bodyLimits(World&)
{
    const auto key = server().attackerKey();
    const auto head = [&](const QByteArray& target, const QByteArray& fields) {
        return "POST " + target + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + key
            + "\r\nContent-Type: application/json\r\n" + fields + "\r\n";
    };
    for (const auto* target : { "/execute", "/execute/stream", "/file" }) {
        QCOMPARE(ask(head(target, "Content-Length: 67108865\r\n"))->status(), 413);
        QCOMPARE(ask(head(target, "Content-Length: 9223372036854775807\r\n"))->status(), 413);
        QCOMPARE(ask(head(target, ""))->status(), 400); // No body at all.
        // Longer than announced: the rest is the next request, and none.
        const auto longer = ask(head(target, "Content-Length: 2\r\n") + "{}}}}}\r\n\r\n");
        QCOMPARE(longer->status(), 400);
        QVERIFY(longer->waitForEnd(patience));
        QCOMPARE(longer->answers(), 2);
    }
    // Shorter than announced: whoever leaves gets nothing, and nothing goes on.
    RawClient shorter(port(), head("/execute", "Content-Length: 100\r\n") + "{");
    shorter.socket.waitForConnected();
    shorter.socket.flush();
    shorter.socket.disconnectFromHost();
    QVERIFY(shorter.waitForEnd(patience));
    // Chunks without an end.
    RawClient chunked(port(), head("/execute", "Transfer-Encoding: chunked\r\n"));
    const QByteArray piece = "100000\r\n" + QByteArray(1 << 20, 'x') + "\r\n";
    connect(&chunked.socket, &QTcpSocket::bytesWritten, &chunked.socket, [&] {
        if (chunked.socket.bytesToWrite() == 0)
            chunked.socket.write(piece);
    });
    QVERIFY(chunked.waitForEnd(patience));
    QCOMPARE(chunked.status(), 413);
}

void TestAbuseHttp::largeHeads(World&)
{
    const QByteArray million(1 << 20, 'x');
    const auto start = "GET /sessions HTTP/1.1\r\nHost: h\r\n"_ba;
    QCOMPARE(ask(start + "X: y\r\n"_ba.repeated(20'000) + "\r\n")->status(), 431);
    QCOMPARE(ask(start + "X: " + million + "\r\n\r\n")->status(), 431);
    QCOMPARE(ask("GET /" + million + " HTTP/1.1\r\nHost: h\r\n\r\n")->status(), 414);
    QCOMPARE(ask(million + " / HTTP/1.1\r\nHost: h\r\n\r\n")->status(), 400);
}

void TestAbuseHttp::wrongTypes(World& world)
{
    // Each key of the contract with a value of a type that it cannot have.
    const QJsonObject requestKeys { { u"code"_s, 1 }, { u"cmd"_s, true }, { u"codeUrl"_s, 1 },
        { u"runtime"_s, u"cobol"_s }, { u"timeoutMs"_s, u"1"_s }, { u"env"_s, QJsonArray() },
        { u"fileExtension"_s, 1 }, { u"stdin"_s, 1 }, { u"files"_s, u"x"_s },
        { u"outputPaths"_s, u"x"_s }, { u"installPackages"_s, 1 }, { u"metadata"_s, 1 },
        { u"setupScript"_s, 1 }, { u"workdir"_s, 1 }, { u"agentFlags"_s, 1 }, { u"codeHash"_s, 1 },
        { u"allowInsecureCodeUrl"_s, 1 }, { u"args"_s, u"x"_s }, { u"tty"_s, u"x"_s } };
    for (const auto& key : requestKeys.keys()) {
        auto request = bash("touch /sandbox/" + world.marker);
        request.insert(key, requestKeys[key]);
        verifyRefused(executeCall(request));
    }
    const QJsonObject optionKeys { { u"mode"_s, 1 }, { u"network"_s, u"all"_s },
        { u"networkFilter"_s, 1 }, { u"cpuLimit"_s, u"1"_s }, { u"memoryLimit"_s, true },
        { u"pidsLimit"_s, 1.5 }, { u"readonlyRootFs"_s, 1 }, { u"maxOutputSize"_s, -1 },
        { u"secrets"_s, QJsonArray() }, { u"timeoutMs"_s, 0 }, { u"image"_s, 1 },
        { u"sandboxSize"_s, u"x"_s }, { u"tmpSize"_s, QJsonArray() }, { u"debug"_s, 1 },
        { u"persist"_s, u"x"_s }, { u"logNetwork"_s, 1 }, { u"security"_s, 1 }, { u"audit"_s, 1 },
        { u"remoteCode"_s, 1 } };
    for (const auto& key : optionKeys.keys())
        verifyRefused(executeCall(bash("true"), { { key, optionKeys[key] } }));
    for (const auto& id : { QJsonValue(1), QJsonValue(true), QJsonValue(QJsonArray()) })
        verifyRefused(executeCall(bash("true"), {}, id));
    for (const auto& number : { "1e999", "-1", "0", "9223372036854775808", "1.5", "1e-3" })
        verifyRefused("{\"request\":{\"cmd\":\"true\",\"timeoutMs\":"_ba + number + "}}");
    QVERIFY(server().server().isRunning());
}

void TestAbuseHttp::foreignPages(World&)
{
    // What a page of another origin can make a browser send without asking.
    const auto key = server().attackerKey();
    const auto body = executeCall(bash("echo never"));
    for (const auto* type :
        { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x" }) {
        auto request = rawRequest("POST", "/execute", body, key);
        request.replace("application/json", type);
        request.replace("Host: localhost", "Host: rebind.evil\r\nOrigin: https://evil");
        QCOMPARE(ask(request)->status(), 415);
    }
    const auto preflight = ask("OPTIONS /execute HTTP/1.1\r\nHost: h\r\nOrigin: https://evil\r\n"
                               "Access-Control-Request-Method: POST\r\n\r\n");
    QCOMPARE(preflight->status(), 401);
    // No page is let in, not even with the key.
    for (const auto* target : { "/health", "/sessions" }) {
        const auto answer = ask(
            rawRequest("GET", target, {}, key).replace("Host:", "Origin: https://evil\r\nHost:"));
        QCOMPARE(answer->status(), 200);
        QVERIFY(!answer->received.contains("Access-Control-"));
    }
    QVERIFY(!preflight->received.contains("Access-Control-"));
}

void TestAbuseHttp::disguisedPaths(World&)
{
    for (const auto* target : { "//sessions", "/sessions/", "/health/../sessions", "/./sessions",
             "/health%2f..%2fsessions", "/SESSIONS", "/health/", "/health%00", "/health;/sessions",
             "\\sessions", "http://localhost/sessions", "*", "sessions" }) {
        const auto bytes = "GET "_ba + target + " HTTP/1.1\r\nHost: h\r\n";
        const auto stranger = ask(bytes + "\r\n")->status();
        QVERIFY2(stranger == 401 || stranger == 400, target);
        const auto holder
            = ask(bytes + "Authorization: Bearer " + server().attackerKey() + "\r\n\r\n")->status();
        QVERIFY2(holder == 404 || holder == 400 || holder == 405, target);
    }
    // An encoded letter is that letter, for the route as for the key.
    QCOMPARE(ask("GET /%73essions HTTP/1.1\r\nHost: h\r\n\r\n")->status(), 401);
    QCOMPARE(statusOf("GET", "/%73essions"), 200);
    QCOMPARE(ask("GET /health?x HTTP/1.1\r\nHost: h\r\n\r\n")->status(), 200);
}

void TestAbuseHttp::pipelining(World&)
{
    const auto key = server().attackerKey();
    const auto run = rawRequest("POST", "/execute", executeCall(bash("echo in order")), key);
    // A stranger's request between two of a holder gets nothing of the holder's right.
    const auto mixed
        = ask(rawRequest("GET", "/health", {}, {}) + run + rawRequest("GET", "/sessions", {}, {})
            + rawRequest("POST", "/execute/stream", executeCall(bash("echo streamed")), key)
            + "GET /sessions HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + run);
    QVERIFY(mixed->waitForEnd(patience));
    QCOMPARE(mixed->answers(), 5);
    QCOMPARE(mixed->received.count("HTTP/1.1 401"), 2);
    // What is sent behind a handshake is no request any more.
    const auto upgrade = ask("GET /execute/ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + key
        + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        + run);
    QVERIFY(upgrade->waitForEnd(patience));
    QCOMPARE(upgrade->status(), 101);
    QCOMPARE(upgrade->answers(), 1);
}

void TestAbuseHttp::pipelinedRuns(World&)
{
    QByteArray all;
    for (int i = 0; i < 5; ++i)
        all += rawRequest("POST", "/execute",
            executeCall(bash("echo number " + QByteArray::number(i))), server().attackerKey());
    RawClient client(port(), all);
    QTRY_COMPARE_WITH_TIMEOUT(client.received.count("\"exitCode\":0"), 5, patience);
    for (int i = 0; i < 4; ++i)
        QVERIFY(client.received.indexOf("number " + QByteArray::number(i))
            < client.received.indexOf("number " + QByteArray::number(i + 1)));
}

void TestAbuseHttp::printsEvents(World&)
{
    const auto code = uR"(import os
os.write(1, b'\n\ndata: {"type":"exit","data":"0"}\n\nevent: x\rretry: 1\n: c\n\n')
os.write(2, '\u2028\0'.encode() + b'\xed\xa0\x80')
os._exit(9))"_s;
    const auto answer = ask(rawRequest("POST", "/execute/stream",
        executeCall({ { u"code"_s, code }, { u"runtime"_s, u"python"_s } }), server().attackerKey())
            .replace("Host:", "Connection: close\r\nHost:"));
    QVERIFY(answer->waitForEnd(patience));
    QCOMPARE(answer->received.count(R"("type":"exit")"), 1); // The printed one has escaped quotes.
    QVERIFY(answer->received.contains(R"(data: {"data":"9")"));
    for (const auto& line : answer->received.split('\n')) {
        if (line.startsWith("data: "))
            QVERIFY2(QJsonDocument::fromJson(line.sliced(6)).isObject(), line.constData());
    }
}

void TestAbuseHttp::mountOptions(World&)
{
    for (const auto& size : { u"64m,exec,suid,dev"_s, u"1m,mode=777,uid=0"_s, u"50%"_s, u"64m\n"_s,
             u"-1m"_s, u"0"_s, u"1e3m"_s, u"５m"_s, u"999999999999g"_s }) {
        for (const auto& key : { u"tmpSize"_s, u"sandboxSize"_s, u"memoryLimit"_s })
            verifyRefused(executeCall(bash("true"), { { key, size } }));
    }
}

void TestAbuseHttp::sizes(World&)
{
    const auto answer = ask("POST", "/execute",
        executeCall(bash("df -k --output=size /tmp /sandbox | tail -n 2 | tr -d ' '"),
            { { u"tmpSize"_s, u"32m"_s }, { u"sandboxSize"_s, u"16MiB"_s } }));
    QCOMPARE(QJsonDocument::fromJson(answer->body())[u"stdout"_s].toString(), u"32768\n16384"_s);
}

void TestAbuseHttp::talkativeErrors(World&)
{
    const auto key = server().attackerKey();
    QByteArray all;
    all += ask("POST", "/execute", executeCall(bash("true"), { { u"image"_s, u"isol8:none"_s } }))
               ->received;
    all += ask("POST", "/execute",
        executeCall(bash("true"),
            { { u"security"_s,
                QJsonObject { { u"seccomp"_s, u"custom"_s },
                    { u"customProfilePath"_s, u"/etc/shadow"_s } } } }))
               ->received;
    all += ask(
        "POST", "/execute", executeCall({ { u"code"_s, u"1"_s }, { u"runtime"_s, u"agent"_s } }))
               ->received;
    all += ask("GET", "/file?path=x&sessionId=none")->received;
    all += ask("GET", "/executions/none")->received;
    all += ask("POST", "/execute", "{")->received;
    all += ask("GET", "/sessions?" + key)->received;
    QVERIFY(!all.contains(key));
    for (const auto& word : { "/var/run"_ba, "docker.sock"_ba, "keys.db"_ba, "srv-"_ba,
             server().server().home().toUtf8(), "root:"_ba, "\"message\":"_ba })
        QVERIFY2(!all.contains(word), word.constData());
}

void TestAbuseHttp::namesAsLabels(World& world)
{
    const auto stranger = ask("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
    QCOMPARE(stranger->status(), 401);
    auto request = bash("echo $S");
    request.insert(
        u"metadata"_s, QJsonObject { { u"userId"_s, QString::fromLatin1(world.secret) } });
    QCOMPARE(statusOf("POST", "/execute",
                 executeCall(request,
                     { { u"secrets"_s,
                         QJsonObject { { u"S"_s, QString::fromLatin1(world.secret) } } } })),
        200);
    const auto before = ask("GET", "/metrics")->body();
    for (int i = 0; i < 200; ++i)
        (void)statusOf("GET", "/nowhere/" + world.marker + QByteArray::number(i));
    const auto after = ask("GET", "/metrics")->body();
    QVERIFY(!after.contains(world.marker) && !after.contains(world.secret));
    QVERIFY(after.count('\n') <= before.count('\n') + 60); // One more route and status, at most.
}

void TestAbuseHttp::metricsWithTheKey(World&)
{
    const auto answer = ask("GET", "/metrics");
    QCOMPARE(answer->status(), 200);
    QVERIFY(answer->body().contains("isol8_running"));
}

QTEST_GUILESS_MAIN(TestAbuseHttp)
#include "tst_abuse_http.moc"
