// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTest>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

/// Every accepted run has its line in the audit log, however it ends, and its secrets stay out.
class TestAudit : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void notesARun();
    void notesFailures();
    void notesCancelledRuns();
    void notesRunsWhoseOwnerVanished();
    void notesRunsOfAnEngineThatEnds();
    void invalidRequestsAreNoRuns();
    void showsNoSecret();
    void unwritableLogIsSaidOnce();
    void refusesToRunUnwatched();

private:
    void restart();
    [[nodiscard]] std::unique_ptr<WatchedRun> start(
        const ExecutionRequest& request, const ExecutionOptions& options = {})
    {
        return std::make_unique<WatchedRun>(m_engine->start(request, options, {}));
    }
    [[nodiscard]] Result<ExecutionResult> run(
        const ExecutionRequest& request, const ExecutionOptions& options = {})
    {
        return start(request, options)->result();
    }
    [[nodiscard]] QByteArray log() const
    {
        QFile file(logDirectory() + u"/executions.log"_s);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    [[nodiscard]] QList<QJsonObject> records() const
    {
        QList<QJsonObject> all;
        for (const auto& line : log().split('\n')) {
            if (!line.isEmpty())
                all << QJsonDocument::fromJson(line).object();
        }
        return all;
    }
    [[nodiscard]] QString logDirectory() const { return m_directory->filePath(u"audit"_s); }

    std::unique_ptr<QTemporaryDir> m_directory;
    Settings m_settings;
    std::unique_ptr<DockerEngine> m_engine;
};

void TestAudit::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_settings = {};
    m_settings.audit.enabled = true;
    m_settings.audit.logDirectory = logDirectory();
    restart();
}

void TestAudit::restart()
{
    cleanup();
    auto settings = engineSettings(m_settings);
    settings.stateDirectory = m_directory->filePath(u"state"_s);
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    m_engine = std::make_unique<DockerEngine>(*endpoint, settings);
}

void TestAudit::cleanup()
{
    if (m_engine)
        QVERIFY(QCoro::waitFor(m_engine->shutdown()));
    m_engine.reset();
}

void TestAudit::notesARun()
{
    m_settings.audit.includeCode = true;
    m_settings.audit.includeOutput = true;
    restart();
    auto request = requestOf(Runtime::Bash, "echo out; echo err >&2; exit 3");
    request.metadata = { { u"userId"_s, u"ann"_s } };
    request.executionId = u"0b5d0d7e-7f07-4a63-9e6f-6a7b2c1d0e9f"_s;
    request.keptOutputBytes = 0; // Of no interest to the caller; the log has it all the same.
    const auto result = run(request);
    QVERIFY(result);
    QCOMPARE(result->executionId, request.executionId);
    QCOMPARE(records().size(), 1);
    const auto record = records().first();
    QCOMPARE(record[u"executionId"], request.executionId);
    QCOMPARE(record[u"userId"], u"ann"_s);
    QCOMPARE(record[u"runtime"], u"bash"_s);
    QCOMPARE(record[u"containerId"], result->containerId);
    QCOMPARE(record[u"exitCode"], 3);
    QVERIFY(record[u"durationMs"].toInt() > 0);
    QVERIFY(record[u"resourceUsage"][u"peakMemoryMB"].toDouble() > 0);
    QCOMPARE(record[u"codeHash"],
        QString::fromLatin1(
            QCryptographicHash::hash(request.code, QCryptographicHash::Sha256).toHex()));
    QCOMPARE(record[u"code"], QString::fromUtf8(request.code));
    QCOMPARE(record[u"stdout"], u"out\n"_s);
    QCOMPARE(record[u"stderr"], u"err\n"_s);
}

void TestAudit::notesFailures()
{
    ExecutionOptions options;
    options.image = u"isol8-test:missing"_s;
    QVERIFY(!run(requestOf(Runtime::Bash, "true"), options));
    ExecutionOptions brief;
    brief.timeout = 300ms;
    QVERIFY(run(requestOf(Runtime::Bash, "sleep 100"), brief));
    auto unprepared = requestOf(Runtime::Bash, "true");
    unprepared.setupScript = u"exit 4"_s;
    QVERIFY(run(unprepared));

    const auto all = records();
    QCOMPARE(all.size(), 3);
    QVERIFY(all[0][u"exitCode"].isNull());
    QVERIFY(all[0][u"error"].toString().contains(u"isol8-test:missing"));
    QCOMPARE(all[1][u"ending"], u"timeout"_s);
    QCOMPARE(all[1][u"exitCode"], 137);
    QCOMPARE(all[2][u"ending"], u"setup-failed"_s);
}

