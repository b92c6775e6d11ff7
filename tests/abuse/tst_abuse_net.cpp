// SPDX-License-Identifier: MIT
#include "tests/abuse/abusetest.h"
#include "tests/app/serve/httpclient.h"
#include "tests/support/localserver.h"

#include <QJsonArray>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// What the programs of the cases begin with: `ask` sends raw bytes to the proxy and gives the
/// status of the answer, 0 for none.
constexpr auto prelude = R"(
import errno, os, socket, sys
def dial():
    s = socket.create_connection(('127.0.0.1', 8118))
    s.settimeout(30)
    return s
def ask(request):
    s = dial()
    s.sendall(request if isinstance(request, bytes) else request.encode())
    answer = b''
    try:
        while b'\r\n\r\n' not in answer:
            piece = s.recv(65536)
            if not piece: break
            answer += piece
    except ConnectionResetError:
        pass
    s.close()
    return int(answer.split(b' ')[1]) if answer.startswith(b'HTTP/') else 0
def get(url):
    return ask(f'GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
def connect(target):
    return ask(f'CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n')
bad = []
def expect(what, got, *allowed):
    if got not in allowed: bad.append((what, got))
)";
constexpr auto ending = "\nprint('BAD', bad) if bad else print('ok')\n";

} // namespace

/// ABUSE.md, section B6, the network: programs against the filter of their own sandbox. The only
/// servers are the test's, on loopback, behind an exception; names are refused before they are
/// resolved. How the proxy itself reads requests is tested in tests/engine/proxy.
class TestAbuseNet : public AbuseTest {
    Q_OBJECT

public:
    TestAbuseNet();

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseNet> cases[];

    void bypass(World& world);
    void badPatterns(World& world);
    void spellings(World& world);
    void authorities(World& world);
    void literals(World& world);
    void ports(World& world);
    void fronting(World& world);
    void injections(World& world);
    void malformedHosts(World& world);
    void badUpstreams(World& world);
    void idleConnections(World& world);
    void largeHeads(World& world);
    void flood(World& world);
    void thePort(World& world);
    void thePortInNone(World& world);
    void noProxy(World& world);
    void operatorsLists(World& world);
    void secretInTheLog(World& world);
    void reachesItsServer(World& world);

    [[nodiscard]] EngineFixture& fixture()
    {
        return static_cast<EngineSubject&>(subject()).fixture();
    }
    [[nodiscard]] ExecutionOptions options() const;
    /// Runs @p code in Python, and fails unless it prints ok.
    void passes(const QByteArray& code, const ExecutionOptions& options);

    LocalServer m_server;
};

const Case<TestAbuseNet> TestAbuseNet::cases[] {
    { "NET-01", &TestAbuseNet::bypass, &TestAbuseNet::reachesItsServer },
    { "NET-02", &TestAbuseNet::badPatterns, &TestAbuseNet::reachesItsServer },
    { "NET-04", &TestAbuseNet::spellings, &TestAbuseNet::reachesItsServer },
    { "NET-06", &TestAbuseNet::authorities, &TestAbuseNet::reachesItsServer },
    { "NET-07", &TestAbuseNet::literals, &TestAbuseNet::reachesItsServer },
    { "NET-10", &TestAbuseNet::ports, &TestAbuseNet::reachesItsServer },
    { "NET-13", &TestAbuseNet::fronting, &TestAbuseNet::reachesItsServer },
    { "NET-15", &TestAbuseNet::injections, &TestAbuseNet::reachesItsServer },
    { "NET-20", &TestAbuseNet::malformedHosts, &TestAbuseNet::reachesItsServer },
    { "NET-21", &TestAbuseNet::badUpstreams, &TestAbuseNet::reachesItsServer },
    { "NET-22 idle", &TestAbuseNet::idleConnections, &TestAbuseNet::reachesItsServer },
    { "NET-22 heads", &TestAbuseNet::largeHeads, &TestAbuseNet::reachesItsServer },
    { "NET-23", &TestAbuseNet::flood, &TestAbuseNet::secretInTheLog },
    { "NET-24", &TestAbuseNet::thePort, &TestAbuseNet::thePortInNone },
    { "NET-25", &TestAbuseNet::noProxy, &TestAbuseNet::reachesItsServer },
    { "NET-26", &TestAbuseNet::operatorsLists, &TestAbuseNet::reachesItsServer },
};

