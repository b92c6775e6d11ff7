// SPDX-License-Identifier: MIT
#include "tests/abuse/httpabusetest.h"
#include "tests/app/serve/httpclient.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

/// ABUSE.md, section B7, the HTTP server: sessions, files and keys.
class TestAbuseHttpSessions : public HttpAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseHttpSessions> cases[];

    void sessionIds(World& world);
    void session(World& world);
    void manySessions(World& world);
    void leavesWhileQueued(World& world);
    void staysInTheQueue(World& world);
    void deletesWhileRunning(World& world);
    void deletesAfterRunning(World& world);
    void pathsOfFiles(World& world);
    void filesOfASession(World& world);
    void manyOutputPaths(World& world);
    void outputPaths(World& world);
    void foreignSession(World& world);
    void ownSession(World& world);
    void queriesInNames(World& world);
    void ordinaryNames(World& world);
};

const Case<TestAbuseHttpSessions> TestAbuseHttpSessions::cases[] {
    { "HTTP-10", &TestAbuseHttpSessions::sessionIds, &TestAbuseHttpSessions::session },
    { "HTTP-10 many", &TestAbuseHttpSessions::manySessions, &TestAbuseHttpSessions::session },
    { "HTTP-13", &TestAbuseHttpSessions::leavesWhileQueued,
        &TestAbuseHttpSessions::staysInTheQueue },
    { "HTTP-15", &TestAbuseHttpSessions::deletesWhileRunning,
        &TestAbuseHttpSessions::deletesAfterRunning },
    { "HTTP-25", &TestAbuseHttpSessions::pathsOfFiles, &TestAbuseHttpSessions::filesOfASession },
    { "HTTP-27", &TestAbuseHttpSessions::manyOutputPaths, &TestAbuseHttpSessions::outputPaths },
    { "HTTP-28 sessions", &TestAbuseHttpSessions::foreignSession,
        &TestAbuseHttpSessions::ownSession },
    { "HTTP-31", &TestAbuseHttpSessions::queriesInNames, &TestAbuseHttpSessions::ordinaryNames },
};

void TestAbuseHttpSessions::attack_data()
{
    addRows<TestAbuseHttpSessions>(cases);
}

void TestAbuseHttpSessions::attack()
{
    perform<TestAbuseHttpSessions>(this, cases);
}

void TestAbuseHttpSessions::sessionIds(World& world)
{
    for (const auto& id : { u"../../x"_s, u"..%2f"_s, u"\0"_s, u"x"_s.repeated(129), u""_s,
             u"a/b"_s, u"."_s, u".."_s, u"a,b=c"_s, u"😀"_s, u"a\nb"_s, u"a b"_s, u"é"_s }) {
        verifyRefused(executeCall(bash("touch /sandbox/" + world.marker), {}, id));
        const auto encoded = QUrl::toPercentEncoding(id);
        const auto fetched = statusOf("GET", "/file?path=x&sessionId=" + encoded);
        QVERIFY2(fetched == 400, encoded.constData());
        const auto removed = statusOf("DELETE", "/session/" + encoded);
        QVERIFY2(removed == 400 || removed == 404, encoded.constData());
    }
}

void TestAbuseHttpSessions::session(World& world)
{
    for (const auto& id : { world.marker, "-rf"_ba, "__proto__"_ba, "..x"_ba }) {
        QCOMPARE(statusOf("POST", "/execute",
                     executeCall(bash("echo x > kept"), {}, QString::fromLatin1(id))),
            200);
        QCOMPARE(statusOf("GET", "/file?path=kept&sessionId=" + id), 200);
        QCOMPARE(statusOf("DELETE", "/session/" + id), 200);
    }
}

