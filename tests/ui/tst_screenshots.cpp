// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"
#include "tests/support/fakedocker.h"
#include "tests/ui/support/windowfixture.h"

#include "tests/ui/support/fakefiles.h"
#include "ui/editor/highlighter.h"
#include "ui/files/filespanel.h"
#include "ui/mainwindow/commandpalette.h"
#include "ui/run/runcontroller.h"
#include "ui/settings/settingsdialog.h"
#include "ui/targets/serversdialog.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QComboBox>
#include <QDialog>
#include <QDir>
#include <QDockWidget>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QPixmap>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTableWidget>
#include <QTreeView>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Pictures of every main state in build/screenshots, for people to look at. What is checked here
/// is only that each is drawn at all.
class TestScreenshots : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void empty();
    void run_data();
    void run();
    void error();
    void files();
    void history();
    void network();
    void firstStart_data() { run_data(); }
    void firstStart();
    void dialogs_data() { run_data(); }
    void dialogs();
    void images();
    void small();

private:
    void show(UiSettings::ColourScheme scheme, EngineFactory engines = {});
    void take(const QString& name, QWidget* widget = nullptr);
    void runWith(const QByteArray& output, int exitCode);
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

namespace {

constexpr char program[] = R"(# Estimates pi by throwing points at a square.
import random
import sys


class Estimator:
    """Counts the points that fall into the circle."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.inside = 0
        self.thrown = 0

    def throw(self, count: int) -> None:
        for _ in range(count):
            x, y = self.random.random(), self.random.random()
            self.inside += x * x + y * y <= 1.0
            self.thrown += 1

    @property
    def value(self) -> float:
        return 4 * self.inside / self.thrown


estimator = Estimator(seed=42)
for step in range(1, 9):
    estimator.throw(250_000)
    print(f"{estimator.thrown:>10,} points  pi ~ {estimator.value:.5f}")
print("warning: only a simulation", file=sys.stderr)
)";

constexpr char output[] = "   250,000 points  pi ~ 3.14338\n   500,000 points  pi ~ 3.14211\n"
                          "   750,000 points  pi ~ 3.14096\n 1,000,000 points  pi ~ 3.14180\n"
                          "\x1b[32m 1,250,000 points\x1b[0m  pi ~ \x1b[1m3.14160\x1b[0m\n";

} // namespace

void TestScreenshots::initTestCase()
{
    QVERIFY(QDir().mkpath(QStringLiteral(ISOL8_SCREENSHOTS)));
}

void TestScreenshots::show(UiSettings::ColourScheme scheme, EngineFactory engines)
{
    m_fixture = std::make_unique<WindowFixture>(std::move(engines));
    auto values = w().services().settings.values();
    values.colourScheme = scheme;
    w().services().settings.change(values);
    applyTheme(*qApp, scheme);
    w().window().resize(1180, 760);
    w().window().openFiles({ w().writeFile(u"estimate.py"_s, program) });
    QTRY_VERIFY(w().editor()->highlighter().isFinished());
    w().editor()->goToLine(16, 25);
}

void TestScreenshots::take(const QString& name, QWidget* widget)
{
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents();
    const auto picture = (widget ? widget : &w().window())->grab();
    QVERIFY(!picture.isNull());
    const auto suffix = picture.devicePixelRatio() > 1 ? u"@2x"_s : QString();
    QVERIFY(picture.save(QStringLiteral(ISOL8_SCREENSHOTS "/%1%2.png").arg(name, suffix)));
}

void TestScreenshots::runWith(const QByteArray& output, int exitCode)
{
    w().window().actions().run->trigger();
    QTRY_VERIFY(w().run());
    w().run()->give(output);
    w().run()->result.duration = std::chrono::milliseconds(420 + 100 * exitCode);
    w().run()->end(exitCode);
    QTRY_VERIFY(!w().window().runs()->isRunning());
}

/// As it is when it was never used.
void TestScreenshots::empty()
{
    m_fixture = std::make_unique<WindowFixture>();
    w().window().resize(1180, 760);
    w().page()->setFocus();
    take(u"empty"_s);
}

void TestScreenshots::run_data()
{
    QTest::addColumn<UiSettings::ColourScheme>("scheme");
    QTest::newRow("light") << UiSettings::ColourScheme::Light;
    QTest::newRow("dark") << UiSettings::ColourScheme::Dark;
}

void TestScreenshots::run()
{
    QFETCH(UiSettings::ColourScheme, scheme);
    show(scheme);
    const auto name = QString::fromLatin1(QTest::currentDataTag());
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->give(output);
    for (int i = 1; i < 60; ++i)
        Q_EMIT w().run()->usageReported(
            { std::chrono::milliseconds(200 * i), (40 + i + 10 * (i % 7 == 0)) * (1LL << 20) });
    QTRY_VERIFY(w().output().contains(u"3.14160"_s));
    QTRY_VERIFY(w().status().contains(u" s of 30 s"_s)); // As it looks most of the time.
    take(name + u"-running"_s);
    w().run()->give("warning: only a simulation\n", Channel::Stderr);
    w().run()->result.duration = std::chrono::milliseconds(1840);
    w().run()->result.cpuTime = std::chrono::milliseconds(1710);
    w().run()->result.peakMemoryBytes = 11'400'000;
    w().run()->end(0);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    QTRY_VERIFY(w().output().contains(u"Finished"_s));
    take(name + u"-finished"_s);
}

void TestScreenshots::error()
{
    show(UiSettings::ColourScheme::Light);
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->give("Traceback (most recent call last):\n"
                    "  File \"/sandbox/main.py\", line 26, in <module>\n"
                    "    estimator = Estimator(seed=\"42\")\n"
                    "  File \"/sandbox/main.py\", line 10, in __init__\n"
                    "    self.random = random.Random(seed)\n"
                    "TypeError: seed must be an int\n",
        Channel::Stderr);
    w().run()->result.duration = std::chrono::milliseconds(38);
    w().run()->end(1);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    QTRY_VERIFY(w().output().contains(u"Ended with"_s));
    w().press(Qt::Key_F, Qt::ControlModifier);
    w().type(u"self"_s);
    take(u"error"_s);
}

void TestScreenshots::files()
{
    const auto session = std::make_shared<FakeFiles>();
    session->add(u"/sandbox/data/measurements.csv"_s,
        "station,time,temperature,humidity\nnorth,08:00,11.4,81\nnorth,09:00,12.9,77\nsouth,08:00,"
        "13.1,70\nsouth,09:00,14.8,66\n");
    session->add(u"/sandbox/data/raw/north.txt"_s, QByteArray(12'345, 'x'));
    session->add(u"/sandbox/estimate.py"_s, program);
    session->add(u"/sandbox/plot.svg"_s,
        R"(<svg xmlns="http://www.w3.org/2000/svg" width="480" height="300"><rect width="480" height="300" fill="#f6f8fa"/><polyline points="20,250 100,180 180,200 260,110 340,130 440,40" fill="none" stroke="#0969da" stroke-width="4"/></svg>)");
    show(UiSettings::ColourScheme::Light, [session](const Target&, const QString&) {
        return Result<std::shared_ptr<Engine>>(session);
    });
    w().part<QPushButton>("beginSession")->click();
    auto* view = w().window().files()->view();
    QTRY_COMPARE(view->model()->rowCount(), 3);
    view->expandAll();
    QTRY_VERIFY(view->model()->rowCount(view->model()->index(0, 0)) == 2);
    view->expandAll();
    const auto open = [&](const QModelIndex& index) {
        const int tabs = w().window().tabs()->count();
        view->setCurrentIndex(index);
        w().part<QAction>("filesOpen")->trigger();
        QTRY_COMPARE(w().window().tabs()->count(), tabs + 1);
    };
    open(view->model()->index(2, 0));
    take(u"files-image"_s);
    open(view->model()->index(1, 0, view->model()->index(0, 0)));
    take(u"files-table"_s);
}

void TestScreenshots::history()
{
    show(UiSettings::ColourScheme::Dark);
    runWith(output, 0);
    runWith(QByteArray(output).replace("3.14338", "3.14007").replace("3.14211", "3.14190"), 0);
    runWith("Traceback (most recent call last):\nValueError: no\n", 1);
    auto* dock = w().part<QDockWidget>("historyDock");
    dock->raise();
    auto* view = w().part<QTableView>("historyView");
    view->selectRow(1);
    take(u"history"_s);
    view->selectionModel()->select(
        view->model()->index(2, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
    w().part<QPushButton>("historyCompare")->click();
    take(u"compare"_s);
}

void TestScreenshots::network()
{
    show(UiSettings::ColourScheme::Dark);
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    const auto now = QDateTime::currentDateTimeUtc();
    w().run()->result.networkLogs = {
        { now, u"GET"_s, u"api.example.org"_s, u"/v1/stations?near=52.5,13.4"_s, true,
            std::chrono::milliseconds(182), u"^api\\.example\\.org$"_s },
        { now.addSecs(1), u"CONNECT"_s, u"files.example.net"_s, std::nullopt, false, {},
            u"not allowed"_s },
        { now.addSecs(1), u"GET"_s, u"169.254.169.254"_s, u"/latest/meta-data"_s, false, {},
            u"private address"_s },
    };
    w().run()->end(0);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    w().part<QDockWidget>("networkDock")->raise();
    QFile latin(w().filePath(u"latin.py"_s));
    QVERIFY(latin.open(QIODevice::WriteOnly));
    latin.write("name = 'Stra\xdf"
                "e'\n");
    latin.close();
    w().window().openFiles({ latin.fileName() });
    take(u"network"_s);
}

void TestScreenshots::firstStart()
{
    QFETCH(UiSettings::ColourScheme, scheme);
    show(scheme, [](const Target&, const QString&) {
        return Result<std::shared_ptr<Engine>>(failure(Kind::Denied,
            u"/var/run/docker.sock may not be used by this user; join the group docker"_s));
    });
    QTRY_VERIFY(w().part<QWidget>("startPage")->isVisible());
    take(QString::fromLatin1(QTest::currentDataTag()) + u"-first-start"_s);
}

void TestScreenshots::dialogs()
{
    QFETCH(UiSettings::ColourScheme, scheme);
    show(scheme);
    const auto name = QString::fromLatin1(QTest::currentDataTag());
    QVERIFY(w().services().targets.keep({ u"1"_s, u"Lab"_s, u"https://lab.example.org:3000"_s }));
    QVERIFY(w().services().targets.keep({ u"2"_s, u"Cellar"_s, u"http://192.168.1.7:3000"_s }));
    w().engine().files[u"desk-5f1c88a0"_s];
    w().engine().files[u"nightly-report"_s];

    const auto open = [this](QAction* action, const char* dialog) {
        action->trigger();
        return w().part<QDialog>(dialog);
    };
    auto* settings = open(w().window().actions().settings, "settingsDialog");
    QTRY_VERIFY(settings->isVisible());
    take(name + u"-settings"_s, settings);
    settings->findChild<QTabWidget*>(u"settingsTabs"_s)->setCurrentIndex(1);
    take(name + u"-configuration"_s, settings);
    settings->close();

    auto* servers = open(w().window().actions().servers, "serversDialog");
    QTRY_VERIFY(servers->isVisible());
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverTest"_s), Qt::LeftButton);
    auto* message = servers->findChild<QLabel*>(u"serverMessage"_s);
    QTRY_VERIFY(!message->text().isEmpty());
    take(name + u"-servers"_s, servers);
    servers->close();

    auto* sessions = open(w().window().actions().sessions, "sessionsDialog");
    QTRY_COMPARE(sessions->findChild<QTableWidget*>(u"sessionTable"_s)->rowCount(), 2);
    take(name + u"-sessions"_s, sessions);
    sessions->close();

    auto* palette = open(w().window().actions().palette, "palette");
    QTRY_VERIFY(palette->isVisible());
    take(name + u"-palette"_s, palette);
    palette->close();

    w().editor()->insertPlainText(u"x"_s);
    w().window().actions().closeTab->trigger();
    auto* question = w().part<QDialog>("unsavedQuestion");
    QTRY_VERIFY(question->isVisible());
    take(name + u"-question"_s, question);
    question->close();
}

void TestScreenshots::images()
{
    const auto image = [](const QString& tag, qint64 megabytes, const QString& packages) {
        return QJsonObject { { u"Id"_s, u"sha256:"_s + tag }, { u"RepoTags"_s, QJsonArray { tag } },
            { u"Created"_s, QDateTime::currentSecsSinceEpoch() - megabytes * 4000 },
            { u"Size"_s, megabytes << 20 },
            { u"Labels"_s,
                QJsonObject { { u"isol8.managed"_s, u"true"_s }, { u"isol8.tag"_s, tag },
                    { u"isol8.dependencies"_s, packages } } } };
    };
    const QJsonArray all { image(u"isol8:python"_s, 232, {}), image(u"isol8:node"_s, 368, {}),
        image(u"isol8:bash"_s, 215, {}), image(u"data-science:1"_s, 1180, u"numpy pandas"_s) };
    test::FakeDocker fake;
    for (int i = 0; i < 3; ++i)
        fake.enqueueJson(200, QJsonDocument(all).toJson(QJsonDocument::Compact));
    const auto client = std::make_shared<docker::Client>(fake.endpoint());
    m_fixture = std::make_unique<WindowFixture>(EngineFactory(), [client] { return client; });
    w().window().actions().images->trigger();
    auto* dialog = w().part<QDialog>("imagesDialog");
    auto* table = dialog->findChild<QTableWidget*>(u"imageTable"_s);
    QTRY_COMPARE(table->rowCount(), 6);
    table->selectRow(2);
    take(u"images"_s, dialog);
    m_fixture.reset(); // before Docker
}

void TestScreenshots::small()
{
    show(UiSettings::ColourScheme::Dark);
    w().window().resize(1024, 700);
    w().part<QComboBox>("networkMode")->setCurrentIndex(1);
    runWith(output, 0);
    take(u"small"_s);
}

QTEST_MAIN(TestScreenshots)
#include "tst_screenshots.moc"