TestAbuseNet::TestAbuseNet()
    : AbuseTest([] { return std::make_unique<EngineSubject>(); })
{
    m_server.addBody(u"/hello"_s, "hello from outside");
    m_server.add(u"/cut"_s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    m_server.add(u"/nonsense"_s, "SSH-2.0-OpenSSH_9\r\n\r\n");
    m_server.add(u"/chunk"_s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    m_server.add(u"/head"_s, "HTTP/1.1 200 OK\r\nX: " + QByteArray(1 << 20, 'x') + "\r\n\r\n");
}

ExecutionOptions TestAbuseNet::options() const
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allow = { u"^127\\.0\\.0\\.1$"_s, u"allowed\\.test$"_s };
    options.networkFilter.deny = { u"^evil\\.test$"_s };
    options.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(m_server.port()) };
    options.isNetworkLogged = true;
    options.timeout = 60s;
    return options;
}

void TestAbuseNet::passes(const QByteArray& code, const ExecutionOptions& options)
{
    const auto result
        = fixture().run(Runtime::Python, QByteArray(prelude) + code + ending, options);
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(untruth(*result), QByteArray());
    const QByteArray said = result->standardOutput + result->standardError;
    QVERIFY2(result->standardOutput == "ok\n", said.constData());
}

void TestAbuseNet::attack_data()
{
    addRows<TestAbuseNet>(cases);
}

void TestAbuseNet::attack()
{
    perform<TestAbuseNet>(this, cases);
}

void TestAbuseNet::reachesItsServer(World&)
{
    const auto url = m_server.url(u"/hello"_s).toUtf8();
    passes("import urllib.request\n"
           "expect('body', urllib.request.urlopen('"
            + url + "').read(), b'hello from outside')\nexpect('raw', get('" + url + "'), 200)\n",
        options());
}

void TestAbuseNet::bypass(World&)
{
    const QByteArray code = R"(
expect('interfaces', [l.split(':')[0].strip() for l in open('/proc/net/dev').readlines()[2:]], ['lo'])
for family, kind, address in [
    (socket.AF_INET, socket.SOCK_STREAM, ('1.1.1.1', 80)),
    (socket.AF_INET, socket.SOCK_DGRAM, ('8.8.8.8', 53)),
    (socket.AF_INET6, socket.SOCK_STREAM, ('2606:4700::1111', 443)),
    (socket.AF_INET, socket.SOCK_STREAM, ('169.254.169.254', 80)),
    (socket.AF_INET, socket.SOCK_STREAM, ('172.17.0.1', 80)),
]:
    s = socket.socket(family, kind)
    s.settimeout(20)
    expect(address, s.connect_ex(address), errno.ENETUNREACH, errno.EADDRNOTAVAIL)
try:
    socket.getaddrinfo('name.example', 80)
    bad.append('a resolver')
except socket.gaierror:
    pass
for family, kind, protocol in (socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 3):
    try:
        socket.socket(family, kind, protocol)
        bad.append((family, 'raw socket'))
    except OSError:
        pass
)";
    passes(code, options());
    passes(code, {});
}

void TestAbuseNet::badPatterns(World&)
{
    for (const auto& pattern : { u"("_s, u"["_s, u"*x"_s, u"a{2,1}"_s, u"(?<"_s }) {
        for (const bool isDeny : { false, true }) {
            auto chosen = options();
            (isDeny ? chosen.networkFilter.deny : chosen.networkFilter.allow) << pattern;
            const auto result = fixture().run(Runtime::Bash, "echo ran", chosen);
            QVERIFY2(!result, qPrintable(pattern));
            QCOMPARE(result.error().kind, Kind::Invalid);
            QVERIFY2(result.error().message.contains(pattern), qPrintable(result.error().message));
        }
    }
    auto denied = options();
    denied.networkFilter.deny << u"127"_s;
    passes("expect('deny wins', get('" + m_server.url(u"/hello"_s).toUtf8() + "'), 403)", denied);
}

