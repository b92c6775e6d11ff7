// SPDX-License-Identifier: MIT
#include "tests/live/enginetest.h"

#include <QCoroTask>
#include <QDir>
#include <QLoggingCategory>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

/// Tries everything on the folder that the direct socket came through, and tells of what it found.
const QByteArray attack = R"(
import os, socket
def attempt(what, act):
    try:
        print(what, act())
    except OSError as error:
        print(what, os.strerror(error.errno))
def connect():
    socket.socket(socket.AF_UNIX).connect("/.isol8-host/socket")
def bind():
    socket.socket(socket.AF_UNIX).bind("/.isol8-host/socket")
attempt("list", lambda: os.listdir("/.isol8-host"))
attempt("connect", connect)
attempt("bind", bind)
attempt("write", lambda: open("/.isol8-host/x", "w"))
attempt("make", lambda: os.mkdir("/.isol8-host/x"))
attempt("mode", lambda: os.chmod("/.isol8-host", 0o777))
attempt("rename", lambda: os.rename("/.isol8-host", "/tmp/x"))
attempt("remove", lambda: os.rmdir("/.isol8-host"))
attempt("up", lambda: sorted(os.listdir("/.isol8-host/..")) == sorted(os.listdir("/")))
print("names", [line.split()[7] for line in open("/proc/net/unix") if len(line.split()) > 7][1:])
)";

const QByteArray found = R"(list []
connect No such file or directory
bind %
write %
make %
mode %
rename %
remove %
up True
names []
)";

bool isGivenUp = false;

void hear(QtMsgType, const QMessageLogContext&, const QString& message)
{
    isGivenUp = isGivenUp || message.contains(u"no direct socket"_s);
}

} // namespace

/// The direct socket in real containers: nothing of it is there for programs, and nothing is left.
class TestDirect : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        QLoggingCategory::setFilterRules(u"isol8.sandbox=true"_s);
        m_handler = qInstallMessageHandler(hear);
        isGivenUp = false;
        m_runtime = std::make_unique<QTemporaryDir>();
        qputenv("XDG_RUNTIME_DIR", m_runtime->path().toUtf8());
        m_fixture = std::make_unique<EngineFixture>();
    }
    void cleanup()
    {
        qInstallMessageHandler(m_handler);
        QVERIFY(!isGivenUp);
        m_fixture->restartWithPool(std::nullopt);
        QVERIFY(m_fixture->isNothingLeft());
        m_fixture.reset();
        QCOMPARE(folders(), QStringList());
    }

    void programsFindNothing_data()
    {
        QTest::addColumn<QString>("kind");
        for (const auto& kind : { u"run"_s, u"pool"_s, u"session"_s, u"kept"_s })
            QTest::newRow(qPrintable(kind)) << kind;
    }
    void programsFindNothing()
    {
        QFETCH(QString, kind);
        if (kind == "pool"_L1)
            m_fixture->restartWithPool(PoolLimits {});
        const auto session = kind == "session"_L1 ? sessionNamed(u"direct"_s) : QString();
        ExecutionOptions options;
        options.isKept = kind == "kept"_L1;
        for (int i = 0; i < (options.isKept ? 1 : 3); ++i) {
            const auto result
                = m_fixture->run(requestOf(Runtime::Python, attack), options, session);
            RUN_OR_FAIL(result);
            QVERIFY2(isAsExpected(result->standardOutput),
                (result->standardOutput + result->standardError).constData());
            if (options.isKept)
                RUN_OR_FAIL(
                    QCoro::waitFor(m_fixture->dockerEngine().removeContainer(result->containerId)));
        }
        if (!session.isEmpty()) {
            QCOMPARE(folders().size(), 1);
            RUN_OR_FAIL(QCoro::waitFor(m_fixture->engine().stopSession(session)));
        }
        if (options.isKept)
            RUN_OR_FAIL(QCoro::waitFor(m_fixture->dockerEngine().reap()));
    }

    void nothingIsThereWhileItRuns()
    {
        const auto run = m_fixture->start(requestOf(Runtime::Bash, "echo up; sleep 600"), {}, {});
        QVERIFY(run->waitForOutput("up"));
        QCOMPARE(folders(), QStringList());
        run->run().cancel();
        QVERIFY(run->result());
    }

    void sessionsGoOnWithoutTheFolder()
    {
        const auto session = sessionNamed(u"direct"_s);
        RUN_OR_FAIL(m_fixture->run(requestOf(Runtime::Bash, "echo 1 > kept"), {}, session));
        const auto names = folders();
        QCOMPARE(names.size(), 1);
        m_fixture->restart();
        QVERIFY(QDir(base()).rmdir(names[0]));
        QVERIFY(!isGivenUp);
        const auto result
            = m_fixture->run(requestOf(Runtime::Bash, "cat kept; ls -A /.isol8-host"), {}, session);
        RUN_OR_FAIL(result);
        QCOMPARE(result->standardOutput, "1\n");
        QVERIFY(std::exchange(isGivenUp, false));
        RUN_OR_FAIL(QCoro::waitFor(m_fixture->engine().stopSession(session)));
    }

    void foldersOfLostSessionsAreReaped()
    {
        const auto session = sessionNamed(u"direct"_s);
        const auto made = m_fixture->run(requestOf(Runtime::Bash, "true"), {}, session);
        RUN_OR_FAIL(made);
        const auto kept = sessionNamed(u"direct-kept"_s);
        RUN_OR_FAIL(m_fixture->run(requestOf(Runtime::Bash, "true"), {}, kept));
        QCOMPARE(folders().size(), 2);
        RUN_OR_FAIL(QCoro::waitFor(m_fixture->client().removeContainer(made->containerId)));
        RUN_OR_FAIL(QCoro::waitFor(m_fixture->dockerEngine().reap()));
        QCOMPARE(folders().size(), 1);
        RUN_OR_FAIL(QCoro::waitFor(m_fixture->engine().stopSession(kept)));
    }

private:
    [[nodiscard]] static bool isAsExpected(const QByteArray& output)
    {
        const auto lines = output.split('\n');
        const auto wanted = found.split('\n');
        if (lines.size() != wanted.size())
            return false;
        for (qsizetype i = 0; i < lines.size(); ++i) {
            // Which of its reasons the kernel names first is its own business.
            const bool isRefused = wanted[i].endsWith('%')
                && lines[i].startsWith(wanted[i].chopped(1))
                && (lines[i].endsWith("Read-only file system")
                    || lines[i].endsWith("No such file or directory") || lines[i].endsWith("busy")
                    || lines[i].endsWith("Invalid cross-device link"));
            if (lines[i] != wanted[i] && !isRefused)
                return false;
        }
        return true;
    }
    [[nodiscard]] QString base() const { return m_runtime->path() + u"/isol8"_s; }
    [[nodiscard]] QStringList folders() const
    {
        return QDir(base()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot);
    }

    QtMessageHandler m_handler = nullptr;
    std::unique_ptr<QTemporaryDir> m_runtime;
    std::unique_ptr<EngineFixture> m_fixture;
};

QTEST_GUILESS_MAIN(TestDirect)
#include "tst_direct.moc"
