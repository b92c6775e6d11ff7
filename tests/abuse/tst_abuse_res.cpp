// SPDX-License-Identifier: MIT
// Section B2 of ABUSE.md: resources.
#include "tests/abuse/engineabusetest.h"
#include "tests/abuse/hoststate.h"
#include "tests/abuse/httpabusetest.h"
#include "tests/app/liveprogram.h"

#include <QCoroTask>
#include <QElapsedTimer>
#include <QJsonDocument>
#include <QStringDecoder>

#include <csignal>

#include <fcntl.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 120'000;
/// Of programs that only their limit ends.
constexpr auto shortLimit = 3s;

} // namespace

class TestAbuseRes : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseRes> cases[];

    // Programs that only their time limit ends.
    void forkBomb(World&)
    {
        endsAtItsLimit(Runtime::Bash, ":(){ :|:& };: ; while :; do sleep 1; done");
    }
    void forks(World&)
    {
        endsAtItsLimit(Runtime::Python, R"(
import os
while True:
    try: os.fork()
    except OSError: pass
)");
    }
    void threads(World&)
    {
        endsAtItsLimit(Runtime::Python, R"(
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
    except RuntimeError: time.sleep(0.01)
)");
    }
    void vforks(World&)
    {
        endsAtItsLimit(Runtime::Python, R"(
import ctypes
libc = ctypes.CDLL(None)
for _ in range(100):
    if libc.vfork() == 0: libc.pause()
)");
    }
    void blockedFifo(World&) { endsAtItsLimit(Runtime::Bash, "mkfifo f; echo x >f"); }
    void blockedLock(World&)
    {
        endsAtItsLimit(Runtime::Bash, "exec 9>l; flock 9; flock l -c true");
    }
    void blockedFutex(World&)
    {
        endsAtItsLimit(Runtime::Python, R"(
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
)");
    }
    void deafToSignals(World&)
    {
        endsAtItsLimit(Runtime::Bash, "trap '' TERM INT HUP QUIT USR1; while :; do sleep 1; done");
    }
    void daemonsAtTheLimit(World& world)
    {
        endsAtItsLimit(Runtime::Python, daemons(world) + "time.sleep(1000)\n");
    }

    void memoryAtOnce(World&) { runsOutOfMemory(Runtime::Python, "x = b'x' * 10**9"); }
    void memorySlowly(World&)
    {
        runsOutOfMemory(Runtime::Python, "a = []\nwhile True: a.append(bytearray(10**6))\n");
    }
    void memoryMapped(World&)
    {
        runsOutOfMemory(Runtime::Python, R"(
import mmap
m = mmap.mmap(-1, 10**9)
for at in range(0, 10**9, 4096): m[at] = 1
)");
    }
    void memoryOfAChild(World&)
    {
        runsOutOfMemory(Runtime::Bash, "python3 -c 'x = b\"x\" * 10**9'; exit $?");
    }
    void memoryInFiles(World&)
    {
        runsOutOfMemory(Runtime::Bash, "head -c 300M /dev/zero >/sandbox/x; exit 137");
    }

    void swap(World& world);
    void fullFileSystems(World& world);
    void oddNames(World& world);
    void sharedMemory(World& world);
    void sharedMemoryTwin(World& world);
    void manyDescriptors(World& world);
    void pseudoTerminals(World& world);
    void zombies(World& world);
    void daemonsAtTheEnd(World& world);
    void processorHog(World& world);

    void endsAtItsLimit(Runtime runtime, const QByteArray& code);
    void runsOutOfMemory(Runtime runtime, const QByteArray& code);
    [[nodiscard]] static QByteArray daemons(const World& world);
};

