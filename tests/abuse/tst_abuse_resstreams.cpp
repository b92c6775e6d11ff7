// SPDX-License-Identifier: MIT
// Section B2 of ABUSE.md: resources that streams, results and requests use.
#include "tests/abuse/engineabusetest.h"
#include "tests/abuse/httpabusetest.h"
#include "tests/app/liveprogram.h"

#include <QCoroTask>
#include <QElapsedTimer>

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 120'000;
/// Of programs that only their limit ends.
constexpr auto shortLimit = 3s;

double processorSeconds()
{
    timespec time {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

} // namespace

class TestAbuseResStreams : public EngineAbuseTest {
    Q_OBJECT

private Q_SLOTS:
    void attack_data();
    void attack();

private:
    static const Case<TestAbuseResStreams> cases[];

    void oneLongLine(World& world);
    void bothStreams(World& world);
    void singleBytes(World& world);
    void sparseFiles(World& world);
    void backgroundChild(World& world);
    void closedStreams(World& world);
    void exits(World& world);
    void kindsOf137(World& world);
    void tooBigInputs(World& world);
    void bigInputs(World& world);
    void queue(World& world);
};

const Case<TestAbuseResStreams> TestAbuseResStreams::cases[] {
    { "RES-13", &TestAbuseResStreams::oneLongLine, &TestAbuseResStreams::runs },
    { "RES-14", &TestAbuseResStreams::bothStreams, &TestAbuseResStreams::runs },
    { "RES-16", &TestAbuseResStreams::singleBytes, &TestAbuseResStreams::runs },
    { "RES-18", &TestAbuseResStreams::sparseFiles, &TestAbuseResStreams::runs },
    { "RES-25", &TestAbuseResStreams::backgroundChild, &TestAbuseResStreams::runs },
    { "RES-32", &TestAbuseResStreams::closedStreams, &TestAbuseResStreams::runs },
    { "RES-33 exits", &TestAbuseResStreams::exits, &TestAbuseResStreams::runs },
    { "RES-33 137", &TestAbuseResStreams::kindsOf137, &TestAbuseResStreams::runs },
    { "RES-35", &TestAbuseResStreams::tooBigInputs, &TestAbuseResStreams::bigInputs },
    { "RES-36", &TestAbuseResStreams::queue, &TestAbuseResStreams::runs },
};

void TestAbuseResStreams::attack_data()
{
    addRows<TestAbuseResStreams>(cases);
}

void TestAbuseResStreams::attack()
{
    perform<TestAbuseResStreams>(this, cases);
}

void TestAbuseResStreams::oneLongLine(World&)
{
    const auto result = bash("head -c 100M /dev/zero | tr '\\0' x");
    RUN_OR_FAIL(result);
    QVERIFY(result->isTruncated);
    QCOMPARE(result->exitCode, 0);
    QCOMPARE(result->standardOutput.size(), 1 << 20);
    // Counted in bytes, and no character is split.
    ExecutionOptions odd;
    odd.maxOutputBytes = 1001;
    const auto text = python("print('ä€' * 10000, end='')", odd);
    RUN_OR_FAIL(text);
    QVERIFY(text->isTruncated);
    QVERIFY(text->standardOutput.size() > 990 && text->standardOutput.size() <= 1001);
    QVERIFY(text->standardOutput.isValidUtf8());
}

void TestAbuseResStreams::bothStreams(World&)
{
    ExecutionOptions options;
    options.maxOutputBytes = 100'000;
    auto request = requestOf(Runtime::Bash, "yes & yes error >&2; wait");
    request.timeout = shortLimit;
    const auto before = processorSeconds();
    const auto result = run(request, options);
    RUN_OR_FAIL(result);
    QVERIFY(result->isTimedOut && result->isTruncated);
    QVERIFY(result->standardOutput.size() <= 100'000);
    QVERIFY(result->standardOutput.startsWith("y\ny\n"));
    QVERIFY(result->standardError.size() <= 100'000);
    QVERIFY(result->standardError.startsWith("error\n"));
    // Less than one core while it lasted, the neighbour included.
    const auto wall = std::chrono::duration<double>(result->duration).count();
    QVERIFY2(processorSeconds() - before < wall + 10, "the host's part is too dear");
}

void TestAbuseResStreams::singleBytes(World&)
{
    constexpr int bytes = 200'000;
    QElapsedTimer timer;
    timer.start();
    const auto going = fixture().start(requestOf(Runtime::Python,
        "import os\nfor i in range(" + QByteArray::number(bytes) + "): os.write(1, b'x')\n"));
    const auto result = going->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput.size(), bytes);
    // Gathered: at most 1,000 a second.
    QVERIFY2(
        going->outputSignals <= 1000 + timer.elapsed(), QByteArray::number(going->outputSignals));

    auto request = requestOf(Runtime::Bash, "wc -c");
    request.isStdinLive = true;
    const auto fed = fixture().start(request);
    for (int i = 0; i < 20'000; ++i)
        fed->run().writeStdin("x");
    fed->run().closeStdin();
    const auto counted = fed->result();
    RUN_OR_FAIL(counted);
    QCOMPARE(counted->standardOutput.trimmed(), "20000");
}

void TestAbuseResStreams::sparseFiles(World&)
{
    auto request = requestOf(Runtime::Bash,
        "truncate -s 1P huge || truncate -s 4T huge; "
        "truncate -s 3G large; echo x >small; ls");
    request.outputPaths = { u"huge"_s, u"large"_s, u"small"_s };
    const auto result = run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->files.keys(), QStringList { u"small"_s });
    QCOMPARE(result->missingFiles.size(), 2);
    const auto session = sessionNamed(u"sparse"_s);
    RUN_OR_FAIL(fixture().run(requestOf(Runtime::Bash, "truncate -s 3G large"), {}, session));
    const auto fetched = QCoro::waitFor(fixture().engine().fetchFile(session, u"large"_s));
    RUN_OR_FAIL(QCoro::waitFor(fixture().engine().stopSession(session)));
    QVERIFY(!fetched);
    QCOMPARE(fetched.error().kind, Kind::Limit);
}

void TestAbuseResStreams::backgroundChild(World&)
{
    auto request = requestOf(Runtime::Bash, "sleep 300 & echo hi");
    request.timeout = 100s;
    const auto result = run(request);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "hi\n");
    QCOMPARE(result->exitCode, 0);
    QVERIFY(!result->isTimedOut);
    QVERIFY(result->phases.run < 60s); // That of the child would be 300 s.
}

void TestAbuseResStreams::closedStreams(World&)
{
    auto result = bash("exec 0<&- 1>&- 2>&-; sleep 0.2; exit 7");
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 7);
    result = bash("exec >/dev/full; echo lost || exit 9");
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 9);
    result = python("import os\nos.close(1)\nr, w = os.pipe()\nos.write(w, b'x')\nos._exit(8)");
    RUN_OR_FAIL(result);
    QCOMPARE(result->exitCode, 8);
}

