// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

#include <csignal>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;

namespace {

constexpr auto scriptPath = "/sandbox/main.py";

/// `python3 /sandbox/main.py` with @p script as that file.
GuestRunSpec pythonRun(const QByteArray& script)
{
    auto spec = GuestFixture::shell({});
    spec.arguments = { "python3", scriptPath };
    spec.isStdinOpen = false;
    spec.scriptPath = scriptPath;
    spec.script = script;
    return spec;
}

Result<qint64> prestart(GuestFixture& fixture, const GuestRunSpec& spec)
{
    return QCoro::waitFor(fixture.connection().prestart(spec, scriptPath, true, {}));
}

/// The guest's children, as this machine counts them, whose user is @p uid.
QList<qint64> childrenOf(GuestFixture& fixture, quint32 uid)
{
    const qint64 guest = fixture.process().guestPid();
    QList<qint64> found;
    for (const auto& child :
        processFile(guest, qPrintable(u"task/%1/children"_s.arg(guest))).simplified().split(' ')) {
        if (processFile(child.toLongLong(), "status")
                .contains("\nUid:\t" + QByteArray::number(uid)))
            found << child.toLongLong();
    }
    return found;
}

qint64 zygoteOf(GuestFixture& fixture)
{
    const auto found = childrenOf(fixture, guest::zygoteUid);
    return found.size() == 1 ? found.constFirst() : -found.size();
}

/// The next run as the pool has it: everything clean, the interpreter there.
Ran runAnew(GuestFixture& fixture, const GuestRunSpec& spec, const QByteArray& input = {})
{
    const auto scrubbed = QCoro::waitFor(fixture.connection().scrub({}));
    if (!scrubbed)
        qWarning() << "not clean:" << scrubbed.error().message;
    const auto used = prestart(fixture, spec);
    if (!used)
        qWarning() << "nothing ahead:" << used.error().message;
    return fixture.run(spec, input);
}

} // namespace

/// Programs that are copies of a zygote.
class TestZygote : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void copyIsNotToldFromAnother();
    void isCopiedRunAfterRun();
    void runsFailAndEndLikeOthers_data();
    void runsFailAndEndLikeOthers();
    void standardInputIsItsOwn();
    void programsCannotReachIt();
    void nothingOfARunIsLeft();
    void isMadeAnewWhenItDies();
    void isMadeAnewForAnotherSpecification();
    void copyThatDiesIsNoRun();
    void startThatComesEarlyWaits();
    void otherFileEndsTheCopyOnly();
    void scrubWhileItStarts();
    void interpreterThatCannotBeCopiedStartsAsAlways_data();
    void interpreterThatCannotBeCopiedStartsAsAlways();
    void isDoneWithoutWhereNobodyMayTrace();
    void isNotKeptUnasked();
};

void TestZygote::copyIsNotToldFromAnother()
{
    // Everything that a program can ask about itself, but its process id and the time, and SigQ,
    // which counts the signals of a user on the whole machine.
    const auto spec = pythonRun(R"py(
import ctypes, os, resource, signal, site, stat, sys, threading
print(sys.argv, sys.path, sys.flags, sys.executable, __file__, __name__, site.ENABLE_USER_SITE)
print(os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd(), sorted(os.environ.items()))
print(os.getppid(), os.getsid(0) == os.getpid() == os.getpgid(0) == threading.get_native_id())
print([resource.getrlimit(each) for each in range(16)], os.nice(0), os.sched_getaffinity(0) != None)
wanted = ("Umask", "Tracer", "Uid", "Gid", "Groups", "Threads", "Shd", "Cap", "NoNew", "Seccomp",
          "SigB", "SigC", "SigI", "SigP")
print([line for line in open("/proc/self/status") if line.startswith(wanted)])
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        state = os.fstat(fd)
        print(fd, oct(state.st_mode), state.st_uid, state.st_gid, state.st_size, os.get_blocking(fd))
        print(os.readlink(f"/proc/self/fd/{fd}").split(":")[0])
    except OSError as error:
        print(fd, error)
for name in ("cmdline", "environ", "oom_score_adj", "comm", "maps", "mem"):
    print(name, os.stat(f"/proc/self/{name}").st_uid)
print(open("/proc/self/cmdline").read(), open("/proc/self/oom_score_adj").read())
print([signal.getsignal(each) for each in (1, 2, 13, 15, 17)], signal.pthread_sigmask(0, []))
libc = ctypes.CDLL(None, use_errno=True)
print([(request, libc.ptrace(request, 1, 0, 0), ctypes.get_errno()) for request in (0, 16, 17)])
print(libc.prctl(3, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0), libc.prctl(7, 0, 0, 0, 0))
print([libc.syscall(105, each) for each in (0, 102)], libc.setuid(102))
head, size = ctypes.c_void_p(), ctypes.c_size_t()
print(libc.syscall(274, 0, ctypes.byref(head), ctypes.byref(size)), bool(head.value), size.value)
lock = threading.RLock()
with lock, lock:
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
child = os.fork()
if child == 0:
    os._exit(3)
print(os.waitpid(child, 0)[1], os.listdir("/sandbox"), stat.filemode(os.stat(__file__).st_mode))
print("opened anew", file=open("/dev/stdout", "w"))
signal.signal(signal.SIGABRT, lambda *_: print("aborted"))
libc["raise"](signal.SIGABRT)
)py");
    GuestFixture plain;
    const auto expected = plain.run(spec);
    QVERIFY(expected.report);
    QVERIFY2(expected.standardOutput.endsWith("aborted\n"), expected.standardError);

    GuestFixture fixture;
    for (int i = 0; i < 3; ++i) {
        const auto ran = runAnew(fixture, spec);
        QCOMPARE(ran.standardOutput, expected.standardOutput);
        QCOMPARE(ran.standardError, expected.standardError);
        QVERIFY(ran.report);
        QCOMPARE(ran.report->value, 0U);
        QVERIFY(zygoteOf(fixture) > 0);
    }
}

