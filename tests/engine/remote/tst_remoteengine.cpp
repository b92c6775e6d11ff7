// SPDX-License-Identifier: MIT
#include "fakeserver.h"

#include "engine/remote/remoteengine.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

class TestRemoteEngine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void listsSessions();
    void stopsSessions();
    void movesFiles();
    void refusesBadNamesItself();
    void explainsOldServers();
    void logsIn();
    void revokesKeys();
    void endsCallsAtShutdown();
};

namespace {

/// An engine and the server it speaks to.
struct Pair {
    FakeServer server;
    RemoteEngine engine { parseServerAddress(server.url()).value(), u"key"_s };

    void answerAll(int status, const QByteArray& body)
    {
        server.onRequest = [=](QTcpSocket& socket, const FakeRequest&) {
            FakeServer::answer(socket, status, body);
            return true;
        };
    }
};

QJsonObject object(const QByteArray& text)
{
    return QJsonDocument::fromJson(text).object();
}

} // namespace

void TestRemoteEngine::listsSessions()
{
    Pair pair;
    pair.answerAll(200, R"({"sessions":[{"id":"a","isActive":true,"lastAccessedAt":5}]})");
    const auto sessions = QCoro::waitFor(pair.engine.sessions());
    QVERIFY(sessions);
    QCOMPARE(sessions->size(), 1);
    QCOMPARE(sessions->first().id, u"a"_s);
    QCOMPARE(pair.server.requests[0].target, "/sessions");

    pair.answerAll(200, R"({"sessions":7})");
    const auto refused = QCoro::waitFor(pair.engine.sessions());
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Protocol);
}

void TestRemoteEngine::stopsSessions()
{
    Pair pair;
    pair.server.onRequest = [](QTcpSocket& socket, const FakeRequest& request) {
        FakeServer::answer(socket, 200,
            request.verb == "DELETE" ? R"({"ok":true})" : R"({"sessions":[{"id":"a"}]})");
        return true;
    };
    QCOMPARE(QCoro::waitFor(pair.engine.stopSession(u"a"_s)).value(), true);
    QCOMPARE(pair.server.countOf("/session/a"), 1);
    QCOMPARE(QCoro::waitFor(pair.engine.stopSession(u"b"_s)).value(), false);
    QCOMPARE(pair.server.countOf("/session/b"), 1);
}

void TestRemoteEngine::movesFiles()
{
    Pair pair;
    pair.answerAll(200, R"({"ok":true})");
    QVERIFY(QCoro::waitFor(pair.engine.putFile(u"s"_s, u"a b"_s, QByteArray("\0x", 2))));
    auto request = pair.server.requests.takeLast();
    QCOMPARE(request.verb, "POST");
    QCOMPARE(request.target, "/file");
    QCOMPARE(object(request.body),
        (QJsonObject { { u"sessionId"_s, u"s"_s }, { u"path"_s, u"/sandbox/a b"_s },
            { u"content"_s, u"AHg="_s } }));

    QVERIFY(QCoro::waitFor(pair.engine.removeFile(u"s"_s, u"/sandbox/a+b&c"_s)));
    request = pair.server.requests.takeLast();
    QCOMPARE(request.verb, "DELETE");
    QCOMPARE(request.target, "/file?sessionId=s&path=%2Fsandbox%2Fa%2Bb%26c");

    pair.answerAll(200, R"({"content":"AHg="})");
    QCOMPARE(QCoro::waitFor(pair.engine.fetchFile(u"s"_s, u"a"_s)).value(), QByteArray("\0x", 2));
    QCOMPARE(pair.server.requests.takeLast().target, "/file?sessionId=s&path=%2Fsandbox%2Fa");

    pair.answerAll(200, R"({"files":[{"name":"a","size":3}]})");
    const auto files = QCoro::waitFor(pair.engine.listFiles(u"s"_s, u"/sandbox"_s));
    QVERIFY(files);
    QCOMPARE(files->first().sizeBytes, 3);

    pair.answerAll(404, R"({"error":"there is no such file"})");
    const auto missing = QCoro::waitFor(pair.engine.fetchFile(u"s"_s, u"a"_s));
    QCOMPARE(missing.error().kind, Kind::NotFound);
    QCOMPARE(missing.error().message, u"there is no such file"_s);
}