void TestAudit::notesCancelledRuns()
{
    const auto going = start(requestOf(Runtime::Bash, "echo here; sleep 100"));
    QVERIFY(going->waitForOutput("here"));
    going->run().cancel();
    QVERIFY(going->result());
    const auto early = start(requestOf(Runtime::Bash, "true"));
    early->run().cancel();
    (void)early->result();
    QCOMPARE(records().size(), 2);
    QCOMPARE(records()[0][u"ending"], u"cancelled"_s);
}

void TestAudit::notesRunsWhoseOwnerVanished()
{
    const auto going = start(requestOf(Runtime::Bash, "echo here; sleep 100"));
    QVERIFY(going->waitForOutput("here"));
    going->drop();
    QTRY_COMPARE_WITH_TIMEOUT(records().size(), 1, 60s);
    QCOMPARE(records()[0][u"ending"], u"cancelled"_s);
    QVERIFY(!records()[0][u"containerId"].toString().isEmpty());
}

void TestAudit::notesRunsOfAnEngineThatEnds()
{
    const auto going = start(requestOf(Runtime::Bash, "echo here; sleep 100"));
    QVERIFY(going->waitForOutput("here"));
    QVERIFY(QCoro::waitFor(m_engine->shutdown()));
    QCOMPARE(records().size(), 1);
}

void TestAudit::invalidRequestsAreNoRuns()
{
    QVERIFY(!run(ExecutionRequest()));
    QVERIFY(records().isEmpty());
}

void TestAudit::showsNoSecret()
{
    m_settings.audit.includeCode = true;
    m_settings.audit.includeOutput = true;
    restart();
    auto request = requestOf(Runtime::Bash, "echo top-secret-value | base64; echo $KEY; exit 1");
    request.metadata = { { u"userId"_s, u"top-secret-value"_s } };
    request.outputPaths = { u"top-secret-value"_s };
    ExecutionOptions options;
    options.secrets = { { u"KEY"_s, u"top-secret-value"_s } };
    QVERIFY(run(request, options));
    options.image = u"isol8-test:top-secret-value"_s;
    QVERIFY(!run(request, options));
    QCOMPARE(records().size(), 2);
    QVERIFY2(!log().contains("top-secret"), log().constData());
    QVERIFY2(!log().contains("dG9wLXNlY3JldC"), log().constData());
    QCOMPARE(records()[0][u"stdout"], u"***\n***\n"_s);
}

void TestAudit::unwritableLogIsSaidOnce()
{
    QFile blocking(logDirectory());
    QVERIFY(blocking.open(QIODevice::WriteOnly));
    QTest::ignoreMessage(
        QtWarningMsg, QRegularExpression(u"audit log cannot be written: .*; code runs"_s));
    QVERIFY(run(requestOf(Runtime::Bash, "true")));
    QTest::failOnWarning(QRegularExpression(u"audit"_s));
    QVERIFY(run(requestOf(Runtime::Bash, "true")));
}

void TestAudit::refusesToRunUnwatched()
{
    m_settings.audit.onFailure = AuditFailure::Refuse;
    restart();
    QVERIFY(run(requestOf(Runtime::Bash, "true")));
    QVERIFY(QDir(logDirectory()).removeRecursively());
    QFile blocking(logDirectory());
    QVERIFY(blocking.open(QIODevice::WriteOnly));
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"no code runs until it can"_s));
    const auto refused = start(requestOf(Runtime::Bash, "true"));
    const auto result = refused->result();
    QVERIFY(!result);
    QVERIFY2(result.error().message.contains(u"no code runs without its audit log"),
        qPrintable(result.error().message));
    QVERIFY(refused->containerId.isEmpty());
}

QTEST_GUILESS_MAIN(TestAudit)
#include "tst_audit.moc"
