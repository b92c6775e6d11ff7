// SPDX-License-Identifier: MIT
// Section B4 of ABUSE.md: what one run could leave for the next in a sandbox that is used again.
#include "tests/abuse/abusetest.h"

#include <QCoroTask>
#include <QJsonDocument>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

const QString attacker = u"attacker"_s;

ExecutionRequest python(const QByteArray& code)
{
    auto request = requestOf(Runtime::Python, code);
    request.tenant = attacker;
    return request;
}

ExecutionRequest bash(const QByteArray& command)
{
    auto request = requestOf(Runtime::Python, {});
    request.command = QString::fromUtf8(command);
    request.tenant = attacker;
    return request;
}

constexpr auto plantFiles = R"(
import os, ctypes
for root in '/sandbox', '/tmp', '/dev/shm':
    for name in '.hidden', '..x', '...', ' ', '-rf', 'a\nb', 'x' * 255:
        open(os.path.join(root, name), 'w').write('left')
    open(os.fsencode(root) + b'/\xff\xfe', 'w').write('left')
    os.makedirs(root + '/deep' + '/d' * 200)
    os.symlink('/etc', root + '/link'); os.mkfifo(root + '/fifo'); os.link(root + '/.hidden', root + '/hard')
    os.mkdir(root + '/locked'); open(root + '/locked/in', 'w'); os.chmod(root + '/locked', 0)
    os.mkdir(root + '/readonly'); open(root + '/readonly/in', 'w'); os.chmod(root + '/readonly', 0o500)
os.chmod('/sandbox', 0o700); os.utime('/sandbox', (1, 1))
try: os.setxattr('/sandbox', 'user.left', b'x')
except OSError: pass
gone = open('/sandbox/gone', 'w'); os.remove('/sandbox/gone'); gone.write('x' * 100000); gone.flush()
print('planted')
)";

constexpr auto plantObjects = R"(
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.shmget(1234, 4096, 0o1600) >= 0
attached = libc.shmget(4321, 4096, 0o1600); libc.shmat(attached, None, 0); libc.shmctl(attached, 0, None)
assert libc.semget(1234, 3, 0o1600) >= 0 and libc.msgget(1234, 0o1600) >= 0
rt = libc if hasattr(libc, 'mq_open') else ctypes.CDLL('librt.so.1')
assert rt.mq_open(b'/left', os.O_CREAT | os.O_RDWR, 0o600, None) >= 0
from multiprocessing import shared_memory
shared_memory.SharedMemory('left', True, 4096)
os._exit(0 if print('planted', flush=True) is None else 1)
)";

constexpr auto plantProcesses = R"(
import os, signal, time, ctypes
def daemon(work):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            work()
        os._exit(0)
def hide():
    ctypes.CDLL(None).prctl(15, b'[kworker/0:1]', 0, 0, 0); time.sleep(1000)
def stop():
    os.kill(os.getpid(), signal.SIGSTOP); time.sleep(1000)
def zombies():
    for _ in range(5):
        if os.fork() == 0: os._exit(0)
    time.sleep(1000)
for work in (hide, stop, zombies): daemon(work)
time.sleep(0.2)
print('planted')
)";

constexpr auto plantSockets = R"(
import socket, os
keep = []
def listen(family, address):
    s = socket.socket(family); s.bind(address); s.listen(); keep.append(s); return s
server = listen(socket.AF_INET, ('127.0.0.1', 5000))
# The side that closes first keeps the port (TIME_WAIT).
for _ in range(20):
    client = socket.create_connection(('127.0.0.1', 5000)); accepted, _ = server.accept()
    accepted.close(); client.recv(1); client.close()
try: listen(socket.AF_INET6, ('::1', 5001))
except OSError: pass
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('127.0.0.1', 5002)); keep.append(udp)
unix = socket.socket(socket.AF_UNIX); unix.bind('\0left'); unix.listen(); keep.append(unix)
half = socket.create_connection(('127.0.0.1', 5000)); keep.append(half); half.send(b'x' * 1000)
print('planted')
)";

