// SPDX-License-Identifier: MIT
#include "fakeserver.h"

#include "engine/remote/connection.h"

#include <QCoroTask>
#include <QTest>

#include <limits>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

class TestConnection : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sendsKeyAndQuery();
    void keepsABadKeyToItself();
    void refusesOtherAnswers_data();
    void refusesOtherAnswers();
    void boundsAnswers_data();
    void boundsAnswers();
    void followsNoRedirect_data();
    void followsNoRedirect();
    void limitsTheTime_data();
    void limitsTheTime();
    void tellsWhenNobodyListens();
    void tellsAClosedConnection();
    void cancelsCalls();
    void endsCallsWithItsOwner();
    void refusesCallsAfterTheEnd();
};

namespace {

std::shared_ptr<Connection> connectionTo(const FakeServer& server, const QString& key = u"key"_s)
{
    return std::make_shared<Connection>(parseServerAddress(server.url()).value(), key);
}

HttpCall get(const QString& path)
{
    HttpCall call;
    call.path = path;
    return call;
}

auto answering(int status, const QByteArray& body,
    const QByteArray& headers = "Content-Type: application/json\r\n")
{
    return [=](QTcpSocket& socket, const FakeRequest&) {
        FakeServer::answer(socket, status, body, headers);
        return true;
    };
}

} // namespace

void TestConnection::sendsKeyAndQuery()
{
    FakeServer server;
    server.onRequest = answering(200, R"({"a":1})");
    auto call = get(u"/file"_s);
    call.query.addQueryItem(u"path"_s, u"%2Fa%20b%26"_s);
    const auto object = QCoro::waitFor(perform(connectionTo(server), call));
    QVERIFY(object);
    QCOMPARE(object->value(u"a"_s).toInt(), 1);
    QCOMPARE(server.requests.size(), 1);
    QCOMPARE(server.requests[0].target, "/file?path=%2Fa%20b%26");
    QCOMPARE(server.requests[0].headers.value("authorization"), "Bearer key");

    call = get(u"/file"_s);
    call.verb = "POST";
    call.body = { { u"x"_s, 1 } };
    QVERIFY(QCoro::waitFor(perform(connectionTo(server), call)));
    QCOMPARE(server.requests[1].body, R"({"x":1})");
    QCOMPARE(server.requests[1].headers.value("content-type"), "application/json");
}

void TestConnection::keepsABadKeyToItself()
{
    FakeServer server;
    server.onRequest = answering(200, "{}");
    const auto connection = connectionTo(server, u"a\r\nX-Evil: 1"_s);
    QVERIFY(QCoro::waitFor(perform(connection, get(u"/health"_s))));
    QVERIFY(!server.requests[0].headers.contains("authorization"));
    QVERIFY(!server.requests[0].headers.contains("x-evil"));
}

void TestConnection::refusesOtherAnswers_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("page") << 200 << QByteArray("<html>Welcome</html>") << Kind::Protocol;
    QTest::newRow("nothing") << 200 << QByteArray() << Kind::Protocol;
    QTest::newRow("list") << 200 << QByteArray("[]") << Kind::Protocol;
    QTest::newRow("twice") << 200 << QByteArray(R"({"a":1,"a":2})") << Kind::Protocol;
    QTest::newRow("deep") << 200 << QByteArray(R"({"a":)") + QByteArray(100'000, '[')
                          << Kind::Protocol;
    QTest::newRow("401") << 401 << QByteArray(R"({"error":"x"})") << Kind::Denied;
    QTest::newRow("500") << 500 << QByteArray(R"({"error":"x"})") << Kind::Internal;
}

void TestConnection::refusesOtherAnswers()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    FakeServer server;
    server.onRequest = answering(status, body);
    const auto object = QCoro::waitFor(perform(connectionTo(server), get(u"/sessions"_s)));
    QVERIFY(!object);
    QTEST(object.error().kind, "kind");
}

void TestConnection::boundsAnswers_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::newRow("10 GB announced") << QByteArray("Content-Length: 10737418240\r\n");
    QTest::newRow("endless") << QByteArray("Connection: close\r\n");
}

