// SPDX-License-Identifier: MIT
#include "tests/engine/proxy/peer.h"
#include "tests/support/enginefixture.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

ExecutionOptions filtered()
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.isNetworkLogged = true;
    return options;
}

/// A web server on a loopback address of this machine: `/echo` gives the request's body back,
/// `/big?n` that many bytes, anything else "hello".
class WebServer : public QTcpServer {
public:
    explicit WebServer(const QString& address = u"127.0.0.1"_s)
    {
        if (!listen(QHostAddress(address)))
            qFatal("listen");
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (auto* socket = nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, socket, [this, socket] { serve(socket); });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
    }
    [[nodiscard]] QString authority() const
    {
        return u"%1:%2"_s.arg(serverAddress().toString()).arg(serverPort());
    }
    QByteArrayList heads;

private:
    void serve(QTcpSocket* socket)
    {
        const auto bytes = socket->peek(1 << 20);
        const auto end = bytes.indexOf("\r\n\r\n");
        const auto lengthAt = bytes.toLower().indexOf("content-length: ");
        const auto length = lengthAt < 0 ? 0 : bytes.mid(lengthAt + 16, 9).split('\r')[0].toInt();
        if (end < 0 || bytes.size() < end + 4 + length)
            return;
        heads << bytes.first(end);
        const auto target = bytes.split(' ').value(1);
        QByteArray body = "hello";
        if (target == "/echo")
            body = bytes.mid(end + 4);
        else if (target.startsWith("/big?"))
            body = QByteArray(target.mid(5).toLongLong(), 'b');
        socket->readAll();
        socket->write("HTTP/1.1 200 OK\r\nContent-Length: " + QByteArray::number(body.size())
            + "\r\nConnection: close\r\n\r\n" + body);
        socket->disconnectFromHost();
    }
};

} // namespace

/// Filtered networking from within: what programs can reach, and what they cannot.
class TestNetworkFilter : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_fixture = std::make_unique<EngineFixture>(); }
    void cleanupTestCase() { m_fixture.reset(); }
    void cleanup() { QVERIFY(m_fixture->isNothingLeft()); }

    void thereIsNoInterface_data();
    void thereIsNoInterface();
    void containerHasNoNetwork();
    void reachesWhatIsAllowed();
    void refusesThisMachine();
    void listsDecide();
    void refusesBadPatternsBeforeTheRun();
    void unsettingTheProxyWidensNothing();
    void bytesAreCounted();
    void secretsAreMaskedInTheLog();
    void runsDoNotSeeEachOthersRules();
    void connectionsEndWithTheRun();

private:
    std::unique_ptr<EngineFixture> m_fixture;
};

void TestNetworkFilter::thereIsNoInterface_data()
{
    QTest::addColumn<int>("network");
    QTest::newRow("none") << int(NetworkMode::None);
    QTest::newRow("filtered") << int(NetworkMode::Filtered);
}

void TestNetworkFilter::thereIsNoInterface()
{
    QFETCH(int, network);
    auto options = filtered();
    options.network = NetworkMode(network);
    // The program itself checks that it has nothing but `lo` before it tries.
    const auto result = m_fixture->run(Runtime::Python, R"(
import errno, socket, sys
names = [line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]]
print('interfaces', names)
if names != ['lo']:
    sys.exit(3)
for family, kind, address in [
        (socket.AF_INET, socket.SOCK_STREAM, ('1.1.1.1', 80)),
        (socket.AF_INET, socket.SOCK_DGRAM, ('8.8.8.8', 53)),
        (socket.AF_INET6, socket.SOCK_STREAM, ('2606:4700::1111', 443)),
        (socket.AF_INET, socket.SOCK_STREAM, ('169.254.169.254', 80)),
        (socket.AF_INET, socket.SOCK_STREAM, ('172.17.0.1', 22))]:
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(5)
            s.connect(address)
            s.send(b'x')
        print('CONNECTED', address)
    except OSError as e:
        print(errno.errorcode.get(e.errno, e))
try:
    socket.getaddrinfo('example.org', 80)
    print('RESOLVED')
except OSError as e:
    print('no name')
)",
        options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    const auto& output = result->standardOutput;
    QVERIFY2(output.startsWith("interfaces ['lo']\n"), output.constData());
    QCOMPARE(output.count("ENETUNREACH"), 5);
    QVERIFY2(output.endsWith("no name\n"), output.constData());
}

