// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Sessions and their files.
class TestEngineSessions : public EngineTest {
    Q_OBJECT

private Q_SLOTS:
    void keepsItsFilesOverARestart();
    void keepsNoProcess();
    void isListed();
    void runsOneAfterTheOther();
    void isMadeOnce();
    void hasOneRuntime();
    void stopEndsItsRun();
    void stopOfAnUnknownOne();
    void cancelledRunLeavesItUsable();
    void vanishedOwnerLeavesItUsable();
    void timedOutRunLeavesItUsable();
    void badSessionIds_data();
    void badSessionIds();
};

void TestEngineSessions::keepsItsFilesOverARestart()
{
    const Session session(*this, u"keeps"_s);
    auto result = bash("echo first > kept; chmod 700 kept", session.id);
    RUN_OR_FAIL(result);
    const auto container = result->containerId;
    fixture().restart();
    result = bash("cat kept; stat -c %a kept", session.id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->containerId, container);
    QCOMPARE(result->standardOutput, "first\n700\n"_ba);
}

void TestEngineSessions::keepsNoProcess()
{
    const Session session(*this, u"processes"_s);
    RUN_OR_FAIL(bash("(setsid sleep 600 >/dev/null 2>&1 &); sleep 600 & true", session.id));
    const auto result = bash("ls /proc | grep -c '^[0-9]*$'", session.id);
    RUN_OR_FAIL(result);
    // The guest, this shell, and its two in the pipe.
    QVERIFY2(result->standardOutput.trimmed().toInt() <= 4, result->standardOutput.constData());
}

void TestEngineSessions::isListed()
{
    const auto find = [this](const QString& id) -> std::optional<SessionInfo> {
        const auto sessions = QCoro::waitFor(engine().sessions());
        if (!sessions)
            return std::nullopt;
        const auto found = std::ranges::find(*sessions, id, &SessionInfo::id);
        return found == sessions->end() ? std::nullopt : std::optional(*found);
    };
    const Session session(*this, u"listed"_s);
    QVERIFY(!find(session.id));
    RUN_OR_FAIL(bash("true", session.id));
    const auto idle = find(session.id);
    QVERIFY(idle && !idle->isActive);
    QCOMPARE(idle->runtime, Runtime::Bash);
    QVERIFY(isRemote() ? idle->lastUsed.isValid() : idle->created.isValid());
    const auto run
        = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"), {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    const auto active = find(session.id);
    QVERIFY(active && active->isActive);
    run->run().cancel();
    QVERIFY(run->result());
    const auto stopped = QCoro::waitFor(engine().stopSession(session.id));
    RUN_OR_FAIL(stopped);
    QVERIFY(*stopped);
    QVERIFY(!find(session.id));
}

void TestEngineSessions::runsOneAfterTheOther()
{
    const Session session(*this, u"serial"_s);
    const auto code = "mkdir lock || exit 9; sleep 0.2; rmdir lock; echo done"_ba;
    std::vector<std::unique_ptr<WatchedRun>> runs;
    for (int i = 0; i < 4; ++i)
        runs.push_back(fixture().start(requestOf(Runtime::Bash, code), {}, session.id));
    for (const auto& run : runs) {
        const auto result = run->result();
        RUN_OR_FAIL(result);
        QCOMPARE(result->exitCode, 0);
    }
}

void TestEngineSessions::isMadeOnce()
{
    const Session session(*this, u"once"_s);
    std::vector<std::unique_ptr<WatchedRun>> runs;
    for (int i = 0; i < 6; ++i)
        runs.push_back(fixture().start(requestOf(Runtime::Bash, "true"), {}, session.id));
    QSet<QString> containers;
    for (const auto& run : runs) {
        const auto result = run->result();
        RUN_OR_FAIL(result);
        containers << result->containerId;
    }
    QCOMPARE(containers.size(), 1);
}