void TestZygote::isCopiedRunAfterRun()
{
    GuestFixture fixture;
    QByteArrayList pids;
    qint64 zygote = 0;
    for (int i = 0; i < 50; ++i) {
        const auto ran = runAnew(fixture,
            pythonRun("import os; print(os.getpid()); open('left', 'w'); x = "
                + QByteArray::number(i) + "; print(x, sorted(os.listdir()))"));
        const auto lines = ran.standardOutput.split('\n');
        QCOMPARE(lines.value(1), QByteArray::number(i) + " ['left', 'main.py']");
        QVERIFY(!pids.contains(lines.constFirst()));
        pids << lines.constFirst();
        if (i == 0)
            zygote = zygoteOf(fixture);
        QVERIFY(zygote > 0);
        QCOMPARE(zygoteOf(fixture), zygote);
        QCOMPARE(childrenOf(fixture, guest::sandboxUid), QList<qint64>());
    }
}

void TestZygote::runsFailAndEndLikeOthers_data()
{
    QTest::addColumn<QByteArray>("script");
    QTest::newRow("code") << QByteArray("import sys; sys.exit(7)");
    QTest::newRow("trace") << QByteArray("def f():\n    raise ValueError('x')\nf()");
    QTest::newRow("syntax") << QByteArray("print('a')\nif:");
    QTest::newRow("signal") << QByteArray("import os; os.kill(os.getpid(), 9)");
    QTest::newRow("crash") << QByteArray("import ctypes; ctypes.string_at(0)");
    QTest::newRow("abort") << QByteArray("import os; os.abort()");
    QTest::newRow("atexit") << QByteArray("import atexit; atexit.register(print, 'bye')");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("pool") << QByteArray("import multiprocessing as m\nif __name__ == '__main__':\n"
                                        "    with m.Pool(2) as p: print(p.map(abs, [-1, -2]))");
}

void TestZygote::runsFailAndEndLikeOthers()
{
    QFETCH(QByteArray, script);
    const auto spec = pythonRun(script);
    GuestFixture plain;
    const auto expected = plain.run(spec);
    GuestFixture fixture;
    for (int i = 0; i < 2; ++i) {
        const auto ran = runAnew(fixture, spec);
        QVERIFY(ran.report);
        QVERIFY(expected.report);
        QCOMPARE(ran.standardOutput, expected.standardOutput);
        QCOMPARE(ran.standardError, expected.standardError);
        QCOMPARE(ran.report->outcome, expected.report->outcome);
        QCOMPARE(ran.report->value, expected.report->value);
    }
}

void TestZygote::standardInputIsItsOwn()
{
    GuestFixture fixture;
    auto spec = pythonRun("import sys; print(sys.stdin.read())");
    spec.isStdinOpen = true;
    for (const auto* const text : { "first", "second", "" })
        QCOMPARE(runAnew(fixture, spec, text).standardOutput, QByteArray(text) + '\n');
}

void TestZygote::programsCannotReachIt()
{
    GuestFixture fixture;
    const auto spec = pythonRun(R"py(
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
zygotes = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) > 1
           and os.stat(f"/proc/{pid}").st_uid == 102]
print(len(zygotes))
pid = zygotes[0]
def tried(what, call, *arguments):
    try:
        call(*arguments)
        print(what, "worked")
    except (PermissionError, ProcessLookupError) as error:
        print(what, "refused")
for number in (9, 18, 19, 10, 34):
    tried(f"signal {number}", os.kill, pid, number)
    tried(f"group {number}", os.killpg, pid, number)
