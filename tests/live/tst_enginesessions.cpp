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
    void timedOutRunLeavesItUsable();
    void filesComeAndGo();
    void oddNames();
    void largeFile();
    void filesOfAnUnknownSession();
    void badPlaces_data();
    void badPlaces();
    void badSessionIds_data();
    void badSessionIds();
    void fileBesideARun();
    void droppedCallsAreSafe();

private:
    /// Ends a session at the end of its test.
    struct Session {
        Session(TestEngineSessions& theTest, const QString& name)
            : test(theTest)
            , id(sessionNamed(name))
        {
        }
        ~Session() { (void)QCoro::waitFor(test.engine().stopSession(id)); }
        Q_DISABLE_COPY_MOVE(Session)

        TestEngineSessions& test;
        const QString id;
    };
    [[nodiscard]] Result<ExecutionResult> bash(const QByteArray& code, const QString& id)
    {
        return fixture().run(requestOf(Runtime::Bash, code), {}, id);
    }
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
    const auto run
        = fixture().start(requestOf(Runtime::Bash, "echo up; sleep 600"), {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    const auto stopped = QCoro::waitFor(engine().stopSession(session.id));
    RUN_OR_FAIL(stopped);
    QVERIFY(*stopped);
    const auto result = run->result();
    // Whoever asked for it knows of a cancel; a local engine's run only sees its container go.
    QVERIFY(result ? result->exitCode == 137 && !result->isTimedOut
                   : result.error().kind != Kind::Timeout);
    // Its name is free again.
    const auto fresh = bash("ls -A; echo fresh", session.id);
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
    const auto result = bash("cat kept", session.id);
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "x\n"_ba);
}

void TestEngineSessions::filesComeAndGo()
{
    const Session session(*this, u"files"_s);
    RUN_OR_FAIL(bash("mkdir d; echo x > d/old; ln -s /etc/passwd d/link", session.id));
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"d/new.txt"_s, "content")));
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"deep/er/x"_s, "")));
    const auto content = QCoro::waitFor(engine().fetchFile(session.id, u"/sandbox/d/new.txt"_s));
    RUN_OR_FAIL(content);
    QCOMPARE(*content, "content"_ba);
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"d/new.txt"_s, "changed")));
    RUN_OR_FAIL(QCoro::waitFor(engine().removeFile(session.id, u"d/old"_s)));

    auto entries = QCoro::waitFor(engine().listFiles(session.id, u"d"_s));
    RUN_OR_FAIL(entries);
    std::ranges::sort(*entries, {}, &FileEntry::name);
    QCOMPARE(entries->size(), 2);
    const auto& link = entries->at(0);
    QCOMPARE(link.name, u"link"_s);
    QCOMPARE(link.type, FileEntry::Type::Link);
    const auto& file = entries->at(1);
    QCOMPARE(file.name, u"new.txt"_s);
    QCOMPARE(file.type, FileEntry::Type::File);
    QCOMPARE(file.sizeBytes, 7);
    QCOMPARE(file.mode, 0644);
    QVERIFY(file.modified.isValid());

    const auto seen = bash("cat d/new.txt deep/er/x; stat -c %U:%u d/new.txt", session.id);
    RUN_OR_FAIL(seen);
    QVERIFY2(seen->standardOutput.startsWith("changed"), seen->standardOutput.constData());
    QVERIFY2(seen->standardOutput.endsWith(":100\n"), seen->standardOutput.constData());
    const auto top = QCoro::waitFor(engine().listFiles(session.id, u"/sandbox"_s));
    RUN_OR_FAIL(top);
    QVERIFY(std::ranges::any_of(*top, [](const FileEntry& entry) {
        return entry.name == "deep"_L1 && entry.type == FileEntry::Type::Directory;
    }));
}

void TestEngineSessions::oddNames()
{
    const Session session(*this, u"odd"_s);
    RUN_OR_FAIL(bash("true", session.id));
    const QStringList names { u"a b+c&d=e%20#?"_s, u"-rf"_s, u"..x"_s, u"ü😀"_s, u"\"'\\"_s };
    for (const auto& name : names) {
        RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, name, name.toUtf8())));
        const auto content = QCoro::waitFor(engine().fetchFile(session.id, name));
        RUN_OR_FAIL(content);
        QCOMPARE(*content, name.toUtf8());
    }
    auto entries = QCoro::waitFor(engine().listFiles(session.id, u""_s));
    if (!entries)
        entries = QCoro::waitFor(engine().listFiles(session.id, u"/sandbox"_s));
    RUN_OR_FAIL(entries);
    QStringList listed;
    for (const auto& entry : *entries)
        listed << entry.name;
    for (const auto& name : names) {
        QVERIFY2(listed.contains(name), qPrintable(name));
        RUN_OR_FAIL(QCoro::waitFor(engine().removeFile(session.id, name)));
    }
}