void TestNetworkFilter::containerHasNoNetwork()
{
    auto request = requestOf(Runtime::Bash, "echo ready; read line");
    request.isStdinLive = true;
    const auto run = m_fixture->start(request, filtered());
    QVERIFY(run->waitForOutput("ready"));
    const auto raw = QCoro::waitFor(m_fixture->client().inspectContainerRaw(run->containerId));
    QVERIFY(raw);
    const auto host = raw->value("HostConfig"_L1).toObject();
    QCOMPARE(host.value("NetworkMode"_L1).toString(), u"none"_s);
    for (const auto& capability : host.value("CapAdd"_L1).toArray())
        QVERIFY(!capability.toString().contains("NET"_L1));
    run->run().closeStdin();
    QVERIFY(run->result());
}

void TestNetworkFilter::reachesWhatIsAllowed()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { server.authority() };
    auto request = requestOf(Runtime::Python, R"(
import os, urllib.request
print(os.environ['http_proxy'], os.environ['HTTPS_PROXY'])
url = 'http://' + os.environ['SERVER']
print(urllib.request.urlopen(url + '/x').read())
print(urllib.request.urlopen(url + '/echo', data=b'body').read())
)");
    request.environment[u"SERVER"_s] = server.authority();
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->standardOutput,
        "http://127.0.0.1:8118 http://127.0.0.1:8118\nb'hello'\nb'body'\n"_ba);
    QCOMPARE(result->networkLogs.size(), 2);
    QVERIFY(result->networkLogs.first().isAllowed);
    QCOMPARE(result->networkLogs.first().host, server.authority());
    QVERIFY(result->violations.isEmpty());
    for (const auto& head : server.heads) {
        QVERIFY(head.contains("Host: " + server.authority().toLatin1()));
        QVERIFY(!head.toLower().contains("proxy"));
    }
}

void TestNetworkFilter::refusesThisMachine()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.ports = { server.serverPort() };
    auto request = requestOf(Runtime::Python, R"(
import os, socket
port = os.environ['PORT']
for host in ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]',
             'localhost', 'host.docker.internal', '169.254.169.254', 'metadata.google.internal']:
    for request in [f'CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n',
                    f'GET http://{host}:{port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']:
        with socket.create_connection(('127.0.0.1', 8118)) as s:
            s.sendall(request.encode())
            print(s.recv(12))
)");
    request.environment[u"PORT"_s] = QString::number(server.serverPort());
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->standardOutput.count("b'HTTP/1.1 403'"), 20);
    QVERIFY(server.heads.isEmpty());
    QCOMPARE(result->networkLogs.size(), 20);
    for (const auto& entry : result->networkLogs)
        QVERIFY2(!entry.isAllowed, qPrintable(entry.host));
    QVERIFY(!result->violations.isEmpty());
    QVERIFY(result->violations.first().allowWith.contains(u"network.allowAddresses"_s));
    QCOMPARE(result->networkBytesIn + result->networkBytesOut, 0);
}

void TestNetworkFilter::listsDecide()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { server.authority() };
    options.networkFilter.allow = { u"^127\\."_s };
    options.networkFilter.deny = { u"^127\\.0\\.0\\.1$"_s };
    auto request = requestOf(Runtime::Python, R"(
import os, urllib.request, urllib.error
for host in [os.environ['SERVER'], 'other.test']:
    try:
        urllib.request.urlopen('http://' + host + '/')
    except urllib.error.HTTPError as e:
        print(e.code, e.read().decode(), end='')
)");
    request.environment[u"SERVER"_s] = server.authority();
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QVERIFY2(result->standardOutput.contains("403 isol8: 127.0.0.1 is refused by the pattern"),
        result->standardOutput.constData());
    QVERIFY2(result->standardOutput.contains("--allow-host 'other.test' would allow it"),
        result->standardOutput.constData());
    QVERIFY(server.heads.isEmpty());
    QCOMPARE(result->violations.size(), 2);
}

void TestNetworkFilter::refusesBadPatternsBeforeTheRun()
{
    auto options = filtered();
    options.networkFilter.deny = { u"("_s };
    const auto result = m_fixture->run(Runtime::Bash, "echo ran", options);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Invalid);
    QVERIFY2(result.error().message.contains(u"\"(\""_s), qPrintable(result.error().message));
}

void TestNetworkFilter::unsettingTheProxyWidensNothing()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { server.authority() };
    auto request = requestOf(Runtime::Python, R"(
import os, urllib.request
for name in list(os.environ):
    if 'proxy' in name.lower():
        del os.environ[name]
os.environ['NO_PROXY'] = '*'
try:
    urllib.request.urlopen('http://' + os.environ['SERVER'] + '/', timeout=5)
    print('REACHED')
except OSError as e:
    print('nothing:', e)
)");
    request.environment[u"SERVER"_s] = server.authority();
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QVERIFY2(result->standardOutput.startsWith("nothing:"), result->standardOutput.constData());
    QVERIFY(server.heads.isEmpty());
}

