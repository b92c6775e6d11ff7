// SPDX-License-Identifier: MIT
// Section B3 of ABUSE.md: the guest and its protocol.
#include "engine/docker/attachedstream.h"
#include "engine/docker/streamdemux.h"
#include "tests/abuse/engineabusetest.h"
#include "tests/app/liveprogram.h"
#include "tests/support/localserver.h"

#include <QCoroTask>

#include <csignal>

using namespace isol8;
using namespace isol8::test;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 120'000;

ExecutionRequest waiting(const QByteArray& code)
{
    auto request = requestOf(Runtime::Bash, code);
    request.isStdinLive = true;
    return request;
}

} // namespace

class TestAbusePro : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbusePro> cases[];

    void printsFrames(World& world);
    void cutsMultiplexing(World& world);
    void starvesControl(World& world);
    void hostDies(World& world);
    void secondAttacher(World& world);
    void noMemory(World& world);
    void impossibleStarts(World& world);
    void guestDies(World& world);
    void offTheBeat(World& world);
    void lateFrames(World& world);
    void talks(World& world);
    [[nodiscard]] int processOf(const WatchedRun& run)
    {
        const auto details = QCoro::waitFor(client().inspectContainer(run.containerId));
        return details ? details->pid : 0;
    }
};

const Case<TestAbusePro> TestAbusePro::cases[] {
    { "PRO-01", &TestAbusePro::printsFrames, &TestAbusePro::talks },
    { "PRO-02", &TestAbusePro::script, &TestAbusePro::talks },
    { "PRO-03", &TestAbusePro::script, &TestAbusePro::talks },
    { "PRO-04", &TestAbusePro::script, &TestAbusePro::talks },
    { "PRO-07", &TestAbusePro::cutsMultiplexing, &TestAbusePro::talks },
    { "PRO-09", &TestAbusePro::starvesControl, &TestAbusePro::talks },
    { "PRO-10", &TestAbusePro::hostDies, &TestAbusePro::talks },
    { "PRO-11", &TestAbusePro::secondAttacher, &TestAbusePro::talks },
    { "PRO-12", &TestAbusePro::noMemory, &TestAbusePro::talks },
    { "PRO-13", &TestAbusePro::impossibleStarts, &TestAbusePro::talks },
    { "PRO-15", &TestAbusePro::guestDies, &TestAbusePro::talks },
    { "PRO-17", &TestAbusePro::offTheBeat, &TestAbusePro::talks },
    { "PRO-18", &TestAbusePro::lateFrames, &TestAbusePro::talks },
};

void TestAbusePro::attack_data()
{
    addRows<TestAbusePro>(cases);
}

void TestAbusePro::attack()
{
    perform<TestAbusePro>(this, cases);
}

/// The innocent twin: a program that is spoken with.
void TestAbusePro::talks(World& world)
{
    const auto going = fixture().start(waiting("read line; echo \"got $line\"; kill -USR1 $$"));
    going->run().writeStdin(world.marker + '\n');
    const auto result = going->result();
    RUN_OR_FAIL(result);
    QCOMPARE(untruth(*result), QByteArray());
    QCOMPARE(result->standardOutput, "got " + world.marker + '\n');
    QCOMPARE(result->signal, u"SIGUSR1"_s);
}

void TestAbusePro::printsFrames(World&)
{
    const auto result = python(scriptOf({ u"PRO-01"_s }));
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->ending.reason, EndReason::Exited);
    verifyAttempts(result->standardOutput, {});
    for (const auto& frame : { "\x02\0\0\0\0\0\0\x04"
                               "EXIT\n"_ba,
             QByteArray(64, '\xff'), QByteArray(64, '\0') })
        QVERIFY2(result->standardOutput.contains(frame), frame.toHex());
}

void TestAbusePro::cutsMultiplexing(World&)
{
    // Docker's headers cut anywhere, output that looks like them, and streams that do not exist.
    using docker::StreamDemux;
    const auto frame = [](char stream, const QByteArray& bytes) {
        QByteArray header(8, '\0');
        header[0] = stream;
        header[7] = char(bytes.size());
        return header + bytes;
    };
    const auto whole
        = frame(1, "out") + frame(2, "err") + frame(1, frame(2, "no")) + frame(0, "in");
    for (qsizetype cut = 0; cut <= whole.size(); ++cut) {
        StreamDemux demux;
        QByteArray output;
        QByteArray errors;
        for (const auto& part : { whole.first(cut), whole.sliced(cut) }) {
            auto rest = QByteArrayView(part);
            while (!rest.isEmpty()) {
                const auto piece = demux.next(rest);
                RUN_OR_FAIL(piece);
                if (*piece)
                    ((*piece)->stream == StreamDemux::Stream::Stderr ? errors : output)
                        += (*piece)->bytes;
            }
        }
        QCOMPARE(errors, "err");
        QVERIFY(output.startsWith("out" + frame(2, "no")));
        QVERIFY(demux.isAtFrameEnd());
    }
    for (const char stream : { '\x03', '\x09', '\xff' }) {
        StreamDemux demux;
        const auto bytes = frame(stream, "x");
        auto rest = QByteArrayView(bytes);
        const auto piece = demux.next(rest);
        QVERIFY(!piece);
        QCOMPARE(piece.error().kind, Kind::Protocol);
    }
}

