// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

#include <QSignalSpy>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;

namespace {

template <typename T> QString messageOf(const Result<T>& result)
{
    return result ? u"no error"_s : result.error().message;
}

} // namespace

/// File operations and the scrub of a real guest.
class TestGuestFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_guest = std::make_unique<GuestFixture>();
        QVERIFY(m_guest->isOpen());
    }
    void cleanupTestCase() { m_guest.reset(); }
    void init() { QVERIFY(m_guest->connection().isOpen()); }
    void cleanup()
    {
        const auto scrubbed = QCoro::waitFor(m_guest->connection().scrub({}));
        QVERIFY2(scrubbed, qPrintable(messageOf(scrubbed)));
    }

    void putsAndFetches_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<int>("size");
        QTest::newRow("empty") << QByteArray("empty") << 0;
        QTest::newRow("one byte") << QByteArray("/sandbox/one") << 1;
        QTest::newRow("window") << QByteArray("w") << int(guest::fileWindowBytes);
        QTest::newRow("beyond the window") << QByteArray("w1") << int(guest::fileWindowBytes) + 1;
        QTest::newRow("large") << QByteArray("large") << 10'000'000;
        QTest::newRow("missing parents") << QByteArray("a/b//c/./d") << 10;
        QTest::newRow("name of 255") << QByteArray(255, 'n') << 10;
        QTest::newRow("line break") << QByteArray("a\nb") << 10;
        QTest::newRow("invalid UTF-8") << QByteArray("\xff\xfe") << 10;
        QTest::newRow("dots") << QByteArray("..x") << 10;
        QTest::newRow("dash") << QByteArray("-rf") << 10;
        QTest::newRow("space") << QByteArray(" ") << 10;
    }
    void putsAndFetches()
    {
        QFETCH(QByteArray, path);
        QFETCH(int, size);
        QByteArray content(size, 0);
        for (int i = 0; i < size; ++i)
            content[i] = static_cast<char>(i * 31 + i / 251);
        const auto put = QCoro::waitFor(m_guest->connection().putFile(path, content, 0640, {}));
        QVERIFY2(put, qPrintable(messageOf(put)));
        const auto stat = QCoro::waitFor(m_guest->connection().statFile(path, {}));
        QVERIFY2(stat, qPrintable(messageOf(stat)));
        QCOMPARE(stat->type, FileEntry::Type::File);
        QCOMPARE(stat->sizeBytes, size);
        QCOMPARE(stat->mode, 0640);
        const auto fetched = QCoro::waitFor(m_guest->connection().fetchFile(path, size, {}));
        QVERIFY2(fetched, qPrintable(messageOf(fetched)));
        QVERIFY(*fetched == content);
    }

    void scrubsEverything()
    {
        auto ran = m_guest->run(GuestFixture::perl(R"(
            use POSIX;
            mkdir "/sandbox/..x"; mkdir "/sandbox/ "; mkdir "/sandbox/locked";
            open(F, ">", "/sandbox/locked/x"); close F; chmod 0, "/sandbox/locked";
            mkdir "/tmp/readonly"; open(F, ">", "/tmp/readonly/y"); close F; chmod 0500, "/tmp/readonly";
            mkdir "/tmp/\xff\n"; symlink "/", "/tmp/root"; mkfifo "/dev/shm/fifo", 0;
            open(F, ">", "/dev/mqueue/queue"); close F;
            chdir "/tmp"; for (1..5000) { mkdir "d" or die $!; chdir "d" or die $!; }
            for my $i (1..50) { defined(shmget(4711 + $i, 4096, 01000)) or die $!;
                defined(semget(4711 + $i, 1, 01000)) or die $!; defined(msgget(4711 + $i, 01000)) or die $!; }
            chdir "/";
            chmod 0, "/sandbox";
            for (1..20) { if (!fork) { POSIX::setsid(); $SIG{TERM} = "IGNORE"; sleep 1000; } }
            print "done";
        )"));
        QVERIFY2(ran.report, qPrintable(messageOf(ran.report)));
        QCOMPARE(ran.standardError, QByteArray());
        QCOMPARE(ran.standardOutput, "done");
        const auto scrubbed = QCoro::waitFor(m_guest->connection().scrub({}));
        QVERIFY2(scrubbed, qPrintable(messageOf(scrubbed)));
        ran = m_guest->run(GuestFixture::shell(
            "ls -A /sandbox /tmp /dev/shm /dev/mqueue; stat -c %a:%u:%g /sandbox;"
            "cat /proc/sysvipc/* | grep -vc key; ls /proc | grep -c '^[0-9]'"));
        QCOMPARE(ran.standardError, QByteArray());
        QCOMPARE(ran.standardOutput,
            "/dev/mqueue:\n\n/dev/shm:\n\n/sandbox:\n\n/tmp:\n755:100:101\n0\n4\n");
    }

private:
    std::unique_ptr<GuestFixture> m_guest;
};

QTEST_GUILESS_MAIN(TestGuestFiles)
#include "tst_guestfiles.moc"
