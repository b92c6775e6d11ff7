// SPDX-License-Identifier: MIT
#include "runfixture.h"

#include <QCoroTask>
#include <QFile>
#include <QWebSocket>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace isol8;
using namespace isol8::remote;

namespace {

/// What waits in the kernel for the one who has this local port (proc(5), /proc/net/tcp).
qint64 unreadBytes(quint16 port)
{
    QFile file(u"/proc/self/net/tcp"_s);
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    const auto address = QByteArray::number(port, 16).rightJustified(4, '0').toUpper();
    for (const auto& line : file.readAll().split('\n')) {
        const auto fields = line.simplified().split(' ');
        if (fields.value(1).endsWith(':' + address))
            return fields.value(4).split(':').value(1).toLongLong(nullptr, 16);
    }
    return 0;
}

} // namespace

/// Pause, cancel and sudden end of a run on a server.
class TestRemoteRunLife : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void pausesReading_data();
    void pausesReading();
    void cancels_data();
    void cancels();
    void isDestroyedAnytime_data();
    void isDestroyedAnytime();
};

void TestRemoteRunLife::pausesReading_data()
{
    QTest::addColumn<bool>("isWebSocket");
    QTest::newRow("WebSocket") << true;
    QTest::newRow("events") << false;
}

void TestRemoteRunLife::pausesReading()
{
    QFETCH(bool, isWebSocket);
    constexpr int pieces = 160;
    const QString piece(64 << 10, u'x');
    RunFixture f;
    f.options.maxOutputBytes = 1 << 20;
    quint16 port = 0;
    const auto output = makeEvent(u"stdout"_s, piece);
    if (isWebSocket)
        f.onExecute([&](QWebSocket& each) {
            port = each.peerPort();
            for (int i = 0; i < pieces; ++i)
                FakeServer::sendEvent(each, output);
            FakeServer::sendEvent(each, exitOf(u"0"_s));
            each.close();
        });
    else
        f.onPost([&](QTcpSocket& each) {
            port = each.peerPort();
            FakeServer::beginEvents(each);
            for (int i = 0; i < pieces; ++i)
                FakeServer::sendEvent(each, output);
            FakeServer::sendEvent(each, exitOf(u"0"_s));
            each.disconnectFromHost();
        });
    qint64 received = 0;
    f.run = f.engine.start(f.request, f.options, {});
    QObject::connect(
        f.run.get(), &Run::outputReceived, f.run.get(), [&](Channel, const QByteArray& bytes) {
            if (received == 0)
                f.run->setOutputPaused(true);
            received += bytes.size();
        });
    QObject::connect(f.run.get(), &Run::finished, f.run.get(),
        [&f](const auto& result) { f.results << result; });
    QTRY_VERIFY_WITH_TIMEOUT(received > 0, generous);
    // Other calls go on, while nobody takes this output.
    for (int i = 0; i < 50; ++i)
        (void)QCoro::waitFor(f.engine.sessions());
    QCOMPARE(received, piece.size());
    QVERIFY(unreadBytes(port) > 0);
    QVERIFY(f.results.isEmpty());
    f.run->setOutputPaused(false);
    QVERIFY(f.waitForEnd());
    QVERIFY2(f.results[0], f.results[0] ? "" : qPrintable(f.error().message));
    QCOMPARE(received, qint64(pieces) * piece.size());
    // What is kept for the result is bounded as the output is.
    QCOMPARE(f.result().standardOutput.size(), 1 << 20);
    QVERIFY(f.result().isTruncated);
}

void TestRemoteRunLife::cancels_data()
{
    QTest::addColumn<QString>("when");
    for (const auto* when : { "at once", "connecting", "posting", "running", "asking" })
        QTest::newRow(when) << QString::fromLatin1(when);
}

