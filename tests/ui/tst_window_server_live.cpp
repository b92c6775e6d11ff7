// SPDX-License-Identifier: MIT
#include "tests/support/serverprocess.h"
#include "tests/ui/support/windowfixture.h"

#include "ui/files/filespanel.h"
#include "ui/files/filetreemodel.h"
#include "ui/files/sessionchoice.h"
#include "ui/run/runcontroller.h"
#include "ui/targets/connection.h"
#include "ui/targets/serversdialog.h"

#include <QAction>
#include <QComboBox>
#include <QCoroTask>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QTreeView>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The window and `isol8 serve`: the same as with this computer's Docker, and what is told when the
/// server goes away.
class TestWindowServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { qputenv("HOME", m_home.path().toUtf8()); }
    void init();
    void cleanup();

    void runsOnAServer();
    void wrongKeyIsTold();
    void sessionFilesOfAServer();
    void serverThatDiesIsTold();

private:
    /// Adds the server as a user does, and chooses it.
    void use(const QString& key);
    void waitForEnd() { QTRY_VERIFY_WITH_TIMEOUT(!w().window().runs()->isRunning(), 120'000); }
    [[nodiscard]] QToolButton* health() { return w().part<QToolButton>("targetHealth"); }
    WindowFixture& w() { return *m_fixture; }

    QTemporaryDir m_home; ///< Of this process, whose engines keep their state there.
    std::unique_ptr<ServerProcess> m_server;
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowServer::init()
{
    m_server = std::make_unique<ServerProcess>();
    QVERIFY2(m_server->start(), m_server->log().constData());
    m_fixture = std::make_unique<WindowFixture>(realEngines());
}

void TestWindowServer::cleanup()
{
    m_fixture.reset();
    m_server.reset();
}

void TestWindowServer::use(const QString& key)
{
    w().window().actions().servers->trigger();
    auto* dialog = w().window().findChild<ServersDialog*>();
    QTRY_VERIFY(dialog && dialog->isVisible());
    const auto fill = [dialog](const char* name, const QString& text) {
        auto* line = dialog->findChild<QLineEdit*>(QLatin1StringView(name));
        line->setFocus();
        QTest::keyClicks(line, text);
    };
    fill("serverName", u"Lab"_s);
    fill("serverAddress", u"http://127.0.0.1:%1"_s.arg(m_server->port()));
    fill("serverKey", key);
    QTest::mouseClick(dialog->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    auto* choice = w().part<QComboBox>("targetChoice");
    QTRY_COMPARE(choice->count(), 2);
    dialog->close();
    w().activate();
    choice->setCurrentIndex(1);
    QTRY_COMPARE(w().window().connection()->target().name, u"Lab"_s);
}

void TestWindowServer::runsOnAServer()
{
    use(u"master"_s);
    QTRY_COMPARE_WITH_TIMEOUT(health()->text(), u"Lab: ready"_s, 60'000);
    w().window().openFiles({ w().writeFile(u"a.py"_s,
        "import sys\nprint('got', input())\nprint('err', file=sys.stderr)\nsys.exit(4)\n") });
    w().press(Qt::Key_F5);
    auto* line = w().part<QLineEdit>("inputLine");
    QTRY_VERIFY(line->isVisible());
    line->setFocus();
    w().type(u"hello\n"_s);
    waitForEnd();
    QVERIFY2(w().output().contains(u"got hello\n"_s), qPrintable(w().output()));
    QVERIFY(w().output().contains(u"err\n"_s));
    QVERIFY2(w().status().startsWith(u"Ended with exit code 4"_s), qPrintable(w().status()));
}

void TestWindowServer::wrongKeyIsTold()
{
    use(u"wrong"_s);
    QTRY_COMPARE_WITH_TIMEOUT(health()->text(), u"Lab: not available"_s, 60'000);
    QVERIFY2(health()->toolTip().startsWith(u"Not allowed"_s), qPrintable(health()->toolTip()));
    w().window().openFiles({ w().writeFile(u"a.py"_s, "print(1)\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    QVERIFY2(w().status().startsWith(u"Not allowed"_s), qPrintable(w().status()));
}

void TestWindowServer::sessionFilesOfAServer()
{
    use(u"master"_s);
    w().part<QPushButton>("beginSession")->click();
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo made > made.txt\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    auto* files = w().window().files();
    const auto find = [files](const QString& name) {
        for (int row = 0; row < files->model()->rowCount(); ++row) {
            if (files->model()->index(row, 0, {}).data().toString() == name)
                return files->model()->index(row, 0, {});
        }
        return QModelIndex();
    };
    QTRY_VERIFY_WITH_TIMEOUT(find(u"made.txt"_s).isValid(), 60'000);
    files->view()->setCurrentIndex(find(u"made.txt"_s));
    w().part<QAction>("filesOpen")->trigger();
    QTRY_COMPARE_WITH_TIMEOUT(w().page()->title(), u"made.txt"_s, 60'000);
    w().page()->setFocus();
    w().type(u"un"_s);
    w().press(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(!w().page()->isModified(), 60'000);

    w().window().openFiles({ w().writeFile(u"b.sh"_s, "cat made.txt\n") });
    w().press(Qt::Key_F5);
    waitForEnd();
    QVERIFY2(w().output().contains(u"unmade\n"_s), qPrintable(w().output()));
    // It would outlive the server.
    const auto engine = w().window().connection()->engine();
    QVERIFY(QCoro::waitFor(engine->stopSession(w().window().session()->id())));
}

void TestWindowServer::serverThatDiesIsTold()
{
    use(u"master"_s);
    QTRY_COMPARE_WITH_TIMEOUT(health()->text(), u"Lab: ready"_s, 60'000);
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "echo begun; sleep 100\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(w().output().contains(u"begun"_s), 60'000);
    m_server->kill();
    waitForEnd();
    QVERIFY2(!w().status().startsWith(u"Finished"_s), qPrintable(w().status()));
    QTRY_COMPARE_WITH_TIMEOUT(health()->text(), u"Lab: not available"_s, 60'000);
    QVERIFY2(health()->toolTip().startsWith(u"Not reachable"_s), qPrintable(health()->toolTip()));
    QVERIFY(w().window().actions().run->isEnabled());
    // Another try is told at once; this computer's Docker is there all the time.
    w().press(Qt::Key_F5);
    waitForEnd();
    QVERIFY2(w().status().startsWith(u"Not reachable"_s), qPrintable(w().status()));
    w().part<QComboBox>("targetChoice")->setCurrentIndex(0);
    QTRY_COMPARE_WITH_TIMEOUT(health()->text(), u"This computer: ready"_s, 60'000);
}

QTEST_MAIN(TestWindowServer)
#include "tst_window_server_live.moc"