void TestAbuseHttpSessions::manySessions(World& world)
{
    // More of them than the server allows, at the same time; each would be a container.
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 40; ++i)
        clients.push_back(std::make_unique<RawClient>(port(),
            rawRequest("POST", "/execute",
                executeCall(bash("true"), {},
                    QString::fromLatin1(world.marker + '-' + QByteArray::number(i))),
                server().attackerKey())));
    int refused = 0;
    for (const auto& client : clients) {
        QTRY_VERIFY_WITH_TIMEOUT(!client->body().isNull() || client->isClosed, patience);
        QVERIFY(client->status() == 200 || client->status() == 429);
        refused += client->status() == 429 ? 1 : 0;
    }
    QCOMPARE(refused, 20);
    for (int i = 0; i < 40; ++i)
        QCOMPARE(statusOf("DELETE", "/session/" + world.marker + '-' + QByteArray::number(i)), 200);
}

void TestAbuseHttpSessions::leavesWhileQueued(World& world)
{
    // One run holds the session, the others wait for it and leave.
    const auto id = QString::fromLatin1(world.marker);
    RawClient holder(port(),
        rawRequest("POST", "/execute/stream", executeCall(bash("echo up; sleep 600"), {}, id),
            server().attackerKey()));
    QVERIFY(holder.waitFor("up", patience));
    for (int i = 0; i < 20; ++i) {
        RawClient waiting(port(),
            rawRequest("POST", "/execute", executeCall(bash("echo ran >> ran"), {}, id),
                server().attackerKey()));
        QVERIFY(waiting.socket.waitForConnected());
        waiting.socket.flush();
        waiting.socket.waitForBytesWritten();
        waiting.socket.abort();
    }
    holder.socket.abort();
    const auto after = ask("POST", "/execute", executeCall(bash("cat ran 2>&1"), {}, id));
    QVERIFY2(after->body().contains("No such file"), after->received.constData());
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
}

void TestAbuseHttpSessions::staysInTheQueue(World& world)
{
    const auto id = QString::fromLatin1(world.marker);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 5; ++i)
        clients.push_back(std::make_unique<RawClient>(port(),
            rawRequest("POST", "/execute",
                executeCall(bash("echo ran >> ran; wc -l < ran"), {}, id),
                server().attackerKey())));
    QStringList counted;
    for (const auto& client : clients) {
        QTRY_VERIFY_WITH_TIMEOUT(!client->body().isNull(), patience);
        counted << QJsonDocument::fromJson(client->body())[u"stdout"_s].toString();
    }
    counted.sort();
    QCOMPARE(counted, (QStringList { u"1"_s, u"2"_s, u"3"_s, u"4"_s, u"5"_s }));
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
}

void TestAbuseHttpSessions::deletesWhileRunning(World& world)
{
    const auto id = QString::fromLatin1(world.marker);
    RawClient running(port(),
        rawRequest("POST", "/execute/stream",
            executeCall(bash("echo up; exec -a " + world.marker + " sleep 600"), {}, id),
            server().attackerKey()));
    QVERIFY(running.waitFor("up", patience));
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
    QVERIFY(running.waitFor(R"("type":"exit")", patience));
    QVERIFY2(running.received.contains(R"("data":"137")"), running.received.constData());
    // The id is free, also for another runtime.
    QCOMPARE(
        statusOf("POST", "/execute",
            executeCall({ { u"code"_s, u"print(1)"_s }, { u"runtime"_s, u"python"_s } }, {}, id)),
        200);
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
}

void TestAbuseHttpSessions::deletesAfterRunning(World& world)
{
    QCOMPARE(statusOf("POST", "/execute",
                 executeCall(bash("true"), {}, QString::fromLatin1(world.marker))),
        200);
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
    QCOMPARE(statusOf("GET", "/files?sessionId=" + world.marker), 404);
}

