// SPDX-License-Identifier: MIT
#include "tests/ui/support/dockerrelay.h"
#include "tests/ui/support/windowfixture.h"

#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/sandbox/dockerengine.h"
#include "ui/files/filespanel.h"
#include "ui/files/filetreemodel.h"
#include "ui/files/sessionchoice.h"
#include "ui/files/transferqueue.h"
#include "ui/run/runcontroller.h"
#include "ui/start/startpage.h"
#include "ui/targets/connection.h"

#include <QAction>
#include <QCoroTask>
#include <QLineEdit>
#include <QPersistentModelIndex>
#include <QPushButton>
#include <QSignalSpy>
#include <QToolButton>
#include <QTreeView>

#include <utility>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The window and the real Docker.
class TestWindowLive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_fixture = std::make_unique<WindowFixture>(m_engines); }
    void cleanup();

    void runsAndTellsHowItEnded();
    void stopsAnEndlessProgram();
    void talksToAProgram();
    void takesAFlood();
    void showsUsage();
    void sessionFilesComeAndGo();
    void cancelledUploadLeavesNothing();
    void fullSessionIsTold();
    void containerThatIsKilledIsTold();
    void dockerThatStopsIsTold();
    void imagesThatAreThereNeedNoStartPage();
    void closingTheWindowLeavesNothing();

private:
    void waitForEnd() { QTRY_VERIFY_WITH_TIMEOUT(!w().window().runs()->isRunning(), 120'000); }
    WindowFixture& w() { return *m_fixture; }

    [[nodiscard]] QStringList names();

    QTemporaryDir m_state;
    std::unique_ptr<DockerRelay> m_relay; ///< Where there is one, engines reach Docker through it.
    EngineFactory m_engines;
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowLive::initTestCase()
{
    m_engines = [this](const Target&, const QString&) -> Result<std::shared_ptr<Engine>> {
        auto endpoint = docker::resolveEndpoint();
        if (!endpoint)
            return std::unexpected(endpoint.error());
        DockerEngineSettings settings;
        settings.stateDirectory = m_state.path();
        return std::make_shared<DockerEngine>(m_relay ? m_relay->endpoint() : *endpoint, settings);
    };
}

/// As the window's end does it: an engine that is only dropped goes on removing its containers.
void TestWindowLive::cleanup()
{
    bool isDone = false;
    w().window().connection()->shutDown([&isDone] { isDone = true; });
    QTRY_VERIFY_WITH_TIMEOUT(isDone, 60'000);
    m_fixture.reset();
    m_relay.reset();
}

/// Of the session's files.
QStringList TestWindowLive::names()
{
    QStringList found;
    const auto* model = w().window().files()->model();
    for (int row = 0; row < model->rowCount(); ++row)
        found << model->index(row, 0, {}).data().toString();
    return found;
}

void TestWindowLive::runsAndTellsHowItEnded()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s,
        "import sys\nprint(f'out {6 * 7}')\nprint('err', file=sys.stderr)\nsys.exit(3)\n") });
    w().press(Qt::Key_F5);
    QVERIFY(w().window().runs()->isRunning());
    waitForEnd();
    QVERIFY2(w().output().contains(u"out 42\n"_s), qPrintable(w().output()));
    QVERIFY(w().output().contains(u"err\n"_s));
    QVERIFY2(w().status().startsWith(u"Ended with exit code 3"_s), qPrintable(w().status()));
    QVERIFY(w().status().contains(u"CPU"_s));
}

void TestWindowLive::stopsAnEndlessProgram()
{
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo begun; while :; do :; done\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"begun"_s), 60'000);
    w().press(Qt::Key_F5, Qt::ShiftModifier);
    waitForEnd();
    QVERIFY2(w().status().startsWith(u"Stopped"_s), qPrintable(w().status()));
}

void TestWindowLive::talksToAProgram()
{
    w().window().openFiles({ w().writeFile(
        u"a.py"_s, "while True:\n    try: print('got', input())\n    except EOFError: break\n") });
    w().press(Qt::Key_F5);
    auto* line = w().part<QLineEdit>("inputLine");
    QTRY_VERIFY(line->isVisible());
    line->setFocus();
    w().type(u"hello\n"_s);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"got hello"_s), 60'000);
    w().press(Qt::Key_D, Qt::ControlModifier);
    waitForEnd();
    QVERIFY2(w().status().startsWith(u"Finished"_s), qPrintable(w().status()));
}

