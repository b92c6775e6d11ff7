// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

using namespace isol8;
using namespace isol8::test;
using namespace Qt::StringLiterals;
using guest::Outcome;

namespace {

constexpr auto scriptPath = "/sandbox/main.sh";

/// `sh /sandbox/main.sh` with @p script as that file.
GuestRunSpec scriptRun(const QByteArray& script)
{
    auto spec = GuestFixture::shell({});
    spec.arguments = { "sh", scriptPath };
    spec.isStdinOpen = false;
    spec.scriptPath = scriptPath;
    spec.script = script;
    return spec;
}

Result<qint64> prestart(GuestFixture& fixture, const GuestRunSpec& spec)
{
    return QCoro::waitFor(fixture.connection().prestart(spec, scriptPath, false, {}));
}

/// Process ids, as the sandbox counts them, of the guest's children that stand still.
QByteArrayList heldPids(GuestFixture& fixture)
{
    const qint64 guest = fixture.process().guestPid();
    const auto children
        = processFile(guest, qPrintable(u"task/%1/children"_s.arg(guest))).simplified().split(' ');
    QByteArrayList held;
    for (const auto& child : children) {
        const auto status = processFile(child.toLongLong(), "status");
        if (!status.contains("State:\tT"))
            continue;
        const auto start = status.indexOf("NSpid:");
        const auto line = status.mid(start, status.indexOf('\n', start) - start).simplified();
        held << line.split(' ').constLast();
    }
    return held;
}

} // namespace

/// Programs that are started before their file is there.
class TestPrestart : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void goesOnWithTheFileThatIsPut();
    void isNotToldFromAnother();
    void isForTheFirstRunOnly();
    void otherSpecificationStartsAsAlways_data();
    void otherSpecificationStartsAsAlways();
    void otherFileEndsIt();
    void otherFileDoesNotEndThePut();
    void fileMayBeLongAndOfAnyMode();
    void fileThatIsPutTwiceIsTheLast();
    void putThatFailsLeavesNothing();
    void putThatIsBrokenOffLeavesNothing();
    void fileThatIsNotPutIsMissing();
    void startsThatComeEarlyWait();
    void programThatEndsIsOfNoUse();
    void programThatNeverOpensItsFileIsEnded();
    void isRefused_data();
    void isRefused();
    void scrubEndsIt();
    void scriptThatCannotBePutEndsItsRun();
    void runsWithoutAnythingAhead();
};

void TestPrestart::goesOnWithTheFileThatIsPut()
{
    GuestFixture fixture;
    const auto spec = scriptRun("echo $$; ls -A /sandbox; cat; exit 7");
    const auto used = prestart(fixture, spec);
    QVERIFY2(used, used ? "" : qPrintable(used.error().message));
    const auto held = heldPids(fixture);
    QCOMPARE(held.size(), 1);

    const auto ran = fixture.run(spec);
    QVERIFY(ran.report);
    QCOMPARE(ran.standardOutput, held.constFirst() + "\nmain.sh\n");
    QCOMPARE(ran.standardError, QByteArray());
    QCOMPARE(ran.report->outcome, Outcome::Exited);
    QCOMPARE(ran.report->value, 7U);
}

void TestPrestart::isNotToldFromAnother()
{
    // Everything that a program can ask about itself, but its process id and the time, and SigQ,
    // which counts the signals of a user on the whole machine.
    const QByteArray script = R"sh(
        echo "$0 $# $PWD $PPID $(umask)"; id; env; ulimit -a; trap
        tr '\0' ' ' </proc/$$/cmdline; tr '\0' ' ' </proc/$$/environ
        grep -E '^(TracerPid|Sig[^Q]|Shd|Cap|NoNew|Seccomp|Threads|State)' /proc/$$/status
        stat -c '%a %U %G %h %s %F' /sandbox/main.sh /proc/self/fd/0
        ls -l /proc/$$/fd | awk '{print $9, $10}' | sed 's/[0-9]\{4,\}//'
        stat -c '%a %U %G' /sandbox; ls -lA /sandbox | awk '{print $1, $9}'
    )sh";
    const auto spec = scriptRun(script);
    GuestFixture plain;
    const auto expected = plain.run(spec);
    QVERIFY(expected.report);
    QVERIFY(expected.standardOutput.contains("main.sh"));

    GuestFixture fixture;
    QVERIFY(prestart(fixture, spec));
    const auto ran = fixture.run(spec);
    QCOMPARE(ran.standardOutput, expected.standardOutput);
    QCOMPARE(ran.standardError, expected.standardError);
}

void TestPrestart::isForTheFirstRunOnly()
{
    GuestFixture fixture;
    const auto spec = scriptRun("echo one");
    QVERIFY(prestart(fixture, spec));
    QCOMPARE(fixture.run(spec).standardOutput, "one\n");
    QCOMPARE(fixture.run(scriptRun("echo two")).standardOutput, "two\n");
    QCOMPARE(heldPids(fixture), QByteArrayList());
}

