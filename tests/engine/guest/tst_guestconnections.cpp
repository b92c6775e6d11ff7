// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"
#include "tests/engine/guest/rawguest.h"
#include "tests/engine/guest/scriptedguest.h"
#include "tests/engine/guest/streamrecorder.h"

#include <QCryptographicHash>
#include <QFile>

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;
using guest::Type;

namespace {

constexpr auto prelude = R"(
import errno, os, socket, struct, sys
def dial():
    return socket.create_connection(('127.0.0.1', 8118))
def say(*words):
    print(*words, flush=True)
def name(error):
    return errno.errorcode.get(error.errno, str(error))
)";

GuestRunSpec python(const QByteArray& script)
{
    auto spec = GuestFixture::shell({});
    spec.arguments = { "python3", "-c", prelude + script };
    spec.areConnectionsCarried = true;
    return spec;
}

QByteArray sha256(const QByteArray& bytes)
{
    return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex();
}

/// A run with the connections it opens, taken as they come.
struct CarriedRun {
    CarriedRun(GuestFixture& guest, const GuestRunSpec& spec)
        : run(guest.start(spec, ran))
    {
        QObject::connect(run.get(), &GuestRun::connectionOpened, run.get(), [this] { take(); });
    }

    ~CarriedRun()
    {
        if (!ran.standardError.isEmpty())
            qWarning() << ran.standardError;
    }
    Q_DISABLE_COPY_MOVE(CarriedRun)

    void take()
    {
        while (auto connection = run->takeConnection()) {
            connections.push_back(std::make_unique<StreamRecorder>(std::move(connection)));
            connections.back()->stream->setReading(isReading);
        }
    }
    [[nodiscard]] bool has(std::size_t count) const { return connections.size() >= count; }
    [[nodiscard]] StreamRecorder& at(std::size_t index) { return *connections[index]; }

    Ran ran;
    bool isReading = true;
    std::vector<std::unique_ptr<StreamRecorder>> connections;
    std::unique_ptr<GuestRun> run;
};

qint64 residentKilobytes(qint64 pid)
{
    QFile file(u"/proc/%1/status"_s.arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    const auto text = file.readAll();
    const auto at = text.indexOf("VmRSS:");
    return text.sliced(at + 6, text.indexOf("kB", at) - at - 6).trimmed().toLongLong();
}

} // namespace

