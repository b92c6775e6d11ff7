// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"
#include "engine/sandbox/labels.h"
#include "tests/app/liveprogram.h"

#include <QCoroTask>
#include <QDir>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLockFile>
#include <QTest>

#include <unistd.h>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 60'000;

/// `isol8 run --json` of a small Python program, with more options.
QStringList runJson(const QStringList& options = {}, const QString& code = u"print(1)"_s)
{
    return QStringList { u"run"_s, u"--json"_s, u"-e"_s, code } + options;
}

QString containerOf(const ProgramEnd& end)
{
    return QJsonDocument::fromJson(end.out).object().value(u"containerId"_s).toString();
}

} // namespace

/// The container that one command leaves for the next (POOL-23 of ABUSE.md among others).
class TestSpareLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void isLeftAndTaken();
    void servesOneOfMany();
    void isLeftAloneWhileAnotherClaimsIt();
    void isNotTakenForSomethingElse_data();
    void isNotTakenForSomethingElse();
    void isLeftOncePerRuntime();
    void isNotLeftWhereThatIsOff();
    void isNotLeftAfterSpecialRuns();
    void endsItself();
    void isNotWaitedForWhenPaused();
    void isRemovedByCleanup();
    void knowsNothingOfTheRunBefore();

private:
    /// Ids of this user's spares that wait.
    [[nodiscard]] QStringList spares();
    /// Waits for one of @p runtime.
    [[nodiscard]] QString waitForSpare(const QString& runtime = u"python"_s);
    void removeSpares();

    std::unique_ptr<docker::Client> m_client;
    std::unique_ptr<ProgramFixture> m_fixture;
};

void TestSpareLive::initTestCase()
{
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    m_client = std::make_unique<docker::Client>(*endpoint);
}

void TestSpareLive::init()
{
    m_fixture = std::make_unique<ProgramFixture>();
    removeSpares();
}

void TestSpareLive::cleanup()
{
    removeSpares();
}

QStringList TestSpareLive::spares()
{
    QStringList ids;
    const auto all = QCoro::waitFor(m_client->listContainers({ labels::kind + u"=spare"_s }));
    for (const auto& container : all.value_or(QList<docker::ContainerSummary>())) {
        if (container.names.value(0).startsWith(u"isol8-spare-%1-"_s.arg(::getuid()))
            && container.state == "running"_L1)
            ids << container.id;
    }
    return ids;
}

QString TestSpareLive::waitForSpare(const QString& runtime)
{
    QString found;
    (void)QTest::qWaitFor(
        [&] {
            const auto all = QCoro::waitFor(m_client->listContainers(
                { labels::kind + u"=spare"_s, labels::runtime + u'=' + runtime }));
            for (const auto& container : all.value_or(QList<docker::ContainerSummary>())) {
                if (container.names.value(0).startsWith("isol8-spare-"_L1)
                    && container.state == "running"_L1)
                    found = container.id;
            }
            return !found.isEmpty();
        },
        patience);
    return found;
}

void TestSpareLive::removeSpares()
{
    for (const auto& id : spares()) {
        // A command that has just left its own may be removing it, too.
        if (!QCoro::waitFor(m_client->removeContainer(id)))
            QTRY_VERIFY_WITH_TIMEOUT(!m_fixture->hasContainer(id), patience);
    }
}

void TestSpareLive::isLeftAndTaken()
{
    const auto first = m_fixture->run(runJson());
    QCOMPARE(first.exitCode, 0);
    for (int i = 0; i < 3; ++i) {
        const auto spare = waitForSpare();
        QVERIFY(!spare.isEmpty());
        const auto next = m_fixture->run(runJson({}, u"print(2)"_s));
        QCOMPARE(next.exitCode, 0);
        QCOMPARE(containerOf(next), spare);
        QCOMPARE(QJsonDocument::fromJson(next.out).object().value(u"stdout"_s).toString(), u"2"_s);
        QTRY_VERIFY_WITH_TIMEOUT(!m_fixture->hasContainer(spare), patience);
    }
}

void TestSpareLive::servesOneOfMany()
{
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto spare = waitForSpare();
    QVERIFY(!spare.isEmpty());
    std::vector<std::unique_ptr<LiveProgram>> programs;
    for (int i = 0; i < 20; ++i)
        programs.push_back(m_fixture->start(runJson()));
    QStringList containers;
    for (const auto& program : programs) {
        program->closeStdin();
        const auto end = program->end();
        QVERIFY2(end.exitCode == 0, end.err);
        containers << containerOf(end);
    }
    QCOMPARE(containers.count(spare), 1);
    QCOMPARE(QSet<QString>(containers.begin(), containers.end()).size(), 20);
}

void TestSpareLive::isLeftAloneWhileAnotherClaimsIt()
{
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto spare = waitForSpare();
    QVERIFY(!spare.isEmpty());
    const auto all = QCoro::waitFor(m_client->listContainers({ labels::kind + u"=spare"_s }));
    QVERIFY(all);
    // Of two calls that rename a container at the same moment Docker may let both succeed.
    std::vector<std::unique_ptr<QLockFile>> locks;
    for (const auto& container : *all) {
        locks.push_back(std::make_unique<QLockFile>(
            m_fixture->home() + u"/.isol8/%1.lock"_s.arg(container.names.value(0))));
        QVERIFY(locks.back()->tryLock());
    }
    const auto next = m_fixture->run(runJson());
    QCOMPARE(next.exitCode, 0);
    QVERIFY(containerOf(next) != spare);
    locks.clear();
    QCOMPARE(containerOf(m_fixture->run(runJson())), spare);
}

