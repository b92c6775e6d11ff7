// SPDX-License-Identifier: MIT
#include "engine/guest/protocol.h"
#include "tests/live/enginetest.h"
#include "tests/support/localserver.h"
#include "tests/support/testauthority.h"

#include <QCoroTask>
#include <QDirIterator>
#include <QJsonArray>
#include <QJsonObject>
#include <QProcess>
#include <QSslServer>
#include <QTemporaryDir>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// URLs of the test's servers, put into the programs' texts.
QByteArray withUrl(QByteArray code, const QString& url)
{
    return code.replace("$URL", url.toUtf8());
}

QStringList hostsOf(const QList<NetworkLogEntry>& log)
{
    QStringList hosts;
    for (const auto& entry : log)
        hosts << entry.host;
    return hosts;
}

} // namespace

/// What programs reach with filtered networking, and what not: real programs, the real Docker, and
/// servers of the test on loopback, which the run's filter makes an exception for.
class TestNetwork : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void programsReachServers_data();
    void programsReachServers();
    void gitClones();
    void webSocketsWork();
    void uploadsAreCounted();
    void othersAreRefused();
    void anUntrustedCertificateIsRefused();
    void hasOnlyLoopback();
    void hasNoMoreRightsThanWithout();
    void unsettingTheProxyWidensNothing();
    void rulesEndWithTheRun();
    void runsBesideEachOtherHaveTheirOwnRules();
    void setupHasTheSameRules();
    void connectionsEndWithTheRun();
    void cancelledDownload();
    void secretsAreMaskedInTheLog();
    void badRulesAreRefusedBeforeTheRun();
    void localServersAreReachedDirectly();
    void thePortIsFreeWithout();

private:
    /// Filtered, with the test's two servers as exceptions.
    [[nodiscard]] ExecutionOptions filtered() const;

    std::unique_ptr<EngineFixture> m_fixture;
    std::unique_ptr<TestAuthority> m_authority;
    std::unique_ptr<LocalServer> m_http;
    std::unique_ptr<LocalServer> m_https;
};

void TestNetwork::initTestCase()
{
    m_fixture = std::make_unique<EngineFixture>();
    m_authority = std::make_unique<TestAuthority>();
    QVERIFY(!m_authority->bundlePath().isEmpty());
    m_http = std::make_unique<LocalServer>();
    m_https = std::make_unique<LocalServer>(m_authority->server());
    QVERIFY(m_http->isListening() && m_https->isListening());
    for (auto* server : { m_http.get(), m_https.get() }) {
        server->addBody(u"/hello"_s, "hello from outside\n");
        server->addBody(u"/big"_s, QByteArray(20 << 20, 'x'));
    }
}

void TestNetwork::cleanupTestCase()
{
    QVERIFY(m_fixture->isNothingLeft());
    m_fixture.reset();
}

ExecutionOptions TestNetwork::filtered() const
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allowAddresses
        = { u"127.0.0.1:%1"_s.arg(m_http->port()), u"127.0.0.1:%1"_s.arg(m_https->port()) };
    options.caBundlePath = m_authority->bundlePath();
    options.isNetworkLogged = true;
    options.timeout = 60s;
    return options;
}

/// NET-16 of ABUSE.md, with what follows; byte by byte: tst_proxytraffic.
void TestNetwork::programsReachServers_data()
{
    QTest::addColumn<int>("runtime");
    QTest::addColumn<QByteArray>("code");
    const auto row = [](const char* name, Runtime runtime, const QByteArray& code) {
        QTest::newRow(name) << int(runtime) << code;
    };
    row("curl", Runtime::Bash, "curl -sS $URL");
    row("curl, several at once", Runtime::Bash,
        "for i in $(seq 20); do curl -sS $URL -o /tmp/$i & done; wait\n"
        "cat /tmp/[0-9]* | sort | uniq -c | grep -q '20 hello' && cat /tmp/1");
    row("urllib", Runtime::Python,
        "import urllib.request; print(urllib.request.urlopen('$URL').read().decode(), end='')");
    row("requests", Runtime::Python,
        "from pip._vendor import requests; print(requests.get('$URL').text, end='')");
    row("Node fetch", Runtime::Node, "process.stdout.write(await (await fetch('$URL')).text())");
    row("Node request", Runtime::Node,
        "const web = await import('$URL'.split(':')[0]);\n"
        "web.get('$URL', (answer) => answer.pipe(process.stdout));");
    row("Bun fetch", Runtime::Bun, "process.stdout.write(await (await fetch('$URL')).text())");
    row("Deno fetch", Runtime::Deno,
        "await (await fetch('$URL')).body.pipeTo(Deno.stdout.writable)");
}