void TestAbuseResStreams::exits(World&)
{
    // In one session, which is quicker; the guest's own test knows all 256.
    const auto session = sessionNamed(u"exits"_s);
    const auto stopped
        = qScopeGuard([&] { (void)QCoro::waitFor(fixture().engine().stopSession(session)); });
    for (const int code : { 0, 1, 2, 77, 124, 126, 127, 128, 129, 130, 137, 143, 200, 254, 255 }) {
        const auto result = fixture().run(
            requestOf(Runtime::Bash, "exit " + QByteArray::number(code)), {}, session);
        RUN_OR_FAIL(result);
        QCOMPARE(result->exitCode, code);
        QCOMPARE(result->signal, QString());
        QCOMPARE(result->ending.reason, EndReason::Exited);
    }
    for (const int number : { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL,
             SIGUSR1, SIGSEGV, SIGPIPE, SIGALRM, SIGTERM, SIGSYS, 40 }) {
        const auto n = QByteArray::number(number); // Of some neither Bash nor Perl would die.
        const auto result
            = fixture().run(requestOf(Runtime::Bash,
                                "exec perl -e '$SIG{QUIT} = $SIG{FPE} = \"DEFAULT\"; kill " + n
                                    + ", $$; sleep 100'"),
                {}, session);
        RUN_OR_FAIL(result);
        QCOMPARE(result->exitCode, 128 + number);
        QVERIFY(!result->signal.isEmpty());
        QCOMPARE(result->ending.reason, EndReason::Signal);
    }
}

void TestAbuseResStreams::kindsOf137(World&)
{
    const auto killed = bash("kill -9 $$");
    RUN_OR_FAIL(killed);
    const auto said = bash("echo 'EXECUTION TIMED OUT' >&2; exit 137");
    RUN_OR_FAIL(said);
    auto request = requestOf(Runtime::Bash, "sleep 1000");
    request.timeout = shortLimit;
    const auto late = run(request);
    RUN_OR_FAIL(late);
    const auto going = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 1000"));
    QVERIFY(going->waitForOutput("up"));
    going->run().cancel();
    const auto cancelled = going->result();
    RUN_OR_FAIL(cancelled);
    for (const auto* each : { &*killed, &*said, &*late, &*cancelled })
        QCOMPARE(each->exitCode, 137);
    QCOMPARE(killed->ending.reason, EndReason::Signal);
    QCOMPARE(said->ending.reason, EndReason::Exited);
    QCOMPARE(late->ending.reason, EndReason::Timeout);
    QCOMPARE(cancelled->ending.reason, EndReason::Cancelled);
    QVERIFY(!killed->isTimedOut && !said->isTimedOut && late->isTimedOut && !cancelled->isTimedOut);
    ExecutionOptions small;
    small.memoryLimitBytes = 96LL << 20;
    const auto full = python("x = b'x' * 10**9", small);
    RUN_OR_FAIL(full);
    QCOMPARE(full->exitCode, 137);
    QCOMPARE(full->ending.reason, EndReason::OutOfMemory);
    QVERIFY(full->isOutOfMemory && !full->isTimedOut);
}

