// SPDX-License-Identifier: MIT
#include "engine/core/hostprocess.h"

#include <QCoroTask>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

HostCommand shell(const QString& script)
{
    HostCommand command;
    command.program = u"sh"_s;
    command.arguments = { u"-c"_s, script };
    return command;
}

} // namespace

class TestHostProcess : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsOutputAndExitCode()
    {
        const auto result
            = QCoro::waitFor(runOnHost(shell(u"echo out; echo err >&2; exit 3"_s), {}, {}));
        QVERIFY(result.has_value());
        QCOMPARE(result->exitCode, 3);
        QCOMPARE(result->output, "out\n");
        QCOMPARE(result->errorTail, "err\n");
    }

    void tellsTheSignal()
    {
        const auto result = QCoro::waitFor(runOnHost(shell(u"kill -TERM $$"_s), {}, {}));
        QVERIFY(result.has_value());
        QCOMPARE(result->exitCode, 128 + SIGTERM);
    }

    void givesEachLineOfStandardErrorOnce()
    {
        QStringList lines;
        const auto result = QCoro::waitFor(runOnHost(
            shell(u"printf 'one\\ntw' >&2; printf 'o\\n\\nunfinished' >&2; echo not this"_s),
            [&lines](const QString& line) { lines << line; }, {}));
        QVERIFY(result.has_value());
        QCOMPARE(lines, (QStringList { u"one"_s, u"two"_s, QString() }));
    }

    void hasNoInput()
    {
        const auto result = QCoro::waitFor(runOnHost(shell(u"cat; echo end"_s), {}, {}));
        QVERIFY(result.has_value());
        QCOMPARE(result->output, "end\n");
    }

    void boundsWhatItKeeps()
    {
        const auto result = QCoro::waitFor(runOnHost(
            shell(u"head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2; echo end >&2"_s), {},
            {}));
        QVERIFY(result.has_value());
        QCOMPARE(result->output.size(), 1 << 20);
        QCOMPARE(result->errorTail.size(), 64 << 10);
        QVERIFY(result->errorTail.endsWith("end\n"));
    }

    void saysWhenThereIsNoSuchProgram()
    {
        HostCommand command;
        command.program = u"isol8-no-such-program"_s;
        const auto result = QCoro::waitFor(runOnHost(command, {}, {}));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::NotFound);
    }

    void saysWhenItCannotBeStarted()
    {
        HostCommand command;
        command.program = u"/etc/passwd"_s;
        const auto result = QCoro::waitFor(runOnHost(command, {}, {}));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::Denied);
    }

    void isNotStartedWhenCancelled()
    {
        const QTemporaryDir directory;
        const CancelToken cancel;
        cancel.cancel();
        const auto result = QCoro::waitFor(
            runOnHost(shell(u"touch %1/started"_s.arg(directory.path())), {}, cancel));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
        QVERIFY(QDir(directory.path()).isEmpty());
    }

    void isKilledByACancel()
    {
        const CancelToken cancel;
        const auto result = QCoro::waitFor(runOnHost(
            shell(u"echo ready >&2; exec sleep 1000"_s),
            [cancel](const QString&) { cancel.cancel(); }, cancel));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
    }

    void isAskedToEndFirst()
    {
        const QTemporaryDir directory;
        const CancelToken cancel;
        auto command = shell(u"trap 'touch %1/asked; exit 0' TERM; echo ready >&2; "
                             "while :; do sleep 0.05; done"_s.arg(directory.path()));
        command.stopSignal = SIGTERM;
        const auto result = QCoro::waitFor(
            runOnHost(command, [cancel](const QString&) { cancel.cancel(); }, cancel));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
        QVERIFY(QFile::exists(directory.filePath(u"asked"_s)));
    }

    void isKilledAtItsTimeLimit()
    {
        auto command = shell(u"exec sleep 1000"_s);
        command.timeout = std::chrono::milliseconds(50);
        const auto result = QCoro::waitFor(runOnHost(command, {}, {}));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::Timeout);
    }

    void endsWithItsGroup()
    {
        const QTemporaryDir directory;
        const CancelToken cancel;
        auto command = shell(
            u"sleep 1000 & echo $! >%1/child; echo ready >&2; wait"_s.arg(directory.path()));
        command.hasOwnGroup = true;
        const auto result = QCoro::waitFor(
            runOnHost(command, [cancel](const QString&) { cancel.cancel(); }, cancel));
        QVERIFY(!result.has_value());
        QFile child(directory.filePath(u"child"_s));
        QVERIFY(child.open(QIODevice::ReadOnly));
        const auto pid = child.readAll().trimmed().toInt();
        QVERIFY(pid > 1);
        QTRY_VERIFY(::kill(pid, 0) != 0);
    }
};

QTEST_GUILESS_MAIN(TestHostProcess)
#include "tst_hostprocess.moc"