void TestPrestart::otherSpecificationStartsAsAlways_data()
{
    QTest::addColumn<int>("difference");
    for (int i = 0; i < 4; ++i)
        QTest::addRow("%d", i) << i;
}

void TestPrestart::otherSpecificationStartsAsAlways()
{
    QFETCH(int, difference);
    auto spec = scriptRun("echo \"$1$NAME$PWD\"; set -- /proc/[0-9]*; echo $#; ls -A /sandbox");
    GuestFixture plain;
    GuestFixture fixture;
    QVERIFY(prestart(fixture, spec));
    switch (difference) {
    case 0:
        spec.arguments << "argument";
        break;
    case 1:
        spec.environment << "NAME=value";
        break;
    case 2:
        spec.workingDirectory = "/tmp";
        break;
    default:
        spec.isStdinOpen = true;
    }
    const auto ran = fixture.run(spec);
    QCOMPARE(ran.standardOutput, plain.run(spec).standardOutput);
    QVERIFY(!ran.standardOutput.isEmpty());
}

void TestPrestart::otherFileEndsIt()
{
    GuestFixture fixture;
    const auto spec = scriptRun("ls -A /sandbox; cat /sandbox/data");
    QVERIFY(prestart(fixture, spec));
    QVERIFY(QCoro::waitFor(fixture.connection().putFile("/sandbox/data", "text", 0644, {})));
    const auto listing = QCoro::waitFor(fixture.connection().listDirectory("/sandbox", {}));
    QVERIFY(listing);
    QCOMPARE(listing->size(), 1);
    QCOMPARE(heldPids(fixture), QByteArrayList());
    QCOMPARE(fixture.run(spec).standardOutput, "data\nmain.sh\ntext");
}

void TestPrestart::otherFileDoesNotEndThePut()
{
    GuestFixture fixture;
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    QVERIFY(prestart(fixture, spec));
    const QByteArray script = QByteArray(guest::fileWindowBytes * 2, '#') + "\necho whole; ls -A";
    // Both at once: the other one comes before the script has gone over.
    const auto first = fixture.connection().putFile(scriptPath, script, 0644, {});
    const auto other = fixture.connection().putFile("/sandbox/data", "text", 0644, {});
    QVERIFY(QCoro::waitFor(other));
    QVERIFY(QCoro::waitFor(first));
    QCOMPARE(fixture.run(spec).standardOutput, "whole\ndata\nmain.sh\n");
}

void TestPrestart::fileMayBeLongAndOfAnyMode()
{
    GuestFixture fixture;
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    QVERIFY(prestart(fixture, spec));
    const QByteArray script = QByteArray(3'000'000, '#') + "\nstat -c '%a %U %s %h' \"$0\"";
    QVERIFY(QCoro::waitFor(fixture.connection().putFile(scriptPath, script, 04751, {})));
    const auto ran = fixture.run(spec);
    QCOMPARE(ran.standardOutput.split(' ').constFirst(), "751");
    QVERIFY(ran.standardOutput.contains(' ' + QByteArray::number(script.size()) + " 1\n"));
}

void TestPrestart::fileThatIsPutTwiceIsTheLast()
{
    GuestFixture fixture;
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    QVERIFY(prestart(fixture, spec));
    for (const auto* const script : { "echo first, which is longer", "echo last; ls -A" })
        QVERIFY(QCoro::waitFor(fixture.connection().putFile(scriptPath, script, 0644, {})));
    QCOMPARE(fixture.run(spec).standardOutput, "last\nmain.sh\n");
}

void TestPrestart::putThatFailsLeavesNothing()
{
    GuestFixture fixture;
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    QVERIFY(prestart(fixture, spec));
    // More than /sandbox holds.
    const QByteArray much(270'000'000, '#');
    const auto put = QCoro::waitFor(fixture.connection().putFile(scriptPath, much, 0644, {}));
    QVERIFY(!put);
    GuestFixture plain;
    const auto expected = plain.run(spec);
    const auto ran = fixture.run(spec);
    QVERIFY(ran.report);
    QCOMPARE(ran.standardError, expected.standardError);
    QCOMPARE(fixture.run(GuestFixture::shell("ls -A /sandbox")).standardOutput, QByteArray());
}

void TestPrestart::putThatIsBrokenOffLeavesNothing()
{
    GuestFixture fixture;
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    QVERIFY(prestart(fixture, spec));
    const CancelToken cancel;
    const auto putting
        = fixture.connection().putFile(scriptPath, QByteArray(3'000'000, '#'), 0644, cancel);
    cancel.cancel();
    const auto put = QCoro::waitFor(putting);
    QVERIFY(!put);
    QCOMPARE(put.error().kind, Kind::Cancelled);
    // It can be put again.
    QVERIFY(QCoro::waitFor(fixture.connection().putFile(scriptPath, "echo again", 0644, {})));
    QCOMPARE(fixture.run(spec).standardOutput, "again\n");
}

