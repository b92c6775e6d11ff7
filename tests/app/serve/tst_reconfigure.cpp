// SPDX-License-Identifier: MIT
#include "tests/app/serve/serverfixture.h"

#include <QFile>
#include <QTcpSocket>
#include <QTemporaryDir>

using namespace isol8;
using namespace isol8::tests;
using namespace std::chrono_literals;

/// New settings for a server that runs.
class TestReconfigure : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void limitsChange();
    void runsKeepTheirs();
    void queueChanges();
    void tellsWhatNeedsARestart();
    void accessLogChanges();
    void anErrorChangesNothing();
};

void TestReconfigure::limitsChange()
{
    ServerFixture fixture;
    fixture.engine->script = [](FakeRun& run) { run.end(); };
    const auto body = executeBody({ { u"code"_s, QString(3000, u'x') } });
    QCOMPARE(fixture.client->send("POST", u"/execute"_s, body).status, 200);
    Settings settings;
    settings.serve.maxBodyBytes = 1024;
    settings.serve.maxSessions = 0;
    settings.serve.maxHeaderFields = 3;
    const auto change = fixture.server->reconfigure(settings);
    QVERIFY(change);
    QCOMPARE(change->changed,
        (QStringList {
            u"serve.maxBodySize"_s, u"serve.maxHeaderFields"_s, u"serve.maxSessions"_s }));
    QCOMPARE(change->needRestart, QStringList());
    QCOMPARE(fixture.client->send("POST", u"/execute"_s, body).status, 413);
    QCOMPARE(
        fixture.client->send("POST", u"/execute"_s, executeBody(oneLiner, u"box"_s)).status, 429);
    QTcpSocket socket;
    socket.connectToHost(u"127.0.0.1"_s, fixture.server->port());
    socket.write("GET /health HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nE: f\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(socket.bytesAvailable() > 0, 60'000);
    QVERIFY(socket.readAll().startsWith("HTTP/1.1 431 "));
    QVERIFY(fixture.server->reconfigure({}));
    QCOMPARE(fixture.client->send("POST", u"/execute"_s, body).status, 200);
}

void TestReconfigure::runsKeepTheirs()
{
    ServerFixture fixture;
    const auto reply = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    Settings settings;
    settings.defaults.memoryLimitBytes = 64 << 20;
    settings.defaults.timeout = 1ms;
    QVERIFY(fixture.server->reconfigure(settings));
    QCOMPARE(fixture.run()->options.memoryLimitBytes, 512LL << 20);
    fixture.run()->end();
    QCOMPARE(HttpClient::finish(*reply).status, 200);
    settings.defaults.timeout = 30s;
    QVERIFY(fixture.server->reconfigure(settings));
    const auto next = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run(1));
    QCOMPARE(fixture.run(1)->options.memoryLimitBytes, 64LL << 20);
    fixture.run(1)->end();
    QCOMPARE(HttpClient::finish(*next).status, 200);
}

void TestReconfigure::queueChanges()
{
    Settings settings;
    settings.maxConcurrent = 1;
    ServerFixture fixture(settings);
    const auto first = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QVERIFY(fixture.run());
    const auto second = fixture.client->begin("POST", u"/execute"_s, executeBody(oneLiner));
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->queue.waiting(), 1, 60'000);
    settings.maxConcurrent = 2;
    QVERIFY(fixture.server->reconfigure(settings));
    QVERIFY(fixture.run(1));
    fixture.run(0)->end();
    fixture.run(1)->end();
    QCOMPARE(HttpClient::finish(*first).status, 200);
    QCOMPARE(HttpClient::finish(*second).status, 200);
}

void TestReconfigure::tellsWhatNeedsARestart()
{
    ServerFixture fixture;
    Settings settings;
    settings.auth.enabled = true;
    settings.serve.sessionGrace = 5s;
    settings.serve.maxQueue = 7;
    const auto change = fixture.server->reconfigure(settings);
    QVERIFY(change);
    QCOMPARE(change->changed, QStringList { u"serve.maxQueue"_s });
    QCOMPARE(change->needRestart, (QStringList { u"auth.enabled"_s, u"serve.sessionGraceMs"_s }));
    QVERIFY(!fixture.service->settings.auth.enabled);
    // Said each time, until it is so.
    QCOMPARE(fixture.server->reconfigure(settings)->needRestart.size(), 2);
}

void TestReconfigure::accessLogChanges()
{
    const QTemporaryDir dir;
    ServerFixture fixture;
    QCOMPARE(fixture.client->get(u"/health"_s).status, 200);
    Settings settings;
    settings.serve.accessLog = dir.filePath(u"one"_s);
    QVERIFY(fixture.server->reconfigure(settings));
    QCOMPARE(fixture.client->get(u"/health?key=hidden"_s).status, 200);
    // Renamed, as logrotate does.
    QVERIFY(QFile::rename(dir.filePath(u"one"_s), dir.filePath(u"old"_s)));
    QCOMPARE(fixture.client->get(u"/nowhere"_s).status, 404);
    QVERIFY(fixture.server->reconfigure(settings));
    QCOMPARE(fixture.client->get(u"/sessions"_s).status, 200);
    settings.serve.accessLog.clear();
    QVERIFY(fixture.server->reconfigure(settings));
    QCOMPARE(fixture.client->get(u"/runtimes"_s).status, 200);

    QFile old(dir.filePath(u"old"_s));
    QVERIFY(old.open(QIODevice::ReadOnly));
    const auto lines = old.readAll();
    QCOMPARE(lines.count('\n'), 2);
    QVERIFY(lines.contains("\"/health\"") && lines.contains("\"/nowhere\""));
    QVERIFY(!lines.contains("hidden"));
    QFile fresh(dir.filePath(u"one"_s));
    QVERIFY(fresh.open(QIODevice::ReadOnly));
    const auto line = fresh.readAll();
    QCOMPARE(line.count('\n'), 1);
    QVERIFY(line.contains("\"/sessions\""));
}

void TestReconfigure::anErrorChangesNothing()
{
    const QTemporaryDir dir;
    Settings settings;
    ServerFixture fixture(settings);
    settings.serve.accessLog = dir.filePath(u"no/such/folder"_s);
    settings.serve.maxQueue = 7;
    const auto change = fixture.server->reconfigure(settings);
    QVERIFY(!change);
    QVERIFY(change.error().message.contains("serve.accessLog"_L1));
    QCOMPARE(fixture.service->settings, Settings());
}

QTEST_GUILESS_MAIN(TestReconfigure)
#include "tst_reconfigure.moc"