void TestConnection::boundsAnswers()
{
    QFETCH(QByteArray, head);
    FakeServer server;
    server.onRequest = [&head](QTcpSocket& socket, const FakeRequest&) {
        socket.write("HTTP/1.1 200 OK\r\n" + head + "\r\n" + QByteArray(2 << 20, 'x'));
        return true;
    };
    auto call = get(u"/file"_s);
    call.maxBytes = 1 << 20;
    const auto object = QCoro::waitFor(perform(connectionTo(server), call));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Limit);
}

void TestConnection::followsNoRedirect_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("location");
    for (const int status : { 301, 302, 303, 307, 308 }) {
        QTest::addRow("%d other server", status) << status << u"%1/sessions"_s;
        QTest::addRow("%d file", status) << status << u"file:///etc/passwd"_s;
        QTest::addRow("%d same server", status) << status << u"/health"_s;
    }
}

void TestConnection::followsNoRedirect()
{
    QFETCH(int, status);
    QFETCH(QString, location);
    FakeServer other;
    if (location.contains(u'%'))
        location = location.arg(other.url());
    FakeServer server;
    server.onRequest = answering(status, {}, "Location: " + location.toLatin1() + "\r\n");
    const auto object = QCoro::waitFor(perform(connectionTo(server), get(u"/sessions"_s)));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Protocol);
    QVERIFY2(object.error().message.contains(location), qPrintable(object.error().message));
    QCOMPARE(server.requests.size(), 1);
    QVERIFY(other.requests.isEmpty());
}

void TestConnection::limitsTheTime_data()
{
    QTest::addColumn<QByteArray>("beginning");
    QTest::newRow("silent") << QByteArray();
    QTest::newRow("half a head") << QByteArray("HTTP/1.1 200 OK\r\nX:");
    QTest::newRow("half a body") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
}

void TestConnection::limitsTheTime()
{
    QFETCH(QByteArray, beginning);
    FakeServer server;
    server.onRequest = [&beginning](QTcpSocket& socket, const FakeRequest&) {
        socket.write(beginning);
        return true;
    };
    auto call = get(u"/sessions"_s);
    call.limit = 200ms;
    const auto object = QCoro::waitFor(perform(connectionTo(server), call));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Timeout);
}

void TestConnection::tellsWhenNobodyListens()
{
    auto server = std::make_unique<FakeServer>();
    const auto connection = connectionTo(*server);
    server.reset();
    const auto object = QCoro::waitFor(perform(connection, get(u"/sessions"_s)));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Unreachable);
    QVERIFY(object.error().message.contains(u"nothing listens"_s));
}

void TestConnection::tellsAClosedConnection()
{
    FakeServer server;
    server.onRequest = [](QTcpSocket& socket, const FakeRequest&) {
        socket.abort();
        return true;
    };
    const auto object = QCoro::waitFor(perform(connectionTo(server), get(u"/sessions"_s)));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Unreachable);
}

void TestConnection::cancelsCalls()
{
    FakeServer server;
    const CancelToken cancel;
    server.onRequest = [&cancel](QTcpSocket&, const FakeRequest&) {
        cancel.cancel();
        return true;
    };
    const auto object = QCoro::waitFor(perform(connectionTo(server), get(u"/sessions"_s), cancel));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Cancelled);
    const auto again = QCoro::waitFor(perform(connectionTo(server), get(u"/sessions"_s), cancel));
    QCOMPARE(again.error().kind, Kind::Cancelled);
    QCOMPARE(server.requests.size(), 1);
}

void TestConnection::endsCallsWithItsOwner()
{
    FakeServer server;
    const auto connection = connectionTo(server);
    server.onRequest = [&connection](QTcpSocket&, const FakeRequest&) {
        connection->close();
        return true;
    };
    const auto object = QCoro::waitFor(perform(connection, get(u"/sessions"_s)));
    QVERIFY(!object);
    QCOMPARE(object.error().kind, Kind::Cancelled);
}

void TestConnection::refusesCallsAfterTheEnd()
{
    FakeServer server;
    const auto connection = connectionTo(server);
    connection->close();
    const auto object = QCoro::waitFor(perform(connection, get(u"/sessions"_s)));
    QCOMPARE(object.error().kind, Kind::Cancelled);
    QVERIFY(server.requests.isEmpty());
}

QTEST_GUILESS_MAIN(TestConnection)
#include "tst_connection.moc"