void TestEngineSessions::hasOneRuntime()
{
    const Session session(*this, u"one"_s);
    RUN_OR_FAIL(bash("true", session.id));
    const auto result = fixture().run(requestOf(Runtime::Python, "1"), {}, session.id);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Conflict);
    QVERIFY2(
        result.error().message.contains("Cannot switch runtime from \"bash\" to \"python\""_L1),
        qPrintable(result.error().message));
    RUN_OR_FAIL(bash("true", session.id));
}

void TestEngineSessions::stopEndsItsRun()
{
    const Session session(*this, u"doomed"_s);
    const auto run = fixture().start(
        requestOf(Runtime::Bash, "touch old; echo up; sleep 600"), {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    const auto stopped = QCoro::waitFor(engine().stopSession(session.id));
    RUN_OR_FAIL(stopped);
    QVERIFY(*stopped);
    const auto result = run->result();
    // Whoever asked for it knows of a cancel; a local engine's run only sees its container go.
    QVERIFY(result ? result->exitCode == 137 && !result->isTimedOut
                   : result.error().kind != Kind::Timeout);
    // Its name is free again.
    const auto fresh = bash("[ -e old ] || echo fresh", session.id);
    RUN_OR_FAIL(fresh);
    QCOMPARE(fresh->standardOutput, "fresh\n"_ba);
}

void TestEngineSessions::stopOfAnUnknownOne()
{
    const auto stopped = QCoro::waitFor(engine().stopSession(sessionNamed(u"unknown"_s)));
    RUN_OR_FAIL(stopped);
    QVERIFY(!*stopped);
}

void TestEngineSessions::cancelledRunLeavesItUsable()
{
    const Session session(*this, u"cancelled"_s);
    RUN_OR_FAIL(bash("echo x > kept", session.id));
    const auto run
        = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"), {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    run->run().cancel();
    QVERIFY(run->result());
    const auto content = QCoro::waitFor(engine().fetchFile(session.id, u"kept"_s));
    RUN_OR_FAIL(content);
    const auto result = bash("cat kept", session.id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "x\n"_ba);
}

void TestEngineSessions::vanishedOwnerLeavesItUsable()
{
    const Session session(*this, u"vanished"_s);
    RUN_OR_FAIL(bash("echo x > kept", session.id));
    // While it prints more than anybody reads.
    const auto run
        = fixture().start(requestOf(Runtime::Bash, "echo up; yes & sleep 600"), {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    run->run().setOutputPaused(true);
    run->drop();
    const auto result = bash("cat kept", session.id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "x\n"_ba);
}

void TestEngineSessions::timedOutRunLeavesItUsable()
{
    const Session session(*this, u"late"_s);
    auto request = requestOf(Runtime::Bash, "echo x > kept; sleep 600");
    request.timeout = 1s;
    const auto late = fixture().run(request, {}, session.id);
    RUN_OR_FAIL(late);
    QVERIFY(late->isTimedOut);
    const auto content = QCoro::waitFor(engine().fetchFile(session.id, u"kept"_s));
    RUN_OR_FAIL(content);
    const auto result = bash("cat kept", session.id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "x\n"_ba);
}

void TestEngineSessions::badSessionIds_data()
{
    QTest::addColumn<QString>("id");
    QTest::newRow("empty") << QString();
    QTest::newRow("dots") << u".."_s;
    QTest::newRow("slash") << u"a/b"_s;
    QTest::newRow("long") << u"x"_s.repeated(129);
    QTest::newRow("not ASCII") << u"é"_s;
}

void TestEngineSessions::badSessionIds()
{
    QFETCH(QString, id);
    const auto stopped = QCoro::waitFor(engine().stopSession(id));
    QVERIFY(!stopped);
    QCOMPARE(stopped.error().kind, Kind::Invalid);
    const auto put = QCoro::waitFor(engine().putFile(id, u"x"_s, "x"));
    QVERIFY(!put);
    QCOMPARE(put.error().kind, Kind::Invalid);
    if (id.isEmpty()) // A run of no session.
        return;
    const auto result = bash("echo never", id);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Invalid);
}

QTEST_GUILESS_MAIN(TestEngineSessions)
#include "tst_enginesessions.moc"