void TestNetworkFilter::bytesAreCounted()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { server.authority() };
    auto request = requestOf(Runtime::Python, R"(
import os, urllib.request
url = 'http://' + os.environ['SERVER']
print(len(urllib.request.urlopen(url + '/big?20000000').read()))
)");
    request.environment[u"SERVER"_s] = server.authority();
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->standardOutput, "20000000\n"_ba);
    QVERIFY(result->networkBytesIn > 20'000'000 && result->networkBytesIn < 20'001'000);
    QVERIFY(result->networkBytesOut > 50 && result->networkBytesOut < 1000);
}

void TestNetworkFilter::secretsAreMaskedInTheLog()
{
    WebServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { server.authority() };
    options.networkFilter.deny = { u"^refused"_s };
    options.secrets[u"TOKEN"_s] = u"hunter2value"_s;
    auto request = requestOf(Runtime::Python, R"(
import os, urllib.request
url = os.environ['SERVER'] + '/x?t=' + os.environ['TOKEN']
urllib.request.urlopen('http://' + url)
try:
    urllib.request.urlopen('http://refused-' + os.environ['TOKEN'] + '.test/')
except OSError:
    pass
)");
    request.environment[u"SERVER"_s] = server.authority();
    const auto result = m_fixture->run(request, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(result->networkLogs.size(), 2);
    QCOMPARE(result->networkLogs[0].path, u"/x?t=***"_s);
    QCOMPARE(result->networkLogs[1].host, u"refused-***.test"_s);
    for (const auto& violation : result->violations)
        QVERIFY2(
            !violation.detail.contains(u"hunter2"_s) && !violation.allowWith.contains(u"hunter2"_s),
            qPrintable(violation.detail));
}

void TestNetworkFilter::runsDoNotSeeEachOthersRules()
{
    // The same sandbox, or one like it: rules, log and open connections are the run's own.
    WebServer server;
    auto request = requestOf(Runtime::Python, R"(
import os, socket
with socket.create_connection(('127.0.0.1', 8118)) as s:
    s.sendall(b'GET http://' + os.environ['SERVER'].encode() + b'/ HTTP/1.1\r\nHost: x\r\n\r\n')
    print(s.recv(12))
)");
    request.environment[u"SERVER"_s] = server.authority();
    auto allowing = filtered();
    allowing.networkFilter.allowAddresses = { server.authority() };
    const auto first = m_fixture->run(request, allowing);
    QVERIFY2(first, first ? "" : qPrintable(first.error().message));
    QCOMPARE(first->standardOutput, "b'HTTP/1.1 200'\n"_ba);
    const auto second = m_fixture->run(request, filtered());
    QVERIFY2(second, second ? "" : qPrintable(second.error().message));
    QCOMPARE(second->standardOutput, "b'HTTP/1.1 403'\n"_ba);
    QCOMPARE(second->networkLogs.size(), 1);
}

void TestNetworkFilter::connectionsEndWithTheRun()
{
    RawServer server;
    auto options = filtered();
    options.networkFilter.allowAddresses = { QString::fromLatin1(server.authority()) };
    auto request = requestOf(Runtime::Python, R"(
import os, socket, sys
s = socket.create_connection(('127.0.0.1', 8118))
s.sendall(b'CONNECT ' + os.environ['SERVER'].encode() + b' HTTP/1.1\r\nHost: x\r\n\r\n')
print(s.recv(12), flush=True)
sys.stdin.readline()
os._exit(0)
)");
    request.environment[u"SERVER"_s] = QString::fromLatin1(server.authority());
    request.isStdinLive = true;
    const auto run = m_fixture->start(request, options);
    QVERIFY(run->waitForOutput("200"));
    QTRY_COMPARE(server.count(), 1);
    QVERIFY(!server.peer(0).isClosed());
    run->run().closeStdin();
    const auto result = run->result();
    QVERIFY(result);
    QTRY_VERIFY(server.peer(0).isClosed() || server.peer(0).hasFinished());
    QCOMPARE(result->networkLogs.size(), 1);
    QVERIFY(result->networkLogs.first().duration.count() > 0);
}

QTEST_GUILESS_MAIN(TestNetworkFilter)
#include "tst_networkfilter.moc"