constexpr auto useSockets = R"(
import socket
for port in 5000, 5002:
    try: socket.create_connection(('127.0.0.1', port), 2); print('connected', port)
    except ConnectionRefusedError: pass
s = socket.socket(); s.bind(('127.0.0.1', 5000)); s.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 5002))
x = socket.socket(socket.AF_UNIX); x.bind('\0left')
print('free')
)";

constexpr auto plantStartUp = R"(
import os, site
bad = 'import os; os.write(1, b"PLANTED")\n'
for path in ('/sandbox/sitecustomize.py', '/sandbox/usercustomize.py', '/sandbox/json.py', site.getusersitepackages() + '/usercustomize.py',
        site.getusersitepackages() + '/left.pth', '/sandbox/.bashrc', '/sandbox/.profile', '/sandbox/.npmrc', '/sandbox/package.json',
        '/sandbox/.pip/pip.conf', '/tmp/json.py', '/sandbox/node_modules/x/index.js', '/sandbox/bunfig.toml', '/sandbox/tsconfig.json'):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'w').write(bad if path.endswith(('.py', '.pth')) else 'echo PLANTED')
print('planted')
)";

constexpr auto showLimits = R"(
import os
def first(*paths):
    for path in paths:
        if os.path.exists(path): return open(path).read().split()[0]
print(first('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'),
    first('/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'),
    first('/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    os.statvfs('/tmp').f_blocks * os.statvfs('/tmp').f_frsize, os.access('/etc', os.W_OK))
)";

std::unique_ptr<Subject> makeSubject()
{
    auto subject = std::make_unique<EngineSubject>(EngineSubject::Neighbour::Within);
    subject->fixture().restartWithPool(PoolLimits {});
    return subject;
}

} // namespace

/// Sandboxes that are used again, attacked by whoever had them before.
class TestAbusePool : public AbuseTest {
    Q_OBJECT

public:
    TestAbusePool()
        : AbuseTest(makeSubject)
    {
    }

    void leavesFiles(World&) { leaves(python(plantFiles)); }
    void leavesObjects(World&) { leaves(python(plantObjects)); }
    void leavesProcesses(World&) { leaves(python(plantProcesses)); }
    void leavesSockets(World&);
    void leavesSecrets(World& world);
    void plantsStartUpFiles(World&);
    void mixesLimits(World&);
    void writesTheRoot(World&);
    void loosensSeccomp(World&);
    void leavesLogs(World&);
    void spoilsTheTerminal(World&);
    void runsTwice(World&);

private Q_SLOTS:
    void attack_data() { addRows<TestAbusePool>(cases); }
    void attack() { perform<TestAbusePool>(this, cases); }

private:
    EngineFixture& fixture() { return static_cast<EngineSubject&>(subject()).fixture(); }
    Result<ExecutionResult> run(
        const ExecutionRequest& request, const ExecutionOptions& options = {})
    {
        return fixture().run(request, options);
    }
    /// What the attacker's own next program finds.
    void probe(QString& container, QByteArray& found);
    /// Runs @p request, which says `planted`; the next program is in the same sandbox and finds
    /// what it would find in a fresh one.
    void leaves(const ExecutionRequest& request);

    static constexpr Case<TestAbusePool> cases[] = {
        { "POOL-01", &TestAbusePool::leavesFiles, &TestAbusePool::runsTwice },
        { "POOL-03", &TestAbusePool::leavesObjects, &TestAbusePool::runsTwice },
        { "POOL-04", &TestAbusePool::leavesProcesses, &TestAbusePool::runsTwice },
        { "POOL-05", &TestAbusePool::leavesSockets, &TestAbusePool::runsTwice },
        { "POOL-06", &TestAbusePool::leavesSecrets, &TestAbusePool::runsTwice },
        { "POOL-07", &TestAbusePool::plantsStartUpFiles, &TestAbusePool::runsTwice },
        { "POOL-12", &TestAbusePool::mixesLimits, &TestAbusePool::runsTwice },
        { "POOL-15", &TestAbusePool::writesTheRoot, &TestAbusePool::runsTwice },
        { "POOL-16", &TestAbusePool::loosensSeccomp, &TestAbusePool::runsTwice },
        { "POOL-20", &TestAbusePool::leavesLogs, &TestAbusePool::runsTwice },
        { "POOL-21", &TestAbusePool::spoilsTheTerminal, &TestAbusePool::runsTwice },
    };

