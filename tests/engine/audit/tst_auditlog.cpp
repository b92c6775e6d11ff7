// SPDX-License-Identifier: MIT
#include "engine/audit/auditlog.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

#include <unistd.h>

using namespace isol8;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestAuditLog : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void isOffByDefault();
    void notesRuns();
    void takesTheDirectoryOfTheEnvironment();
    void printsToStandardOutput();
    void saysAFailureOnceAndLosesNothing();
    void tellsWhatItLost();
    void refusesRunsWithoutALog();
    void admissionCanBeCancelled();
    void startsTheScriptWithThePath();
    void oneScriptAtATime();
    void scriptHasATimeLimit();
    void scriptEndsWithTheLog();
    void brokenScriptIsToldOnce();

private:
    [[nodiscard]] QString directory() const { return m_directory->filePath(u"log"_s); }
    [[nodiscard]] QByteArray content(const QString& name = u"log/executions.log"_s) const
    {
        QFile file(m_directory->filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    /// An executable file that bash runs.
    QString script(const QByteArray& text);
    void block() const;
    void unblock() const { QVERIFY(QFile::remove(directory())); }
    static Result<> note(AuditLog& log, const QString& id = u"5f0c"_s)
    {
        AuditedRun run;
        run.request.code = "1";
        run.result.executionId = id;
        return QCoro::waitFor(log.note(run, {}));
    }
    static void finish(AuditLog& log) { QVERIFY(QCoro::waitFor(log.finish())); }

    std::unique_ptr<QTemporaryDir> m_directory;
    Settings::Audit m_settings;
};

void TestAuditLog::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_settings = {};
    m_settings.enabled = true;
    m_settings.logDirectory = directory();
}

QString TestAuditLog::script(const QByteArray& text)
{
    QFile file(m_directory->filePath(u"script.sh"_s));
    if (!file.open(QIODevice::WriteOnly) || file.write("#!/usr/bin/env bash\n" + text) < 0
        || !file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner))
        qFatal("no script");
    return file.fileName();
}

void TestAuditLog::block() const
{
    QVERIFY(QDir(directory()).removeRecursively());
    QFile file(directory());
    QVERIFY(file.open(QIODevice::WriteOnly));
}

void TestAuditLog::isOffByDefault()
{
    AuditLog log({});
    QVERIFY(!log.isEnabled());
    QVERIFY(QCoro::waitFor(log.admit({})));
    QVERIFY(note(log));
    finish(log);
    QVERIFY(!QDir(u".isol8_audit"_s).exists());
}

void TestAuditLog::notesRuns()
{
    AuditLog log(m_settings);
    QVERIFY(QCoro::waitFor(log.admit({})));
    for (const auto& id : { u"one"_s, u"two"_s })
        QVERIFY(note(log, id));
    const auto lines = content().trimmed().split('\n');
    QCOMPARE(lines.size(), 2);
    QCOMPARE(QJsonDocument::fromJson(lines[1])[u"executionId"], u"two"_s);
}

void TestAuditLog::takesTheDirectoryOfTheEnvironment()
{
    m_settings.logDirectory.clear();
    qputenv("ISOL8_AUDIT_DIR", QFile::encodeName(m_directory->filePath(u"other"_s)));
    AuditLog log(m_settings);
    qunsetenv("ISOL8_AUDIT_DIR");
    QVERIFY(note(log));
    QVERIFY(content(u"other/executions.log"_s).endsWith("}\n"));
}

void TestAuditLog::printsToStandardOutput()
{
    m_settings.toStdout = true;
    m_settings.postLogScript = script("touch \"$(dirname \"$0\")/started\"");
    AuditLog log(m_settings);
    std::array<int, 2> pipe {};
    QCOMPARE(::pipe(pipe.data()), 0);
    const int saved = ::dup(STDOUT_FILENO);
    ::dup2(pipe[1], STDOUT_FILENO);
    const auto noted = note(log);
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    ::close(pipe[1]);
    QFile out;
    QVERIFY(out.open(pipe[0], QIODevice::ReadOnly, QFileDevice::AutoCloseHandle));
    QVERIFY(noted);
    QCOMPARE(QJsonDocument::fromJson(out.readAll())[u"executionId"], u"5f0c"_s);
    finish(log);
    QVERIFY(!QFile::exists(m_directory->filePath(u"started"_s)));
    QVERIFY(!QDir(directory()).exists());
}

void TestAuditLog::saysAFailureOnceAndLosesNothing()
{
    AuditLog log(m_settings);
    block();
    QTest::ignoreMessage(
        QtWarningMsg, QRegularExpression(u"cannot be written: .*; code runs all the same"_s));
    QVERIFY(!note(log, u"one"_s));
    QTest::failOnWarning(QRegularExpression(u".*"_s));
    QVERIFY(QCoro::waitFor(log.admit({})));
    QVERIFY(!note(log, u"two"_s));
    unblock();
    QTest::ignoreMessage(
        QtWarningMsg, QRegularExpression(u"is written again; nothing is missing"_s));
    QVERIFY(note(log, u"three"_s));
    QCOMPARE(content().count('\n'), 3);
}