void TestWindowLive::takesAFlood()
{
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "seq 300000\n") });
    auto* limit = w().part<QLineEdit>("limitOutput");
    limit->setFocus();
    limit->selectAll();
    QTest::keyClicks(limit, u"1m"_s);
    w().page()->setFocus();
    w().press(Qt::Key_F5);
    waitForEnd();
    const auto& buffer = w().window().output()->view()->buffer();
    QVERIFY(buffer.endLine() > 100'000);
    QVERIFY(w().output().contains(u"The output was cut"_s));
}

void TestWindowLive::showsUsage()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "while True: pass\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().part<QWidget>("usageChart")->isVisible(), 60'000);
    QTRY_VERIFY(w().part<QWidget>("usageChart")->accessibleDescription().contains(u"CPU"_s));
    w().press(Qt::Key_F5, Qt::ShiftModifier);
    waitForEnd();
}

void TestWindowLive::sessionFilesComeAndGo()
{
    w().part<QPushButton>("beginSession")->click();
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "mkdir d; echo made > d/made.txt\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    auto* files = w().window().files();
    const auto names = [files](const QModelIndex& parent = {}) {
        QStringList found;
        for (int row = 0; row < files->model()->rowCount(parent); ++row)
            found << files->model()->index(row, 0, parent).data().toString();
        return found;
    };
    QTRY_VERIFY_WITH_TIMEOUT(names().contains(u"d"_s), 60'000);
    const QPersistentModelIndex folder(files->model()->index(int(names().indexOf(u"d"_s)), 0, {}));
    files->view()->expand(folder);
    QTRY_COMPARE_WITH_TIMEOUT(names(folder), QStringList { u"made.txt"_s }, 60'000);

    QTemporaryDir local;
    files->view()->setCurrentIndex(folder);
    files->downloadTo(local.path());
    QTRY_VERIFY_WITH_TIMEOUT(!files->transfers()->isBusy(), 60'000);
    QFile made(local.filePath(u"d/made.txt"_s));
    QVERIFY(made.open(QIODevice::ReadOnly));
    QCOMPARE(made.readAll(), "made\n"_ba);

    files->upload({ w().writeFile(u"large"_s, QByteArray(50 << 20, 'x')) }, u"/sandbox/d"_s);
    QTRY_VERIFY_WITH_TIMEOUT(!files->transfers()->isBusy(), 120'000);
    QTRY_VERIFY_WITH_TIMEOUT(names(folder).contains(u"large"_s), 60'000);
    files->view()->setCurrentIndex(
        files->model()->index(int(names(folder).indexOf(u"made.txt"_s)), 0, folder));
    w().part<QAction>("filesOpen")->trigger();
    QTRY_COMPARE_WITH_TIMEOUT(w().page()->title(), u"made.txt"_s, 60'000);
    w().page()->setFocus();
    w().type(u"un"_s);
    w().press(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(!w().page()->isModified(), 60'000);
    const auto engine = w().window().connection()->engine();
    const auto id = w().window().session()->id();
    QCOMPARE(*QCoro::waitFor(engine->fetchFile(id, u"d/made.txt"_s)), "unmade\n"_ba);
    QVERIFY(QCoro::waitFor(engine->stopSession(id)));
}

void TestWindowLive::cancelledUploadLeavesNothing()
{
    w().part<QPushButton>("beginSession")->click();
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo made > made.txt\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    QTRY_VERIFY_WITH_TIMEOUT(names().contains(u"made.txt"_s), 60'000);

    auto* files = w().window().files();
    bool isCancelled = false;
    connect(files->transfers(), &TransferQueue::progressed, this,
        [&](const QString&, qint64 done, qint64 total, int) {
            if (done > 0 && done < total && !std::exchange(isCancelled, true))
                w().part<QPushButton>("transferCancel")->click();
        });
    files->upload({ w().writeFile(u"large"_s, QByteArray(50 << 20, 'x')) }, u"/sandbox"_s);
    QTRY_VERIFY_WITH_TIMEOUT(!files->transfers()->isBusy(), 120'000);
    files->transfers()->disconnect(this);
    QVERIFY(isCancelled);
    QCOMPARE(w().sentence(), QString());

    // The session goes on without it.
    const auto engine = w().window().connection()->engine();
    const auto id = w().window().session()->id();
    const auto left = QCoro::waitFor(engine->listFiles(id, u"/sandbox"_s));
    QVERIFY2(left, left ? "" : qPrintable(left.error().message));
    for (const auto& entry : *left)
        QVERIFY2(entry.name != u"large"_s, qPrintable(QString::number(entry.sizeBytes)));
    QCOMPARE(*QCoro::waitFor(engine->fetchFile(id, u"made.txt"_s)), "made\n"_ba);
    QVERIFY(QCoro::waitFor(engine->stopSession(id)));
}

void TestWindowLive::fullSessionIsTold()
{
    w().part<QPushButton>("beginSession")->click();
    w().window().openFiles(
        { w().writeFile(u"a.sh"_s, "head -c 60000000 /dev/zero > filler; rm filler\n") });
    auto* limit = w().part<QLineEdit>("limitSandbox");
    limit->setFocus();
    limit->selectAll();
    QTest::keyClicks(limit, u"20m"_s);
    w().window().actions().run->trigger();
    waitForEnd();
    QVERIFY2(w().output().contains(u"No space left on device"_s), qPrintable(w().output()));

    auto* files = w().window().files();
    files->upload({ w().writeFile(u"large"_s, QByteArray(50 << 20, 'x')) }, u"/sandbox"_s);
    QTRY_VERIFY_WITH_TIMEOUT(!files->transfers()->isBusy(), 120'000);
    QTRY_VERIFY2(w().sentence().contains(u"arge"_s), qPrintable(w().sentence()));
    const auto engine = w().window().connection()->engine();
    QVERIFY(QCoro::waitFor(engine->stopSession(w().window().session()->id())));
}

void TestWindowLive::containerThatIsKilledIsTold()
{
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo begun; sleep 100\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"begun"_s), 60'000);
    docker::Client client(*docker::resolveEndpoint());
    const auto own
        = QCoro::waitFor(client.listContainers({ u"isol8.owner="_s + Owner::self().toString() }));
    QVERIFY(own && !own->isEmpty());
    for (const auto& container : *own)
        QVERIFY(QCoro::waitFor(client.removeContainer(container.id)));
    waitForEnd();
    QVERIFY2(!w().status().startsWith(u"Finished"_s), qPrintable(w().status()));
    QVERIFY(w().window().actions().run->isEnabled());
}

void TestWindowLive::dockerThatStopsIsTold()
{
    cleanup();
    m_relay = std::make_unique<DockerRelay>();
    m_fixture = std::make_unique<WindowFixture>(m_engines);
    auto* health = w().part<QToolButton>("targetHealth");
    QTRY_VERIFY_WITH_TIMEOUT(health->text().contains(u"ready"_s), 60'000);
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo begun; sleep 100\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"begun"_s), 60'000);

    m_relay->stop();
    waitForEnd();
    QVERIFY2(!w().status().startsWith(u"Finished"_s), qPrintable(w().status()));
    QVERIFY2(w().status().startsWith(u"The sandbox ended"_s), qPrintable(w().status()));
    QTRY_VERIFY_WITH_TIMEOUT(health->text().contains(u"not available"_s), 60'000);
    QTRY_VERIFY(w().part<QWidget>("startPage")->isVisible());
    // Another try says why at once.
    w().press(Qt::Key_F5);
    waitForEnd();
    QVERIFY2(w().status().contains(u"Not reachable"_s), qPrintable(w().status()));

    m_relay->start();
    w().part<QPushButton>("startAgain")->click();
    QTRY_VERIFY_WITH_TIMEOUT(health->text().contains(u"ready"_s), 60'000);
    QTRY_VERIFY(!w().part<QWidget>("startPage")->isVisible());
    w().window().openFiles({ w().writeFile(u"b.sh"_s, "echo again\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    QVERIFY2(w().status().startsWith(u"Finished"_s), qPrintable(w().status()));
    // What was lost is still being removed, and the window waits for it.
    QSignalSpy ended(&w().window(), &MainWindow::ended);
    w().window().close();
    QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, 60'000);
}

void TestWindowLive::imagesThatAreThereNeedNoStartPage()
{
    cleanup();
    m_fixture = std::make_unique<WindowFixture>(m_engines, realDockerClients());
    auto* page = w().part<StartPage>("startPage");
    QTRY_VERIFY_WITH_TIMEOUT(
        w().window().connection()->health() == Connection::Health::Good, 60'000);
    page->setProblem(StartPage::Problem::NoImages);
    QVERIFY(page->isVisible());
    w().part<QPushButton>("startAgain")->click();
    QTRY_VERIFY_WITH_TIMEOUT(!page->isVisible(), 60'000);
}

/// GUI-05 of ABUSE.md; a killed one: tst_recovery.
void TestWindowLive::closingTheWindowLeavesNothing()
{
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo begun; sleep 100\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"begun"_s), 60'000);
    QSignalSpy ended(&w().window(), &MainWindow::ended);
    w().window().close();
    QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, 60'000);
    docker::Client client(*docker::resolveEndpoint());
    const auto own
        = QCoro::waitFor(client.listContainers({ u"isol8.owner="_s + Owner::self().toString() }));
    QVERIFY(own);
    QVERIFY(own->isEmpty());
}

QTEST_MAIN(TestWindowLive)
#include "tst_window_live.moc"