for name in ("mem", "environ", "maps", "fd/0", "fd/3", "auxv", "syscall", "stack", "oom_score_adj"):
    for mode in ("r+b",) if name == "oom_score_adj" else ("rb", "r+b"):
        tried(f"{name} {mode}", lambda: open(f"/proc/{pid}/{name}", mode).read(1))
tried("affinity", os.sched_setaffinity, pid, {0})
tried("priority", os.setpriority, os.PRIO_PROCESS, pid, 5)
tried("limit", resource.prlimit, pid, resource.RLIMIT_NOFILE, (5, 5))
tried("scheduler", os.sched_setscheduler, pid, os.SCHED_BATCH, os.sched_param(0))
tried("group", os.setpgid, pid, os.getpid())
tried("user", os.setuid, 102)
buffer = ctypes.create_string_buffer(16)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
for request in (0, 2, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24, 0x4200, 0x4201, 0x4206, 0x4207):
    if libc.syscall(101, request, pid, 0, 0) >= 0:
        print("ptrace", request, "worked")
for number in (310, 311):
    if libc.syscall(number, pid, vector, 1, vector, 1, 0) >= 0:
        print(number, "worked")
taken = libc.syscall(434, pid, 0)
if taken >= 0 and libc.syscall(438, taken, 0, 0) >= 0:
    print("pidfd_getfd worked")
if taken >= 0 and libc.syscall(424, taken, 9, 0, 0) >= 0:
    print("pidfd_send_signal worked")
print("flushed", flush=True)
os.kill(-1, 9)
)py");
    qint64 zygote = 0;
    for (int i = 0; i < 2; ++i) {
        const auto ran = runAnew(fixture, spec);
        QVERIFY(ran.standardOutput.startsWith("1\n"));
        QVERIFY2(!ran.standardOutput.contains("worked"), ran.standardOutput);
        QVERIFY2(ran.standardOutput.endsWith("user refused\nflushed\n"), ran.standardError);
        if (i == 0)
            zygote = zygoteOf(fixture);
        QVERIFY(zygote > 0);
        QCOMPARE(zygoteOf(fixture), zygote);
    }
    QCOMPARE(runAnew(fixture, pythonRun("print('fine')")).standardOutput, "fine\n");
}

void TestZygote::nothingOfARunIsLeft()
{
    GuestFixture fixture;
    const auto spec = pythonRun(R"py(
import os, signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
for i in range(60):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                if os.fork() == 0: os.setsid()
            except OSError: pass
            if i % 2: os.nice(1)
            break
        time.sleep(1000)
print("on")
)py");
    for (int i = 0; i < 3; ++i) {
        const auto ran = runAnew(fixture, spec);
        QCOMPARE(ran.standardOutput, "on\n");
        QCOMPARE(childrenOf(fixture, guest::sandboxUid), QList<qint64>());
        QCOMPARE(childrenOf(fixture, 0), QList<qint64>());
        QVERIFY(zygoteOf(fixture) > 0);
    }
}

void TestZygote::isMadeAnewWhenItDies()
{
    GuestFixture fixture;
    const auto spec = pythonRun("print('here')");
    QCOMPARE(runAnew(fixture, spec).standardOutput, "here\n");
    const auto first = zygoteOf(fixture);
    QVERIFY(first > 0);
    ::kill(static_cast<pid_t>(first), SIGKILL);
    QVERIFY(QTest::qWaitFor([&] { return zygoteOf(fixture) == 0; }));
    // Whether or not the guest has seen it yet.
    QCOMPARE(runAnew(fixture, spec).standardOutput, "here\n");
    QCOMPARE(runAnew(fixture, spec).standardOutput, "here\n");
    QVERIFY(zygoteOf(fixture) > 0);
    QVERIFY(zygoteOf(fixture) != first);
}

void TestZygote::isMadeAnewForAnotherSpecification()
{
    GuestFixture fixture;
    auto spec = pythonRun("import os; print(os.environ.get('NAME'))");
    QCOMPARE(runAnew(fixture, spec).standardOutput, "None\n");
    spec.environment << "NAME=value";
    QCOMPARE(runAnew(fixture, spec).standardOutput, "value\n");
    QVERIFY(zygoteOf(fixture) > 0);
    // A run that is not like the copy that waits.
    QVERIFY(QCoro::waitFor(fixture.connection().scrub({})));
    QVERIFY(prestart(fixture, spec));
    QCOMPARE(fixture.run(pythonRun("import os; print(os.environ.get('NAME'))")).standardOutput,
        "None\n");
    QVERIFY(zygoteOf(fixture) > 0);
}