void TestAbuseResStreams::tooBigInputs(World&)
{
    // Refused before anything starts.
    auto request = requestOf(Runtime::Bash, "echo RAN");
    for (int i = 0; i < 100'000; ++i)
        request.environment.insert(u"VARIABLE_%1"_s.arg(i), u"x"_s.repeated(100));
    auto result = run(request);
    QVERIFY(!result && result.error().message.size() > 10);
    request = requestOf(Runtime::Bash, "echo RAN");
    request.environment.insert(u"A"_s, QString(4 << 20, u'x'));
    result = run(request);
    QVERIFY(!result && result.error().message.size() < 500);
    request = requestOf(Runtime::Bash, "echo RAN");
    for (int i = 0; i < 20'000; ++i)
        request.arguments << u"x"_s.repeated(100);
    result = run(request);
    QVERIFY(!result && result.error().message.size() < 500);
    request = requestOf(Runtime::Bash, "echo RAN");
    request.files.insert(u"too/large"_s, QByteArray(24 << 20, 'x'));
    ExecutionOptions small;
    small.sandboxSizeBytes = 16 << 20;
    result = run(request, small);
    if (result)
        QVERIFY2(result->standardOutput.isEmpty(), "it does not fit, and was said to");
}

void TestAbuseResStreams::bigInputs(World&)
{
    // As large as they may be, and larger than any buffer on the way.
    const auto code = "x = '" + QByteArray(10 << 20, 'x') + "'\nprint(len(x))\n";
    const auto line = python(code);
    RUN_OR_FAIL(line);
    QCOMPARE(line->standardOutput, "10485760\n");
    auto request = requestOf(Runtime::Bash, "env | grep -c ^VARIABLE_; ls many | wc -l; exec true");
    for (int i = 0; i < 5'000; ++i)
        request.environment.insert(u"VARIABLE_%1"_s.arg(i), u"x"_s);
    for (int i = 0; i < 500; ++i) // Each is a round trip.
        request.files.insert(u"many/%1"_s.arg(i), "x");
    request.timeout = 100s;
    const auto many = run(request);
    RUN_OR_FAIL(many);
    QCOMPARE(many->standardOutput, "5000\n500\n");
    // Input that nobody reads.
    ProgramFixture program;
    const auto deaf = program.shell(
        u"head -c 200M /dev/zero | \"$ISOL8\" run --cmd 'echo deaf'; echo ${PIPESTATUS[1]}"_s);
    QVERIFY2(deaf.out == "deaf\n0\n", deaf.out + deaf.err);
}

void TestAbuseResStreams::queue(World&)
{
    ServerProcess::Options options;
    options.config
        = { { u"maxConcurrent"_s, 2 }, { u"serve"_s, QJsonObject { { u"maxQueue"_s, 20 } } } };
    ServerSubject server(options);
    const auto body = executeCall(isol8::tests::bash("echo served"));
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 60; ++i)
        clients.push_back(std::make_unique<RawClient>(
            server.server().port(), rawRequest("POST", "/execute", body, server.attackerKey())));
    const auto count = [&](int status) {
        return std::ranges::count_if(
            clients, [status](const auto& each) { return each && each->status() == status; });
    };
    // Beyond the queue they are told so at once.
    QTRY_VERIFY_WITH_TIMEOUT(count(429) >= 30, patience);
    // Another tenant is not starved by those that wait, and half of them leave.
    int left = 0;
    for (auto& each : clients) {
        if (each->status() == 0 && ++left % 2 == 0)
            each.reset();
    }
    std::erase(clients, nullptr);
    WatchedRun neighbour(server.neighbour().start(requestOf(Runtime::Bash, "echo beside"), {}, {}));
    const auto beside = neighbour.result();
    RUN_OR_FAIL(beside);
    QCOMPARE(beside->standardOutput, "beside\n");
    QTRY_COMPARE_WITH_TIMEOUT(count(200) + count(429), qsizetype(clients.size()), patience);
    QVERIFY(count(200) > 0);
}

QTEST_GUILESS_MAIN(TestAbuseResStreams)
#include "tst_abuse_resstreams.moc"