/// Programs that connect to a real guest.
class TestGuestConnections : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_guest = std::make_unique<GuestFixture>();
        QVERIFY(m_guest->isOpen());
    }
    void cleanupTestCase() { m_guest.reset(); }

    void carriesBothWays()
    {
        CarriedRun run(*m_guest, python(R"(
s = dial()
s.sendall(b'question')
say(s.recv(100).decode())
s.close()
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(0).received, "question", patienceMs);
        run.at(0).stream->write("answer");
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput, "answer\n", patienceMs);
    }

    void eachDirectionEndsOnItsOwn()
    {
        CarriedRun run(*m_guest, python(R"(
s = dial()
s.sendall(b'all I have')
s.shutdown(socket.SHUT_WR)
say(s.makefile('rb').read().decode())
say(s.recv(1))
s.close()
t = dial()
say(t.recv(1))
t.sendall(b'after your end')
t.close()
sys.stdin.read()
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        auto& one = run.at(0);
        QTRY_COMPARE_WITH_TIMEOUT(one.finishedReading, 1, patienceMs);
        QCOMPARE(one.received, "all I have");
        one.stream->write("still ");
        one.stream->write("coming");
        one.stream->finishWriting();
        QTRY_VERIFY_WITH_TIMEOUT(one.closed && *one.closed, patienceMs);

        QTRY_VERIFY_WITH_TIMEOUT(run.has(2), patienceMs);
        auto& two = run.at(1);
        two.stream->finishWriting();
        QTRY_VERIFY_WITH_TIMEOUT(two.closed && *two.closed, patienceMs);
        QCOMPARE(two.received, "after your end");
        QCOMPARE(two.finishedReading, 1);
        run.run->closeStdin();
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QCOMPARE(run.ran.standardOutput, "still coming\nb''\nb''\n");
    }

    void resetsGoBothWays()
    {
        CarriedRun run(*m_guest, python(R"(
s = dial()
s.sendall(b'x')
try:
    say(s.recv(1))
except OSError as error:
    say(name(error))
t = dial()
t.sendall(b'y')
sys.stdin.readline()
t.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
t.close()
sys.stdin.read()
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(0).received, "x", patienceMs);
        run.at(0).stream->abort();
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput, "ECONNRESET\n", patienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(run.has(2), patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(1).received, "y", patienceMs);
        run.run->writeStdin("now\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.at(1).closed, patienceMs);
        QVERIFY(!*run.at(1).closed);
        QCOMPARE(run.at(1).closed->error().kind, Kind::Unreachable);
    }

    void muchGoesBothWaysUnchanged()
    {
        // Both directions at once, each larger than every buffer on the way.
        QByteArray bytes(24 << 20, Qt::Uninitialized);
        for (qsizetype i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(i * 2654435761U >> 13);
        CarriedRun run(*m_guest, python(R"(
import hashlib, threading
s = dial()
def echo():
    data = bytes((i * 2654435761 >> 13) & 255 for i in range(1 << 20))
    for i in range(24): s.sendall(data)
    s.shutdown(socket.SHUT_WR)
t = threading.Thread(target=echo)
t.start()
h = hashlib.sha256()
while chunk := s.recv(100_000): h.update(chunk)
t.join()
say(h.hexdigest())
sys.stdin.readline() # what the kernel still has of it would end with the program
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        run.at(0).stream->write(bytes);
        run.at(0).stream->finishWriting();
        QTRY_VERIFY_WITH_TIMEOUT(run.at(0).finishedReading == 1, patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput.trimmed(), sha256(bytes), patienceMs);
        QCOMPARE(run.at(0).received.size(), bytes.size());
        const QByteArray piece = run.at(0).received.first(1 << 20);
        QCOMPARE(sha256(run.at(0).received), sha256(piece.repeated(24)));
        QCOMPARE(piece.first(1 << 16), bytes.first(1 << 16));
    }

    void aSlowReaderHoldsTheSenderBack()
    {
        CarriedRun run(*m_guest, python(R"(
s = dial()
sys.stdin.readline()
n = 0
while chunk := s.recv(100_000): n += len(chunk)
say(n)
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        auto& stream = *run.at(0).stream;
        constexpr qint64 size = 64LL << 20; // more than the kernel keeps for one socket
        stream.write(QByteArray(size, 'x'));
        stream.finishWriting();
        // The way to the other side is full now, and everything else still works.
        auto other = m_guest->connection().putFile("other", "x", 0644, {});
        QVERIFY(QCoro::waitFor(std::move(other)));
        QVERIFY(stream.pendingBytes() > size / 2);
        run.run->writeStdin("go\n");
        QTRY_COMPARE_WITH_TIMEOUT(
            run.ran.standardOutput, QByteArray::number(size) + '\n', patienceMs);
        QCOMPARE(stream.pendingBytes(), 0);
    }

    void aDeafReaderHoldsNobodyElseBack()
    {
        CarriedRun run(*m_guest, python(R"(
deaf = [dial() for i in range(20)]
s = dial()
n = 0
while chunk := s.recv(100_000): n += len(chunk)
say(n)
sys.stdin.readline()
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(21), patienceMs);
        constexpr qint64 size = 16LL << 20; // many windows
        for (const auto& one : run.connections)
            one->stream->write(QByteArray(size, 'x'));
        run.at(20).stream->finishWriting();
        QTRY_COMPARE_WITH_TIMEOUT(
            run.ran.standardOutput, QByteArray::number(size) + '\n', patienceMs);
        for (std::size_t i = 0; i < 20; ++i)
            QVERIFY(run.at(i).stream->pendingBytes() > 0);
        // Broken off in the middle of it.
        run.connections.clear();
        run.run->writeStdin("\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QVERIFY(m_guest->isOpen());
    }

    void anUnreadConnectionHoldsTheProgramBack()
    {
        CarriedRun run(*m_guest, python(R"(
s = dial()
s.setblocking(False)
n = 0
import select
while select.select([], [s], [], 1)[1]:
    n += s.send(b'x' * 100_000)
say('full')
t = dial()
t.sendall(b'second')
say(t.recv(100).decode())
s.setblocking(True)
s.shutdown(socket.SHUT_WR)
sys.stdin.readline()
say(n)
)"));
        run.isReading = false;
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput, "full\n", patienceMs);
        // What is stuck holds up nobody else.
        QTRY_VERIFY_WITH_TIMEOUT(run.has(2), patienceMs);
        run.at(1).stream->setReading(true);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(1).received, "second", patienceMs);
        run.at(1).stream->write("and back");
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput, "full\nand back\n", patienceMs);
        QCOMPARE(run.at(0).received, QByteArray());
        run.at(0).stream->setReading(true);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(0).finishedReading, 1, patienceMs);
        run.run->writeStdin("done\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QCOMPARE(run.ran.standardOutput,
            "full\nand back\n" + QByteArray::number(run.at(0).received.size()) + '\n');
    }

    void thePortIsTheGuests_data()
    {
        QTest::addColumn<bool>("isCarried");
        QTest::newRow("filtered") << true;
        QTest::newRow("none") << false;
    }
    void thePortIsTheGuests()
    {
        QFETCH(bool, isCarried);
        auto spec = python(R"(
def attempt(family, address, *options):
    s = socket.socket(family)
    for option in options: s.setsockopt(*option, 1)
    try:
        s.bind((address, 8118))
        s.listen()
        say('bound')
    except OSError as error:
        say(name(error))
    s.close()
REUSE = (socket.SOL_SOCKET, socket.SO_REUSEADDR)
SHARE = (socket.SOL_SOCKET, socket.SO_REUSEPORT)
ONLY6 = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
def connect():
    try:
        dial().close()
        say('connected')
    except OSError as error:
        say(name(error))
connect()
for options in [], [REUSE], [SHARE], [REUSE, SHARE]:
    attempt(socket.AF_INET, '127.0.0.1', *options)
    attempt(socket.AF_INET, '0.0.0.0', *options)
    attempt(socket.AF_INET6, '::', *options)
    attempt(socket.AF_INET6, '::', ONLY6, *options)
    attempt(socket.AF_INET6, '::ffff:127.0.0.1', *options)
connect()
say(*[x for x in range(3, 64) if os.path.islink('/proc/self/fd/%d' % x)])
)");
        spec.areConnectionsCarried = isCarried;
        GuestFixture guest;
        const auto ran = guest.run(spec);
        QCOMPARE(ran.standardError, QByteArray());
        const QByteArray connected = isCarried ? "connected\n" : "ECONNREFUSED\n";
        const QByteArray bound = isCarried ? "EADDRINUSE\n" : "bound\n";
        QCOMPARE(ran.standardOutput, connected + bound.repeated(20) + connected + "\n");
    }

    void manyIdleConnectionsAreBounded()
    {
        const auto descriptors = [&] {
            return QDir(u"/proc/%1/fd"_s.arg(m_guest->process().guestPid()))
                .entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)
                .size();
        };
        auto spec = python(R"(
import resource, select, time
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE)[1:] * 2)
all = []
for i in range(1000):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(('127.0.0.1', 8118))
    all.append(s)
say('dialled')
sys.stdin.readline()
)");
        CarriedRun run(*m_guest, spec);
        QTRY_COMPARE_WITH_TIMEOUT(run.ran.standardOutput, "dialled\n", patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(
            run.connections.size(), std::size_t(guest::maxConnections), patienceMs);
        QVERIFY(descriptors() < guest::maxConnections + 32);
        // Who waits gets in as others leave.
        for (int i = 0; i < 20; ++i)
            run.at(i).stream->abort();
        QTRY_COMPARE_WITH_TIMEOUT(
            run.connections.size(), std::size_t(guest::maxConnections + 20), patienceMs);
        run.run->writeStdin("end\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        for (int i = 20; i < guest::maxConnections + 20; ++i)
            QVERIFY(run.at(i).closed && !*run.at(i).closed);
    }

    void aStormOfConnections()
    {
        CarriedRun run(*m_guest, python(R"(
import random
random.seed(1)
kept = []
for i in range(3000):
    s = dial()
    what = random.randrange(5)
    if what == 0: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    if what < 3: s.sendall(b'x' * random.randrange(3000))
    if what == 3: s.shutdown(socket.SHUT_WR)
    if what < 4: s.close()
    else: kept.append(s)
    if len(kept) > 50: kept.pop(random.randrange(50)).close()
say('survived')
)"));
        // The host answers each: finishes, aborts, or writes and finishes.
        std::size_t answered = 0;
        const auto answer = [&] {
            for (; answered < run.connections.size(); ++answered) {
                auto& stream = *run.at(answered).stream;
                if (answered % 3 == 0) {
                    stream.abort();
                    continue;
                }
                if (answered % 3 == 1)
                    stream.write(QByteArray(10'000, 'y'));
                stream.finishWriting();
            }
        };
        connect(run.run.get(), &GuestRun::connectionOpened, run.run.get(), answer,
            Qt::QueuedConnection);
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QCOMPARE(run.ran.standardOutput, "survived\n");
        QVERIFY(m_guest->isOpen());
        for (const auto& one : run.connections)
            QVERIFY(one->closings <= 1);
    }

    void noneCrossesIntoTheNextRun()
    {
        // A child keeps its connection open past the program's end, as well as it can.
        CarriedRun run(*m_guest, python(R"(
s = dial()
s.sendall(b'first')
if os.fork() == 0:
    os.setsid()
    import signal, time
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
    while True: time.sleep(1)
sys.stdin.readline()
s.sendall(b'last')
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(1), patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(run.at(0).received, "first", patienceMs);
        run.run->writeStdin("\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QVERIFY(run.at(0).closed && !*run.at(0).closed);

        // Written to what is over; the next run's program hears its own host only.
        run.at(0).stream->write("for the dead");
        for (int i = 0; i < 3; ++i) {
            CarriedRun next(*m_guest, python("say(dial().makefile('rb').read().decode())"));
            QTRY_VERIFY_WITH_TIMEOUT(next.has(1), patienceMs);
            next.at(0).stream->write("for the living");
            next.at(0).stream->finishWriting();
            QTRY_VERIFY_WITH_TIMEOUT(next.ran.isFinished, patienceMs);
            QCOMPARE(next.ran.standardOutput, "for the living\n");
            QCOMPARE(next.connections.size(), std::size_t(1));
        }
        const auto none = m_guest->run(GuestFixture::shell("cat /proc/net/tcp | wc -l"));
        QVERIFY(none.standardOutput.toInt() >= 1);
    }

    void aPortThatIsTakenIsSaid()
    {
        // What an earlier program has left of its own on the port lasts a minute in the kernel.
        auto spec = python(R"(
l = socket.socket()
l.bind(('127.0.0.1', 8118))
l.listen()
c = socket.create_connection(('127.0.0.1', 8118))
s, _ = l.accept()
s.close()
c.recv(1)
c.close()
say('left')
)");
        spec.areConnectionsCarried = false;
        GuestFixture guest;
        QCOMPARE(guest.run(spec).standardOutput, "left\n");
        const auto refused = guest.run(python("say('ran')"));
        QVERIFY(refused.report);
        QCOMPARE(refused.report->outcome, Outcome::NotStarted);
        QCOMPARE(refused.report->value, quint32(EADDRINUSE) | guest::listenerFlag);
        QCOMPARE(refused.standardOutput, QByteArray());
        // And a sandbox in which that is so is not clean.
        QVERIFY(!QCoro::waitFor(guest.connection().scrub({})));
    }

    void memoryIsGivenBack()
    {
        const auto pid = m_guest->process().guestPid();
        const auto before = residentKilobytes(pid);
        CarriedRun run(*m_guest, python(R"(
all = [dial() for i in range(100)]
sys.stdin.readline()
)"));
        QTRY_VERIFY_WITH_TIMEOUT(run.has(100), patienceMs);
        for (const auto& one : run.connections)
            one->stream->write(QByteArray(16 << 20, 's'));
        QTRY_VERIFY_WITH_TIMEOUT(residentKilobytes(pid) > before + 10'000, patienceMs);
        QVERIFY(residentKilobytes(pid)
            < before + guest::maxConnections * qint64(guest::connectionWindowBytes) / 1024 + 2000);
        run.run->writeStdin("\n");
        QTRY_VERIFY_WITH_TIMEOUT(run.ran.isFinished, patienceMs);
        QVERIFY(residentKilobytes(pid) < before + 2000);
    }

    void malformedFramesEndTheGuest_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        const quint32 id = guest::connectionIdBit | 1;
        const auto frame = [](Type type, quint32 id, const QByteArray& payload = {}) {
            return ScriptedTransport::frame(type, id, payload);
        };
        const auto data = frame(Type::ConnectionData, id, QByteArray(guest::maxPayloadBytes, 'x'));
        QTest::newRow("not a connection") << frame(Type::ConnectionData, 1, "x");
        QTest::newRow("more than the window")
            << data.repeated(2 + guest::connectionWindowBytes / guest::maxPayloadBytes);
        QTest::newRow("credit for nothing")
            << frame(Type::ConnectionCredit, id, ScriptedTransport::u32(1));
        QTest::newRow("short credit") << frame(Type::ConnectionCredit, id, "x");
        QTest::newRow("data after the end") << frame(Type::ConnectionEnd, id) + data;
        QTest::newRow("end twice") << frame(Type::ConnectionEnd, id).repeated(2);
        QTest::newRow("guest's type")
            << frame(Type::ConnectionOpened, id, ScriptedTransport::u32(1));
        QTest::newRow("closed") << frame(Type::ConnectionClosed, id, ScriptedTransport::u32(0));
    }
    void malformedFramesEndTheGuest()
    {
        QFETCH(QByteArray, bytes);
        RawGuest guest;
        // Its connection is stopped, so that nothing of what comes is given back as credit.
        guest.process.write(RawGuest::hello()
            + RawGuest::startFrames(1,
                "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "
                "\"127.0.0.1:8118\"); print \"ready\\n\"; sleep 1000'",
                guest::CarryConnections));
        const auto opened = ScriptedTransport::frame(
            Type::ConnectionOpened, guest::connectionIdBit | 1, ScriptedTransport::u32(1));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains(opened), patienceMs);
        // Late frames for a connection of long ago are no sin.
        guest.process.write(
            ScriptedTransport::frame(Type::ConnectionData, guest::connectionIdBit | 77, "x"));
        guest.process.write(ScriptedTransport::frame(Type::Ping, 5));
        QTRY_VERIFY_WITH_TIMEOUT(
            guest.answer.contains(ScriptedTransport::frame(Type::Pong, 5)), patienceMs);
        const auto before = guest.answer.size();
        // Enough to fill every buffer in between where it is about the window.
        guest.process.write(bytes.repeated(bytes.size() > 100'000 ? 100 : 1));
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 3"_s), qPrintable(guest.ended));
        QVERIFY(guest.answer.sliced(before).contains("unexpected frame"));
    }

    void goesWithItsHost()
    {
        RawGuest guest;
        guest.process.write(RawGuest::hello()
            + RawGuest::startFrames(1,
                "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "
                "\"127.0.0.1:8118\"); sleep 1000'",
                guest::CarryConnections));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains(char(Type::ConnectionOpened)), patienceMs);
        guest.process.close();
        QTRY_VERIFY_WITH_TIMEOUT(!guest.ended.isEmpty(), patienceMs);
        QVERIFY2(guest.ended.contains(u"ended with 0"_s), qPrintable(guest.ended));
    }

    void aNewHostInheritsNone()
    {
        RawGuest guest({ u"--linger"_s, u"1000"_s });
        const QByteArray dial
            = "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr "
              "=> \"127.0.0.1:8118\"); print $s \"hi\"; sleep 1000'";
        const auto opened = ScriptedTransport::frame(
            Type::ConnectionOpened, guest::connectionIdBit | 1, ScriptedTransport::u32(1));
        guest.process.write(
            RawGuest::hello() + RawGuest::startFrames(1, dial, guest::CarryConnections));
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.contains(opened), patienceMs);
        const auto before = guest.answer.size();
        guest.process.write(QByteArray(guest::resyncBytes, 0) + RawGuest::hello()
            + RawGuest::startFrames(1, dial, guest::CarryConnections));
        // The second run's connection is its host's first.
        QTRY_VERIFY_WITH_TIMEOUT(guest.answer.sliced(before).contains(opened), patienceMs);
        QVERIFY(guest.ended.isEmpty());
    }

private:
    std::unique_ptr<GuestFixture> m_guest;
};

QTEST_GUILESS_MAIN(TestGuestConnections)
#include "tst_guestconnections.moc"
