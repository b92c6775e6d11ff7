// SPDX-License-Identifier: MIT
#include "engine/remote/remoteengine.h"
#include "tests/support/enginefixture.h"
#include "tests/support/serverprocess.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTcpServer>
#include <QTest>

#include <csignal>

#include <unistd.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 240'000;
constexpr int listenerDescriptor = 3; ///< In the proxy.

QString dataPath(const QString& name)
{
    return QStringLiteral(ISOL8_TEST_DATA "/clients/") + name;
}

/// A program that ends by itself; what it said on both channels.
struct Outcome {
    int exitCode = -1;
    QByteArray out;
    QByteArray err;
};

Outcome outcomeOf(const QString& program, const QStringList& arguments)
{
    QProcess process;
    process.start(program, arguments);
    process.closeWriteChannel();
    if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, patience))
        process.kill();
    process.waitForFinished();
    return { process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError() };
}

} // namespace

/// Programs that others wrote talk to `isol8 serve`, directly and behind HAProxy: curl, Node.js and
/// a page in Chromium.
class TestClients : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();

    void curlExecutes();
    void curlStreams();
    void curlVariants_data();
    void curlVariants();
    void node_data();
    void node();
    void browser();
    void remoteEngineBehindTheProxy_data();
    void remoteEngineBehindTheProxy();

private:
    void startProxy();
    [[nodiscard]] Outcome curl(const QStringList& arguments) const;
    [[nodiscard]] QString direct(const QString& path = {}) const
    {
        return u"http://127.0.0.1:%1%2"_s.arg(m_server->port()).arg(path);
    }
    [[nodiscard]] QString proxied(const QString& path = {}) const
    {
        return u"http://127.0.0.1:%1%2"_s.arg(m_listener.serverPort()).arg(path);
    }

    std::unique_ptr<ServerProcess> m_server; ///< On TCP.
    std::unique_ptr<ServerProcess> m_behind; ///< On a local socket, for the proxy.
    QTcpServer m_listener;
    QProcess m_proxy;
    QTemporaryDir m_folder;
};

void TestClients::initTestCase()
{
    m_server = std::make_unique<ServerProcess>();
    QVERIFY2(m_server->start(), m_server->log().constData());
    startProxy();
}

void TestClients::startProxy()
{
    const auto socketPath = m_folder.filePath(u"isol8.sock"_s);
    ServerProcess::Options options;
    options.arguments = { u"--bind"_s, u"unix:"_s + socketPath };
    m_behind = std::make_unique<ServerProcess>(options);
    QVERIFY2(m_behind->startOnSocket(socketPath), m_behind->log().constData());

    QVERIFY(m_listener.listen(QHostAddress::LocalHost));
    m_listener.pauseAccepting(); // Its descriptor is the proxy's.
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"LISTENER"_s, QString::number(listenerDescriptor));
    environment.insert(u"SOCKET"_s, socketPath);
    environment.insert(u"DATA"_s, dataPath({}));
    m_proxy.setProcessEnvironment(environment);
    m_proxy.setChildProcessModifier([descriptor = int(m_listener.socketDescriptor())] {
        ::dup2(descriptor, listenerDescriptor); // The copy outlives exec().
    });
    m_proxy.setProcessChannelMode(QProcess::MergedChannels);
    m_proxy.start(u"haproxy"_s, { u"-db"_s, u"-f"_s, dataPath(u"haproxy.cfg"_s) });
    QVERIFY(m_proxy.waitForStarted());
    QTRY_COMPARE_WITH_TIMEOUT(curl({ proxied(u"/health"_s) }).exitCode, 0, patience);
}

void TestClients::cleanupTestCase()
{
    m_proxy.terminate();
    m_proxy.waitForFinished();
    for (const auto& server : { m_server.get(), m_behind.get() }) {
        if (server)
            QVERIFY2(server->terminate() == 0, server->log().constData());
    }
}

Outcome TestClients::curl(const QStringList& arguments) const
{
    return outcomeOf(u"curl"_s,
        QStringList { u"-sS"_s, u"--noproxy"_s, u"*"_s, u"--max-time"_s, u"200"_s, u"--fail"_s }
            + arguments);
}

void TestClients::curlExecutes()
{
    const auto answer = curl({ u"-H"_s, u"Authorization: Bearer master"_s, u"--json"_s,
        uR"json({"request":{"code":"print(6*7)","runtime":"python"}})json"_s,
        direct(u"/execute"_s) });
    QVERIFY2(answer.exitCode == 0, answer.err.constData());
    QCOMPARE(QJsonDocument::fromJson(answer.out)[u"stdout"_s].toString(), u"42"_s);
    // The exit code of --fail.
    QCOMPARE(curl({ direct(u"/sessions"_s) }).exitCode, 22);
}

void TestClients::curlStreams()
{
    for (const auto& base : { direct(), proxied() }) {
        QProcess stream;
        stream.start(u"curl"_s,
            { u"-sSNi"_s, u"--noproxy"_s, u"*"_s, u"-H"_s, u"Authorization: Bearer master"_s,
                u"--json"_s, uR"({"request":{"cmd":"echo first; sleep 600"}})"_s,
                base + u"/execute/stream"_s });
        QByteArray heard;
        connect(&stream, &QProcess::readyReadStandardOutput, &stream,
            [&] { heard += stream.readAllStandardOutput(); });
        QTRY_VERIFY2_WITH_TIMEOUT(heard.contains("first"), heard.constData(), patience);
        // It still runs, and is ended by its id.
        const auto at = heard.toLower().indexOf("x-execution-id: ") + 16;
        const auto id = QString::fromLatin1(heard.mid(at, 36));
        const auto cancelled = curl({ u"-X"_s, u"POST"_s, u"-H"_s,
            u"Authorization: Bearer master"_s, base + u"/executions/%1/cancel"_s.arg(id) });
        QVERIFY2(cancelled.exitCode == 0, cancelled.err.constData());
        QTRY_COMPARE_WITH_TIMEOUT(stream.state(), QProcess::NotRunning, patience);
        QCOMPARE(stream.exitCode(), 0);
        QVERIFY2(heard.contains(R"("data":"137")"), heard.constData());
    }
}