void TestPrestart::fileThatIsNotPutIsMissing()
{
    auto spec = scriptRun({});
    spec.scriptPath.clear();
    GuestFixture plain;
    const auto expected = plain.run(spec);
    GuestFixture fixture;
    QVERIFY(prestart(fixture, spec));
    const auto ran = fixture.run(spec);
    QVERIFY(ran.report);
    QCOMPARE(ran.standardError, expected.standardError);
    QCOMPARE(ran.report->value, expected.report->value);
}

void TestPrestart::startsThatComeEarlyWait()
{
    GuestFixture fixture;
    auto spec = scriptRun("echo \"$0\"; cat");
    spec.arguments = { "sh", "-c", "sleep 0.3; exec sh /sandbox/main.sh" };
    spec.isStdinOpen = true;
    // All in one breath, and what follows the start is not lost.
    const auto starting = fixture.connection().prestart(spec, scriptPath, false, {});
    const auto ran = fixture.run(spec, "input");
    QVERIFY2(ran.report, ran.report ? "" : qPrintable(ran.report.error().message));
    QCOMPARE(ran.standardOutput, "/sandbox/main.sh\ninput");
}

void TestPrestart::programThatEndsIsOfNoUse()
{
    GuestFixture fixture;
    auto spec = scriptRun("echo here");
    spec.arguments = { "true" };
    QVERIFY(!prestart(fixture, spec));
    spec.arguments = { "no-such-program" };
    const auto missing = prestart(fixture, spec);
    QVERIFY(!missing);
    QCOMPARE(missing.error().kind, Kind::NotFound);
    QCOMPARE(fixture.run(scriptRun("ls -A /sandbox")).standardOutput, "main.sh\n");
}

void TestPrestart::programThatNeverOpensItsFileIsEnded()
{
    GuestFixture fixture;
    auto spec = scriptRun("set -- /proc/[0-9]*; echo $#");
    spec.arguments = { "sleep", "1000" };
    const auto starting = fixture.connection().prestart(spec, scriptPath, false, {});
    QCOMPARE(fixture.run(scriptRun("set -- /proc/[0-9]*; echo $#")).standardOutput, "2\n");
    QVERIFY(!QCoro::waitFor(fixture.connection().prestart(spec, "/sandbox/main.sh", false, {})));
}

void TestPrestart::isRefused_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::newRow("elsewhere") << QByteArray("/tmp/main.sh");
    QTest::newRow("deeper") << QByteArray("/sandbox/a/main.sh");
    QTest::newRow("folder") << QByteArray("/sandbox/");
    QTest::newRow("parent") << QByteArray("/sandbox/..");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("long") << "/sandbox/" + QByteArray(100, 'x');
}

void TestPrestart::isRefused()
{
    QFETCH(QByteArray, path);
    GuestFixture fixture;
    const auto spec = scriptRun("ls -A /sandbox; set -- /proc/[0-9]*; echo $#");
    QVERIFY(!QCoro::waitFor(fixture.connection().prestart(spec, path, false, {})));
    QCOMPARE(fixture.run(spec).standardOutput, "main.sh\n2\n");
}

void TestPrestart::scrubEndsIt()
{
    GuestFixture fixture;
    const auto spec = scriptRun("ls -A /sandbox; set -- /proc/[0-9]*; echo $#");
    QVERIFY(prestart(fixture, spec));
    const auto scrubbed = QCoro::waitFor(fixture.connection().scrub({}));
    QVERIFY2(scrubbed, scrubbed ? "" : qPrintable(scrubbed.error().message));
    QVERIFY(prestart(fixture, spec));
    QCOMPARE(fixture.run(spec).standardOutput, "main.sh\n2\n");
}

void TestPrestart::scriptThatCannotBePutEndsItsRun()
{
    GuestFixture fixture;
    QVERIFY(QCoro::waitFor(fixture.connection().makeDirectory("/sandbox/main.sh", 0755, {})));
    const auto ran = fixture.run(scriptRun("echo never"));
    QVERIFY(!ran.report);
    QCOMPARE(ran.report.error().kind, Kind::Conflict);
    QVERIFY(ran.report.error().message.contains(u"/sandbox/main.sh"_s));
    QCOMPARE(ran.standardOutput, QByteArray());
    // The sandbox is as good as before.
    QCOMPARE(fixture.run(GuestFixture::shell("echo on")).standardOutput, "on\n");
}

void TestPrestart::runsWithoutAnythingAhead()
{
    GuestFixture fixture;
    QByteArray script(guest::fileWindowBytes, '#');
    script.replace(script.size() - 10, 10, "\necho long");
    QCOMPARE(fixture.run(scriptRun(script)).standardOutput, "long\n");
}

QTEST_GUILESS_MAIN(TestPrestart)
#include "tst_prestart.moc"