void TestAbuseNet::spellings(World&)
{
    passes(R"(
for host in ['EVIL.test', 'Evil.Test.', 'evil.test..', '[evil.test]', 'evil.test:80', '%65vil.test',
             'evil%2etest', ' evil.test', 'evil.test\t', 'ev\u00adil.test', '\uff45vil.test']:
    expect(host, get(f'http://{host}/'), 403, 400)
    expect(host, connect(host if ':' in host else host + ':443'), 403, 400)
)",
        options());
}

void TestAbuseNet::authorities(World&)
{
    passes(R"(
for url in ['http://allowed.test@evil.test/', 'http://allowed.test:80@evil.test/',
            'http://evil.test#@allowed.test/', 'http://allowed.test\\@evil.test/',
            'http://allowed.test%2f@evil.test/', '//evil.test/', 'http:evil.test', 'http://',
            'http://allowed.test:80:81/', 'evil.test', '/', 'ftp://evil.test/', 'file:///etc/passwd']:
    expect(url, get(url), 403, 400)
expect('host field', ask('GET http://evil.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n'), 403)
expect('two requests', ask('GET http://evil.test/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'), 400, 403)
)",
        options());
}

void TestAbuseNet::literals(World&)
{
    auto open = options();
    open.networkFilter.allow.clear(); // every public host
    passes(R"(
for host in '''127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 0 0.0.0.0 [::1] [::] [::ffff:127.0.0.1]
    [::ffff:7f00:1] [fe80::1] [64:ff9b::7f00:1] [2002:7f00:1::] [fd00:ec2::254] 10.0.0.1 172.16.0.1 192.168.0.1
    100.64.0.1 169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.1 198.18.0.1 224.0.0.1 240.0.0.1
    255.255.255.255 localhost localhost. a.localhost metadata.google.internal
    host.docker.internal'''.split():
    expect(host, get(f'http://{host}/'), 403)
    expect(host, connect(f'{host}:443'), 403)
)",
        open);
}

void TestAbuseNet::ports(World&)
{
    passes(R"(
for port in '22', '25', '53', '465', '2375', '6379':
    expect(port, connect('allowed.test:' + port), 403)
for port in '0', '65536', '-1', '443x', '', '0443', '+443', '443 ', '99999999999999999999':
    expect(port, connect('allowed.test:' + port), 400)
)",
        options());
}

void TestAbuseNet::fronting(World&)
{
    // What is said within a tunnel is not looked at (SECURITY.md); the log says where it led.
    const auto address = "127.0.0.1:" + QByteArray::number(m_server.port());
    const auto code = "target = '" + address + R"('
s = dial()
s.sendall(f'CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n'.encode())
expect('tunnel', s.recv(4096).split(b' ')[1], b'200')
s.sendall(b'GET /hello HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n')
answer = b''
while piece := s.recv(65536): answer += piece
expect('answer', answer.endswith(b'hello from outside'), True)
expect('by its name', connect('evil.test:443'), 403)
)";
    const auto result
        = fixture().run(Runtime::Python, QByteArray(prelude) + code + ending, options());
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QVERIFY2(result->standardOutput == "ok\n",
        (result->standardOutput + result->standardError).constData());
    QCOMPARE(result->networkLogs.size(), 2);
    QCOMPARE(result->networkLogs[0].method, u"CONNECT"_s);
    QCOMPARE(result->networkLogs[0].host.toLatin1(), address);
    QVERIFY(result->networkLogs[0].isAllowed);
    QCOMPARE(result->networkLogs[1].host, u"evil.test"_s);
    QVERIFY(!result->networkLogs[1].isAllowed);
}