const Case<TestAbuseRes> TestAbuseRes::cases[] {
    { "RES-01 bash", &TestAbuseRes::forkBomb, &TestAbuseRes::runs },
    { "RES-01 fork", &TestAbuseRes::forks, &TestAbuseRes::runs },
    { "RES-01 threads", &TestAbuseRes::threads, &TestAbuseRes::runs },
    { "RES-01 vfork", &TestAbuseRes::vforks, &TestAbuseRes::runs },
    { "RES-04 at once", &TestAbuseRes::memoryAtOnce, &TestAbuseRes::runs },
    { "RES-04 slowly", &TestAbuseRes::memorySlowly, &TestAbuseRes::runs },
    { "RES-04 mapped", &TestAbuseRes::memoryMapped, &TestAbuseRes::runs },
    { "RES-04 child", &TestAbuseRes::memoryOfAChild, &TestAbuseRes::runs },
    { "RES-06", &TestAbuseRes::swap, &TestAbuseRes::runs },
    { "RES-07", &TestAbuseRes::fullFileSystems, &TestAbuseRes::runs },
    { "RES-07 memory", &TestAbuseRes::memoryInFiles, &TestAbuseRes::runs },
    { "RES-11", &TestAbuseRes::oddNames, &TestAbuseRes::runs },
    { "RES-12", &TestAbuseRes::sharedMemory, &TestAbuseRes::sharedMemoryTwin },
    { "RES-19", &TestAbuseRes::manyDescriptors, &TestAbuseRes::runs },
    { "RES-22", &TestAbuseRes::pseudoTerminals, &TestAbuseRes::runs },
    { "RES-23", &TestAbuseRes::zombies, &TestAbuseRes::runs },
    { "RES-24 end", &TestAbuseRes::daemonsAtTheEnd, &TestAbuseRes::runs },
    { "RES-24 limit", &TestAbuseRes::daemonsAtTheLimit, &TestAbuseRes::runs },
    { "RES-26", &TestAbuseRes::deafToSignals, &TestAbuseRes::runs },
    { "RES-29 FIFO", &TestAbuseRes::blockedFifo, &TestAbuseRes::runs },
    { "RES-29 lock", &TestAbuseRes::blockedLock, &TestAbuseRes::runs },
    { "RES-29 futex", &TestAbuseRes::blockedFutex, &TestAbuseRes::runs },
    { "RES-30", &TestAbuseRes::processorHog, &TestAbuseRes::runs },
};

void TestAbuseRes::attack_data()
{
    addRows<TestAbuseRes>(cases);
}

void TestAbuseRes::attack()
{
    perform<TestAbuseRes>(this, cases);
}

void TestAbuseRes::endsAtItsLimit(Runtime runtime, const QByteArray& code)
{
    auto request = requestOf(runtime, code);
    request.timeout = shortLimit;
    const auto result = run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::Timeout);
    QCOMPARE(result->exitCode, 137);
    QVERIFY(result->isTimedOut && !result->isOutOfMemory);
}

void TestAbuseRes::runsOutOfMemory(Runtime runtime, const QByteArray& code)
{
    ExecutionOptions options;
    options.memoryLimitBytes = 96LL << 20;
    options.timeout = 100s;
    const auto result = run(requestOf(runtime, code), options);
    RUN_OR_FAIL(result);
    QCOMPARE(result->ending.reason, EndReason::OutOfMemory);
    QCOMPARE(result->exitCode, 137);
    QCOMPARE(result->signal, u"SIGKILL"_s);
    QVERIFY(result->isOutOfMemory && !result->isTimedOut);
}

