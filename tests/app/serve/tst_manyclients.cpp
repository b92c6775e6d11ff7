// SPDX-License-Identifier: MIT
#include "app/serve/server.h"
#include "tests/app/serve/fakeengine.h"
#include "tests/support/rawclient.h"

#include <QCoroTask>
#include <QFile>

#include <sys/resource.h>

using namespace isol8;
using namespace isol8::serve;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 240'000;
constexpr int clientCount = 1'000;
constexpr int deafCount = 50;
constexpr int clientsPerAddress = 50;
constexpr qsizetype pieceBytes = 16 << 10;
/// Where a client that does not read must have been noticed: the buffers of both sides' kernel.
constexpr qint64 maxGivenBytes = 32 << 20;

qint64 residentBytes()
{
    QFile file(u"/proc/self/statm"_s);
    return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ').at(1).toLongLong() * 4096 : 0;
}

/// Nobody asks for the result.
void giveAway(FakeRun& run, const QByteArray& bytes)
{
    run.give(bytes);
    run.result.standardOutput.clear();
}

/// A client of /execute/stream that only counts what it reads.
struct Listener {
    Listener(quint16 port, int number)
        : client(port,
              rawRequest("POST", "/execute/stream",
                  R"({"request":{"cmd":"x","timeoutMs":600000},"options":{"maxOutputSize":1073741824}})"),
              QHostAddress(u"127.0.0.%1"_s.arg(2 + number / clientsPerAddress)))
    {
        QObject::connect(&client.socket, &QTcpSocket::readyRead, &client.socket, [this] {
            if (client.isDeaf)
                return;
            receivedBytes += client.received.size();
            last = (last + client.received)
                       .last(std::min<qsizetype>(200, last.size() + client.received.size()));
            client.received.clear();
        });
    }
    [[nodiscard]] bool isEnded() const { return last.endsWith("\r\n0\r\n\r\n"); }

    RawClient client;
    qint64 receivedBytes = 0;
    QByteArray last; ///< The end of what was read.
};

} // namespace

/// A thousand streams at the same time, some of them to clients that do not read.
class TestManyClients : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void thousandStreams();
};

void TestManyClients::initTestCase()
{
    // Both ends of each connection are in this process.
    rlimit limit {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    QVERIFY(limit.rlim_cur >= 4096);
}

void TestManyClients::thousandStreams()
{
    Settings settings;
    settings.maxConcurrent = clientCount + 1;
    settings.serve.maxConnections = clientCount + 10;
    settings.serve.maxConnectionsPerAddress = clientsPerAddress;
    Backend backend;
    const auto engine = std::make_shared<FakeEngine>();
    backend.engine = engine;
    const auto service = std::make_shared<Service>(
        settings, backend, std::make_shared<Authenticator>("master", nullptr));
    Server server(service);
    QVERIFY(server.listen({}));

    std::vector<std::unique_ptr<Listener>> listeners;
    for (int i = 0; i < clientCount; ++i) {
        listeners.push_back(std::make_unique<Listener>(server.port(), i));
        // One after the other, so that run and client have the same number.
        QTRY_COMPARE_WITH_TIMEOUT(engine->runs.size(), size_t(i + 1), patience);
        engine->runs.back()->begin();
        if (i < deafCount)
            listeners.back()->client.stopReading();
    }

    // Those that do not read are paused, each at its own bound.
    const QByteArray piece(pieceBytes, 'x');
    for (int i = 0; i < deafCount; ++i) {
        auto& run = *engine->runs[size_t(i)];
        for (qint64 given = 0; !run.isPaused && given < maxGivenBytes; given += pieceBytes) {
            giveAway(run, piece);
            QCoreApplication::processEvents();
        }
        QVERIFY(run.isPaused && !run.isCancelled);
    }
    // The others hear everything at once, time and again.
    constexpr int pieces = 8;
    const auto shout = [&](int round) {
        for (int n = 0; n < pieces; ++n) {
            for (int i = deafCount; i < clientCount; ++i)
                giveAway(*engine->runs[size_t(i)], piece);
            QCoreApplication::processEvents();
        }
        for (int i = deafCount; i < clientCount; ++i) {
            QTRY_VERIFY_WITH_TIMEOUT(
                listeners[size_t(i)]->receivedBytes > round * pieces * pieceBytes, patience);
            QVERIFY(!engine->runs[size_t(i)]->isPaused);
        }
    };
    shout(1);
    const auto before = residentBytes();
    for (int round = 2; round <= 4; ++round)
        shout(round);
    const auto grown = residentBytes() - before;
    qInfo("%d streams, %d of them not read: grown by %lld kB", clientCount, deafCount,
        static_cast<long long>(grown >> 10));
    QVERIFY(grown < 32 << 20);

    // And so does one that comes now.
    Listener late(server.port(), clientCount);
    QTRY_COMPARE_WITH_TIMEOUT(engine->runs.size(), size_t(clientCount + 1), patience);
    engine->runs.back()->begin();
    engine->runs.back()->give("late");
    engine->runs.back()->end();
    QTRY_VERIFY_WITH_TIMEOUT(late.isEnded(), patience);

    // Whoever listened hears the end, whoever did not is cut off, and its run with it.
    for (int i = deafCount; i < clientCount; ++i)
        engine->runs[size_t(i)]->end();
    for (int i = deafCount; i < clientCount; ++i) {
        QTRY_VERIFY_WITH_TIMEOUT(listeners[size_t(i)]->isEnded(), patience);
        QVERIFY(listeners[size_t(i)]->last.contains(R"("type":"exit")"));
    }
    for (int i = 0; i < deafCount; ++i) {
        const auto& run = engine->runs[size_t(i)];
        QTRY_VERIFY_WITH_TIMEOUT(!run || run->isCancelled, patience);
    }
    listeners.clear();
    QVERIFY(QCoro::waitFor(server.shutdown()));
}

QTEST_GUILESS_MAIN(TestManyClients)
#include "tst_manyclients.moc"