void TestAbuseHttpSessions::pathsOfFiles(World& world)
{
    const auto id = world.marker;
    QCOMPARE(statusOf("POST", "/execute",
                 executeCall(bash("echo x > file; ln -s /etc/passwd link; ln -s / root"), {},
                     QString::fromLatin1(id))),
        200);
    for (const auto* path :
        { "/sandbox/../etc/passwd", "/etc/passwd", "../etc/passwd", "/sandbox//../x", "a%00b",
            "a%0Ab", "%FF", "%C0%AF", "link", "root/etc/passwd", "file/x", "missing" }) {
        const auto where = "/file?sessionId=" + id + "&path=" + path;
        for (const auto* method : { "GET", "DELETE" }) {
            // A link itself may be removed; what it leads to is never touched.
            if (qstrcmp(path, "link") == 0 && qstrcmp(method, "DELETE") == 0)
                continue;
            const auto answer = ask(method, where);
            QVERIFY2(answer->status() == 400 || answer->status() == 403 || answer->status() == 404
                    || answer->status() == 409,
                (path + answer->received).constData());
            QVERIFY(!answer->received.contains("root:"));
        }
    }
    QCOMPARE(statusOf("GET", "/file?sessionId=" + id + "&path=" + QByteArray(5'000, 'x')), 400);
    for (const auto* content : { R"("not base64!")", "1", "null" })
        QCOMPARE(statusOf("POST", "/file",
                     R"({"sessionId":")" + id + R"(","path":"x","content":)" + content + "}"),
            400);
    QCOMPARE(statusOf("POST", "/file", R"({"sessionId":")" + id + R"(","path":"x"})"), 400);
    QCOMPARE(statusOf("DELETE", "/session/" + id), 200);
}

void TestAbuseHttpSessions::filesOfASession(World& world)
{
    const auto id = world.marker;
    QCOMPARE(statusOf("POST", "/execute",
                 executeCall(bash("printf x > $'a\\nb\"c'; printf x > $'\\xff'; mkdir d"), {},
                     QString::fromLatin1(id))),
        200);
    const auto listing = ask("GET", "/files?sessionId=" + id);
    QCOMPARE(listing->status(), 200);
    const auto files = QJsonDocument::fromJson(listing->body())[u"files"_s].toArray();
    QStringList names;
    for (const auto& file : files)
        names << file[u"name"_s].toString();
    QVERIFY(names.contains(u"a\nb\"c"_s));
    QCOMPARE(statusOf("POST", "/file",
                 R"({"sessionId":")" + id + R"(","path":"d/e/f","content":"eA=="})"),
        200);
    QCOMPARE(statusOf("GET", "/file?sessionId=" + id + "&path=d/e/f"), 200);
    QCOMPARE(statusOf("DELETE", "/session/" + id), 200);
}

void TestAbuseHttpSessions::manyOutputPaths(World&)
{
    QJsonArray paths;
    for (int i = 0; i < 10'000; ++i)
        paths << u"missing/%1"_s.arg(i);
    auto request = bash("true");
    request.insert(u"outputPaths"_s, paths);
    auto answer = ask("POST", "/execute", executeCall(request));
    QVERIFY2(
        answer->status() == 200 || answer->status() == 400, answer->received.left(500).constData());
    if (answer->status() == 200)
        QCOMPARE(
            QJsonDocument::fromJson(answer->body())[u"missingFiles"_s].toArray().size(), 10'000);

    request = bash("mkdir d; truncate -s 1P huge");
    request.insert(u"outputPaths"_s, QJsonArray { u"d"_s, u"/etc/passwd"_s });
    verifyRefused(executeCall(request)); // Outside of the sandbox.
    request.insert(u"outputPaths"_s, QJsonArray { u"d"_s, u"d"_s, u"huge"_s, u"missing"_s });
    answer = ask("POST", "/execute", executeCall(request));
    QCOMPARE(answer->status(), 200);
    const auto result = QJsonDocument::fromJson(answer->body());
    QCOMPARE(result[u"files"_s].toObject().size(), 0);
    QVERIFY(result[u"missingFiles"_s].toArray().size() >= 3);
}

void TestAbuseHttpSessions::outputPaths(World&)
{
    auto request = bash("mkdir d; echo x > d/x; echo y > y");
    request.insert(u"outputPaths"_s, QJsonArray { u"d/x"_s, u"/sandbox/y"_s, u"y"_s });
    const auto answer = ask("POST", "/execute", executeCall(request));
    QCOMPARE(answer->status(), 200);
    const auto files = QJsonDocument::fromJson(answer->body())[u"files"_s].toObject();
    QCOMPARE(files[u"d/x"_s], u"eAo="_s);
}

void TestAbuseHttpSessions::foreignSession(World& world)
{
    // The neighbour's session, its files and its execution, asked for by their names.
    auto& neighbour = server().neighbour();
    const auto id = QString::fromLatin1(world.marker);
    auto request = requestOf(Runtime::Bash, "echo private > kept");
    WatchedRun run(neighbour.start(request, {}, id));
    const auto result = run.result();
    QVERIFY(result);
    const auto execution = result->executionId.toLatin1();
    QCOMPARE(statusOf("GET", "/file?path=kept&sessionId=" + world.marker), 404);
    QCOMPARE(statusOf("GET", "/files?sessionId=" + world.marker), 404);
    QCOMPARE(statusOf("DELETE", "/file?path=kept&sessionId=" + world.marker), 404);
    QCOMPARE(statusOf("GET", "/executions/" + execution), 404);
    QCOMPARE(statusOf("POST", "/executions/" + execution + "/cancel"), 404);
    QVERIFY(!ask("GET", "/sessions")->received.contains(world.marker));
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200); // One's own, which is none.
    const auto content = QCoro::waitFor(neighbour.fetchFile(id, u"kept"_s));
    QVERIFY2(content, content ? "" : qPrintable(content.error().message));
    QCOMPARE(*content, "private\n"_ba);
    QVERIFY(QCoro::waitFor(neighbour.stopSession(id)));
}

void TestAbuseHttpSessions::ownSession(World& world)
{
    const auto made = ask("POST", "/execute",
        executeCall(bash("echo x > kept"), {}, QString::fromLatin1(world.marker)));
    const auto execution
        = QJsonDocument::fromJson(made->body())[u"executionId"_s].toString().toLatin1();
    QCOMPARE(statusOf("GET", "/executions/" + execution), 200);
    QCOMPARE(statusOf("GET", "/file?path=kept&sessionId=" + world.marker), 200);
    QVERIFY(ask("GET", "/sessions")->received.contains(world.marker));
    QCOMPARE(statusOf("DELETE", "/session/" + world.marker), 200);
}

void TestAbuseHttpSessions::queriesInNames(World&)
{
    HttpClient master(port(), "Bearer master");
    for (const auto& name : { u"'; DROP TABLE keys; --"_s, u"\" OR 1=1"_s, u"%"_s, u"\\"_s,
             u"a\0b"_s, u"x"_s.repeated(100'000) }) {
        const auto made
            = master.post(u"/auth/keys"_s, { { u"name"_s, name }, { u"tenantId"_s, name } });
        QVERIFY(made.status == 201 || made.status == 400);
        if (made.status == 201) {
            QCOMPARE(made.json().value(u"name"_s), name);
            QCOMPARE(master.remove(u"/auth/keys/"_s + made.json().value(u"id"_s).toString()).status,
                200);
        }
    }
    for (const auto& ttl :
        { QJsonValue(0), QJsonValue(-1), QJsonValue(1e300), QJsonValue(u"1h"_s) })
        QCOMPARE(
            master.post(u"/auth/keys"_s, { { u"name"_s, u"x"_s }, { u"ttlMs"_s, ttl } }).status,
            400);
    // Nobody's key got lost, and no other came in.
    QCOMPARE(statusOf("GET", "/sessions"), 200);
    QCOMPARE(master.get(u"/auth/keys"_s).json().value(u"keys"_s).toArray().size(), 2);
}

void TestAbuseHttpSessions::ordinaryNames(World&)
{
    HttpClient master(port(), "Bearer master");
    const auto made = master.post(u"/auth/keys"_s,
        { { u"name"_s, u"Zoë's laptop"_s }, { u"tenantId"_s, u"acme"_s }, { u"ttlMs"_s, 60'000 } });
    QCOMPARE(made.status, 201);
    HttpClient holder(port(), "Bearer " + made.json().value(u"key"_s).toString().toLatin1());
    QCOMPARE(holder.get(u"/sessions"_s).status, 200);
    QCOMPARE(master.remove(u"/auth/keys/"_s + made.json().value(u"id"_s).toString()).status, 200);
    QCOMPARE(holder.get(u"/sessions"_s).status, 403);
}

QTEST_GUILESS_MAIN(TestAbuseHttpSessions)
#include "tst_abuse_httpsessions.moc"