void TestClients::curlVariants_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("HTTP/1.0") << QStringList { u"-0"_s };
    QTest::newRow("chunked upload") << QStringList { u"-H"_s, u"Transfer-Encoding: chunked"_s };
    QTest::newRow("waits for 100 Continue") << QStringList { u"-H"_s, u"Expect: 100-continue"_s };
    QTest::newRow("asks for HTTP/2") << QStringList { u"--http2"_s };
    QTest::newRow("takes compressed answers") << QStringList { u"--compressed"_s };
    QTest::newRow("several on one connection")
        << QStringList { u"--next"_s, u"-sS"_s, u"-H"_s, u"Authorization: Bearer master"_s };
}

void TestClients::curlVariants()
{
    QFETCH(QStringList, arguments);
    QFile body(m_folder.filePath(u"body.json"_s));
    QVERIFY(body.open(QIODevice::WriteOnly));
    // Large enough for several packets.
    body.write(R"({"request":{"cmd":"wc -c","stdin":")" + QByteArray(300'000, 'x') + R"("}})");
    body.close();
    const QStringList post { u"--json"_s, u"@"_s + body.fileName() };
    const bool isSeveral = arguments.startsWith(u"--next"_s);
    for (const auto& url : { direct(u"/execute"_s), proxied(u"/execute"_s) }) {
        auto all = QStringList { u"-H"_s, u"Authorization: Bearer master"_s } + post;
        if (isSeveral)
            all += QStringList { url } + arguments + post;
        else
            all += arguments;
        const auto answer = curl(all + QStringList { url });
        QVERIFY2(answer.exitCode == 0, (answer.err + answer.out).constData());
        QCOMPARE(answer.out.count(R"("stdout":"300000")"), isSeveral ? 2 : 1);
    }
}

void TestClients::node_data()
{
    QTest::addColumn<bool>("isProxied");
    QTest::newRow("directly") << false;
    QTest::newRow("behind HAProxy") << true;
}

void TestClients::node()
{
    QFETCH(bool, isProxied);
    const auto run = outcomeOf(u"node"_s,
        { u"--no-warnings"_s, u"--experimental-websocket"_s, dataPath(u"node.mjs"_s),
            isProxied ? proxied() : direct(), u"master"_s });
    QVERIFY2(run.exitCode == 0, run.err.constData());
    QCOMPARE(run.out,
        "REPORT executes,streams,streamsMuch,leaves,keepsSessions,converses,isRefused\n"_ba);
}

void TestClients::browser()
{
    QProcess chromium;
    QByteArray said;
    connect(&chromium, &QProcess::readyReadStandardError, &chromium,
        [&] { said += chromium.readAllStandardError(); });
    // Alone with this machine: no name but the page's address is resolved.
    chromium.start(u"chromium"_s,
        { u"--headless"_s, u"--no-sandbox"_s, u"--disable-gpu"_s, u"--disable-quic"_s,
            u"--no-first-run"_s, u"--disable-background-networking"_s,
            u"--disable-component-update"_s, u"--disable-sync"_s, u"--disable-dev-shm-usage"_s,
            u"--no-proxy-server"_s, u"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"_s,
            u"--user-data-dir="_s + m_folder.filePath(u"chromium"_s), u"--enable-logging=stderr"_s,
            proxied(u"/page.html"_s) });
    const bool isDone = QTest::qWaitFor(
        [&] { return said.contains("REPORT") || chromium.state() == QProcess::NotRunning; },
        patience);
    chromium.terminate();
    if (!chromium.waitForFinished())
        chromium.kill();
    chromium.waitForFinished();
    QVERIFY2(isDone
            && said.contains("REPORT executes,streams,streamsMuch,leaves,keepsSessions,converses,"
                             "isRefused"),
        said.constData());
}

void TestClients::remoteEngineBehindTheProxy_data()
{
    QTest::addColumn<QString>("path");
    QTest::newRow("WebSocket") << QString();
    QTest::newRow("server-sent events") << u"/plain"_s;
}

void TestClients::remoteEngineBehindTheProxy()
{
    QFETCH(QString, path);
    const auto address = remote::parseServerAddress(proxied(path));
    QVERIFY(address);
    RemoteEngine engine(*address, u"master"_s);
    auto request = requestOf(Runtime::Bash, "echo out; echo err >&2; printf made >made; exit 3");
    request.outputPaths = { u"made"_s };
    WatchedRun run(engine.start(request, {}, {}));
    const auto result = run.result();
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    QCOMPARE(run.standardOutput, "out\n"_ba);
    QCOMPARE(run.standardError, "err\n"_ba);
    QCOMPARE(result->exitCode, 3);
    QCOMPARE(result->files.value(u"made"_s), "made"_ba);

    WatchedRun late(engine.start(requestOf(Runtime::Bash, "echo up; sleep 600"), {}, {}));
    QVERIFY(late.waitForOutput("up"));
    late.run().cancel();
    QVERIFY(late.result());
    const auto sessions = QCoro::waitFor(engine.sessions());
    QVERIFY(sessions && sessions->isEmpty());
}

QTEST_GUILESS_MAIN(TestClients)
#include "tst_clients_live.moc"
