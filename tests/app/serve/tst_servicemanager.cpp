// SPDX-License-Identifier: MIT
#include "app/serve/servicemanager.h"
#include "tests/app/serve/fakemanager.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <ctime>

#include <fcntl.h>

using namespace isol8::serve;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 60'000;

} // namespace

class TestServiceManager : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void nothingWithoutOne();
    void tellsItsState_data();
    void tellsItsState();
    void unusableAddresses_data();
    void unusableAddresses();
    void feedsTheWatchdog();
    void watchdogOfAnother();
    void takesSockets();
    void socketsOfAnother_data();
    void socketsOfAnother();
};

void TestServiceManager::init()
{
    for (const auto* name : { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
             "LISTEN_PID", "LISTEN_FDNAMES" })
        qunsetenv(name);
}

void TestServiceManager::nothingWithoutOne()
{
    ServiceManager manager;
    QVERIFY(!manager.isNotified());
    QVERIFY(manager.sockets().isEmpty());
    manager.ready(u"here"_s);
    manager.reloading();
    manager.stopping(u"gone"_s, 1s);
}

void TestServiceManager::tellsItsState_data()
{
    QTest::addColumn<bool>("isAbstract");
    QTest::newRow("path") << false;
    QTest::newRow("abstract") << true;
}

void TestServiceManager::tellsItsState()
{
    QFETCH(bool, isAbstract);
    const QTemporaryDir dir;
    FakeManager fake(isAbstract ? "@isol8-test-" + QByteArray::number(::getpid())
                                : QFile::encodeName(dir.filePath(u"notify"_s)));
    qputenv("NOTIFY_SOCKET", fake.name());
    ServiceManager manager;
    QVERIFY(!qEnvironmentVariableIsSet("NOTIFY_SOCKET"));
    QVERIFY(manager.isNotified());
    QCOMPARE(fake.message(), QByteArray());
    manager.ready(u"Listening on\nsomething"_s);
    QCOMPARE(fake.message(), "READY=1\nSTATUS=Listening on something"_ba);

    const auto now = [] {
        timespec time {};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return qint64(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
    };
    const auto before = now();
    manager.reloading();
    const auto lines = fake.message().split('\n');
    QCOMPARE(lines.size(), 3);
    QCOMPARE(lines[0], "RELOADING=1"_ba);
    QVERIFY(lines[1].startsWith("MONOTONIC_USEC="));
    const auto said = lines[1].sliced(15).toLongLong();
    QVERIFY(said >= before && said <= now());

    manager.stopping(u"Waiting"_s, 90s);
    QCOMPARE(fake.message(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\nSTATUS=Waiting"_ba);
    QCOMPARE(fake.message(), QByteArray());
}

void TestServiceManager::unusableAddresses_data()
{
    QTest::addColumn<QByteArray>("address");
    QTest::newRow("relative") << "notify"_ba;
    QTest::newRow("absent") << "/no/such/socket"_ba;
    QTest::newRow("long") << '/' + QByteArray(200, 'a');
    QTest::newRow("vsock") << "vsock:2:1234"_ba;
}

void TestServiceManager::unusableAddresses()
{
    QFETCH(QByteArray, address);
    qputenv("NOTIFY_SOCKET", address);
    ServiceManager manager;
    manager.ready(u"here"_s);
    QVERIFY(!qEnvironmentVariableIsSet("NOTIFY_SOCKET"));
}

void TestServiceManager::feedsTheWatchdog()
{
    const QTemporaryDir dir;
    FakeManager fake(QFile::encodeName(dir.filePath(u"notify"_s)));
    qputenv("NOTIFY_SOCKET", fake.name());
    qputenv("WATCHDOG_USEC", "20000");
    qputenv("WATCHDOG_PID", QByteArray::number(::getpid()));
    ServiceManager manager;
    QVERIFY(!qEnvironmentVariableIsSet("WATCHDOG_USEC"));
    manager.ready(u"here"_s);
    QCOMPARE(fake.message(), "READY=1\nSTATUS=here"_ba);
    for (int i = 0; i < 3; ++i) {
        QByteArray message;
        QVERIFY(QTest::qWaitFor([&] { return !(message = fake.message()).isEmpty(); }, patience));
        QCOMPARE(message, "WATCHDOG=1"_ba);
    }
}

void TestServiceManager::watchdogOfAnother()
{
    const QTemporaryDir dir;
    FakeManager fake(QFile::encodeName(dir.filePath(u"notify"_s)));
    qputenv("NOTIFY_SOCKET", fake.name());
    qputenv("WATCHDOG_USEC", "20000");
    qputenv("WATCHDOG_PID", "1");
    ServiceManager manager;
    manager.ready(u"here"_s);
    QCOMPARE(fake.message(), "READY=1\nSTATUS=here"_ba);
    QCOMPARE(fake.message(), QByteArray());
}

/// They come as 3, 4, …, which may be in use in this process.
void TestServiceManager::takesSockets()
{
    QList<int> kept;
    for (const int descriptor : { 3, 4 }) {
        kept << ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
        const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (socket != descriptor) {
            QCOMPARE(::dup2(socket, descriptor), descriptor);
            ::close(socket);
        }
    }
    qputenv("LISTEN_PID", QByteArray::number(::getpid()));
    qputenv("LISTEN_FDS", "2");
    qputenv("LISTEN_FDNAMES", "a:b");
    {
        const ServiceManager manager;
        QCOMPARE(manager.sockets(), (QList<int> { 3, 4 }));
        for (const auto* name : { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" })
            QVERIFY(!qEnvironmentVariableIsSet(name));
        for (const int descriptor : manager.sockets())
            QCOMPARE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    for (int i = 0; i < kept.size(); ++i) {
        if (kept[i] >= 0) {
            ::dup3(kept[i], 3 + i, O_CLOEXEC);
            ::close(kept[i]);
        } else {
            ::close(3 + i);
        }
    }
}

void TestServiceManager::socketsOfAnother_data()
{
    QTest::addColumn<QByteArray>("pid");
    QTest::addColumn<QByteArray>("count");
    const auto own = QByteArray::number(::getpid());
    QTest::newRow("another process") << "1"_ba << "1"_ba;
    QTest::newRow("no process") << QByteArray() << "1"_ba;
    QTest::newRow("nonsense") << own << "many"_ba;
    QTest::newRow("negative") << own << "-1"_ba;
    QTest::newRow("too many") << own << "1000000"_ba;
}

void TestServiceManager::socketsOfAnother()
{
    QFETCH(QByteArray, pid);
    QFETCH(QByteArray, count);
    qputenv("LISTEN_PID", pid);
    qputenv("LISTEN_FDS", count);
    QCOMPARE(ServiceManager().sockets(), QList<int>());
}

QTEST_GUILESS_MAIN(TestServiceManager)
#include "tst_servicemanager.moc"