void TestNetwork::programsReachServers()
{
    QFETCH(int, runtime);
    QFETCH(QByteArray, code);
    for (const auto* server : { m_http.get(), m_https.get() }) {
        auto url = server->url(u"/hello"_s);
        if (server == m_https.get())
            url.replace(u"http:"_s, u"https:"_s);
        const auto result = m_fixture->run(Runtime(runtime), withUrl(code, url), filtered());
        RUN_OR_FAIL(result);
        QVERIFY2(result->exitCode == 0, result->standardError.constData());
        QCOMPARE(result->standardOutput, "hello from outside\n");
        QVERIFY(result->networkBytesIn > 0 && result->networkBytesOut > 0);
        QVERIFY(!result->networkLogs.isEmpty());
        QVERIFY(std::ranges::all_of(result->networkLogs, &NetworkLogEntry::isAllowed));
        QVERIFY(result->violations.isEmpty());
    }
}

void TestNetwork::gitClones()
{
    const QTemporaryDir directory;
    QProcess git;
    git.setWorkingDirectory(directory.path());
    git.start(u"sh"_s, { u"-ec"_s, uR"(export HOME=$PWD
git init -q work && cd work && echo content >file && git add file
git -c user.name=t -c user.email=t@t commit -qm first
cd .. && git clone -q --bare work repo.git && cd repo.git && git update-server-info)"_s });
    QVERIFY(git.waitForFinished() && git.exitCode() == 0);
    QDirIterator files(
        directory.filePath(u"repo.git"_s), QDir::Files, QDirIterator::Subdirectories);
    while (files.hasNext()) {
        QFile file(files.next());
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto path = u'/' + QDir(directory.path()).relativeFilePath(file.fileName());
        const auto content = file.readAll();
        m_https->addBody(path, content, "text/plain");
        if (path.endsWith("/info/refs"_L1))
            m_https->addBody(path + u"?service=git-upload-pack"_s, content, "text/plain");
    }
    const auto url = m_https->url(u"/repo.git"_s).replace(u"http:"_s, u"https:"_s);
    const auto result = m_fixture->run(
        Runtime::Bash, withUrl("git clone -q $URL cloned && cat cloned/file", url), filtered());
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QCOMPARE(result->standardOutput, "content\n");
}

void TestNetwork::webSocketsWork()
{
    // A frame each way behind the 101; the key is the example of RFC 6455, section 1.3.
    m_http->add(u"/chat"_s,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05hello",
        LocalServer::End::Hold);
    const auto result = m_fixture->run(Runtime::Python,
        withUrl(R"(
import socket, sys
s = socket.create_connection(('127.0.0.1', 8118))
s.sendall(b'GET $URL HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    b'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
answer = b''
while not answer.endswith(b'hello'): answer += s.recv(4096)
print(answer.split(b'\r\n')[0].decode(), b'Sec-WebSocket-Accept' in answer)
)",
            m_http->url(u"/chat"_s)),
        filtered());
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QCOMPARE(result->standardOutput, "HTTP/1.1 101 Switching Protocols True\n");
}

void TestNetwork::uploadsAreCounted()
{
    const auto down = m_fixture->run(
        Runtime::Bash, withUrl("curl -sS $URL | wc -c", m_http->url(u"/big"_s)), filtered());
    RUN_OR_FAIL(down);
    QCOMPARE(down->standardOutput, "20971520\n");
    QVERIFY(down->networkBytesIn >= 20 << 20);
    QVERIFY(down->networkBytesOut < 2000);

    const auto up = m_fixture->run(Runtime::Bash,
        withUrl(
            "head -c 3000000 /dev/zero | curl -sS -H Expect: -T - $URL", m_http->url(u"/hello"_s)),
        filtered());
    RUN_OR_FAIL(up);
    // The server answers at once and may hang up before it has read all.
    QVERIFY(up->networkBytesOut > 1000);
}

void TestNetwork::othersAreRefused()
{
    auto options = filtered();
    options.networkFilter.allow = { u"^127\\.0\\.0\\.1$"_s, u"example"_s };
    options.networkFilter.deny = { u"^evil\\.example$"_s };
    const auto result = m_fixture->run(Runtime::Bash, R"(
for url in http://evil.example/ http://other.test/ http://127.0.0.1:1/ http://169.254.169.254/x; do
    curl -s -o /dev/null -w '%{http_code}\n' --noproxy '' $url
done
curl -s --noproxy '' https://evil.example/ || echo curl $?
)",
        options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "403\n403\n403\n403\ncurl 56\n");
    QCOMPARE(result->networkLogs.size(), 5);
    QVERIFY(std::ranges::none_of(result->networkLogs, &NetworkLogEntry::isAllowed));
    QCOMPARE(result->networkLogs[0].rule, u"^evil\\.example$"_s);
    QVERIFY(result->violations.size() >= 3);
    QVERIFY(!result->violations[0].allowWith.isEmpty());
}