    QByteArray m_clean;
};

void TestAbusePool::probe(QString& container, QByteArray& found)
{
    const auto result = run(bash(testData(u"abuse/probe.sh"_s)));
    QVERIFY2(result, result ? "" : qPrintable(result.error().message));
    container = result->containerId;
    found = result->standardOutput + result->standardError;
}

void TestAbusePool::leaves(const ExecutionRequest& request)
{
    QString container;
    if (m_clean.isEmpty())
        probe(container, m_clean);
    const auto planted = run(request);
    QVERIFY2(planted, planted ? "" : qPrintable(planted.error().message));
    QVERIFY2(planted->standardOutput.contains("planted"),
        planted->standardError + planted->standardOutput);
    QByteArray found;
    probe(container, found);
    QCOMPARE(container, planted->containerId);
    QCOMPARE(QString::fromUtf8(found), QString::fromUtf8(m_clean));
}

void TestAbusePool::leavesSockets(World&)
{
    leaves(python(plantSockets));
    const auto next = run(python(useSockets));
    QVERIFY(next);
    QCOMPARE(next->standardOutput, "free\n");
    const auto again = run(python(useSockets));
    QVERIFY(again);
    QCOMPARE(again->standardOutput, "free\n");
    QCOMPARE(again->containerId, next->containerId);
}

void TestAbusePool::leavesSecrets(World& world)
{
    auto request = python("import os; print('planted', len(os.environ['TOKEN']))");
    request.environment.insert(u"MARKED"_s, QString::fromLatin1(world.marker));
    ExecutionOptions options;
    options.secrets.insert(u"TOKEN"_s, QString::fromLatin1(world.secret));
    const auto planted = run(request, options);
    QVERIFY(planted);
    const auto next = run(bash("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>&1; env; "
                               "strings /proc/1/mem 2>&1 || head -c 1 /proc/1/mem; echo end"));
    QVERIFY(next);
    QCOMPARE(next->containerId, planted->containerId);
    QVERIFY(next->standardOutput.contains("end"));
    for (const auto& text : { world.secret, world.marker }) {
        QVERIFY(!next->standardOutput.contains(text));
        QVERIFY(!next->standardError.contains(text));
    }
    const auto inspected = QCoro::waitFor(client().inspectContainerRaw(next->containerId));
    QVERIFY(inspected);
    QVERIFY(!QJsonDocument(*inspected).toJson().contains(world.secret));
}

void TestAbusePool::plantsStartUpFiles(World&)
{
    leaves(python(plantStartUp));
    const auto next = run(python("import json, site; print(json.dumps([1]), json.__file__)"));
    QVERIFY(next);
    QVERIFY(!next->standardOutput.contains("PLANTED"));
    QVERIFY(next->standardOutput.startsWith("[1] /usr/"));
}

void TestAbusePool::mixesLimits(World&)
{
    ExecutionOptions small;
    small.memoryLimitBytes = 64LL << 20;
    small.pidsLimit = 16;
    small.cpuLimit = 0.2;
    small.tmpSizeBytes = 8LL << 20;
    for (int i = 0; i < 3; ++i) {
        const auto narrow = run(python(showLimits), small);
        QVERIFY(narrow);
        QVERIFY2(narrow->standardOutput.startsWith("67108864 19 20000 8388608 False"),
            narrow->standardOutput);
        const auto wide = run(python(showLimits));
        QVERIFY(wide);
        QVERIFY2(wide->standardOutput.startsWith("536870912 67 100000 268435456 False"),
            wide->standardOutput);
        QVERIFY(narrow->containerId != wide->containerId);
    }
}