/// Python that leaves processes behind, as well hidden as they can be.
QByteArray TestAbuseRes::daemons(const World& world)
{
    return R"(
import os, signal, sys, time
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir('/')
            for each in range(1, 65):
                try: signal.signal(each, signal.SIG_IGN)
                except (OSError, ValueError): pass
            os.closerange(0, 256)
            os.execvp('sleep', [')"
        + world.marker + R"(', '1000'])
        os._exit(0)
for _ in range(3): os.wait()
print('left', flush=True)
)";
}

void TestAbuseRes::swap(World&)
{
    auto request = requestOf(Runtime::Bash, "echo ready; read line");
    request.isStdinLive = true;
    const auto going = fixture().start(request);
    QVERIFY(going->waitForOutput("ready"));
    const auto raw = QCoro::waitFor(client().inspectContainerRaw(going->containerId));
    RUN_OR_FAIL(raw);
    const auto host = (*raw)[u"HostConfig"_s];
    QCOMPARE(host[u"MemorySwap"_s].toInteger(), host[u"Memory"_s].toInteger());
    going->run().closeStdin();
    RUN_OR_FAIL(going->result());
    runsOutOfMemory(Runtime::Python, "x = b'x' * (144 << 20)");
}

void TestAbuseRes::fullFileSystems(World&)
{
    ExecutionOptions options;
    options.sandboxSizeBytes = 4 << 20;
    options.tmpSizeBytes = 2 << 20;
    const auto result
        = bash("for path in /sandbox /tmp /dev/shm; do head -c 80M /dev/zero >$path/x; "
               "echo $? $(stat -c %s $path/x); rm $path/x; done; exit 1",
            options);
    RUN_OR_FAIL(result);
    const auto lines = result->standardOutput.split('\n');
    QVERIFY2(
        lines.value(0) >= "1 4100000" && lines.value(0) <= "1 4194304", result->standardOutput);
    QCOMPARE(lines.value(1), "1 2097152");
    QCOMPARE(lines.value(2), "1 67108864");
    QVERIFY(std::ranges::any_of(
        result->violations, [](const Violation& each) { return each.kind == "disk"_L1; }));
}

void TestAbuseRes::oddNames(World&)
{
    EngineFixture pooled;
    pooled.restartWithPool(PoolLimits {});
    const auto first = pooled.run(Runtime::Python, R"(
import os
for root in '/sandbox', '/tmp', '/dev/shm':
    for name in '..x', '...', ' ', '-rf', '*', 'a\nb', '.hidden', 'x' * 255, '$(id)', '`id`':
        open(os.path.join(root, name), 'w').write('left')
    open(os.fsencode(root) + b'/\xff\xfe', 'w').write('left')
    for mode, name in (0, 'locked'), (0o500, 'readonly'), (0o1777, 'sticky'):
        os.mkdir(f'{root}/{name}'); open(f'{root}/{name}/in', 'w').close(); os.chmod(f'{root}/{name}', mode)
gone = open('/sandbox/gone', 'w'); os.remove('/sandbox/gone'); gone.write('x' * 10**6); gone.flush()
print('left')
)");
    RUN_OR_FAIL(first);
    QCOMPARE(first->standardOutput, "left\n");
    const auto next = pooled.run(
        Runtime::Bash, "find /sandbox /tmp /dev/shm -mindepth 1 ! -name main.sh; echo done");
    RUN_OR_FAIL(next);
    QCOMPARE(next->standardOutput, "done\n");
}

void TestAbuseRes::sharedMemory(World&)
{
    const auto result = python(R"(
from multiprocessing import shared_memory
try:
    memory = shared_memory.SharedMemory(create=True, size=(64 << 20) + 4096)
except OSError as error:
    raise SystemExit(28 if error.errno == 28 else 1)
for at in range(0, memory.size, 4096): memory.buf[at] = 1
)");
    RUN_OR_FAIL(result);
    QVERIFY2(result->exitCode == 128 + SIGBUS || result->exitCode == 28,
        QByteArray::number(result->exitCode) + result->standardError);
}

void TestAbuseRes::sharedMemoryTwin(World&)
{
    const auto result = python(R"(
import multiprocessing
from multiprocessing import shared_memory
if __name__ == '__main__':
    memory = shared_memory.SharedMemory(create=True, size=1 << 20)
    memory.buf[0] = 7
    with multiprocessing.get_context('fork').Pool(2) as pool:
        print(sum(pool.map(abs, [-1, -2])), memory.buf[0])
    memory.close(); memory.unlink()
)");
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput == "3 7\n", result->standardError);
}

void TestAbuseRes::manyDescriptors(World&)
{
    const auto result = python(R"(
import os, resource, signal
print(resource.getrlimit(resource.RLIMIT_NOFILE))
r, w = os.pipe()
children = []
for _ in range(40):
    child = os.fork()
    if child == 0:
        held = 0
        try:
            while True: os.dup(r); held += 1
        except OSError as error:
            os.write(w, b'%d %d\n' % (error.errno, held))
        signal.pause()
    children.append(child)
reports = b''
while reports.count(b'\n') < 40: reports += os.read(r, 4096)
lines = reports.decode().split('\n')[:40]
print(all(line.startswith('24 ') and 900 < int(line.split()[1]) < 1024 for line in lines))
for child in children: os.kill(child, signal.SIGKILL)
)");
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput == "(1024, 1024)\nTrue\n",
        result->standardOutput + result->standardError);
}