void TestSpareLive::isNotTakenForSomethingElse_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::newRow("memory") << QStringList { u"--memory"_s, u"64m"_s };
    QTest::newRow("processes") << QStringList { u"--pids-limit"_s, u"32"_s };
    QTest::newRow("image") << QStringList { u"--image"_s, u"isol8:node"_s };
    QTest::newRow("writable") << QStringList { u"--writable"_s };
    QTest::newRow("session") << QStringList { u"--session-id"_s,
        u"spare-%1"_s.arg(QCoreApplication::applicationPid()) };
}

void TestSpareLive::isNotTakenForSomethingElse()
{
    QFETCH(QStringList, options);
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto spare = waitForSpare();
    const auto other = m_fixture->run(
        QStringList { u"run"_s, u"--json"_s, u"--cmd"_s, u"echo 1"_s, u"-r"_s, u"python"_s }
        + options);
    QCOMPARE(other.exitCode, 0);
    QVERIFY(!containerOf(other).isEmpty());
    QVERIFY(containerOf(other) != spare);
    if (options.contains(u"--session-id"_s))
        QCOMPARE(m_fixture->run({ u"session"_s, u"stop"_s, options.constLast() }).exitCode, 0);
}

void TestSpareLive::isLeftOncePerRuntime()
{
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto first = waitForSpare();
    QCOMPARE(m_fixture->run(runJson({ u"--memory"_s, u"100m"_s })).exitCode, 0);
    // The new one takes the old one's place.
    QTRY_VERIFY_WITH_TIMEOUT(spares().size() == 1 && !spares().contains(first), patience);
    QCOMPARE(m_fixture->run({ u"run"_s, u"--cmd"_s, u"true"_s }).exitCode, 0);
    QVERIFY(!waitForSpare(u"bash"_s).isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(spares().size(), 2, patience);
}

void TestSpareLive::isNotLeftWhereThatIsOff()
{
    QDir(m_fixture->home()).mkpath(u".isol8"_s);
    QFile config(m_fixture->home() + u"/.isol8/config.json"_s);
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write(R"({"cli":{"spare":false}})");
    config.close();
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    // Had this left one, it would be taken by a run that may.
    QVERIFY(config.remove());
    const auto next = m_fixture->run(runJson());
    QCOMPARE(next.exitCode, 0);
    QVERIFY(!waitForSpare().isEmpty());
    QCOMPARE(spares().size(), 1);
}

void TestSpareLive::isNotLeftAfterSpecialRuns()
{
    QCOMPARE(m_fixture->run(runJson({ u"--writable"_s })).exitCode, 0);
    QCOMPARE(m_fixture->run(runJson({ u"--image"_s, u"no-such-image"_s })).exitCode, 1);
    QVERIFY(spares().isEmpty());
}

void TestSpareLive::endsItself()
{
    QDir(m_fixture->home()).mkpath(u".isol8"_s);
    QFile config(m_fixture->home() + u"/.isol8/config.json"_s);
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write(R"({"cli":{"spareIdleMs":2000}})");
    config.close();
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto spare = waitForSpare();
    QVERIFY(!spare.isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(!m_fixture->hasContainer(spare), patience);
}

void TestSpareLive::isNotWaitedForWhenPaused()
{
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    const auto spare = waitForSpare();
    // As good as paused: process 1 stands still.
    QVERIFY(QCoro::waitFor(m_client->killContainer(spare, u"SIGSTOP"_s)));
    const auto next = m_fixture->run(runJson());
    QCOMPARE(next.exitCode, 0);
    QVERIFY(containerOf(next) != spare || !containerOf(next).isEmpty());
}

void TestSpareLive::isRemovedByCleanup()
{
    QCOMPARE(m_fixture->run(runJson()).exitCode, 0);
    QVERIFY(!waitForSpare().isEmpty());
    QCOMPARE(m_fixture->run({ u"cleanup"_s, u"--force"_s }).exitCode, 0);
    QVERIFY(spares().isEmpty());
}

void TestSpareLive::knowsNothingOfTheRunBefore()
{
    const auto first = m_fixture->run(runJson({ u"--env"_s, u"MARK=seen"_s, u"--secret"_s,
        u"TOKEN=very-secret-value"_s, u"--"_s, u"argument"_s }));
    QCOMPARE(first.exitCode, 0);
    const auto spare = waitForSpare();
    const auto raw = QCoro::waitFor(m_client->inspectContainerRaw(spare));
    QVERIFY(raw);
    const auto text = QJsonDocument(*raw).toJson();
    for (const auto* word : { "MARK", "TOKEN", "very-secret-value", "argument", "4d41524b",
             "766572792d7365637265742d76616c7565" })
        QVERIFY2(!text.contains(word), word);
    const auto next = m_fixture->run(
        runJson({}, u"import os, sys; print(os.environ.get('MARK'), os.listdir('.'), sys.argv)"_s));
    QCOMPARE(containerOf(next), spare);
    QCOMPARE(QJsonDocument::fromJson(next.out).object().value(u"stdout"_s).toString(),
        u"None ['main.py'] ['/sandbox/main.py']"_s);
}

QTEST_GUILESS_MAIN(TestSpareLive)
#include "tst_spare_live.moc"
