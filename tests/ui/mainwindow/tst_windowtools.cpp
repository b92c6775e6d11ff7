// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "engine/core/settings.h"
#include "engine/docker/client.h"
#include "tests/support/fakedocker.h"
#include "ui/files/sessionchoice.h"
#include "ui/images/imagesdialog.h"
#include "ui/mainwindow/commandpalette.h"
#include "ui/run/runcontroller.h"
#include "ui/settings/settingsdialog.h"
#include "ui/start/startpage.h"
#include "ui/targets/connection.h"
#include "ui/targets/serversdialog.h"
#include "ui/targets/sessionsdialog.h"

#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableWidget>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Servers, sessions, settings, the palette and the first start, by keys and clicks.
class TestWindowTools : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { open(); }
    void cleanup() { m_fixture.reset(); }

    void addsTestsAndUsesAServer();
    void unreachableServerIsTold();
    void editsAndRemovesAServer();
    void usesTheNewKeyOfAServer();
    void removedServerGivesWayToThisComputer();
    void sessionsAreAttachedAndStopped();
    void paletteFindsCommands();
    void settingsChangeTheWindow();
    void configurationIsChecked();
    void layoutIsRemembered();
    void firstStartSaysWhatIsMissing_data();
    void firstStartSaysWhatIsMissing();
    void stoppedDockerIsStarted();
    void missingImagesAreOffered();
    void tellsMissingFromStopped();

private:
    void open();
    template <typename Dialog> Dialog* dialog()
    {
        auto* found = w().window().findChild<Dialog*>();
        if (!found || !QTest::qWaitFor([found] { return found->isVisible(); }))
            qFatal("there is no such dialog");
        return found;
    }
    void fill(QWidget* dialog, const char* name, const QString& text);
    void checkSettings();
    WindowFixture& w() { return *m_fixture; }

    QStringList m_asked; ///< Addresses and keys that engines were made for.
    std::optional<Error> m_refusal; ///< Of servers.
    std::shared_ptr<FakeEngine> m_engine;
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowTools::open()
{
    m_asked.clear();
    m_refusal.reset();
    m_engine = std::make_shared<FakeEngine>();
    m_fixture = std::make_unique<WindowFixture>(
        [this](const Target& target, const QString& key) -> Result<std::shared_ptr<Engine>> {
            m_asked << target.address + u' ' + key;
            if (m_refusal)
                return std::unexpected(*m_refusal);
            return m_engine;
        });
}

void TestWindowTools::fill(QWidget* dialog, const char* name, const QString& text)
{
    auto* line = dialog->findChild<QLineEdit*>(QLatin1StringView(name));
    line->setFocus();
    line->selectAll();
    QTest::keyClicks(line, text);
}