void TestZygote::copyThatDiesIsNoRun()
{
    GuestFixture fixture;
    const auto spec = pythonRun("print('here')");
    QVERIFY(prestart(fixture, spec));
    const auto copies = childrenOf(fixture, guest::sandboxUid);
    QCOMPARE(copies.size(), 1);
    QVERIFY(processFile(copies.constFirst(), "status").contains("State:\tt"));
    ::kill(static_cast<pid_t>(copies.constFirst()), SIGKILL);
    QVERIFY(QTest::qWaitFor([&] { return childrenOf(fixture, guest::sandboxUid).isEmpty(); }));
    QCOMPARE(fixture.run(spec).standardOutput, "here\n");
}

void TestZygote::startThatComesEarlyWaits()
{
    GuestFixture fixture;
    auto spec = pythonRun("import sys; print(sys.stdin.read())");
    spec.isStdinOpen = true;
    for (int i = 0; i < 3; ++i) {
        const auto scrubbing = fixture.connection().scrub({});
        QVERIFY(QCoro::waitFor(scrubbing));
        const auto starting = fixture.connection().prestart(spec, scriptPath, true, {});
        const auto ran = fixture.run(spec, "input");
        QVERIFY2(ran.report, ran.report ? "" : qPrintable(ran.report.error().message));
        QCOMPARE(ran.standardOutput, "input\n");
        QVERIFY(QCoro::waitFor(starting));
    }
}

void TestZygote::otherFileEndsTheCopyOnly()
{
    GuestFixture fixture;
    const auto spec = pythonRun("import os, data; print(sorted(os.listdir()), data.x)");
    for (int i = 0; i < 2; ++i) {
        QVERIFY(QCoro::waitFor(fixture.connection().scrub({})));
        QVERIFY(prestart(fixture, spec));
        const auto zygote = zygoteOf(fixture);
        QVERIFY(zygote > 0);
        QVERIFY(
            QCoro::waitFor(fixture.connection().putFile("/sandbox/data.py", "x = 5", 0644, {})));
        const auto ran = fixture.run(spec);
        QVERIFY2(ran.standardOutput.endsWith(" 5\n"), ran.standardError);
        QCOMPARE(zygoteOf(fixture), zygote);
    }
}

void TestZygote::scrubWhileItStarts()
{
    GuestFixture fixture;
    const auto spec = pythonRun("import os; print(os.listdir())");
    const auto starting = fixture.connection().prestart(spec, scriptPath, true, {});
    QVERIFY(QCoro::waitFor(fixture.connection().scrub({})));
    QCOMPARE(runAnew(fixture, spec).standardOutput, "['main.py']\n");
    QVERIFY(zygoteOf(fixture) > 0);
}

void TestZygote::interpreterThatCannotBeCopiedStartsAsAlways_data()
{
    QTest::addColumn<QByteArrayList>("command");
    QTest::newRow("child") << QByteArrayList { "sh", "-c", "python3 /sandbox/main.py; exit 3" };
    QTest::newRow("threads") << QByteArrayList { "python3", "-c",
        "import threading, time, runpy\n"
        "threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n"
        "runpy.run_path('/sandbox/main.py', run_name='__main__')" };
}

void TestZygote::interpreterThatCannotBeCopiedStartsAsAlways()
{
    QFETCH(QByteArrayList, command);
    GuestFixture fixture;
    auto spec = pythonRun("print('here')");
    spec.arguments = command;
    for (int i = 0; i < 3; ++i) {
        QVERIFY(QCoro::waitFor(fixture.connection().scrub({})));
        // At first in vain, then as without a zygote.
        QCOMPARE(prestart(fixture, spec).has_value(), i > 0);
        QCOMPARE(fixture.run(spec).standardOutput, "here\n");
        QCOMPARE(zygoteOf(fixture), 0);
    }
}

void TestZygote::isDoneWithoutWhereNobodyMayTrace()
{
    GuestFixture fixture({}, u"real"_s, false);
    const auto spec = pythonRun("print('here')");
    for (int i = 0; i < 3; ++i) {
        QVERIFY(QCoro::waitFor(fixture.connection().scrub({})));
        QVERIFY(prestart(fixture, spec));
        QCOMPARE(zygoteOf(fixture), 0);
        QCOMPARE(childrenOf(fixture, guest::sandboxUid).size(), 1);
        QCOMPARE(fixture.run(spec).standardOutput, "here\n");
    }
}

void TestZygote::isNotKeptUnasked()
{
    GuestFixture fixture;
    const auto spec = pythonRun("print('here')");
    QVERIFY(QCoro::waitFor(fixture.connection().prestart(spec, scriptPath, false, {})));
    QCOMPARE(zygoteOf(fixture), 0);
    QCOMPARE(fixture.run(spec).standardOutput, "here\n");
}

QTEST_GUILESS_MAIN(TestZygote)
#include "tst_zygote.moc"
