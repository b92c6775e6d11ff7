// SPDX-License-Identifier: MIT
#include "tests/engine/proxy/peer.h"

#include <QTest>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;
using namespace Qt::StringLiterals;

namespace {

int statusOf(const QByteArray& answer)
{
    return answer.startsWith("HTTP/1.1 ") ? answer.mid(9, 3).toInt() : 0;
}

QByteArray getRequest(const QByteArray& authority, const QByteArray& path = "/")
{
    return "GET http://" + authority + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

QByteArray connectRequest(const QByteArray& authority)
{
    return "CONNECT " + authority + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

const QByteArray okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

} // namespace

/// What is let through, what is refused, and what is said about it.
class TestFilteredNetwork : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refusesWithAReason_data();
    void refusesWithAReason();
    void everySpellingOfThisMachineIsRefused_data();
    void everySpellingOfThisMachineIsRefused();
    void oddRequestsAreRefused_data();
    void oddRequestsAreRefused();
    void connectsToTheAddressThatWasChecked();
    void refusesNamesThatPointBothWays();
    void judgesEachRequestOfAConnection();
    void judgesPipelinedRequests();
    void smuggledRequestsAreRead();
    void logsDecisions();
    void logIsBoundedAndEscaped();
    void isSilentWhenNotLogged();
    void countsBytes();
    void violationsAreBounded();
    void boundsConnections();
    void endsEverythingWhenDestroyed();
    void refusesBadFilters();
};

void TestFilteredNetwork::refusesWithAReason_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("denied") << getRequest("evil.test") << u"^evil\\.test$"_s
                            << QByteArray("--deny");
    QTest::newRow("denied tunnel")
        << connectRequest("EVIL.test.:443") << u"^evil\\.test$"_s << QByteArray("--deny");
    QTest::newRow("not allowed") << connectRequest("other.example:443") << u"not-allowed"_s
                                 << QByteArray("--allow-host 'other.example'");
    QTest::newRow("port") << connectRequest("good.test:22") << u"port"_s
                          << QByteArray("network.ports");
    QTest::newRow("private") << connectRequest("inside.test:443") << u"private-address"_s
                             << QByteArray("network.allowAddresses: [\"inside.test:443\"]");
    QTest::newRow("literal") << getRequest("10.0.0.1") << u"private-address"_s
                             << QByteArray("network.allowPrivate");
}

void TestFilteredNetwork::refusesWithAReason()
{
    QFETCH(QByteArray, request);
    ProxyFixture fixture;
    fixture.filter = {};
    fixture.filter.deny = { u"^evil\\.test$"_s };
    fixture.filter.allow = { u"\\.test$"_s, u"^10\\."_s };
    fixture.resolver->addresses[u"inside.test"_s] = { QHostAddress(u"10.1.2.3"_s) };
    const auto client = fixture.connect();
    client->write(request);
    QTRY_COMPARE(statusOf(client->received()), 403);
    QTRY_VERIFY(client->received().endsWith('\n'));
    QFETCH(QByteArray, says);
    QVERIFY2(client->received().contains(says), client->received().constData());
    QVERIFY2(!client->received().contains("10.1.2.3"), "where a name points to is not said");
    const auto log = fixture.network().log();
    QCOMPARE(log.size(), 1);
    QVERIFY(!log.first().isAllowed);
    QTEST(log.first().rule, "rule");
    QCOMPARE(fixture.network().violations().size(), 1);
    QVERIFY(fixture.network().violations().first().allowWith.contains(QString::fromLatin1(says)));
    QCOMPARE(fixture.network().bytesIn() + fixture.network().bytesOut(), 0);
}

void TestFilteredNetwork::everySpellingOfThisMachineIsRefused_data()
{
    QTest::addColumn<QByteArray>("host");
    for (const auto* host : { "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0",
             "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1%25lo]",
             "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1",
             "192.168.0.1", "100.64.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16",
             "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "localhost",
             "localhost.", "a.localhost", "ip6-localhost", "metadata.google.internal",
             "host.docker.internal", "rebind.test" })
        QTest::newRow(host) << QByteArray(host);
}

void TestFilteredNetwork::everySpellingOfThisMachineIsRefused()
{
    QFETCH(QByteArray, host);
    RawServer server;
    ProxyFixture fixture;
    fixture.filter = {};
    fixture.filter.ports = { server.serverPort() };
    fixture.resolver->addresses[u"rebind.test"_s] = { QHostAddress(u"127.0.0.1"_s) };
    const auto port = ':' + QByteArray::number(server.serverPort());
    for (const auto& request : { getRequest(host + port), connectRequest(host + port) }) {
        const auto client = fixture.connect();
        client->write(request);
        QTRY_COMPARE(statusOf(client->received()), 403);
    }
    QCOMPARE(fixture.network().log().size(), 2);
    QVERIFY(!fixture.network().log().first().isAllowed);
    QCOMPARE(server.count(), 0);
    // The innocent twin.
    fixture.end();
    fixture.filter.isPrivateAllowed = true;
    const auto client = fixture.connect();
    client->write(getRequest("rebind.test" + port));
    QTRY_COMPARE(server.count(), 1);
}

