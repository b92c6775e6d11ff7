// SPDX-License-Identifier: MIT
#include "tests/app/liveprogram.h"

#include <QTest>
#include <QUuid>

#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace isol8::tests;

namespace {

/// A pseudo-terminal whose other side is a program's controlling terminal.
class Terminal {
public:
    explicit Terminal(winsize size)
        : m_master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))
    {
        ::grantpt(m_master);
        ::unlockpt(m_master);
        m_slave = ::open(::ptsname(m_master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        resize(size);
    }
    ~Terminal()
    {
        ::close(m_slave);
        ::close(m_master);
    }
    Q_DISABLE_COPY_MOVE(Terminal)

    void resize(winsize size) const { ::ioctl(m_master, TIOCSWINSZ, &size); }
    void write(const QByteArray& bytes) const
    {
        QCOMPARE(::write(m_master, bytes.data(), size_t(bytes.size())), bytes.size());
    }
    [[nodiscard]] int slave() const { return m_slave; }
    [[nodiscard]] termios modes() const
    {
        termios modes {};
        ::tcgetattr(m_slave, &modes);
        return modes;
    }
    [[nodiscard]] bool waitFor(const QByteArray& text)
    {
        return QTest::qWaitFor(
            [&] {
                pollfd ready { m_master, POLLIN, 0 };
                char buffer[4096];
                while (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) != 0)
                    m_seen.append(buffer, ::read(m_master, buffer, sizeof buffer));
                return m_seen.contains(text);
            },
            120'000);
    }
    [[nodiscard]] const QByteArray& seen() const { return m_seen; }

private:
    int m_master;
    int m_slave = -1;
    QByteArray m_seen;
};

} // namespace

/// Signals, sudden death and the terminal, with real containers.
class TestInterruptLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void forwardsTheFirstInterrupt();
    void killsAtTheSecondInterrupt();
    void endsAtSignals_data();
    void endsAtSignals();
    void isCancelledDuringSetup();
    void leavesNothingWhenKilled();
    void goesOnAfterAStop();
    void asksBeforeCleanup();
    void givesTheProgramATerminal();
    void saysTerminalWithoutOne();

private:
    void start(QProcess& process, const Terminal& terminal, const QStringList& arguments) const;

    std::unique_ptr<ProgramFixture> m_fixture;
};

void TestInterruptLive::initTestCase()
{
    m_fixture = std::make_unique<ProgramFixture>();
}

void TestInterruptLive::cleanupTestCase()
{
    m_fixture.reset();
}