void TestNetwork::anUntrustedCertificateIsRefused()
{
    auto options = filtered();
    options.caBundlePath.clear();
    const auto url = m_https->url(u"/hello"_s).replace(u"http:"_s, u"https:"_s);
    const auto result
        = m_fixture->run(Runtime::Bash, withUrl("curl -sS $URL; echo $?", url), options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "60\n");
}

void TestNetwork::hasOnlyLoopback()
{
    // NET-01: with no route there is nothing that could be bypassed.
    const auto result = m_fixture->run(Runtime::Python, R"(
import errno, os, socket
print([line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]])
print(open('/proc/net/route').read().count('\n'))
for family, kind, address in [
    (socket.AF_INET, socket.SOCK_STREAM, ('1.1.1.1', 80)),
    (socket.AF_INET, socket.SOCK_DGRAM, ('8.8.8.8', 53)),
    (socket.AF_INET6, socket.SOCK_STREAM, ('2606:4700::1111', 443)),
    (socket.AF_INET, socket.SOCK_STREAM, ('169.254.169.254', 80)),
    (socket.AF_INET, socket.SOCK_STREAM, ('172.17.0.1', 22)),
]:
    s = socket.socket(family, kind)
    s.settimeout(5)
    try:
        s.connect(address)
        print('connected', address)
    except OSError as error:
        print(errno.errorcode.get(error.errno))
)",
        filtered());
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    const auto lines = result->standardOutput.trimmed().split('\n');
    QCOMPARE(lines.value(0), "['lo']");
    QCOMPARE(lines.value(1), "1"); // the head of the table
    QCOMPARE(lines.size(), 7);
    for (int i = 2; i < 7; ++i)
        QVERIFY2(lines[i] == "ENETUNREACH" || lines[i] == "EADDRNOTAVAIL", lines[i].constData());
}