void TestFilteredNetwork::oddRequestsAreRefused_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const auto row = [](const char* name, const QByteArray& request, int status) {
        QTest::newRow(name) << request << status;
    };
    row("own path", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400);
    row("https", getRequest("a.test").replace("http:", "https:"), 400);
    row("no host", "GET http://a.test/ HTTP/1.1\r\n\r\n", 400);
    row("two hosts", "GET http://a.test/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    row("bare line feed", "GET http://a.test/ HTTP/1.1\nHost: a\n\n", 400);
    row("carriage return in the path", "GET http://a.test/a\rb HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    row("space in the path", "GET http://a.test/a b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    row("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    row("HTTP/0.9", "GET http://a.test/\r\n\r\n", 400);
    row("no HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", 400);
    row("TLS", QByteArray::fromHex("16030100a0010000"), 400);
    row("NUL", QByteArray("GET http://a.test/\0 HTTP/1.1\r\n\r\n", 32), 400);
    row("unknown method", "HACK http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    row("lower case method", "get http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    row("both lengths",
        "POST http://a.test/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400);
    row("long request line",
        "GET http://a.test/" + QByteArray(1 << 20, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431);
    row("long field",
        "GET http://a.test/ HTTP/1.1\r\nHost: a\r\nX: " + QByteArray(1 << 20, 'a') + "\r\n\r\n",
        431);
    row("many fields",
        "GET http://a.test/ HTTP/1.1\r\nHost: a\r\n" + QByteArray("X: y\r\n").repeated(20'000)
            + "\r\n",
        431);
    row("long method", QByteArray(1 << 20, 'A'), 400);
}

void TestFilteredNetwork::oddRequestsAreRefused()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    ProxyFixture fixture;
    const auto client = fixture.connect();
    client->write(request);
    QTRY_COMPARE(statusOf(client->received()), status);
    QVERIFY(client->received().contains("Connection: close\r\n"));
    QTRY_VERIFY(client->hasFinished());
    QVERIFY(fixture.resolver->asked.isEmpty());
}

void TestFilteredNetwork::connectsToTheAddressThatWasChecked()
{
    RawServer server(u"127.0.0.7"_s);
    ProxyFixture fixture;
    fixture.filter = {};
    fixture.filter.allowAddresses = { u"127.0.0.7:%1"_s.arg(server.serverPort()) };
    fixture.resolver->addresses[u"a.test"_s] = { QHostAddress(u"127.0.0.7"_s) };
    const auto client = fixture.connect();
    client->write(getRequest("A.test.:" + QByteArray::number(server.serverPort())));
    QTRY_COMPARE(server.count(), 1);
    QTRY_VERIFY(server.peer(0).received().endsWith("\r\n\r\n"));
    QVERIFY(server.peer(0).received().contains("Host: a.test:"));
    QCOMPARE(fixture.resolver->asked, QStringList { u"a.test"_s }); // Once.
}

void TestFilteredNetwork::refusesNamesThatPointBothWays()
{
    ProxyFixture fixture;
    fixture.filter = {};
    fixture.resolver->addresses[u"both.test"_s]
        = { QHostAddress(u"203.0.113.1"_s), QHostAddress(u"127.0.0.1"_s) };
    const auto client = fixture.connect();
    client->write(connectRequest("both.test:443"));
    QTRY_COMPARE(statusOf(client->received()), 403);
}

void TestFilteredNetwork::judgesEachRequestOfAConnection()
{
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort() };
    fixture.filter.deny = { u"^evil"_s };
    const auto port = ':' + QByteArray::number(server.serverPort());
    for (const auto& name : { u"good.test"_s, u"evil.test"_s })
        fixture.resolver->addresses[name] = { QHostAddress(u"127.0.0.1"_s) };
    const auto client = fixture.connect();
    client->write(getRequest("good.test" + port));
    QTRY_COMPARE(server.count(), 1);
    server.peer(0).write(okAnswer);
    QTRY_VERIFY(client->received().endsWith("ok"));
    (void)client->take();
    client->write(getRequest("evil.test" + port));
    QTRY_COMPARE(statusOf(client->received()), 403);
    QTRY_VERIFY(client->received().endsWith('\n'));
    (void)client->take();
    client->write(getRequest("good.test" + port, "/again"));
    QTRY_COMPARE(server.count(), 2);
    QTRY_VERIFY(server.peer(1).received().startsWith("GET /again HTTP/1.1\r\n"));
    QVERIFY(!client->isClosed());
}

void TestFilteredNetwork::judgesPipelinedRequests()
{
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort() };
    fixture.filter.deny = { u"^evil"_s };
    const auto port = ':' + QByteArray::number(server.serverPort());
    fixture.resolver->addresses[u"good.test"_s] = { QHostAddress(u"127.0.0.1"_s) };
    const auto client = fixture.connect();
    client->write(getRequest("evil.test" + port) + getRequest("good.test" + port, "/1")
        + getRequest("evil.test" + port) + getRequest("good.test" + port, "/2"));
    QTRY_COMPARE(server.count(), 1);
    server.peer(0).write(okAnswer);
    QTRY_COMPARE(server.count(), 2);
    server.peer(1).write(okAnswer);
    QTRY_COMPARE(client->received().count("ok"), 2);
    QCOMPARE(client->received().count("HTTP/1.1 403"), 2);
    QVERIFY(server.peer(0).received().startsWith("GET /1 "));
    QVERIFY(server.peer(1).received().startsWith("GET /2 "));
}

void TestFilteredNetwork::smuggledRequestsAreRead()
{
    // What one reader could take for a body is judged as the request that it is.
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort() };
    fixture.filter.deny = { u"^evil"_s };
    const auto port = ':' + QByteArray::number(server.serverPort());
    fixture.resolver->addresses[u"good.test"_s] = { QHostAddress(u"127.0.0.1"_s) };
    const auto smuggled = getRequest("evil.test" + port);
    const auto client = fixture.connect();
    client->write("POST http://good.test" + port
        + "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: content-length\r\n\r\nbody"
        + smuggled);
    QTRY_COMPARE(server.count(), 1);
    QTRY_VERIFY(server.peer(0).received().endsWith("\r\n\r\nbody"));
    QVERIFY(server.peer(0).received().contains("Content-Length: 4\r\n"));
    server.peer(0).write(okAnswer + okAnswer); // The second belongs to nobody.
    QTRY_VERIFY(client->received().contains("HTTP/1.1 403"));
    QCOMPARE(client->received().count("HTTP/1.1 200"), 1);
    QVERIFY(!server.peer(0).received().contains("evil"));
}

void TestFilteredNetwork::logsDecisions()
{
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort(), 443, 80 };
    fixture.filter.deny = { u"^evil"_s };
    fixture.filter.allow = { u"\\.test$"_s };
    const auto port = ':' + QByteArray::number(server.serverPort());
    fixture.resolver->addresses[u"good.test"_s] = { QHostAddress(u"127.0.0.1"_s) };
    const auto before = QDateTime::currentDateTimeUtc();
    const auto client = fixture.connect();
    client->write(getRequest("GOOD.test" + port, "/a%0d%0ab?\"q\""));
    QTRY_COMPARE(server.count(), 1);
    server.peer(0).write(okAnswer);
    QTRY_VERIFY(client->received().endsWith("ok"));
    client->write(connectRequest("evil.test:443"));
    QTRY_VERIFY(client->received().contains("HTTP/1.1 403"));
    const auto missing = fixture.connect();
    missing->write(getRequest("missing.test", "/"));
    QTRY_COMPARE(statusOf(missing->received()), 502);

    const auto log = fixture.network().log();
    QCOMPARE(log.size(), 3);
    QCOMPARE(log[0].method, u"GET"_s);
    QCOMPARE(log[0].host, u"good.test:%1"_s.arg(server.serverPort()));
    QCOMPARE(log[0].path, u"/a%0d%0ab?\"q\""_s);
    QVERIFY(log[0].isAllowed);
    QCOMPARE(log[0].rule, u"\\.test$"_s);
    QVERIFY(log[0].duration.count() > 0);
    QVERIFY(log[0].timestamp >= before && log[0].timestamp <= QDateTime::currentDateTimeUtc());
    QCOMPARE(log[1].method, u"CONNECT"_s);
    QCOMPARE(log[1].host, u"evil.test"_s);
    QVERIFY(!log[1].path);
    QVERIFY(!log[1].isAllowed);
    QCOMPARE(log[1].rule, u"^evil"_s);
    QCOMPARE(log[2].host, u"missing.test"_s);
    QVERIFY(log[2].isAllowed); // By the rules; the name does not exist.
}