void TestEngineSessions::largeFile()
{
    const Session session(*this, u"large"_s);
    RUN_OR_FAIL(bash("true", session.id));
    QByteArray content(24 << 20, '\0');
    for (qsizetype i = 0; i < content.size(); ++i)
        content[i] = static_cast<char>(i * 31 >> 7);
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"large"_s, content)));
    const auto back = QCoro::waitFor(engine().fetchFile(session.id, u"large"_s));
    RUN_OR_FAIL(back);
    QVERIFY(*back == content);
    RUN_OR_FAIL(bash("truncate -s 1P huge", session.id));
    const auto huge = QCoro::waitFor(engine().fetchFile(session.id, u"huge"_s));
    QVERIFY(!huge);
    QCOMPARE(huge.error().kind, Kind::Limit);
}

void TestEngineSessions::filesOfAnUnknownSession()
{
    const auto id = sessionNamed(u"unknown"_s);
    const auto kindOf
        = [](const auto& result) { return result ? Kind::Internal : result.error().kind; };
    QCOMPARE(kindOf(QCoro::waitFor(engine().putFile(id, u"x"_s, "x"))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().fetchFile(id, u"x"_s))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().listFiles(id, u"/sandbox"_s))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().removeFile(id, u"x"_s))), Kind::NotFound);
}

void TestEngineSessions::badPlaces_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("kind");
    QTest::newRow("outside") << u"../etc/passwd"_s << int(Kind::Invalid);
    QTest::newRow("absolute") << u"/etc/passwd"_s << int(Kind::Invalid);
    QTest::newRow("NUL") << u"a\0b"_s << int(Kind::Invalid);
    QTest::newRow("line break") << u"a\nb"_s << int(Kind::Invalid);
    QTest::newRow("long") << u"x"_s.repeated(5'000) << int(Kind::Invalid);
    QTest::newRow("missing") << u"missing"_s << int(Kind::NotFound);
    QTest::newRow("below a file") << u"file/x"_s << int(Kind::NotFound);
    QTest::newRow("through a link") << u"link"_s << int(Kind::Denied);
}

void TestEngineSessions::badPlaces()
{
    QFETCH(QString, path);
    QFETCH(int, kind);
    const Session session(*this, u"places"_s);
    RUN_OR_FAIL(bash("[ -e file ] || echo x > file; ln -sf /etc link; mkdir -p d", session.id));
    const auto fetched = QCoro::waitFor(engine().fetchFile(session.id, path));
    QVERIFY(!fetched);
    QVERIFY2(fetched.error().kind == Kind(kind), qPrintable(fetched.error().message));
    const auto listed = QCoro::waitFor(engine().listFiles(session.id, path));
    QVERIFY(!listed);
    if (Kind(kind) == Kind::Invalid) {
        QCOMPARE(QCoro::waitFor(engine().removeFile(session.id, path)).error().kind, Kind(kind));
        QCOMPARE(QCoro::waitFor(engine().putFile(session.id, path, "x")).error().kind, Kind(kind));
    }
    // The twin.
    RUN_OR_FAIL(QCoro::waitFor(engine().fetchFile(session.id, u"file"_s)));
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
}

void TestEngineSessions::fileBesideARun()
{
    // A session does one thing at a time: the file comes after the run.
    const Session session(*this, u"beside"_s);
    auto request = requestOf(Runtime::Bash, "echo up; read -r line; ls");
    request.isStdinLive = true;
    const auto run = fixture().start(request, {}, session.id);
    QVERIFY(run->waitForOutput("up"));
    auto put = engine().putFile(session.id, u"late"_s, "x");
    QVERIFY(!put.isReady());
    run->run().writeStdin("\n");
    const auto result = run->result();
    RUN_OR_FAIL(result);
    QCOMPARE(result->standardOutput, "up\n"_ba);
    RUN_OR_FAIL(QCoro::waitFor(std::move(put)));
    const auto after = bash("ls", session.id);
    RUN_OR_FAIL(after);
    QCOMPARE(after->standardOutput, "late\n"_ba);
}

void TestEngineSessions::droppedCallsAreSafe()
{
    const Session session(*this, u"dropped"_s);
    RUN_OR_FAIL(bash("true", session.id));
    // Nobody waits for these; the engine is shut down in the middle of them.
    (void)engine().sessions();
    (void)engine().putFile(session.id, u"x"_s, QByteArray(4 << 20, 'x'));
    (void)engine().fetchFile(session.id, u"x"_s);
    (void)engine().listFiles(session.id, u"/sandbox"_s);
    (void)engine().removeFile(session.id, u"x"_s);
    fixture().restart();
    RUN_OR_FAIL(bash("true", session.id));
}

QTEST_GUILESS_MAIN(TestEngineSessions)
#include "tst_enginesessions.moc"
