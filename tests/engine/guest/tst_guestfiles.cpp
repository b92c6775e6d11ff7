// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

#include <QSet>

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

    void replacesAFileWhole()
    {
        auto& guest = m_guest->connection();
        QVERIFY(QCoro::waitFor(guest.putFile("x", QByteArray(100'000, 'a'), 0644, {})));
        QVERIFY(QCoro::waitFor(guest.putFile("x", "b", 0755, {})));
        QCOMPARE(*QCoro::waitFor(guest.fetchFile("x", 10, {})), "b");
        QVERIFY(QCoro::waitFor(guest.putFile("f/link", "", 0644, {})));
        // A link in the way is replaced, not followed.
        const auto ran = m_guest->run(GuestFixture::shell("ln -sf /sandbox/x l; ln -sf x m"));
        QVERIFY(ran.report);
        QVERIFY(QCoro::waitFor(guest.putFile("l", "new", 0644, {})));
        QCOMPARE(*QCoro::waitFor(guest.fetchFile("x", 10, {})), "b");
        QCOMPARE(*QCoro::waitFor(guest.fetchFile("m", 10, {})), "b");
        QCOMPARE(QCoro::waitFor(guest.statFile("m", {}))->type, FileEntry::Type::Link);
        QCOMPARE(QCoro::waitFor(guest.listDirectory("/sandbox", {}))->size(), 4);
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<Kind>("fetching");
        QTest::addColumn<Kind>("putting");
        // What each is like: see refuses().
        QTest::newRow("nothing there") << QByteArray("none/") << Kind::NotFound << Kind::Internal;
        QTest::newRow("sandbox itself")
            << QByteArray("/sandbox") << Kind::Conflict << Kind::Invalid;
        QTest::newRow("dot") << QByteArray("./") << Kind::Conflict << Kind::Invalid;
        QTest::newRow("up") << QByteArray("..") << Kind::Denied << Kind::Invalid;
        QTest::newRow("up and down") << QByteArray("../sandbox/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("deep up") << QByteArray("d/../../etc/passwd") << Kind::Denied
                                 << Kind::Denied;
        QTest::newRow("elsewhere") << QByteArray("/tmp/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("prefix") << QByteArray("/sandboxes/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("link out") << QByteArray("out/passwd") << Kind::Denied << Kind::Denied;
        QTest::newRow("link up") << QByteArray("up/etc/passwd") << Kind::Denied << Kind::Denied;
        QTest::newRow("link to a process") << QByteArray("magic/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("link loop") << QByteArray("loop/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("directory") << QByteArray("d") << Kind::Conflict << Kind::Conflict;
        QTest::newRow("below a file") << QByteArray("x/y") << Kind::Conflict << Kind::Conflict;
        QTest::newRow("closed directory") << QByteArray("closed/x") << Kind::Denied << Kind::Denied;
        QTest::newRow("component of 256") << QByteArray(256, 'n') << Kind::Invalid << Kind::Invalid;
        QTest::newRow("full") << QByteArray("/sandbox/full") << Kind::NotFound << Kind::Limit;
    }
    void refuses()
    {
        QFETCH(QByteArray, path);
        QFETCH(Kind, fetching);
        QFETCH(Kind, putting);
        auto& guest = m_guest->connection();
        const auto prepared
            = m_guest->run(GuestFixture::shell("echo x >x; mkdir d; mkdir closed; touch closed/x; "
                                               "chmod 0 closed; ln -s /etc out; ln -s .. up;"
                                               "ln -s loop loop; ln -s /proc/self/cwd magic"));
        QCOMPARE(prepared.standardError, QByteArray());
        const auto fetched = QCoro::waitFor(guest.fetchFile(path, 1000, {}));
        QVERIFY(!fetched);
        QVERIFY2(fetched.error().kind == fetching, qPrintable(fetched.error().message));
        if (putting == Kind::Internal)
            return;
        const QByteArray content(putting == Kind::Limit ? 300 << 20 : 1, 'x');
        const auto put = QCoro::waitFor(guest.putFile(path, content, 0644, {}));
        QVERIFY(!put);
        QVERIFY2(put.error().kind == putting, qPrintable(put.error().message));
        QVERIFY(guest.isOpen());
    }

    void neverWaitsForSpecialFiles()
    {
        auto& guest = m_guest->connection();
        const auto prepared = m_guest->run(GuestFixture::perl(R"(
            use POSIX; use Socket;
            mkfifo "fifo", 0666; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("socket"));
            truncate STDIN, 0; open(F, ">", "sparse"); truncate F, 1 << 50; close F;
            open(F, ">", "write-only"); close F; chmod 0, "write-only";
            symlink "/dev/zero", "zero";
        )"));
        QCOMPARE(prepared.standardError, QByteArray());
        QCOMPARE(QCoro::waitFor(guest.fetchFile("fifo", 10, {})).error().kind, Kind::Invalid);
        QVERIFY(!QCoro::waitFor(guest.fetchFile("socket", 10, {})));
        QCOMPARE(QCoro::waitFor(guest.fetchFile("sparse", 1 << 20, {})).error().kind, Kind::Limit);
        QCOMPARE(QCoro::waitFor(guest.fetchFile("write-only", 10, {})).error().kind, Kind::Denied);
        QCOMPARE(QCoro::waitFor(guest.fetchFile("zero", 10, {})).error().kind, Kind::Denied);
        QCOMPARE(QCoro::waitFor(guest.statFile("fifo", {}))->type, FileEntry::Type::Other);
        QCOMPARE(QCoro::waitFor(guest.statFile("sparse", {}))->sizeBytes, 1LL << 50);
        QVERIFY(QCoro::waitFor(guest.putFile("fifo", "no longer", 0644, {})));
        QCOMPARE(*QCoro::waitFor(guest.fetchFile("fifo", 10, {})), "no longer");
        QCOMPARE(QCoro::waitFor(guest.fetchFile("fifo", 8, {})).error().kind, Kind::Limit);
    }

    void listsManyEntries()
    {
        auto& guest = m_guest->connection();
        const auto prepared
            = m_guest->run(GuestFixture::perl("for (1..20000) { open(F, '>', sprintf('%05d', $_)); "
                                              "} mkdir 'sub'; symlink 'x', 'link';"));
        QVERIFY(prepared.report);
        const auto listed = QCoro::waitFor(guest.listDirectory("/sandbox/", {}));
        QVERIFY2(listed, qPrintable(messageOf(listed)));
        QCOMPARE(listed->size(), 20'002);
        QSet<QString> names;
        for (const auto& entry : *listed)
            names.insert(entry.name);
        QCOMPARE(names.size(), 20'002);
        QCOMPARE(QCoro::waitFor(guest.listDirectory("00001", {})).error().kind, Kind::Conflict);
        QCOMPARE(QCoro::waitFor(guest.listDirectory("none", {})).error().kind, Kind::NotFound);
        QVERIFY(QCoro::waitFor(guest.listDirectory("sub", {}))->isEmpty());
    }

    void makesRenamesAndRemoves()
    {
        auto& guest = m_guest->connection();
        QVERIFY(QCoro::waitFor(guest.makeDirectory("a/b/c", 0700, {})));
        QVERIFY(QCoro::waitFor(guest.makeDirectory("/sandbox/a/b/c", 0755, {})));
        QVERIFY(QCoro::waitFor(guest.makeDirectory("/sandbox", 0755, {})));
        QCOMPARE(QCoro::waitFor(guest.statFile("a/b/c", {}))->mode, 0700);
        QVERIFY(QCoro::waitFor(guest.putFile("a/f", "f", 0644, {})));
        QCOMPARE(QCoro::waitFor(guest.makeDirectory("a/f", 0755, {})).error().kind, Kind::Conflict);
        QVERIFY(QCoro::waitFor(guest.renameFile("a/f", "a/b/g", {})));
        QCOMPARE(QCoro::waitFor(guest.renameFile("a/f", "a/b/g", {})).error().kind, Kind::NotFound);
        QCOMPARE(
            QCoro::waitFor(guest.renameFile("a/b/g", "../tmp/g", {})).error().kind, Kind::Denied);
        QCOMPARE(QCoro::waitFor(guest.renameFile("a", "a/b/a", {})).error().kind, Kind::Invalid);
        QCOMPARE(QCoro::waitFor(guest.removeFile("/sandbox", {})).error().kind, Kind::Invalid);
        QCOMPARE(QCoro::waitFor(guest.removeFile("..", {})).error().kind, Kind::Invalid);
        QVERIFY(QCoro::waitFor(guest.removeFile("a", {})));
        QCOMPARE(QCoro::waitFor(guest.removeFile("a", {})).error().kind, Kind::NotFound);
        QVERIFY(QCoro::waitFor(guest.listDirectory("/sandbox", {}))->isEmpty());
    }

    void removesHostileTrees()
    {
        auto& guest = m_guest->connection();
        const auto prepared = m_guest->run(GuestFixture::perl(R"(
            mkdir "t"; chdir "t"; symlink "/", "root"; symlink "..", "up";
            mkdir "locked"; open(F, ">", "locked/x"); close F; chmod 0, "locked";
            for my $mode (0, 0100, 0200, 0400, 0500, 0600) {
                mkdir "m$mode"; mkdir "m$mode/sub"; open(F, ">", "m$mode/sub/f"); close F;
                chmod $mode, "m$mode/sub"; chmod $mode, "m$mode";
            }
            for (1..100000) { mkdir "d" or die $!; chdir "d" or die $!; }
            open(F, ">", "deepest"); print "made";
        )"));
        QCOMPARE(prepared.standardOutput, "made");
        const auto removed = QCoro::waitFor(guest.removeFile("t", {}));
        QVERIFY2(removed, qPrintable(messageOf(removed)));
        QVERIFY(QCoro::waitFor(guest.listDirectory("/sandbox", {}))->isEmpty());
    }

    void operationsSurviveTheEndOfARun()
    {
        // The end of a run kills everything, uploads in progress too; they are repeated unseen.
        auto& guest = m_guest->connection();
        for (int i = 0; i < 10; ++i) {
            Ran ran;
            const auto run = m_guest->start(GuestFixture::shell("echo ready; cat"), ran);
            QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
            run->closeStdin();
            const auto put = QCoro::waitFor(
                guest.putFile("large", QByteArray(2'000'000, char('a' + i)), 0644, {}));
            QVERIFY2(put, qPrintable(messageOf(put)));
            const auto fetched = QCoro::waitFor(guest.fetchFile("large", 2'000'000, {}));
            QVERIFY2(fetched, qPrintable(messageOf(fetched)));
            QVERIFY(*fetched == QByteArray(2'000'000, char('a' + i)));
            QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        }
        QCOMPARE(QCoro::waitFor(guest.listDirectory("/sandbox", {}))->size(), 1);
    }

    void manyOperationsAtOnce()
    {
        auto& guest = m_guest->connection();
        std::vector<Task<>> puts;
        for (int i = 0; i < 100; ++i)
            puts.push_back(
                guest.putFile("f" + QByteArray::number(i), QByteArray(i * 1000, 'x'), 0644, {}));
        for (auto& put : puts) {
            const auto result = QCoro::waitFor(put);
            QVERIFY2(result, qPrintable(messageOf(result)));
        }
        QCOMPARE(QCoro::waitFor(guest.listDirectory(".", {}))->size(), 100);
    }

    void cancelledUploadLeavesNothing()
    {
        auto& guest = m_guest->connection();
        CancelToken cancel;
        auto put = guest.putFile("large", QByteArray(50'000'000, 'x'), 0644, cancel);
        const auto run = m_guest->run(GuestFixture::shell("echo meanwhile"));
        QCOMPARE(run.standardOutput, "meanwhile\n");
        cancel.cancel();
        const auto result = QCoro::waitFor(put);
        QVERIFY(result || result.error().kind == Kind::Cancelled);
        const auto listed = QCoro::waitFor(guest.listDirectory("/sandbox", {}));
        QVERIFY(listed);
        QCOMPARE(listed->size(), result ? 1 : 0);
    }

    void scrubEndsARun()
    {
        Ran ran;
        const auto run = m_guest->start(GuestFixture::shell("echo ready; exec sleep 1000"), ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
        const auto scrubbed = QCoro::waitFor(m_guest->connection().scrub({}));
        QVERIFY2(scrubbed, qPrintable(messageOf(scrubbed)));
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.report->outcome, Outcome::Killed);
    }

    void scrubRestoresTheMountsThemselves()
    {
        const auto look = GuestFixture::shell("stat -c '%n %a %u %g %Y %h' /sandbox /tmp /dev/shm");
        const auto before = m_guest->run(look);
        const auto spoilt = m_guest->run(GuestFixture::perl(R"(
            mkdir "/sandbox/x"; mkdir "/tmp/x"; utime 1, 1, "/sandbox"; chmod 01777, "/sandbox";
            my ($path, $user, $access, $text) = ("/sandbox", "user.note", "system.posix_acl_access", "hidden");
            my $list = pack("L(SSL)*", 2, 1, 7, 0xffffffff, 2, 7, 12, 4, 5, 0xffffffff, 0x10, 7,
                0xffffffff, 0x20, 5, 0xffffffff);
            syscall(188, $path, $user, $text, 6, 0); # setxattr; older kernels refuse user.* here
            print syscall(188, $path, $access, $list, 44, 0);
        )"));
        QVERIFY(spoilt.report);
        QCOMPARE(spoilt.standardError, QByteArray());
        QCOMPARE(spoilt.standardOutput, "0");
        const auto scrubbed = QCoro::waitFor(m_guest->connection().scrub({}));
        QVERIFY2(scrubbed, qPrintable(messageOf(scrubbed)));
        QCOMPARE(m_guest->run(look).standardOutput, before.standardOutput);
        const auto attributes
            = m_guest->run(GuestFixture::perl("my ($path, $names) = ('/sandbox', ' ' x 1000); "
                                              "print syscall(194, $path, $names, 1000);"));
        QCOMPARE(attributes.standardError, QByteArray());
        QCOMPARE(attributes.standardOutput, "0");
    }

    void scrubsAFullSandbox()
    {
        const auto filled = m_guest->run(GuestFixture::shell(
            "cat /dev/zero >/sandbox/x 2>/dev/null; cat /dev/zero >/tmp/x 2>/dev/null;"
            "cat /dev/zero >/dev/shm/x 2>/dev/null; echo filled"));
        QCOMPARE(filled.standardOutput, "filled\n");
        const auto scrubbed = QCoro::waitFor(m_guest->connection().scrub({}));
        QVERIFY2(scrubbed, qPrintable(messageOf(scrubbed)));
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
            "cat /proc/sysvipc/* | grep -vc key; set -- /proc/[0-9]*; echo $#"));
        QCOMPARE(ran.standardError, QByteArray());
        QCOMPARE(ran.standardOutput,
            "/dev/mqueue:\n\n/dev/shm:\n\n/sandbox:\n\n/tmp:\n755:100:101\n0\n2\n");
    }

private:
    std::unique_ptr<GuestFixture> m_guest;
};

QTEST_GUILESS_MAIN(TestGuestFiles)
#include "tst_guestfiles.moc"