void TestNetwork::hasNoMoreRightsThanWithout()
{
    const auto setUpOf = [this](const ExecutionOptions& options) -> QJsonObject {
        const auto run = m_fixture->start(requestOf(Runtime::Bash, "echo up; sleep 60"), options);
        if (!run->waitForOutput("up\n"))
            return {};
        const auto raw = QCoro::waitFor(m_fixture->client().inspectContainerRaw(run->containerId));
        run->run().cancel();
        (void)run->result();
        return raw.value_or(QJsonObject());
    };
    // The direct socket's folder is each sandbox's own.
    const auto hostOf = [](const QJsonObject& setUp) {
        auto host = setUp[u"HostConfig"_s].toObject();
        QJsonArray mounts;
        for (const auto& each : host[u"Mounts"_s].toArray()) {
            auto mount = each.toObject();
            if (mount[u"Target"_s] == QLatin1StringView(guest::hostMountPath))
                mount.remove(u"Source"_s);
            mounts << mount;
        }
        host[u"Mounts"_s] = mounts;
        return host;
    };
    const auto with = setUpOf(filtered());
    const auto without = setUpOf({});
    QVERIFY(!with.isEmpty() && !without.isEmpty());
    QCOMPARE(hostOf(with)[u"NetworkMode"_s].toString(), u"none"_s);
    QCOMPARE(hostOf(with), hostOf(without));
    QCOMPARE(
        with[u"NetworkSettings"_s][u"Networks"_s], without[u"NetworkSettings"_s][u"Networks"_s]);
}

void TestNetwork::unsettingTheProxyWidensNothing()
{
    const auto result = m_fixture->run(Runtime::Bash,
        withUrl("env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY curl -sS $URL; echo $?\n"
                "NO_PROXY='*' no_proxy='*' curl -sS $URL; echo $?\n",
            m_http->url(u"/hello"_s)),
        filtered());
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "7\n7\n"); // could not connect
    QVERIFY(result->networkLogs.isEmpty());
}

void TestNetwork::rulesEndWithTheRun()
{
    const auto session = sessionNamed(u"network"_s);
    auto request = requestOf(Runtime::Bash,
        withUrl("curl -s --noproxy '' -x http://127.0.0.1:8118 -o /dev/null -w '%{http_code}' $URL",
            m_http->url(u"/hello"_s)));
    const auto open = m_fixture->run(request, filtered(), session);
    RUN_OR_FAIL(open);
    QCOMPARE(open->standardOutput, "200");
    auto narrow = filtered();
    narrow.networkFilter.allowAddresses.clear();
    const auto refused = m_fixture->run(request, narrow, session);
    RUN_OR_FAIL(refused);
    QCOMPARE(refused->standardOutput, "403");
    QCOMPARE(refused->networkLogs.size(), 1);
    const auto none = m_fixture->run(request, {}, session);
    RUN_OR_FAIL(none);
    QCOMPARE(none->standardOutput, "000");
    QVERIFY(none->networkLogs.isEmpty());
    const auto again = m_fixture->run(request, filtered(), session);
    RUN_OR_FAIL(again);
    QCOMPARE(again->standardOutput, "200");
    QVERIFY(QCoro::waitFor(m_fixture->engine().stopSession(session)));
}

void TestNetwork::runsBesideEachOtherHaveTheirOwnRules()
{
    auto narrow = filtered();
    narrow.networkFilter.allowAddresses.removeFirst();
    const auto code = withUrl("for i in 1 2 3 4 5 6 7 8; do curl -s --noproxy '' -o /dev/null -w "
                              "'%{http_code} ' $URL; done",
        m_http->url(u"/hello"_s));
    const auto one = m_fixture->start(requestOf(Runtime::Bash, code), filtered());
    const auto two = m_fixture->start(requestOf(Runtime::Bash, code), narrow);
    const auto open = one->result();
    const auto refused = two->result();
    RUN_OR_FAIL(open);
    RUN_OR_FAIL(refused);
    QCOMPARE(open->standardOutput, "200 200 200 200 200 200 200 200 ");
    QCOMPARE(refused->standardOutput, "403 403 403 403 403 403 403 403 ");
    QCOMPARE(open->networkLogs.size(), 8);
    QCOMPARE(refused->networkLogs.size(), 8);
}

void TestNetwork::setupHasTheSameRules()
{
    auto request = requestOf(Runtime::Bash, "cat fetched");
    request.setupScript
        = QString::fromUtf8(withUrl("curl -sS $URL -o fetched", m_http->url(u"/hello"_s)));
    const auto result = m_fixture->run(request, filtered());
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "hello from outside\n");
    QCOMPARE(hostsOf(result->networkLogs), QStringList { u"127.0.0.1:%1"_s.arg(m_http->port()) });
}

