// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

#include <QFile>
#include <QSignalSpy>

#include <cerrno>
#include <csignal>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;

namespace {

/// Path of this machine's view of what runs in the guest's namespace.
QByteArrayList processesOf(const GuestProcess& process)
{
    QFile children(u"/proc/%1/task/%1/children"_s.arg(process.guestPid()));
    if (!children.open(QIODevice::ReadOnly))
        return { "the guest is gone" };
    const auto text = children.readAll().trimmed();
    return text.isEmpty() ? QByteArrayList() : text.split(' ');
}

} // namespace

/// Programs under a real guest: how they start, talk and end.
class TestGuest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_guest = std::make_unique<GuestFixture>();
        QVERIFY(m_guest->isOpen());
    }
    void cleanupTestCase() { m_guest.reset(); }
    void init() { QVERIFY(m_guest->connection().isOpen()); }
    /// After every run nothing of it is left.
    void cleanup() { QCOMPARE(processesOf(m_guest->process()), QByteArrayList()); }

    void runsAProgram()
    {
        const auto ran
            = m_guest->run(GuestFixture::shell("echo out; echo err >&2; cat; exit 7"), "in");
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::Exited);
        QCOMPARE(ran.report->value, 7U);
        QCOMPARE(ran.standardOutput, "out\nin");
        QCOMPARE(ran.standardError, "err\n");
        QVERIFY(ran.report->wallMicroseconds > 0);
        QVERIFY(ran.report->peakMemoryBytes > 0);
    }

    void tellsEveryExitCode()
    {
        for (quint32 code = 0; code < 256; ++code) {
            const auto ran = m_guest->run(GuestFixture::shell("exit " + QByteArray::number(code)));
            QVERIFY(ran.report);
            QCOMPARE(ran.report->outcome, Outcome::Exited);
            QCOMPARE(ran.report->value, code);
        }
    }

    void tellsEverySignal_data()
    {
        QTest::addColumn<int>("number");
        for (const int number : { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                 SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, 34, 64 })
            QTest::addRow("%d", number) << number;
    }
    void tellsEverySignal()
    {
        QFETCH(int, number);
        const auto ran = m_guest->run(GuestFixture::perl(
            "$SIG{FPE} = 'DEFAULT'; kill " + QByteArray::number(number) + ", $$; sleep 100;"));
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::Signalled);
        QCOMPARE(ran.report->value, static_cast<quint32>(number));
    }

    void programHasNoPrivileges()
    {
        const auto ran = m_guest->run(
            GuestFixture::shell("grep -E '^(Cap|NoNewPrivs|Uid|Gid|Groups|SigBlk|SigIgn)' "
                                "/proc/self/status; umask; ulimit -Hc;"
                                "cat /proc/self/oom_score_adj; ls /proc/self/fd | wc -l;"
                                "read -r _ _ _ _ group session _ </proc/$$/stat;"
                                "echo $((group - $$)) $((session - $$))"));
        QCOMPARE(ran.standardError, QByteArray());
        QCOMPARE(ran.standardOutput.simplified(),
            "Uid: 100 100 100 100 Gid: 101 101 101 101 Groups: SigBlk: 0000000000000000 "
            "SigIgn: 0000000000000000 CapInh: 0000000000000000 CapPrm: 0000000000000000 "
            "CapEff: 0000000000000000 CapBnd: 0000000000000000 CapAmb: 0000000000000000 "
            "NoNewPrivs: 1 "
            "0022 0 1000 4 0 0");
    }

    void programCannotTouchTheGuest()
    {
        const auto ran = m_guest->run(GuestFixture::perl(R"(
            for my $path ("/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/mem", "/proc/1/environ", "/proc/1/exe") {
                print open(my $f, "<", $path) ? "$path opened\n" : "";
                print open(my $g, ">", $path) ? "$path opened to write\n" : "";
            }
            for (1..64) { print kill($_, 1) ? "signal $_ sent\n" : ""; }
            print "ptrace\n" if syscall(101, 16, 1, 0, 0) == 0;
            print "seize\n" if syscall(101, 0x4206, 1, 0, 0) == 0;
        )"));
        QVERIFY(ran.report);
        QCOMPARE(ran.standardOutput, QByteArray());
        QCOMPARE(ran.report->value, 0U);
    }

    void programTracesOnlyWhereItMay()
    {
        for (const bool mayTrace : { false, true }) {
            auto spec
                = GuestFixture::perl("print syscall(101, 0, 0, 0, 0), ' ', $! + 0;"); // TRACEME
            spec.mayTrace = mayTrace;
            QCOMPARE(
                m_guest->run(spec).standardOutput.split(' ').constFirst(), mayTrace ? "0" : "-1");
        }
    }

    void programPrintsFrames()
    {
        unsigned char header[guest::headerBytes];
        guest::encodeHeader(header, { guest::Type::Exited, guest::Stream::None, 1, 0 });
        const QByteArray frame(reinterpret_cast<const char*>(header), sizeof header);
        const auto ran = m_guest->run(GuestFixture::shell("cat"), frame.repeated(1000));
        QCOMPARE(ran.standardOutput, frame.repeated(1000));
    }

    void reopensItsStreams()
    {
        const auto ran = m_guest->run(
            GuestFixture::shell(
                "echo one >/dev/stdout; echo two >/proc/self/fd/2; cat </proc/self/fd/0"),
            "three\n");
        QCOMPARE(ran.standardOutput, "one\nthree\n");
        QCOMPARE(ran.standardError, "two\n");
    }

    void standardInputIsEmptyUnlessOpened()
    {
        auto spec = GuestFixture::shell("cat; echo end");
        spec.isStdinOpen = false;
        const auto ran = m_guest->run(spec);
        QCOMPARE(ran.standardOutput, "end\n");
    }

    void carriesBinaryInput()
    {
        QByteArray input(3'000'000, 0);
        for (qsizetype i = 0; i < input.size(); ++i)
            input[i] = static_cast<char>(i ^ i >> 8);
        const auto ran = m_guest->run(GuestFixture::shell("cat"), input);
        QVERIFY(ran.report);
        QVERIFY(ran.standardOutput == input);
    }

    void dropsInputThatNobodyReads()
    {
        const auto ran = m_guest->run(
            GuestFixture::shell("exec 0<&-; echo closed"), QByteArray(3'000'000, 'x'));
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::Exited);
        QCOMPARE(ran.standardOutput, "closed\n");
    }

    void carriesMuchOutputToASlowReader()
    {
        auto spec = GuestFixture::shell("head -c 100000000 /dev/zero");
        qint64 size = 0;
        qint64 sincePause = 0;
        bool isFinished = false;
        const auto run = m_guest->connection().startRun(spec);
        auto* program = run.get();
        connect(program, &GuestRun::outputReceived, this, [&](Channel, const QByteArray& bytes) {
            size += bytes.size();
            sincePause += bytes.size();
            if (sincePause > 20'000'000) {
                sincePause = 0;
                program->setOutputPaused(true);
                QTimer::singleShot(10, program, [program] { program->setOutputPaused(false); });
            }
        });
        connect(program, &GuestRun::finished, this, [&] { isFinished = true; });
        QTRY_VERIFY_WITH_TIMEOUT(isFinished, patienceMs);
        QCOMPARE(size, 100'000'000);
    }

    void pausedOutputStopsAtTheWindow()
    {
        Ran ran;
        const auto run = m_guest->start(GuestFixture::shell("exec yes"), ran);
        run->setOutputPaused(true);
        QTRY_COMPARE_WITH_TIMEOUT(
            ran.standardOutput.size(), qsizetype(guest::outputWindowBytes), patienceMs);
        // Control goes on all the same, and the end is not held up by output that nobody takes.
        run->kill();
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.report->outcome, Outcome::Killed);
        QCOMPARE(ran.standardOutput.size(), qsizetype(guest::outputWindowBytes));
    }

    void smallWritesAreGathered()
    {
        Ran ran;
        const auto run = m_guest->start(
            GuestFixture::perl("$| = 1; for (1..200000) { syswrite STDOUT, 'x'; }"), ran);
        const QSignalSpy chunks(run.get(), &GuestRun::outputReceived);
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.standardOutput, QByteArray(200'000, 'x'));
        QVERIFY2(chunks.size() < 100'000, qPrintable(QString::number(chunks.size())));
    }

    void endsWithItsFirstProcess_data()
    {
        QTest::addColumn<QByteArray>("script");
        QTest::newRow("background child holds the pipes") << QByteArray("sleep 1000 & echo hi");
        QTest::newRow("daemon") << QByteArray(
            "setsid sh -c 'cd /; sleep 1000 & sleep 1000' & echo hi");
        QTest::newRow("stopped child") << QByteArray("sleep 1000 & kill -STOP $!; echo hi");
        QTest::newRow("ignores everything")
            << QByteArray("(trap '' HUP INT QUIT TERM PIPE; while :; do sleep 1; done) & echo hi");
        QTest::newRow("zombies") << QByteArray(
            "for i in 1 2 3 4 5 6 7 8 9; do (true & exec sleep 1000) & done; echo hi");
    }
    void endsWithItsFirstProcess()
    {
        QFETCH(QByteArray, script);
        const auto ran = m_guest->run(GuestFixture::shell(script));
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::Exited);
        QCOMPARE(ran.report->value, 0U);
        QCOMPARE(ran.standardOutput, "hi\n");
    }

    void endsWithTracedAndForkingChildren()
    {
        // One child is traced by another; a third never stops forking.
        const auto ran = m_guest->run(GuestFixture::perl(R"(
            $| = 1;
            my $victim = fork; if (!$victim) { sleep 1000; exit }
            if (!fork) { syscall(101, 0x4206, $victim, 0, 0); sleep 1000; exit }
            if (!fork) { while (1) { my $p = fork; if (!defined $p) { next } if ($p) { exit } } }
            select undef, undef, undef, 0.2;
            print "hi\n";
        )"));
        QVERIFY(ran.report);
        QCOMPARE(ran.standardOutput, "hi\n");
    }

    void reapsASwarm()
    {
        const auto ran = m_guest->run(GuestFixture::perl(
            "for (1..300) { my $p = fork; if (!$p) { if (!fork) { exit } exit } } print 'done';"));
        QVERIFY(ran.report);
        QCOMPARE(ran.standardOutput, "done");
    }

    void outlivesClosedStreams()
    {
        const auto ran
            = m_guest->run(GuestFixture::shell("exec 0<&- 1>&- 2>&-; sleep 0.1; exit 7"));
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::Exited);
        QCOMPARE(ran.report->value, 7U);
    }

    void timesOut()
    {
        auto spec = GuestFixture::shell(
            "trap '' TERM INT HUP QUIT;"
            "for i in 1 2 3 4 5; do setsid sh -c 'trap \"\" TERM HUP; while :; do "
            "sleep 1; done' & done; echo begun; while :; do sleep 1; done");
        spec.timeout = std::chrono::seconds(2);
        const auto ran = m_guest->run(spec);
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::TimedOut);
        QVERIFY(ran.report->wallMicroseconds >= 2'000'000);
        QCOMPARE(ran.standardOutput, "begun\n");
    }

    void countsTheTimeOfChildren()
    {
        const auto ran = m_guest->run(GuestFixture::perl(
            "if (!fork) { my $e = (times)[0] + 0.2; while ((times)[0] < $e) {} exit } wait;"));
        QVERIFY(ran.report);
        QVERIFY2(ran.report->userMicroseconds >= 150'000,
            qPrintable(QString::number(ran.report->userMicroseconds)));
    }

    void passesSignals()
    {
        Ran ran;
        const auto run = m_guest->start(
            GuestFixture::perl(
                "$| = 1; $SIG{USR1} = sub { print 'got'; exit 3 }; print 'ready'; sleep 1 while 1"),
            ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready", patienceMs);
        run->sendSignal(0);
        run->sendSignal(-5);
        run->sendSignal(4000);
        run->sendSignal(SIGUSR1);
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.standardOutput, "readygot");
        QCOMPARE(ran.report->value, 3U);
    }

    void givesATerminal()
    {
        Ran ran;
        auto spec = GuestFixture::perl(R"(
            $| = 1;
            $SIG{WINCH} = sub { system "stty size"; };
            system "tty >/dev/null && test -t 1 && test -t 2 && echo terminal; stty size";
            my $line = <STDIN>; print "line $line";
            $line = <STDIN>; print defined $line ? "more" : "end\n";
        )");
        spec.hasTerminal = true;
        spec.rows = 33;
        spec.columns = 111;
        const auto run = m_guest->start(spec, ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "terminal\r\n33 111\r\n", patienceMs);
        run->resizeTerminal(44, 99);
        QTRY_VERIFY_WITH_TIMEOUT(ran.standardOutput.endsWith("44 99\r\n"), patienceMs);
        run->writeStdin("hello\n");
        QTRY_VERIFY_WITH_TIMEOUT(
            ran.standardOutput.endsWith("hello\r\nline hello\r\n"), patienceMs);
        run->closeStdin();
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QVERIFY(ran.standardOutput.endsWith("end\r\n"));
        QCOMPARE(ran.report->value, 0U);
        QCOMPARE(ran.standardError, QByteArray());
    }

    void terminalInterrupts()
    {
        Ran ran;
        auto spec = GuestFixture::shell("echo ready; exec sleep 1000");
        spec.hasTerminal = true;
        const auto run = m_guest->start(spec, ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\r\n", patienceMs);
        run->writeStdin("\x03");
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.report->outcome, Outcome::Signalled);
        QCOMPARE(ran.report->value, quint32(SIGINT));
    }

    void kills()
    {
        Ran ran;
        const auto run = m_guest->start(
            GuestFixture::shell("setsid sleep 1000 & echo ready; sleep 1000"), ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
        run->kill();
        QTRY_VERIFY_WITH_TIMEOUT(ran.isFinished, patienceMs);
        QCOMPARE(ran.report->outcome, Outcome::Killed);
        // Off the beat: ignored.
        run->writeStdin("x");
        run->closeStdin();
        run->sendSignal(SIGTERM);
        run->resizeTerminal(1, 1);
        run->kill();
    }

    void destroyedRunIsKilled()
    {
        Ran ran;
        auto run = m_guest->start(GuestFixture::shell("echo ready; exec sleep 1000"), ran);
        QTRY_COMPARE_WITH_TIMEOUT(ran.standardOutput, "ready\n", patienceMs);
        run.reset();
        // The next one finds the place free, and hears nothing of the first.
        const auto next = m_guest->run(GuestFixture::shell("echo next"));
        QVERIFY(next.report);
        QCOMPARE(next.standardOutput, "next\n");
        QVERIFY(!ran.isFinished);
    }

    void oneRunAtATime()
    {
        Ran first;
        const auto run = m_guest->start(GuestFixture::shell("echo ready; cat"), first);
        QTRY_COMPARE_WITH_TIMEOUT(first.standardOutput, "ready\n", patienceMs);
        const auto second = m_guest->run(GuestFixture::shell("echo no"));
        QVERIFY(second.report);
        QCOMPARE(second.report->outcome, Outcome::NotStarted);
        QCOMPARE(second.report->value, quint32(EBUSY));
        run->closeStdin();
        QTRY_VERIFY_WITH_TIMEOUT(first.isFinished, patienceMs);
        QCOMPARE(first.report->value, 0U);
    }

    void refusesImpossibleStarts_data()
    {
        QTest::addColumn<QByteArrayList>("arguments");
        QTest::addColumn<QByteArray>("directory");
        QTest::addColumn<int>("number");
        const QByteArray here("/sandbox");
        QTest::newRow("none") << QByteArrayList {} << here << EINVAL;
        QTest::newRow("empty name") << QByteArrayList { "" } << here << EINVAL;
        QTest::newRow("zero byte in the name")
            << QByteArrayList { QByteArray("s\0h", 3) } << here << EINVAL;
        QTest::newRow("zero byte in an argument")
            << QByteArrayList { "sh", QByteArray("\0", 1) } << here << EINVAL;
        QTest::newRow("not in PATH") << QByteArrayList { "no-such-program" } << here << ENOENT;
        QTest::newRow("not there")
            << QByteArrayList { "/usr/bin/no-such-program" } << here << ENOENT;
        QTest::newRow("a directory") << QByteArrayList { "/usr/bin" } << here << EACCES;
        QTest::newRow("not executable")
            << QByteArrayList { "/usr/lib/os-release" } << here << EACCES;
        QTest::newRow("below a file") << QByteArrayList { "/usr/bin/sh/x" } << here << ENOTDIR;
        QTest::newRow("too long") << QByteArrayList { QByteArray(5000, 'x') } << here << ENOENT;
        QTest::newRow("argument too long")
            << QByteArrayList { "sh", QByteArray(200'000, 'x') } << here << E2BIG;
        QTest::newRow("directory gone") << QByteArrayList { "sh" } << QByteArray("/sandbox/none")
                                        << (ENOENT | int(guest::workingDirectoryFlag));
        QTest::newRow("directory empty") << QByteArrayList { "sh" } << QByteArray()
                                         << (ENOENT | int(guest::workingDirectoryFlag));
        QTest::newRow("directory is a file") << QByteArrayList { "sh" } << QByteArray("/usr/bin/sh")
                                             << (ENOTDIR | int(guest::workingDirectoryFlag));
        QTest::newRow("directory closed")
            << QByteArrayList { "sh" } << QByteArray("/sandbox/closed")
            << (EACCES | int(guest::workingDirectoryFlag));
        QTest::newRow("interpreter missing")
            << QByteArrayList { "/sandbox/missing" } << here << ENOENT;
        QTest::newRow("no format") << QByteArrayList { "/sandbox/text" } << here << ENOEXEC;
        QTest::newRow("empty file") << QByteArrayList { "/sandbox/empty" } << here << ENOEXEC;
    }
    void refusesImpossibleStarts()
    {
        QFETCH(QByteArrayList, arguments);
        QFETCH(QByteArray, directory);
        QFETCH(int, number);
        const auto prepared
            = m_guest->run(GuestFixture::shell("mkdir -p closed; chmod 0 closed; echo '#!/no/such' "
                                               ">missing; echo text >text; : >empty;"
                                               "chmod +x missing text empty"));
        QVERIFY(prepared.report);
        QCOMPARE(prepared.standardError, QByteArray());
        auto spec = GuestFixture::shell({});
        spec.arguments = arguments;
        spec.workingDirectory = directory;
        const auto ran = m_guest->run(spec, "unread");
        QVERIFY(ran.report);
        QCOMPARE(ran.report->outcome, Outcome::NotStarted);
        QCOMPARE(static_cast<int>(ran.report->value), number);
    }

    void refusesTooManyArguments()
    {
        auto spec = GuestFixture::shell({});
        spec.arguments = QByteArrayList(1'000'000, "x");
        auto ran = m_guest->run(spec);
        QVERIFY(ran.report);
        QCOMPARE(ran.report->value, quint32(E2BIG));
        spec.arguments = QByteArrayList(3'000'000, "x");
        ran = m_guest->run(spec);
        QVERIFY(!ran.report);
        QCOMPARE(ran.report.error().kind, Kind::Limit);
    }

    void environmentIsWhatWasAskedFor()
    {
        auto spec = GuestFixture::shell({});
        spec.arguments = { "env" };
        spec.environment.append("A=b c\n=");
        const auto ran = m_guest->run(spec);
        QCOMPARE(
            ran.standardOutput, "PATH=/usr/bin:/bin:/usr/sbin:/sbin\nHOME=/sandbox\nA=b c\n=\n");
    }

    void largeEnvironmentWorks()
    {
        auto spec = GuestFixture::shell("env | grep -c ^V");
        for (int i = 0; i < 5000; ++i)
            spec.environment.append("V" + QByteArray::number(i) + '=' + QByteArray(100, 'x'));
        const auto ran = m_guest->run(spec);
        QCOMPARE(ran.standardOutput, "5000\n");
    }

private:
    std::unique_ptr<GuestFixture> m_guest;
};

QTEST_GUILESS_MAIN(TestGuest)
#include "tst_guest.moc"
