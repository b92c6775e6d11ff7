// SPDX-License-Identifier: MIT
#include "ui/run/runexport.h"

#include "ui/run/runplan.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Runs as commands for a shell: what the shell makes of them is what was meant, and no secret is
/// in them.
class TestRunExport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void writesOnlyWhatIsUnusual();
    void shellReadsItBack_data();
    void shellReadsItBack();
    void namesServerAndSession();
    void curlCarriesTheRequest();
    void tellsNoSecret();

private:
    [[nodiscard]] static RunJob jobOf(const QByteArray& code, const RunSettings& settings = {},
        const QString& path = u"/home/me/a.py"_s);
    /// The words that a POSIX shell makes of @p line, with `isol8` and `curl` doing nothing.
    [[nodiscard]] static QStringList words(const QString& line, const QStringList& variables = {});
};

RunJob TestRunExport::jobOf(
    const QByteArray& code, const RunSettings& settings, const QString& path)
{
    const auto job = planRun({ code, u"a.py"_s, path }, settings, {});
    if (!job)
        qFatal("%s", qPrintable(job.error().message));
    return *job;
}

QStringList TestRunExport::words(const QString& line, const QStringList& variables)
{
    QProcess shell;
    auto environment = QProcessEnvironment::systemEnvironment();
    for (const auto& variable : variables)
        environment.insert(variable.section(u'=', 0, 0), variable.section(u'=', 1));
    shell.setProcessEnvironment(environment);
    shell.start(u"/bin/sh"_s,
        { u"-c"_s,
            u"isol8() { printf '%s\\0' \"$@\"; }; curl() { printf '%s\\0' \"$@\"; }\n"_s + line });
    if (!shell.waitForFinished())
        qFatal("the shell does not end");
    auto output = QString::fromUtf8(shell.readAllStandardOutput());
    output.chop(1);
    return output.split(QChar(u'\0'));
}

void TestRunExport::writesOnlyWhatIsUnusual()
{
    QCOMPARE(commandLineOf(jobOf("x"), localTarget(), {}), u"isol8 run /home/me/a.py"_s);
    RunSettings settings;
    settings.options.timeout = std::chrono::seconds(5);
    settings.options.memoryLimitBytes = 64 << 20;
    settings.options.network = NetworkMode::Filtered;
    settings.options.networkFilter.allow << u"^a\\.org$"_s;
    settings.arguments = { u"-v"_s, u"two words"_s };
    QCOMPARE(words(commandLineOf(jobOf("x", settings), localTarget(), {})),
        (QStringList { u"run"_s, u"/home/me/a.py"_s, u"--timeout"_s, u"5000"_s, u"--memory"_s,
            u"64m"_s, u"--net"_s, u"filtered"_s, u"--allow"_s, u"^a\\.org$"_s, u"--"_s, u"-v"_s,
            u"two words"_s }));
}

void TestRunExport::shellReadsItBack_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("plain") << u"print(1)"_s;
    QTest::newRow("quotes") << u"print('it''s', \"x\")"_s;
    QTest::newRow("lines") << u"a\nb\n"_s;
    QTest::newRow("shell") << u"$(touch /tmp/no) `id` $HOME \\ ! ; & | > <"_s;
    QTest::newRow("umlauts") << u"ä€🐙"_s;
    QTest::newRow("dash") << u"-x"_s;
}

void TestRunExport::shellReadsItBack()
{
    QFETCH(QString, text);
    RunSettings settings;
    settings.environment = { { u"X"_s, text } };
    settings.setupScript = text;
    const auto line = commandLineOf(jobOf(text.toUtf8(), settings, {}), localTarget(), {});
    QCOMPARE(words(line),
        (QStringList { u"run"_s, u"--eval"_s, text, u"--runtime"_s, u"python"_s, u"--env"_s,
            u"X="_s + text, u"--setup"_s, text }));
}

void TestRunExport::namesServerAndSession()
{
    auto job = jobOf("x");
    job.sessionId = u"s1"_s;
    const auto line
        = commandLineOf(job, { u"1"_s, u"Lab"_s, u"https://lab.test"_s }, ExecutionOptions());
    QCOMPARE(line, u"isol8 run /home/me/a.py --host https://lab.test --session-id s1"_s);
}

void TestRunExport::curlCarriesTheRequest()
{
    auto job = jobOf("print('it''s')\n");
    job.sessionId = u"s1"_s;
    const auto line = curlOf(job, { u"1"_s, u"Lab"_s, u"https://lab.test"_s });
    const auto parts = words(line, { u"ISOL8_API_KEY=key"_s });
    QVERIFY(parts.contains(u"Authorization: Bearer key"_s));
    QCOMPARE(parts.constLast(), u"https://lab.test/execute"_s);
    const auto body = QJsonDocument::fromJson(parts[parts.indexOf(u"-d"_s) + 1].toUtf8()).object();
    QCOMPARE(body[u"request"][u"code"].toString(), u"print('it''s')\n"_s);
    QCOMPARE(body[u"sessionId"].toString(), u"s1"_s);
}

void TestRunExport::tellsNoSecret()
{
    RunSettings settings;
    settings.options.secrets
        = { { u"TOKEN"_s, u"s3cret"_s }, { u"odd}name"_s, u"other-s3cret"_s } };
    const auto job = jobOf("x", settings);
    const auto line = commandLineOf(job, localTarget(), {});
    QVERIFY(!line.contains(u"s3cret"_s));
    QVERIFY(line.contains(u"--secret TOKEN"_s));
    const auto curl = curlOf(job, localTarget());
    QVERIFY(!curl.contains(u"s3cret"_s));
    const auto parts = words(curl, { u"TOKEN=from-the-shell"_s });
    const auto body = QJsonDocument::fromJson(parts[parts.indexOf(u"-d"_s) + 1].toUtf8()).object();
    QCOMPARE(body[u"options"][u"secrets"][u"TOKEN"].toString(), u"from-the-shell"_s);
    QCOMPARE(body[u"options"][u"secrets"][u"odd}name"].toString(), u"***"_s);
}

QTEST_GUILESS_MAIN(TestRunExport)
#include "tst_runexport.moc"