void TestAbuseRes::pseudoTerminals(World&)
{
    const auto hog = R"(
import os, sys, time
held = 0
try:
    while True: os.openpty(); held += 1
except OSError: pass
print('holds', held, flush=True)
sys.stdin.readline()
)"_ba;
    auto request = requestOf(Runtime::Python, hog);
    request.isStdinLive = true;
    std::vector<std::unique_ptr<WatchedRun>> hogs;
    for (int i = 0; i < 4; ++i)
        hogs.push_back(fixture().start(request));
    for (const auto& each : hogs)
        QVERIFY2(each->waitForOutput("holds "), each->standardError);
    // Another tenant's terminal, and one of this machine.
    auto terminal = requestOf(Runtime::Bash, "tty");
    terminal.hasTerminal = true;
    terminal.tenant = u"neighbour"_s;
    const auto other = fixture().run(terminal);
    const int own = ::posix_openpt(O_RDWR | O_NOCTTY);
    ::close(own);
    for (const auto& each : hogs) {
        each->run().closeStdin();
        RUN_OR_FAIL(each->result());
    }
    RUN_OR_FAIL(other);
    QVERIFY2(other->standardOutput.startsWith("/dev/pts/"), other->standardOutput);
    QVERIFY(own >= 0);
}

void TestAbuseRes::zombies(World&)
{
    ExecutionOptions options;
    options.timeout = 100s;
    const auto result = python(R"(
import os
def current():
    for path in '/sys/fs/cgroup/pids.current', '/sys/fs/cgroup/pids/pids.current':
        if os.path.exists(path): return int(open(path).read())
made = 0
while made < 500:
    try:
        if os.fork() == 0:
            try:
                for _ in range(5):
                    if os.fork() == 0: os._exit(0)
            except OSError: pass
            os._exit(0)
        made += 1
    except OSError: pass
    if made % 20 == 0:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0): pass
        except ChildProcessError: pass
import time
for _ in range(1000):
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0): pass
    except ChildProcessError: pass
    if current() <= 3: break
    time.sleep(0.01)
print(current() <= 3)
)",
        options);
    RUN_OR_FAIL(result);
    QVERIFY2(result->standardOutput == "True\n", result->standardOutput + result->standardError);
}

void TestAbuseRes::daemonsAtTheEnd(World& world)
{
    const auto result = python(daemons(world));
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "left\n");
    QCOMPARE(result->exitCode, 0);
    QVERIFY(!result->isTimedOut);
    // Dead with the answer, or at once after it.
    QTRY_COMPARE_WITH_TIMEOUT(processesWith(world.marker), QList<QByteArray>(), patience);
}

void TestAbuseRes::processorHog(World&)
{
    ExecutionOptions options;
    for (const double cores : { 1.0, 0.1 }) {
        options.cpuLimit = cores;
        auto request = requestOf(Runtime::Python, R"(
import ctypes, os, resource
bad = []
for what, act in (('nice', lambda: os.nice(-20)), ('fifo', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
                  ('priority', lambda: os.setpriority(os.PRIO_PROCESS, 0, -1))):
    try: act(); bad.append(what)
    except OSError: pass
print('BAD' if bad else 'ok', bad, flush=True)
for _ in range(15):
    if os.fork() == 0: break
while True: pass
)");
        request.timeout = shortLimit;
        const auto result = run(request, options);
        RUN_OR_FAIL(result);
        QVERIFY(result->isTimedOut);
        QVERIFY2(cores < 1 || result->standardOutput == "ok []\n", result->standardOutput);
        const auto cpu = std::chrono::duration<double>(result->cpuTime).count();
        const auto wall = std::chrono::duration<double>(result->phases.run).count();
        // And a few scheduling periods.
        QVERIFY2(cpu <= 1.1 * cores * wall + 0.5, QByteArray::number(cpu));
    }
}

QTEST_GUILESS_MAIN(TestAbuseRes)
#include "tst_abuse_res.moc"