void TestFilteredNetwork::logIsBoundedAndEscaped()
{
    ProxyFixture fixture;
    fixture.filter.deny = { u"."_s };
    const auto client = fixture.connect();
    client->setKeeping(false);
    const auto request = getRequest("evil.test");
    for (int i = 0; i < 20; ++i)
        client->write(request.repeated(100));
    QTRY_COMPARE(fixture.network().log().size(), 1001);
    QTRY_COMPARE(fixture.network().log().last().host, u"… 1000 more"_s);
    QCOMPARE(fixture.network().violations().size(), 1);
}

void TestFilteredNetwork::isSilentWhenNotLogged()
{
    ProxyFixture fixture;
    fixture.settings.isLogged = false;
    fixture.filter.deny = { u"."_s };
    const auto client = fixture.connect();
    client->write(getRequest("evil.test"));
    QTRY_COMPARE(statusOf(client->received()), 403);
    QVERIFY(fixture.network().log().isEmpty());
    QCOMPARE(fixture.network().violations().size(), 1);
}

void TestFilteredNetwork::countsBytes()
{
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort() };
    const auto client = fixture.connect();
    client->write(connectRequest(server.authority()) + "12345");
    QTRY_COMPARE(server.count(), 1);
    QTRY_COMPARE(server.peer(0).received(), QByteArray("12345"));
    server.peer(0).write("1234567");
    QTRY_VERIFY(client->received().endsWith("1234567"));
    QCOMPARE(fixture.network().bytesOut(), 5);
    QCOMPARE(fixture.network().bytesIn(), 7);
}