void TestAbuseNet::injections(World& world)
{
    const auto base = m_server.url(u"/hello"_s).toUtf8();
    auto secret = options();
    secret.secrets = { { u"SECRET"_s, QString::fromLatin1(world.secret) } };
    const auto requests = m_server.heads().size();
    passes("expect('escaped', get('" + base + "%0d%0aX-Injected:%20y'), 404)\n"
            + "expect('raw CR', ask(b'GET " + base
            + "\\rX HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'), 400)\n" + "expect('quotes', get('" + base
            + "?\"\\'' + os.environ['SECRET']), 404, 400)\n" + "expect('method', ask('G\\x01T "
            + base + " HTTP/1.1\\r\\n\\r\\n'), 400)\n" + "expect('smuggled', ask('POST " + base
            + " HTTP/1.1\\r\\nHost: x\\r\\n'\n"
              "    'Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n'), "
              "400)\n",
        secret);
    for (const auto& head : m_server.heads().sliced(requests))
        QVERIFY2(!head.contains("\nX-Injected"), head.constData());
}

void TestAbuseNet::malformedHosts(World&)
{
    passes(R"(
for host in ['a' * 254, 'a' * 64 + '.test', '', '-leading.test', '-lp', '-e/bin/sh', 'a..b.test', '.', '.test',
             'a b.test', 'a\x00b.test', 'a/../b.test', '${IFS}.test', '`id`.test']:
    expect(host, connect(host + ':443'), 400, 403)
)",
        options());
}

void TestAbuseNet::badUpstreams(World&)
{
    auto chosen = options();
    chosen.networkFilter.allowAddresses << u"127.0.0.1:1"_s; // nobody listens there
    passes("base = 'http://127.0.0.1:" + QByteArray::number(m_server.port()) + "'\n" + R"(
expect('refused', get('http://127.0.0.1:1/'), 502)
expect('nonsense', get(base + '/nonsense'), 502)
expect('head', get(base + '/head'), 502)
for path in '/cut', '/chunk':
    s = dial()
    s.sendall(f'GET {base}{path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
    data = b''
    try:
        while piece := s.recv(65536): data += piece
    except OSError:
        pass
    # Cut off, and not made to look whole.
    expect(path, data.endswith(b'0\r\n\r\n') or b'Content-Length: 4\r' in data, False)
)",
        chosen);
}

void TestAbuseNet::idleConnections(World&)
{
    passes(R"(
held = []
for i in range(1000):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(('127.0.0.1', 8118))
    held.append(s)
)",
        options());
}

void TestAbuseNet::largeHeads(World&)
{
    passes(R"(
expect('line', get('http://allowed.test/' + 'x' * (1 << 20)), 414, 431)
expect('field', ask('GET http://evil.test/ HTTP/1.1\r\nX: ' + 'x' * (1 << 20) + '\r\n\r\n'), 431)
expect('fields', ask('GET http://evil.test/ HTTP/1.1\r\n' + 'X: y\r\n' * 20000 + '\r\n'), 431)
)",
        options());
}

void TestAbuseNet::flood(World&)
{
    const auto result = fixture().run(Runtime::Python, QByteArray(prelude) + R"(
import threading
s = dial()
def send():
    for i in range(100): s.sendall(b'GET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n' * 50)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
answers = 0
rest = b''
while piece := s.recv(1 << 20):
    rest += piece
    answers += rest.count(b'HTTP/1.1 403')
    rest = rest[-11:]
print(answers)
)",
        options());
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(untruth(*result), QByteArray());
    QCOMPARE(result->standardOutput, "5000\n");
    QVERIFY(result->networkLogs.size() > 100 && result->networkLogs.size() < 3000);
    QVERIFY(std::ranges::none_of(result->networkLogs, &NetworkLogEntry::isAllowed));
    QVERIFY(result->violations.size() < 200);
}

void TestAbuseNet::secretInTheLog(World& world)
{
    auto chosen = options();
    chosen.secrets = { { u"SECRET"_s, QString::fromLatin1(world.secret) } };
    const auto url = m_server.url(u"/hello"_s).toUtf8();
    const auto result = fixture().run(Runtime::Bash,
        "curl -s -o /dev/null -w '%{http_code}' \"" + url + "?key=$SECRET\"", chosen);
    QVERIFY(result);
    QCOMPARE(result->standardOutput, "404");
    QCOMPARE(result->networkLogs.size(), 1);
    QVERIFY(result->networkLogs[0].isAllowed);
    QCOMPARE(result->networkLogs[0].path.value_or(QString()), u"/hello?key=***"_s);
}