void TestRemoteEngine::refusesBadNamesItself()
{
    Pair pair;
    pair.answerAll(200, R"({"ok":true,"content":"","files":[],"sessions":[]})");
    auto& engine = pair.engine;
    QCOMPARE(QCoro::waitFor(engine.stopSession(u"../x"_s)).error().kind, Kind::Invalid);
    QCOMPARE(QCoro::waitFor(engine.putFile(u"a/b"_s, u"a"_s, {})).error().kind, Kind::Invalid);
    QCOMPARE(QCoro::waitFor(engine.putFile(u"s"_s, u"../a"_s, {})).error().kind, Kind::Invalid);
    QCOMPARE(
        QCoro::waitFor(engine.fetchFile(u"s"_s, u"/etc/passwd"_s)).error().kind, Kind::Invalid);
    QCOMPARE(QCoro::waitFor(engine.listFiles(u""_s, u"a"_s)).error().kind, Kind::Invalid);
    QCOMPARE(QCoro::waitFor(engine.removeFile(u"s"_s, u"/sandbox"_s)).error().kind, Kind::Invalid);
    QVERIFY(pair.server.requests.isEmpty());
}

void TestRemoteEngine::explainsOldServers()
{
    Pair pair;
    pair.answerAll(404, "Not Found");
    const auto files = QCoro::waitFor(pair.engine.listFiles(u"s"_s, u"/sandbox"_s));
    QVERIFY(!files);
    QVERIFY2(files.error().message.contains(u"0.20"_s), qPrintable(files.error().message));
}

void TestRemoteEngine::logsIn()
{
    Pair pair;
    pair.answerAll(200, R"({"token":"t","expiresAt":"2026-01-02T03:04:05Z","keyId":"k"})");
    const auto login = QCoro::waitFor(pair.engine.logIn(u"laptop"_s, 2h));
    QVERIFY(login);
    QCOMPARE(login->token, u"t"_s);
    QCOMPARE(object(pair.server.requests[0].body),
        (QJsonObject { { u"name"_s, u"laptop"_s }, { u"ttlMs"_s, 7'200'000 } }));

    pair.answerAll(200, R"({"token":"t\r\nX: y"})");
    QCOMPARE(QCoro::waitFor(pair.engine.logIn(u"x"_s, 2h)).error().kind, Kind::Protocol);
    pair.answerAll(403, R"({"error":"Master key required for this operation"})");
    const auto refused = QCoro::waitFor(pair.engine.logIn(u"x"_s, 2h));
    QCOMPARE(refused.error().message, u"Master key required for this operation"_s);
}

void TestRemoteEngine::revokesKeys()
{
    Pair pair;
    pair.answerAll(200, R"({"ok":true})");
    QCOMPARE(QCoro::waitFor(pair.engine.revokeKey(u"a/b"_s)).value(), true);
    QCOMPARE(pair.server.requests[0].target, "/auth/keys/a%2Fb");
    pair.answerAll(404, R"({"error":"there is no such key"})");
    QCOMPARE(QCoro::waitFor(pair.engine.revokeKey(u"a"_s)).value(), false);
    pair.answerAll(400, R"({"error":"DB-backed auth is not enabled"})");
    QCOMPARE(QCoro::waitFor(pair.engine.revokeKey(u"a"_s)).error().kind, Kind::Invalid);
}

void TestRemoteEngine::endsCallsAtShutdown()
{
    Pair pair;
    pair.server.onRequest = [&pair](QTcpSocket&, const FakeRequest&) {
        (void)pair.engine.shutdown();
        return true;
    };
    QCOMPARE(QCoro::waitFor(pair.engine.sessions()).error().kind, Kind::Cancelled);
    QVERIFY(QCoro::waitFor(pair.engine.shutdown()));
    QCOMPARE(QCoro::waitFor(pair.engine.sessions()).error().kind, Kind::Cancelled);
}

QTEST_GUILESS_MAIN(TestRemoteEngine)
#include "tst_remoteengine.moc"