void TestInterruptLive::forwardsTheFirstInterrupt()
{
    const auto program = m_fixture->start({ u"run"_s, u"-e"_s,
        u"import signal, sys\n"
        "def stop(*_):\n  print('caught'); sys.exit(5)\n"
        "signal.signal(signal.SIGINT, stop)\nprint('ready')\n"
        "while True: signal.pause()"_s });
    QVERIFY(program->waitForOutput("ready"));
    program->signal(SIGINT);
    const auto end = program->end();
    QCOMPARE(end.exitCode, 5);
    QCOMPARE(end.out, QByteArray("ready\ncaught\n"));
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

void TestInterruptLive::killsAtTheSecondInterrupt()
{
    const auto program = m_fixture->start({ u"run"_s, u"-e"_s,
        u"import signal\n"
        "signal.signal(signal.SIGINT, lambda *_: print('no'))\nprint('ready')\n"
        "while True: signal.pause()"_s });
    QVERIFY(program->waitForOutput("ready"));
    program->signal(SIGINT);
    QVERIFY(program->waitForOutput("no"));
    program->signal(SIGINT);
    QCOMPARE(program->end().exitCode, 130);
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

void TestInterruptLive::endsAtSignals_data()
{
    QTest::addColumn<int>("number");
    QTest::newRow("SIGTERM") << SIGTERM;
    QTest::newRow("SIGHUP") << SIGHUP;
    QTest::newRow("SIGQUIT") << SIGQUIT;
}

void TestInterruptLive::endsAtSignals()
{
    QFETCH(int, number);
    const auto program = m_fixture->start(
        { u"run"_s, u"--cmd"_s, u"trap '' TERM HUP QUIT INT; echo ready; sleep 1000"_s });
    QVERIFY(program->waitForOutput("ready"));
    program->signal(number);
    QCOMPARE(program->end().exitCode, 128 + number);
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

void TestInterruptLive::isCancelledDuringSetup()
{
    const auto program = m_fixture->start(
        { u"run"_s, u"--setup"_s, u"echo setting up; sleep 1000"_s, u"--cmd"_s, u"true"_s });
    QVERIFY(program->waitForOutput("setting up"));
    program->signal(SIGINT);
    const auto end = program->end();
    QVERIFY2(end.exitCode > 128, end.err.constData());
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

void TestInterruptLive::leavesNothingWhenKilled()
{
    const auto program = m_fixture->start({ u"run"_s, u"--cmd"_s,
        u"trap '' TERM HUP INT; for i in 1 2 3; do setsid sleep 1000 & done; echo ready; wait"_s });
    QVERIFY(program->waitForOutput("ready"));
    program->signal(SIGKILL);
    QCOMPARE(program->end().exitCode, -1);
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

void TestInterruptLive::goesOnAfterAStop()
{
    const auto program
        = m_fixture->start({ u"run"_s, u"-e"_s, u"print('ready')\nprint('got', input())"_s });
    QVERIFY(program->waitForOutput("ready"));
    program->signal(SIGSTOP);
    program->write("a line\n");
    program->signal(SIGCONT);
    QVERIFY(program->waitForOutput("got a line"));
    QCOMPARE(program->end().exitCode, 0);
    QVERIFY(m_fixture->isNothingLeftOf(program->pid()));
}

/// Answers no: the containers of everybody on this machine would go.
void TestInterruptLive::asksBeforeCleanup()
{
    const auto session = u"test-"_s + QUuid::createUuid().toString(QUuid::Id128);
    QCOMPARE(
        m_fixture->run({ u"run"_s, u"--session-id"_s, session, u"--cmd"_s, u"true"_s }).exitCode,
        0);
    Terminal terminal({ 24, 80, 0, 0 });
    QProcess process;
    start(process, terminal, { u"cleanup"_s });
    const bool isAsked = terminal.waitFor("[y/N] ");
    terminal.write("n\r");
    const bool isFinished = process.waitForFinished(120'000);
    const auto stopped = m_fixture->run({ u"session"_s, u"stop"_s, session });
    QVERIFY2(isAsked && isFinished, terminal.seen().constData());
    QCOMPARE(process.exitCode(), 0);
    QVERIFY2(stopped.exitCode == 0, stopped.err.constData());
}

void TestInterruptLive::start(
    QProcess& process, const Terminal& terminal, const QStringList& arguments) const
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, m_fixture->home());
    environment.insert(u"TERM"_s, u"xterm"_s);
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(m_fixture->folder());
    process.setChildProcessModifier([slave = terminal.slave()] {
        ::setsid();
        ::ioctl(slave, TIOCSCTTY, 0);
        for (const int descriptor : { 0, 1, 2 })
            ::dup2(slave, descriptor);
        std::signal(SIGINT, SIG_DFL);
    });
    process.start(QStringLiteral(ISOL8_PROGRAM), arguments);
}

void TestInterruptLive::givesTheProgramATerminal()
{
    Terminal terminal({ 33, 101, 0, 0 });
    const auto before = terminal.modes();
    const auto code = uR"(import os, signal, sys
def size(*_):
    print(*os.get_terminal_size()[::-1])
signal.signal(signal.SIGWINCH, size)
signal.signal(signal.SIGINT, lambda *_: print('interrupted'))
print(os.ttyname(0))
size()
print('ready')
while True:
    word = sys.stdin.readline().strip()
    if word == 'end':
        sys.exit(6)
    print('<' + word + '>'))"_s;
    QProcess process;
    start(process, terminal, { u"run"_s, u"-t"_s, u"-e"_s, code });
    QVERIFY(process.waitForStarted());
    QVERIFY2(terminal.waitFor("ready\r\n"), terminal.seen().constData());
    QVERIFY2(terminal.seen().contains("33 101\r\n"), terminal.seen().constData());
    QVERIFY2(terminal.seen().contains("/dev/pts/"), terminal.seen().constData());
    QVERIFY((terminal.modes().c_lflag & (ICANON | ECHO | ISIG)) == 0);

    terminal.resize({ 44, 55, 0, 0 });
    QVERIFY2(terminal.waitFor("44 55\r\n"), terminal.seen().constData());
    terminal.write("\x03");
    QVERIFY2(terminal.waitFor("interrupted\r\n"), terminal.seen().constData());
    terminal.write("word\r");
    QVERIFY2(terminal.waitFor("<word>\r\n"), terminal.seen().constData());
    terminal.write("end\r");
    QVERIFY(process.waitForFinished(120'000));
    QCOMPARE(process.exitCode(), 6);
    const auto after = terminal.modes();
    QCOMPARE(after.c_lflag, before.c_lflag);
    QCOMPARE(after.c_iflag, before.c_iflag);
    QCOMPARE(after.c_oflag, before.c_oflag);
}

void TestInterruptLive::saysTerminalWithoutOne()
{
    const auto end = m_fixture->run(
        { u"run"_s, u"-t"_s, u"--cmd"_s, u"test -t 0 && test -t 1 && test -t 2 && stty size"_s });
    QVERIFY2(end.exitCode == 0, end.err.constData());
    QCOMPARE(end.out, QByteArray("24 80\r\n"));
}

QTEST_GUILESS_MAIN(TestInterruptLive)
#include "tst_interrupt_live.moc"