void TestAbusePool::writesTheRoot(World&)
{
    ExecutionOptions writable;
    writable.isRootReadOnly = false;
    // The sandbox user may write where the image lets it; what it writes must not be there again.
    const auto first = run(bash("(echo x >/var/tmp/left) 2>&1; echo planted"), writable);
    const auto second = run(bash("ls -A /var/tmp; echo planted"), writable);
    QVERIFY(first);
    QVERIFY(second);
    QVERIFY(first->containerId != second->containerId);
    QVERIFY2(!second->standardOutput.contains("left"), second->standardOutput);
    const auto third = run(bash("ls -A /var/tmp; (echo x >/var/tmp/y) 2>&1; echo planted"));
    QVERIFY(third);
    QVERIFY(third->containerId != first->containerId);
    QVERIFY2(third->standardOutput.contains("Read-only file system"), third->standardOutput);
}

void TestAbusePool::loosensSeccomp(World&)
{
    ExecutionOptions loose;
    loose.seccomp = SeccompMode::Unconfined;
    const auto first = run(python(plantFiles), loose);
    QVERIFY(first);
    QVERIFY(first->standardOutput.contains("planted"));
    QString container;
    QByteArray found;
    probe(container, found);
    QVERIFY(container != first->containerId);
    QVERIFY(found.contains("Seccomp:\t2"));
    const auto second = run(bash("ls -A /sandbox /tmp /dev/shm"), loose);
    QVERIFY(second);
    QVERIFY(second->containerId != first->containerId);
    QVERIFY(!second->standardOutput.contains("hidden"));
}

void TestAbusePool::leavesLogs(World&)
{
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allow = { u"^allowed\\.test$"_s };
    options.isNetworkLogged = true;
    const auto first = run(python("import urllib.request\n"
                                  "try: urllib.request.urlopen('http://blocked.test/')\n"
                                  "except OSError as error: print('planted', error)"),
        options);
    QVERIFY2(first, first ? "" : qPrintable(first.error().message));
    QVERIFY2(first->standardOutput.contains("planted HTTP Error 403"), first->standardOutput);
    QCOMPARE(first->networkLogs.size(), 1);
    QVERIFY(!first->violations.isEmpty());
    const auto next = run(python("print('quiet')"), options);
    QVERIFY2(next, next ? "" : qPrintable(next.error().message));
    QCOMPARE(next->containerId, first->containerId);
    QVERIFY(next->networkLogs.isEmpty());
    QVERIFY(next->violations.isEmpty());
    QCOMPARE(next->networkBytesIn + next->networkBytesOut, 0);
}

void TestAbusePool::spoilsTheTerminal(World&)
{
    auto plain = bash("stty -a; stty size; tty; ls /dev/pts");
    plain.hasTerminal = true;
    const auto clean = run(plain);
    QVERIFY(clean);
    auto spoil = bash("stty raw -echo rows 1 cols 1; printf '\\023\\033c\\033[?1049h'; sleep 0.1; "
                      "echo planted");
    spoil.hasTerminal = true;
    const auto spoiled = run(spoil);
    QVERIFY(spoiled);
    QVERIFY(spoiled->standardOutput.contains("planted"));
    const auto next = run(plain);
    QVERIFY(next);
    QCOMPARE(next->containerId, spoiled->containerId);
    QCOMPARE(next->standardOutput, clean->standardOutput);
}

void TestAbusePool::runsTwice(World&)
{
    const auto first = run(python("open('mine', 'w').write('x'); print(6 * 7)"));
    const auto second = run(python("import os; print(os.listdir('.'))"));
    QVERIFY(first);
    QVERIFY(second);
    QCOMPARE(first->standardOutput, "42\n");
    QCOMPARE(second->standardOutput, "['main.py']\n");
    QCOMPARE(second->containerId, first->containerId);
}

QTEST_GUILESS_MAIN(TestAbusePool)
#include "tst_abuse_pool.moc"