void TestWindowTools::addsTestsAndUsesAServer()
{
    w().window().actions().servers->trigger();
    auto* servers = dialog<ServersDialog>();
    fill(servers, "serverName", u"Lab"_s);
    fill(servers, "serverAddress", u"http://lab.test:3000"_s);
    fill(servers, "serverKey", u"the-key"_s);
    auto* message = servers->findChild<QLabel*>(u"serverMessage"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverTest"_s), Qt::LeftButton);
    QTRY_VERIFY(message->text().contains(u"It answers"_s));
    QVERIFY(message->text().contains(u"not encrypted"_s));
    QVERIFY(m_asked.contains(u"http://lab.test:3000 the-key"_s));
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    QTRY_VERIFY(message->text().contains(u"only you can read"_s));
    servers->close();

    auto* choice = w().part<QComboBox>("targetChoice");
    QTRY_COMPARE(choice->count(), 2);
    choice->setFocus();
    QTest::keyClick(choice, Qt::Key_Down);
    QTRY_COMPARE(w().window().connection()->target().name, u"Lab"_s);
    QTRY_COMPARE(m_asked.constLast(), u"http://lab.test:3000 the-key"_s);

    // It is the one after a restart as well.
    w().restart();
    QTRY_COMPARE(w().window().connection()->target().name, u"Lab"_s);
    QTRY_COMPARE(w().part<QComboBox>("targetChoice")->currentText(), u"Lab"_s);
}

void TestWindowTools::unreachableServerIsTold()
{
    w().window().actions().servers->trigger();
    auto* servers = dialog<ServersDialog>();
    fill(servers, "serverName", u"Lab"_s);
    fill(servers, "serverAddress", u"nonsense"_s);
    fill(servers, "serverKey", u"k"_s);
    auto* message = servers->findChild<QLabel*>(u"serverMessage"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    QTRY_VERIFY(message->text().startsWith(u"✗"_s));
    m_refusal = Error { Kind::Unreachable, u"connection refused"_s };
    fill(servers, "serverAddress", u"https://lab.test"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverTest"_s), Qt::LeftButton);
    QTRY_VERIFY(message->text().contains(u"connection refused"_s));
    servers->close();
}

void TestWindowTools::editsAndRemovesAServer()
{
    QVERIFY(w().services().targets.keep({ u"1"_s, u"Lab"_s, u"https://lab.test"_s }));
    w().window().actions().servers->trigger();
    auto* servers = dialog<ServersDialog>();
    QCOMPARE(servers->findChild<QLineEdit*>(u"serverName"_s)->text(), u"Lab"_s);
    fill(servers, "serverName", u"Cellar"_s);
    fill(servers, "serverKey", u"k"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    QTRY_COMPARE(w().services().targets.find(u"1"_s).name, u"Cellar"_s);
    QTRY_COMPARE(w().part<QComboBox>("targetChoice")->itemText(1), u"Cellar"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverRemove"_s), Qt::LeftButton);
    QTRY_COMPARE(w().services().targets.targets().size(), 1);
    QTRY_COMPARE(w().part<QComboBox>("targetChoice")->count(), 1);
    QVERIFY(!servers->findChild<QPushButton*>(u"serverRemove"_s)->isEnabled());
    servers->close();
}

void TestWindowTools::usesTheNewKeyOfAServer()
{
    QVERIFY(w().services().targets.keep({ u"1"_s, u"Lab"_s, u"https://lab.test"_s }));
    bool isKept = false;
    w().services().keys.keep(u"1"_s, u"old"_s, [&isKept](const auto& place) { isKept = !!place; });
    QTRY_VERIFY(isKept);
    auto* choice = w().part<QComboBox>("targetChoice");
    choice->setFocus();
    QTest::keyClick(choice, Qt::Key_Down);
    QTRY_COMPARE(m_asked.value(m_asked.size() - 1), u"https://lab.test old"_s);

    w().window().actions().servers->trigger();
    auto* servers = dialog<ServersDialog>();
    auto* key = servers->findChild<QLineEdit*>(u"serverKey"_s);
    QTRY_COMPARE(key->text(), u"old"_s);
    fill(servers, "serverKey", u"new"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    QTRY_COMPARE(m_asked.constLast(), u"https://lab.test new"_s);
    QCOMPARE(key->text(), u"new"_s);

    // Closed before the store has answered.
    fill(servers, "serverKey", u"newer"_s);
    QTest::mouseClick(servers->findChild<QPushButton*>(u"serverSave"_s), Qt::LeftButton);
    delete servers;
    QTRY_COMPARE(m_asked.constLast(), u"https://lab.test newer"_s);
}

void TestWindowTools::removedServerGivesWayToThisComputer()
{
    QVERIFY(w().services().targets.keep({ u"1"_s, u"Lab"_s, u"https://lab.test"_s }));
    auto* choice = w().part<QComboBox>("targetChoice");
    QTRY_COMPARE(choice->count(), 2);
    choice->setFocus();
    QTest::keyClick(choice, Qt::Key_Down);
    QTRY_COMPARE(w().window().connection()->target().name, u"Lab"_s);
    w().services().targets.remove(u"1"_s);
    QTRY_VERIFY(w().window().connection()->target().isLocal());
    QCOMPARE(choice->count(), 1);
}

void TestWindowTools::sessionsAreAttachedAndStopped()
{
    m_engine->files[u"mine"_s];
    m_engine->files[u"other"_s];
    w().window().actions().sessions->trigger();
    auto* sessions = dialog<SessionsDialog>();
    auto* table = sessions->findChild<QTableWidget*>(u"sessionTable"_s);
    QTRY_COMPARE(table->rowCount(), 2);
    table->selectRow(1);
    QTest::mouseClick(sessions->findChild<QPushButton*>(u"sessionStop"_s), Qt::LeftButton);
    QTRY_COMPARE(table->rowCount(), 1);
    table->selectRow(0);
    QTest::mouseClick(sessions->findChild<QPushButton*>(u"sessionAttach"_s), Qt::LeftButton);
    QTRY_COMPARE(w().window().session()->current(), u"mine"_s);
    QVERIFY(w().window().actions().session->isChecked());
}

void TestWindowTools::paletteFindsCommands()
{
    w().page()->setFocus();
    w().press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    auto* palette = dialog<CommandPalette>();
    auto* filter = palette->findChild<QLineEdit*>(u"paletteFilter"_s);
    QTest::keyClicks(filter, u"newx"_s);
    QCOMPARE(palette->findChild<QListWidget*>()->count(), 0);
    filter->setText(u"wraplong"_s);
    QCOMPARE(palette->findChild<QListWidget*>()->count(), 1);
    QTest::keyClick(filter, Qt::Key_Return);
    QTRY_VERIFY(w().services().settings.values().isWrapping);
    QTRY_VERIFY(!w().window().findChild<CommandPalette*>());
}

void TestWindowTools::settingsChangeTheWindow()
{
    w().window().actions().settings->trigger();
    auto* settings = dialog<SettingsDialog>();
    settings->findChild<QSpinBox*>(u"settingFontSize"_s)->setValue(20);
    settings->findChild<QComboBox*>(u"settingScheme"_s)->setCurrentIndex(2);
    settings->accept(); // closes without saving: the button saves
    QCOMPARE(w().services().settings.values().fontSize, 0);
    w().window().actions().settings->trigger();
    QTRY_COMPARE(w().window().findChildren<SettingsDialog*>().size(), 1);
    settings = dialog<SettingsDialog>();
    settings->findChild<QSpinBox*>(u"settingFontSize"_s)->setValue(20);
    settings->findChild<QSpinBox*>(u"settingIndent"_s)->setValue(3);
    settings->findChild<QSpinBox*>(u"settingScrollBack"_s)->setValue(1000);
    settings->findChild<QSpinBox*>(u"settingHistory"_s)->setValue(5);
    settings->findChild<QComboBox*>(u"settingScheme"_s)->setCurrentIndex(2);
    QTest::keyClick(settings, Qt::Key_Return);
    QTRY_COMPARE(w().services().settings.values().fontSize, 20);
    checkSettings();
    w().press(Qt::Key_Z, Qt::ControlModifier); // Nothing to be asked about.
    w().restart();
    checkSettings();
}

/// Of settingsChangeTheWindow().
void TestWindowTools::checkSettings()
{
    w().activate();
    QCOMPARE(w().editor()->font().pointSize(), 20);
    w().page()->setFocus();
    w().press(Qt::Key_Tab);
    QCOMPARE(w().editor()->toPlainText(), u"   "_s);
    auto* view = w().window().output()->view();
    view->clear();
    view->append(Channel::Stdout, (QByteArray(39, 'x') + '\n').repeated(10'000));
    QCOMPARE_LT(view->buffer().endLine() - view->buffer().firstLine(), 5000);
    const auto& values = w().services().settings.values();
    QCOMPARE(values.colourScheme, UiSettings::ColourScheme::Dark);
    QCOMPARE(values.historyMegabytes, 5);
}

void TestWindowTools::configurationIsChecked()
{
    const auto path = w().services().places.home + u"/.isol8/config.json"_s;
    w().window().actions().settings->trigger();
    auto* settings = dialog<SettingsDialog>();
    auto* memory = settings->findChild<QLineEdit*>(u"config.defaults.memoryLimit"_s);
    QVERIFY(memory);
    memory->selectAll();
    QTest::keyClicks(memory, u"many"_s);
    QTest::keyClick(settings, Qt::Key_Return);
    QVERIFY(settings->isVisible());
    QVERIFY(settings->findChild<QLabel*>(u"settingsMessage"_s)->text().contains(u"memoryLimit"_s));
    QVERIFY(!QFile::exists(path));
    memory->selectAll();
    QTest::keyClicks(memory, u"128m"_s);
    QTest::keyClick(settings, Qt::Key_Return);
    QTRY_VERIFY(QFile::exists(path));
    const auto loaded = loadSettingsFile(path);
    QVERIFY2(loaded, loaded ? "" : qPrintable(loaded.error().message));
    QCOMPARE(loaded->settings.defaults.memoryLimitBytes, 128 << 20);
    QCOMPARE(w().services().runSettings.defaults().options.memoryLimitBytes, 128 << 20);
}

void TestWindowTools::layoutIsRemembered()
{
    auto* dock = w().part<QDockWidget>("optionsDock");
    QVERIFY(dock->isVisible());
    dock->hide();
    w().window().resize(790, 640);
    const auto size = w().window().size();
    QSignalSpy ended(&w().window(), &MainWindow::ended);
    w().window().close();
    QTRY_COMPARE(ended.size(), 1);
    w().restart();
    QVERIFY(!w().part<QDockWidget>("optionsDock")->isVisible());
    QCOMPARE(w().window().size(), size);
}

void TestWindowTools::firstStartSaysWhatIsMissing_data()
{
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("command");
    QTest::newRow("no permission") << Kind::Denied << u"usermod"_s;
    QTest::newRow("broken") << Kind::Protocol << u"isol8 doctor"_s;
}

void TestWindowTools::firstStartSaysWhatIsMissing()
{
    QFETCH(Kind, kind);
    QFETCH(QString, command);
    m_refusal = Error { kind, u"because"_s };
    w().window().connection()->choose(localTarget());
    auto* page = w().part<StartPage>("startPage");
    QTRY_VERIFY(page->isVisible());
    QVERIFY(page->findChild<QPlainTextEdit*>(u"startCommand"_s)->toPlainText().contains(command));
    m_refusal.reset();
    QTest::mouseClick(page->findChild<QPushButton*>(u"startAgain"_s), Qt::LeftButton);
    QTRY_VERIFY(!page->isVisible());
    QVERIFY(w().window().connection()->engine());
}

/// With programs in place of pkexec and Docker's.
void TestWindowTools::stoppedDockerIsStarted()
{
    const QTemporaryDir programs;
    const auto write = [&programs](const QString& name, const QByteArray& script) {
        QFile file(programs.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write("#!/bin/sh\n" + script) < 0)
            qFatal("cannot write a program");
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    };
    const auto note = programs.filePath(u"asked"_s);
    write(u"pkexec"_s, "echo \"$@\" > '" + note.toUtf8() + "'\n");
    write(u"systemctl"_s, "");
    write(u"docker"_s, "");
    const auto path = qgetenv("PATH");
    qputenv("PATH", programs.path().toUtf8() + ':' + path);
    const auto restore = qScopeGuard([&path] { qputenv("PATH", path); });

    m_refusal = Error { Kind::Unreachable, u"nobody listens at the socket"_s };
    w().window().connection()->choose(localTarget());
    auto* page = w().part<StartPage>("startPage");
    QTRY_VERIFY(page->isVisible());
    QCOMPARE(page->problem(), StartPage::Problem::DockerStopped);
    auto* fix = page->findChild<QPushButton*>(u"startFix"_s);
    QVERIFY(fix->isVisible());
    m_refusal.reset();
    QTest::mouseClick(fix, Qt::LeftButton);
    QTRY_VERIFY(!page->isVisible());
    QFile asked(note);
    QVERIFY(asked.open(QIODevice::ReadOnly));
    QCOMPARE(asked.readAll(), "systemctl start docker\n"_ba);
}

void TestWindowTools::missingImagesAreOffered()
{
    test::FakeDocker fake;
    fake.enqueueJson(200, "[]");
    fake.enqueueJson(200, "[]");
    const auto client = std::make_shared<docker::Client>(fake.endpoint());
    m_fixture = std::make_unique<WindowFixture>(
        [this](
            const Target&, const QString&) -> Result<std::shared_ptr<Engine>> { return m_engine; },
        [client] { return client; });
    auto* page = w().part<StartPage>("startPage");
    QTRY_VERIFY(page->isVisible());
    QCOMPARE(page->problem(), StartPage::Problem::NoImages);
    QTest::mouseClick(page->findChild<QPushButton*>(u"startFix"_s), Qt::LeftButton);
    auto* images = dialog<ImagesDialog>();
    auto* table = images->findChild<QTableWidget*>(u"imageTable"_s);
    QTRY_COMPARE(table->rowCount(), 5);
    QCOMPARE(table->item(0, 2)->text(), u"not built"_s);
    m_fixture.reset(); // before Docker
}

void TestWindowTools::tellsMissingFromStopped()
{
    const QTemporaryDir none;
    const QTemporaryDir some;
    QFile program(some.filePath(u"dockerd"_s));
    QVERIFY(program.open(QIODevice::WriteOnly));
    program.setPermissions(QFile::ReadOwner | QFile::ExeOwner);
    program.close();
    const Error error { Kind::Unreachable, u"nobody listens"_s };
    QCOMPARE(StartPage::problemOf(error, { none.path() }), StartPage::Problem::DockerMissing);
    QCOMPARE(StartPage::problemOf(error, { none.path(), some.path() }),
        StartPage::Problem::DockerStopped);
}

QTEST_MAIN(TestWindowTools)
#include "tst_windowtools.moc"
