// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "engine/sandbox/dockerengine.h"
#include "ui/run/runcontroller.h"

#include <QLineEdit>

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
    void cleanup() { m_fixture.reset(); }

    void runsAndTellsHowItEnded();
    void stopsAnEndlessProgram();
    void talksToAProgram();
    void takesAFlood();
    void showsUsage();

private:
    void waitForEnd() { QTRY_VERIFY_WITH_TIMEOUT(!w().window().runs()->isRunning(), 120'000); }
    WindowFixture& w() { return *m_fixture; }

    QTemporaryDir m_state;
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
        return std::make_shared<DockerEngine>(*endpoint, settings);
    };
}

void TestWindowLive::runsAndTellsHowItEnded()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s,
        "import sys\nprint('out', 6 * 7)\nprint('err', file=sys.stderr)\nsys.exit(3)\n") });
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

QTEST_MAIN(TestWindowLive)
#include "tst_window_live.moc"