void TestNetwork::connectionsEndWithTheRun()
{
    m_http->add(
        u"/stuck"_s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun", LocalServer::End::Hold);
    const auto result = m_fixture->run(Runtime::Bash,
        withUrl("curl -sN $URL >/tmp/out & until grep -q begun /tmp/out; do sleep 0.02; done; echo "
                "done",
            m_http->url(u"/stuck"_s)),
        filtered());
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "done\n");
    QCOMPARE(result->ending.reason, EndReason::Exited);
    QVERIFY(result->networkBytesIn > 0);
}

void TestNetwork::cancelledDownload()
{
    const auto run = m_fixture->start(
        requestOf(Runtime::Bash,
            withUrl("echo up; while :; do curl -sS $URL >/dev/null; done", m_http->url(u"/big"_s))),
        filtered());
    QVERIFY(run->waitForOutput("up\n"));
    const auto before = m_http->count("/big");
    QTRY_VERIFY_WITH_TIMEOUT(m_http->count("/big") > before + 2, 60'000);
    run->run().cancel();
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::Cancelled);
    QVERIFY(result->networkBytesIn > 0);
}

void TestNetwork::secretsAreMaskedInTheLog()
{
    auto options = filtered();
    options.secrets = { { u"TOKEN"_s, u"hunter2hunter2"_s } };
    options.networkFilter.deny = { u"\\.test$"_s };
    const auto result = m_fixture->run(Runtime::Bash,
        withUrl(
            "curl -s -o /dev/null \"$URL?key=$TOKEN\"; curl -s -o /dev/null http://$TOKEN.test/",
            m_http->url(u"/hello"_s)),
        options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->networkLogs.size(), 2);
    QCOMPARE(result->networkLogs[0].path.value_or(QString()), u"/hello?key=***"_s);
    QCOMPARE(result->networkLogs[1].host, u"***.test"_s);
    for (const auto& violation : result->violations)
        QVERIFY(!violation.detail.contains(u"hunter2"_s));
}

void TestNetwork::badRulesAreRefusedBeforeTheRun()
{
    auto options = filtered();
    options.networkFilter.allow = { u"("_s };
    const auto bad = m_fixture->run(Runtime::Bash, "true", options);
    QVERIFY(!bad);
    QCOMPARE(bad.error().kind, Kind::Invalid);

    options = filtered();
    options.caBundlePath = u"/nonexistent/ca.pem"_s;
    const auto missing = m_fixture->run(Runtime::Bash, "true", options);
    QVERIFY(!missing);
    QVERIFY2(missing.error().message.contains(u"network.caBundle"_s),
        qPrintable(missing.error().message));
    QVERIFY(m_fixture->isNothingLeft());
}

void TestNetwork::localServersAreReachedDirectly()
{
    // A program that tests a server of its own needs no rule for that.
    const auto result = m_fixture->run(Runtime::Python, R"(
import http.server, threading, urllib.request
server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f'http://localhost:{server.server_port}/').status)
)",
        filtered());
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 0, result->standardError.constData());
    QCOMPARE(result->standardOutput, "200\n");
    QVERIFY(result->networkLogs.isEmpty());
}

void TestNetwork::thePortIsFreeWithout()
{
    const QByteArray code = R"(
import errno, socket
for address in '127.0.0.1', '0.0.0.0':
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        s.bind((address, 8118))
        s.listen()
        print('bound')
    except OSError as error:
        print(errno.errorcode[error.errno])
    s.close()
)";
    const auto none = m_fixture->run(Runtime::Python, code);
    RUN_OR_FAIL(none);
    QCOMPARE(none->standardOutput, "bound\nbound\n");
    const auto carried = m_fixture->run(Runtime::Python, code, filtered());
    RUN_OR_FAIL(carried);
    QCOMPARE(carried->standardOutput, "EADDRINUSE\nEADDRINUSE\n");
}

QTEST_GUILESS_MAIN(TestNetwork)
#include "tst_network.moc"