void TestFilteredNetwork::violationsAreBounded()
{
    ProxyFixture fixture;
    fixture.filter.allow = { u"^only$"_s };
    const auto client = fixture.connect();
    for (int i = 0; i < 100; ++i)
        client->write(getRequest("h" + QByteArray::number(i) + ".test"));
    QTRY_COMPARE(client->received().count("HTTP/1.1 403"), 100);
    const auto violations = fixture.network().violations();
    QCOMPARE(violations.size(), 21);
    QCOMPARE(violations.first().kind, u"network"_s);
    QCOMPARE(violations.first().allowWith, u"--allow-host 'h0.test'"_s);
    QVERIFY(violations.last().detail.contains(u"80 more"_s));
}

void TestFilteredNetwork::boundsConnections()
{
    ProxyFixture fixture;
    fixture.settings.limits.maxConnections = 3;
    std::vector<std::unique_ptr<Peer>> idle;
    for (int i = 0; i < 3; ++i)
        idle.push_back(fixture.connect());
    const auto refused = fixture.connect();
    QTRY_COMPARE(statusOf(refused->received()), 503);
    QTRY_VERIFY(refused->hasFinished());
    std::vector<std::unique_ptr<Peer>> flood;
    for (int i = 0; i < 50; ++i)
        flood.push_back(fixture.connect());
    QTRY_VERIFY(flood.back()->isClosed());
    // A place is free again when one ends.
    flood.clear();
    idle.pop_back();
    const auto hasPlace = [&fixture] {
        const auto client = fixture.connect();
        client->write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        return QTest::qWaitFor([&client] { return statusOf(client->received()) != 0; })
            && statusOf(client->received()) == 400;
    };
    QTRY_VERIFY(hasPlace());
}

void TestFilteredNetwork::endsEverythingWhenDestroyed()
{
    RawServer server;
    ProxyFixture fixture;
    fixture.filter.ports = { server.serverPort() };
    const auto tunnelled = fixture.connect();
    tunnelled->write(connectRequest(server.authority()));
    QTRY_COMPARE(statusOf(tunnelled->received()), 200);
    const auto relayed = fixture.connect();
    relayed->write(getRequest(server.authority()));
    QTRY_COMPARE(server.count(), 2);
    const auto resolving = fixture.connect();
    fixture.resolver->isSilent = true;
    resolving->write(connectRequest("slow.test:" + QByteArray::number(server.serverPort())));
    QTRY_COMPARE(fixture.resolver->asked.size(), 1);
    const auto idle = fixture.connect();
    fixture.end();
    for (const auto* client : { tunnelled.get(), relayed.get(), resolving.get(), idle.get() })
        QTRY_VERIFY(client->isClosed());
    for (int i = 0; i < 2; ++i)
        QTRY_VERIFY(server.peer(i).isCutOff());
}

void TestFilteredNetwork::refusesBadFilters()
{
    NetworkFilter filter;
    filter.allow = { u"("_s };
    const auto network = FilteredNetwork::create(filter);
    QVERIFY(!network);
    QCOMPARE(network.error().kind, Kind::Invalid);
    QVERIFY(network.error().message.contains(u"\"(\""_s));
}

QTEST_GUILESS_MAIN(TestFilteredNetwork)
#include "tst_filterednetwork.moc"