void TestRemoteRunLife::cancels()
{
    QFETCH(QString, when);
    RunFixture f;
    const auto cancel = [&f] { f.run->cancel(); };
    if (when == u"posting"_s) {
        f.onPost([&](QTcpSocket&) { cancel(); });
    } else if (when == u"connecting"_s) {
        f.server.onRequest = [&](QTcpSocket&, const FakeRequest&) {
            cancel();
            return true;
        };
    } else {
        f.onExecute([&](QWebSocket& socket) {
            FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"a"_s));
            if (when == u"asking"_s)
                FakeServer::sendEvent(socket, exitOf(u"5"_s, u"a1"_s));
        });
        f.server.onRequest = [&](QTcpSocket&, const FakeRequest&) {
            cancel();
            return true;
        };
    }
    f.start();
    if (when == u"at once"_s) {
        f.run->cancel();
        QVERIFY(f.results.isEmpty()); // Never from within the call.
    }
    if (when == u"running"_s) {
        QTRY_COMPARE_WITH_TIMEOUT(f.out, "a", generous);
        f.run->cancel();
        f.run->cancel();
        QVERIFY(f.results.isEmpty());
    }
    QVERIFY(f.waitForEnd());
    if (when == u"running"_s) {
        QVERIFY(f.results[0]);
        QCOMPARE(f.result().ending.reason, EndReason::Cancelled);
        QCOMPARE(f.result().exitCode, 137);
        QCOMPARE(f.result().standardOutput, "a");
    } else if (when == u"asking"_s) {
        QVERIFY(f.results[0]);
        QCOMPARE(f.result().exitCode, 5);
    } else {
        QVERIFY(!f.results[0]);
        QCOMPARE(f.error().kind, Kind::Cancelled);
    }
    // The server sees it: every connection of the run ends.
    for (const auto& connection : std::as_const(f.server.connections))
        if (when == u"running"_s)
            QTRY_VERIFY_WITH_TIMEOUT(
                !connection || connection->state() == QAbstractSocket::UnconnectedState, generous);
    QCOMPARE(f.results.size(), 1);
}

void TestRemoteRunLife::isDestroyedAnytime_data()
{
    QTest::addColumn<QString>("when");
    QTest::addColumn<bool>("isEngine");
    for (const auto* when : { "at once", "connecting", "posting", "within output", "asking" }) {
        QTest::addRow("run, %s", when) << QString::fromLatin1(when) << false;
        QTest::addRow("engine, %s", when) << QString::fromLatin1(when) << true;
    }
}

void TestRemoteRunLife::isDestroyedAnytime()
{
    QFETCH(QString, when);
    QFETCH(bool, isEngine);
    FakeServer server;
    auto engine
        = std::make_unique<RemoteEngine>(parseServerAddress(server.url()).value(), u"key"_s);
    ExecutionRequest request;
    request.code = "1";
    auto run = engine->start(request, {}, {});
    bool isGone = false;
    int ends = 0;
    QObject::connect(run.get(), &Run::finished, &server, [&ends] { ++ends; });
    const auto destroy = [&] {
        isEngine ? engine.reset() : run.reset();
        isGone = true;
    };
    const auto take = [&](QTcpSocket&, const FakeRequest&) {
        destroy();
        return true;
    };
    if (when == u"connecting"_s || when == u"posting"_s) {
        server.onRequest = [&](QTcpSocket& socket, const FakeRequest& each) {
            return (when == u"posting"_s && each.target != "/execute/stream") ? false
                                                                              : take(socket, each);
        };
    } else {
        server.onRequest = take;
        server.onMessage = [](QWebSocket& socket, const QJsonObject&) {
            FakeServer::sendEvent(socket, makeEvent(u"stdout"_s, u"a"_s));
            FakeServer::sendEvent(socket, exitOf(u"5"_s, u"a1"_s));
        };
    }
    if (when == u"within output"_s)
        QObject::connect(run.get(), &Run::outputReceived, &server, [&] {
            if (!isGone)
                destroy();
        });
    if (when == u"at once"_s)
        destroy();
    QTRY_VERIFY_WITH_TIMEOUT(isGone, generous);
    if (isEngine)
        QTRY_COMPARE_WITH_TIMEOUT(ends, 1, generous);
    else
        QCoreApplication::processEvents();
    QCOMPARE(ends, isEngine ? 1 : 0);
}

QTEST_GUILESS_MAIN(TestRemoteRunLife)
#include "tst_remoterunlife.moc"