void TestAbusePro::starvesControl(World&)
{
    // Output as fast as it goes, a download that nobody reads, an upload that nobody takes: a
    // signal still arrives, and an end is one.
    LocalServer server;
    server.add(u"/endless"_s,
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + QByteArray(8'000'000, 'x'),
        LocalServer::End::Hold);
    ExecutionOptions options;
    options.network = NetworkMode::Filtered;
    options.networkFilter.allowAddresses = { u"127.0.0.1:%1"_s.arg(server.port()) };
    options.timeout = 100s;
    auto request = requestOf(Runtime::Python,
        R"(
import os, signal, socket, sys, threading
def stop(number, frame):
    os.write(2, b'interrupted\n')
    os._exit(5)
signal.signal(signal.SIGINT, stop)
s = socket.create_connection(('127.0.0.1', 8118))
s.sendall(b'GET http://127.0.0.1:)"
            + QByteArray::number(server.port()) + R"(/endless HTTP/1.1\r\nHost: x\r\n\r\n')
assert s.recv(12) == b'HTTP/1.1 200'
block = b'x' * 65536
os.write(1, b'flooding\n')
while True: os.write(1, block)
)");
    request.isStdinLive = true;
    request.keptOutputBytes = 1000;
    options.maxOutputBytes = 1LL << 30;
    const auto going = fixture().start(request, options);
    QVERIFY2(going->waitForOutput("flooding"), going->standardError);
    for (int i = 0; i < 64; ++i)
        going->run().writeStdin(QByteArray(1 << 20, 'i'));
    const auto seen = going->standardOutput.size();
    QTRY_VERIFY_WITH_TIMEOUT(going->standardOutput.size() > seen + (4 << 20), patience);
    going->run().sendSignal(SIGINT);
    const auto result = going->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 5);
    QVERIFY(going->standardError.contains("interrupted"));
}

void TestAbusePro::hostDies(World& world)
{
    ProgramFixture program;
    const auto marker = QString::fromLatin1(world.marker);
    const auto going = program.start({ u"run"_s, u"--cmd"_s,
        u"echo ready; exec -a %1 sleep 1000 & exec -a %1 sleep 1000"_s.arg(marker) });
    QVERIFY(going->waitForOutput("ready"));
    going->signal(SIGKILL);
    (void)going->end();
    QVERIFY(program.isNothingLeftOf(going->pid()));
}

void TestAbusePro::secondAttacher(World&)
{
    // An operator who attaches and types: a clear error, or nothing happens; never a wrong result.
    const auto going = fixture().start(waiting("echo ready; read line; echo \"got $line\""));
    QVERIFY(going->waitForOutput("ready"));
    const auto other = QCoro::waitFor(client().attach(going->containerId));
    RUN_OR_FAIL(other);
    (*other)->setReading(true);
    (*other)->write("ls -la\n\x10\x11 exit\n" + QByteArray(300, 'x'));
    QTRY_VERIFY_WITH_TIMEOUT((*other)->pendingBytes() == 0, patience);
    going->run().writeStdin("mine\n");
    const auto result = going->result();
    (*other)->close();
    if (result) {
        QCOMPARE(untruth(*result), QByteArray());
        QCOMPARE(result->standardOutput, "ready\ngot mine\n");
    } else {
        QVERIFY(result.error().message.size() > 10);
        QVERIFY(result.error().kind != Kind::Cancelled);
    }
}

void TestAbusePro::noMemory(World&)
{
    // A pooled sandbox whose cgroup is as full as it gets, by files and by a program that waits at
    // the limit; it is cleaned all the same, or is not used again.
    EngineFixture pooled;
    pooled.restartWithPool(PoolLimits {});
    ExecutionOptions small;
    small.memoryLimitBytes = 32LL << 20;
    for (int i = 0; i < 3; ++i) {
        const auto result = pooled.run(Runtime::Python, R"(
import mmap
with open('/sandbox/ballast', 'wb') as file:
    try:
        while True: file.write(b'x' * 65536); file.flush()
    except OSError: pass
print('full')
)",
            small);
        RUN_OR_FAIL(result);
        QCOMPARE(untruth(*result), QByteArray());
        QVERIFY(result->isOutOfMemory || result->standardOutput == "full\n");
        const auto next = pooled.run(Runtime::Bash, "ls /sandbox; echo fine", small);
        RUN_OR_FAIL(next);
        QVERIFY2(!next->standardOutput.contains("ballast"), next->standardOutput);
        QVERIFY2(next->standardOutput.endsWith("fine\n"), next->standardOutput);
    }
}

