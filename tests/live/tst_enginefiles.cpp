// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Files of a session.
class TestEngineFiles : public EngineTest {
    Q_OBJECT

private Q_SLOTS:
    void filesComeAndGo();
    void oddNames();
    void largeFile();
    void filesOfAnUnknownSession();
    void badPlaces_data();
    void badPlaces();
    void folders();
    void renames();
    void tellsProgress();
    void endsATransfer();
    void fileBesideARun();
    void droppedCallsAreSafe();
};

void TestEngineFiles::filesComeAndGo()
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

void TestEngineFiles::oddNames()
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

void TestEngineFiles::largeFile()
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

void TestEngineFiles::filesOfAnUnknownSession()
{
    const auto id = sessionNamed(u"unknown"_s);
    const auto kindOf
        = [](const auto& result) { return result ? Kind::Internal : result.error().kind; };
    QCOMPARE(kindOf(QCoro::waitFor(engine().putFile(id, u"x"_s, "x"))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().fetchFile(id, u"x"_s))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().listFiles(id, u"/sandbox"_s))), Kind::NotFound);
    QCOMPARE(kindOf(QCoro::waitFor(engine().removeFile(id, u"x"_s))), Kind::NotFound);
}

void TestEngineFiles::badPlaces_data()
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

void TestEngineFiles::badPlaces()
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

void TestEngineFiles::folders()
{
    const Session session(*this, u"folders"_s);
    RUN_OR_FAIL(bash("echo x > file", session.id));
    for (int i = 0; i < 2; ++i) // That it exists is fine.
        RUN_OR_FAIL(QCoro::waitFor(engine().makeDirectory(session.id, u"a/b c"_s)));
    const auto entries = QCoro::waitFor(engine().listFiles(session.id, u"a"_s));
    RUN_OR_FAIL(entries);
    QCOMPARE(entries->size(), 1);
    QCOMPARE(entries->constFirst().name, u"b c"_s);
    QCOMPARE(entries->constFirst().type, FileEntry::Type::Directory);
    const auto empty = QCoro::waitFor(engine().listFiles(session.id, u"a/b c"_s));
    RUN_OR_FAIL(empty);
    QVERIFY(empty->isEmpty());
    const auto seen = bash("rmdir 'a/b c'", session.id); // The program's own.
    RUN_OR_FAIL(seen);
    QCOMPARE(seen->exitCode, 0);
    QCOMPARE(
        QCoro::waitFor(engine().makeDirectory(session.id, u"../x"_s)).error().kind, Kind::Invalid);
    QCOMPARE(QCoro::waitFor(engine().makeDirectory(session.id, u"file/x"_s)).error().kind,
        Kind::Conflict);
    QCOMPARE(QCoro::waitFor(engine().makeDirectory(sessionNamed(u"none"_s), u"x"_s)).error().kind,
        Kind::NotFound);
}

void TestEngineFiles::renames()
{
    const Session session(*this, u"renames"_s);
    RUN_OR_FAIL(bash("echo one > a; echo two > b; mkdir d", session.id));
    RUN_OR_FAIL(QCoro::waitFor(engine().renameFile(session.id, u"a"_s, u"d/c"_s)));
    RUN_OR_FAIL(QCoro::waitFor(engine().renameFile(session.id, u"b"_s, u"/sandbox/d/c"_s)));
    const auto seen = bash("cat d/c; ls", session.id);
    RUN_OR_FAIL(seen);
    QCOMPARE(seen->standardOutput, "two\nd\n"_ba);
    RUN_OR_FAIL(QCoro::waitFor(engine().renameFile(session.id, u"d/c"_s, u"d/c"_s)));
    RUN_OR_FAIL(QCoro::waitFor(engine().fetchFile(session.id, u"d/c"_s)));
    QCOMPARE(QCoro::waitFor(engine().renameFile(session.id, u"missing"_s, u"x"_s)).error().kind,
        Kind::NotFound);
    QCOMPARE(QCoro::waitFor(engine().renameFile(session.id, u"d/c"_s, u"../x"_s)).error().kind,
        Kind::Invalid);
}

void TestEngineFiles::tellsProgress()
{
    const Session session(*this, u"progress"_s);
    RUN_OR_FAIL(bash("true", session.id));
    const QByteArray content(4 << 20, 'x');
    qint64 done = 0;
    qint64 total = 0;
    bool isGrowing = true;
    Transfer transfer;
    transfer.progress = [&](qint64 doneBytes, qint64 totalBytes) {
        isGrowing = isGrowing && doneBytes >= done && doneBytes <= totalBytes;
        done = doneBytes;
        total = totalBytes;
    };
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"x"_s, content, transfer)));
    QVERIFY(isGrowing);
    QCOMPARE(done, total);
    QVERIFY(isRemote() || total == content.size()); // Servers take base64.
    done = 0;
    const auto back = QCoro::waitFor(engine().fetchFile(session.id, u"x"_s, transfer));
    RUN_OR_FAIL(back);
    QVERIFY(isGrowing && *back == content);
    QCOMPARE(done, total);
}

void TestEngineFiles::endsATransfer()
{
    const Session session(*this, u"transfer"_s);
    RUN_OR_FAIL(bash("true", session.id));
    Transfer transfer;
    auto put = engine().putFile(session.id, u"x"_s, QByteArray(16 << 20, 'x'), transfer);
    transfer.cancel.cancel();
    const auto cancelled = QCoro::waitFor(std::move(put));
    QVERIFY(!cancelled);
    QCOMPARE(cancelled.error().kind, Kind::Cancelled);
    const auto late = QCoro::waitFor(engine().fetchFile(session.id, u"x"_s, transfer));
    QVERIFY(!late);
    QCOMPARE(late.error().kind, Kind::Cancelled);
    // In the middle; nothing half is left.
    Transfer half;
    half.progress = [cancel = half.cancel](qint64, qint64) { cancel.cancel(); };
    const auto halved
        = QCoro::waitFor(engine().putFile(session.id, u"half"_s, QByteArray(16 << 20, 'x'), half));
    QVERIFY(!halved);
    QCOMPARE(halved.error().kind, Kind::Cancelled);
    const auto listed = QCoro::waitFor(engine().listFiles(session.id, u"/sandbox"_s));
    RUN_OR_FAIL(listed);
    QVERIFY(!std::ranges::contains(*listed, u"half"_s, &FileEntry::name));
    // The session is as good as before.
    RUN_OR_FAIL(QCoro::waitFor(engine().putFile(session.id, u"y"_s, "y")));
    RUN_OR_FAIL(bash("cat y", session.id));
}

void TestEngineFiles::fileBesideARun()
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

void TestEngineFiles::droppedCallsAreSafe()
{
    const Session session(*this, u"dropped"_s);
    RUN_OR_FAIL(bash("true", session.id));
    // Nobody waits for these; the engine is shut down in the middle of them.
    (void)engine().sessions();
    (void)engine().putFile(session.id, u"x"_s, QByteArray(4 << 20, 'x'));
    (void)engine().fetchFile(session.id, u"x"_s);
    (void)engine().listFiles(session.id, u"/sandbox"_s);
    (void)engine().removeFile(session.id, u"x"_s);
    (void)engine().makeDirectory(session.id, u"d"_s);
    (void)engine().renameFile(session.id, u"x"_s, u"y"_s);
    fixture().restart();
    RUN_OR_FAIL(bash("true", session.id));
}

QTEST_GUILESS_MAIN(TestEngineFiles)
#include "tst_enginefiles.moc"