void TestAuditLog::tellsWhatItLost()
{
    AuditLog log(m_settings);
    block();
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"cannot be written"_s));
    for (int i = 0; i < 1005; ++i)
        QVERIFY(!note(log, QString::number(i)));
    unblock();
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"is written again; 6 lines are lost"_s));
    QVERIFY(note(log, u"last"_s));
    QCOMPARE(content().count('\n'), 1000);
    QVERIFY(content().contains("\"last\""));
    QVERIFY(content().contains("\"6\""));
    QVERIFY(!content().contains("\"5\""));
}

void TestAuditLog::refusesRunsWithoutALog()
{
    m_settings.onFailure = AuditFailure::Refuse;
    AuditLog log(m_settings);
    QVERIFY(QCoro::waitFor(log.admit({})));
    block();
    QTest::ignoreMessage(
        QtWarningMsg, QRegularExpression(u"cannot be written: .*; no code runs until it can"_s));
    for (int i = 0; i < 2; ++i) {
        const auto admitted = QCoro::waitFor(log.admit({}));
        QVERIFY(!admitted);
        QVERIFY(admitted.error().message.contains(u"no code runs without its audit log"));
    }
    // What ran meanwhile is noted before anything else may run.
    QVERIFY(!note(log, u"meanwhile"_s));
    unblock();
    QTest::ignoreMessage(
        QtWarningMsg, QRegularExpression(u"is written again; nothing is missing"_s));
    QVERIFY(QCoro::waitFor(log.admit({})));
    QVERIFY(content().contains("meanwhile"));
}

void TestAuditLog::admissionCanBeCancelled()
{
    m_settings.onFailure = AuditFailure::Refuse;
    AuditLog log(m_settings);
    const CancelToken cancel;
    cancel.cancel();
    const auto admitted = QCoro::waitFor(log.admit(cancel));
    QVERIFY(!admitted);
    QCOMPARE(admitted.error().kind, Kind::Cancelled);
}

void TestAuditLog::startsTheScriptWithThePath()
{
    qputenv("ISOL8_API_KEY", "key");
    m_settings.postLogScript = script("cd \"$(dirname \"$0\")\"\n"
                                      "printf '%s\\n' \"$#\" \"$1\" \"$ISOL8_API_KEY\" >told\n"
                                      "cp \"$1\" seen\n");
    AuditLog log(m_settings);
    QVERIFY(note(log));
    finish(log);
    qunsetenv("ISOL8_API_KEY");
    QCOMPARE(content(u"told"_s), "1\n" + QFile::encodeName(directory()) + "/executions.log\n\n");
    QCOMPARE(content(u"seen"_s), content());
}

void TestAuditLog::oneScriptAtATime()
{
    // Each start notes when it began and ended; the second sees every line that came meanwhile.
    m_settings.postLogScript = script("cd \"$(dirname \"$0\")\"\n"
                                      "echo begin >>told\n"
                                      "until [[ -e go ]]; do read -rt 0.01 <> <(:); done\n"
                                      "wc -l <\"$1\" >>told\n");
    AuditLog log(m_settings);
    QVERIFY(note(log));
    QTRY_COMPARE(content(u"told"_s), "begin\n");
    for (int i = 0; i < 5; ++i)
        QVERIFY(note(log));
    QCOMPARE(content(u"told"_s), "begin\n");
    QVERIFY(QFile::copy(m_settings.postLogScript, m_directory->filePath(u"go"_s)));
    finish(log);
    QCOMPARE(content(u"told"_s), "begin\n6\nbegin\n6\n");
}

void TestAuditLog::scriptHasATimeLimit()
{
    m_settings.scriptTimeout = 200ms;
    m_settings.postLogScript
        = script("trap '' TERM\nsleep 1000 & echo $! >\"$(dirname \"$0\")/child\"\n"
                 "wait; wait\n");
    AuditLog log(m_settings);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"postLogScript: .*does not answer"_s));
    QVERIFY(note(log));
    finish(log);
    // What it had started is gone too (or was not yet started).
    const auto child = content(u"child"_s).trimmed().toInt();
    if (child > 0)
        QTRY_VERIFY(::kill(child, 0) != 0);
}

void TestAuditLog::scriptEndsWithTheLog()
{
    m_settings.postLogScript = script("echo $$ >\"$(dirname \"$0\")/pid\"; exec sleep 1000\n");
    auto log = std::make_unique<AuditLog>(m_settings);
    QVERIFY(note(*log));
    QTRY_VERIFY(content(u"pid"_s).endsWith('\n'));
    log.reset();
    QTRY_VERIFY(::kill(content(u"pid"_s).trimmed().toInt(), 0) != 0);
}

void TestAuditLog::brokenScriptIsToldOnce()
{
    m_settings.postLogScript = script("echo no such bucket >&2; exit 3\n");
    AuditLog log(m_settings);
    QTest::ignoreMessage(QtWarningMsg,
        QRegularExpression(u"postLogScript: it ended with exit code 3: no such bucket"_s));
    for (int i = 0; i < 3; ++i) {
        QVERIFY(note(log));
        finish(log);
        QTest::failOnWarning(QRegularExpression(u".*"_s));
    }
}

QTEST_GUILESS_MAIN(TestAuditLog)
#include "tst_auditlog.moc"