void TestAbuseNet::thePort(World&)
{
    passes(R"(
REUSE = (socket.SOL_SOCKET, socket.SO_REUSEADDR)
SHARE = (socket.SOL_SOCKET, socket.SO_REUSEPORT)
ONLY6 = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
def bind(family, address, *options):
    s = socket.socket(family)
    for option in options: s.setsockopt(*option, 1)
    try:
        s.bind((address, 8118))
        s.listen()
        return 0
    except OSError as error:
        return error.errno
    finally:
        s.close()
for when in 'before', 'after':
    for options in [], [REUSE], [SHARE], [REUSE, SHARE]:
        for address in '127.0.0.1', '0.0.0.0':
            expect((when, address), bind(socket.AF_INET, address, *options), errno.EADDRINUSE)
        for address in '::', '::ffff:127.0.0.1':
            expect((when, address), bind(socket.AF_INET6, address, *options), errno.EADDRINUSE)
        expect((when, 'only 6'), bind(socket.AF_INET6, '::', ONLY6, *options), errno.EADDRINUSE)
    expect(when, get('http://evil.test/'), 403)
)",
        options());
}

void TestAbuseNet::thePortInNone(World&)
{
    passes(R"(
try:
    dial()
    bad.append('somebody listens')
except ConnectionRefusedError:
    pass
server = socket.create_server(('127.0.0.1', 8118))
client = dial()
peer, _ = server.accept()
client.sendall(b'mine')
expect('own server', peer.recv(10), b'mine')
)",
        {});
}

void TestAbuseNet::noProxy(World&)
{
    const auto url = m_server.url(u"/hello"_s).toUtf8();
    const auto result = fixture().run(Runtime::Bash,
        "env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY curl -s " + url
            + "; echo $?\n"
              "NO_PROXY='*' no_proxy='*' curl -s "
            + url + "; echo $?\n",
        options());
    QVERIFY(result);
    QCOMPARE(untruth(*result), QByteArray());
    QCOMPARE(result->standardOutput, "7\n7\n");
    QVERIFY(result->networkLogs.isEmpty());
}

void TestAbuseNet::operatorsLists(World&)
{
    ServerProcess::Options chosen;
    chosen.config = {
        { u"defaults"_s, QJsonObject { { u"network"_s, u"filtered"_s } } },
        { u"network"_s,
            QJsonObject { { u"whitelist"_s, QJsonArray { u"^127\\."_s } },
                { u"allowAddresses"_s, QJsonArray { u"127.0.0.1:%1"_s.arg(m_server.port()) } } } }
    };
    ServerSubject served(std::move(chosen));
    HttpClient client(served.server().port(), "Bearer " + served.attackerKey());
    const auto ask = [&](const QJsonObject& filter) {
        QJsonObject wish;
        if (!filter.isEmpty())
            wish.insert(u"networkFilter"_s, filter);
        const auto command
            = u"for url in %1 http://other.test/; do curl -s -o /dev/null -w '%{http_code} ' $url; "
              "done"_s.replace(u"%1"_s, m_server.url(u"/hello"_s));
        const auto answer = client.post(u"/execute"_s,
            { { u"request"_s, QJsonObject { { u"cmd"_s, command } } }, { u"options"_s, wish } });
        return answer.json().value(u"stdout"_s).toString();
    };
    QCOMPARE(ask({}), u"200 403"_s);
    // A client's list does not widen, but may narrow.
    const QJsonArray everything { u"."_s };
    QCOMPARE(
        ask({ { u"whitelist"_s, everything }, { u"operatorAllow"_s, everything } }), u"200 403"_s);
    QCOMPARE(ask({ { u"blacklist"_s, QJsonArray { u"^127"_s } } }), u"403 403"_s);
}

QTEST_GUILESS_MAIN(TestAbuseNet)
#include "tst_abuse_net.moc"