void TestAbusePro::impossibleStarts(World&)
{
    const auto refused
        = [this](const ExecutionRequest& request, const ExecutionOptions& options = {}) {
              const auto result = run(request, options);
              QVERIFY(!result);
              QVERIFY2(result.error().message.size() > 10, qPrintable(result.error().message));
          };
    auto request = requestOf(Runtime::Bash, "echo RAN");
    request.arguments = { u"a"_s + QChar(u'\0') + u"b"_s };
    refused(request);
    request = requestOf(Runtime::Bash, "echo RAN");
    request.environment.insert(u"A"_s, u"x"_s + QChar(u'\0'));
    refused(request);
    request = requestOf(Runtime::Bash, "echo RAN");
    request.environment.insert(QString(), u"x"_s);
    refused(request);
    // The image has no such interpreter.
    ExecutionOptions other;
    other.image = u"isol8:bash"_s;
    const auto missing = run(requestOf(Runtime::Node, "1"), other);
    QVERIFY(!missing);
    QVERIFY2(missing.error().message.contains(u"node"), qPrintable(missing.error().message));
    // No directory to be in, or none to enter.
    request = requestOf(Runtime::Bash, "echo RAN");
    request.workingDirectory = u"/sandbox/gone"_s;
    request.setupScript = u"rmdir /sandbox/gone || true"_s;
    auto result = run(request);
    QVERIFY(!result || result->standardOutput != "RAN\n" || result->exitCode == 0);
    request.workingDirectory = u"/sandbox/closed"_s;
    request.setupScript = u"chmod 000 /sandbox/closed"_s;
    result = run(request);
    if (result)
        QVERIFY2(result->exitCode != 0, result->standardOutput);
    // What the program itself cannot start.
    result
        = bash("printf 'junk' >junk; chmod 755 junk; ./junk; echo $?; /nowhere; echo $?; "
               "cp /bin/true busy; exec 9>>busy; ./busy; echo $?; touch plain; ./plain; echo $?");
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "127\n127\n126\n126\n");
    ExecutionOptions few;
    few.pidsLimit = 4;
    result = bash("for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo done", few);
    RUN_OR_FAIL(result);
    QVERIFY2(
        result->exitCode != 0 || result->standardError.contains("fork"), result->standardError);
}

void TestAbusePro::guestDies(World&)
{
    for (const bool isByDocker : { false, true }) {
        const auto going = fixture().start(waiting("echo ready; read line"));
        QVERIFY(going->waitForOutput("ready"));
        if (isByDocker) {
            RUN_OR_FAIL(QCoro::waitFor(client().killContainer(going->containerId, u"SIGKILL"_s)));
        } else {
            const auto pid = processOf(*going);
            QVERIFY(pid > 1);
            QCOMPARE(::kill(pid, SIGKILL), 0);
        }
        const auto result = going->result();
        QVERIFY(!result); // Neither 0 nor 137.
        QVERIFY2(result.error().message.startsWith(u"the sandbox ended: "_s),
            qPrintable(result.error().message));
        QCOMPARE(result.error().kind, Kind::Internal); // Docker itself is there.
    }
}

void TestAbusePro::offTheBeat(World&)
{
    // Before the start, after the end of input, after the end.
    const auto going = fixture().start(waiting("cat | wc -c; echo end"));
    going->run().writeStdin(QByteArray(1'000'000, 'x'));
    going->run().sendSignal(0);
    going->run().sendSignal(-9);
    going->run().sendSignal(1000);
    QVERIFY(going->waitForStart());
    going->run().writeStdin("more");
    going->run().closeStdin();
    going->run().closeStdin();
    going->run().writeStdin("too late");
    const auto result = going->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "1000004\nend\n");
    going->run().writeStdin("after the end");
    going->run().sendSignal(SIGKILL);
    going->run().cancel();
    // A terminal where there is none.
    const auto plain = fixture().start(waiting("echo up; read line; echo $line"));
    QVERIFY(plain->waitForOutput("up"));
    plain->run().resizeTerminal(0, -5);
    plain->run().resizeTerminal(100'000, 100'000);
    plain->run().writeStdin("still here\n");
    const auto other = plain->result();
    RUN_OR_FAIL(other);
    QCOMPARE(other->standardOutput, "up\nstill here\n");
}

void TestAbusePro::lateFrames(World&)
{
    // What the first program's children still write is nobody's.
    const auto session = sessionNamed(u"late"_s);
    const auto first = fixture().start(
        requestOf(Runtime::Bash, "(trap '' TERM HUP; while :; do echo FIRST; done) & echo first"),
        {}, session);
    const auto second
        = fixture().start(requestOf(Runtime::Bash, "sleep 0.5; echo second"), {}, session);
    const auto one = first->result();
    const auto two = second->result();
    RUN_OR_FAIL(QCoro::waitFor(fixture().engine().stopSession(session)));
    RUN_OR_FAIL(one);
    RUN_OR_FAIL(two);
    QVERIFY(one->standardOutput.contains("first\n"));
    QCOMPARE(two->standardOutput, "second\n");
    QCOMPARE(second->standardOutput, "second\n");
    QVERIFY(one->executionId != two->executionId);
}

QTEST_GUILESS_MAIN(TestAbusePro)
#include "tst_abuse_pro.moc"
