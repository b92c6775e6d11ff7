// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "ui/run/runoptionspanel.h"
#include "ui/widgets/checkedline.h"
#include "ui/widgets/pairstable.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStyledItemDelegate>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The dock of run options: what is chosen there is what runs, for each file.
class TestWindowOptions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_fixture.reset(); }

    void limitsReachTheRun();
    void badLimitIsMarkedAndNotUsed();
    void everyOptionReachesTheRun();
    void secretsAreMaskedAndForgotten();
    void networkListsAreTriedWhileTyping();
    void optionsBelongToTheirFile();
    void backToTheDefaults();
    void copiesCommandLineAndCurl();

private:
    void replace(const char* name, const QString& text);
    [[nodiscard]] FakeRun* start();
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowOptions::init()
{
    m_fixture = std::make_unique<WindowFixture>();
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
}

void TestWindowOptions::replace(const char* name, const QString& text)
{
    auto* line = w().part<QLineEdit>(name);
    line->setFocus();
    line->selectAll();
    QTest::keyClicks(line, text);
}

FakeRun* TestWindowOptions::start()
{
    const auto before = w().engine().startCount;
    w().window().actions().run->trigger();
    if (w().engine().startCount != before + 1)
        qFatal("nothing was started: %s", qPrintable(w().sentence()));
    return w().run();
}

void TestWindowOptions::limitsReachTheRun()
{
    replace("limitTime", u"5s"_s);
    replace("limitMemory", u"64m"_s);
    replace("limitCores", u"0.5"_s);
    replace("limitProcesses", u"9"_s);
    const auto& options = start()->options;
    QCOMPARE(options.timeout, std::chrono::seconds(5));
    QCOMPARE(options.memoryLimitBytes, 64 << 20);
    QCOMPARE(options.cpuLimit, 0.5);
    QCOMPARE(options.pidsLimit, 9);
}

void TestWindowOptions::badLimitIsMarkedAndNotUsed()
{
    replace("limitMemory", u"-5x"_s);
    auto* line = w().part<CheckedLine>("limitMemory");
    QVERIFY(!line->isGood());
    QVERIFY(!line->accessibleDescription().isEmpty());
    QCOMPARE(start()->options.memoryLimitBytes, ExecutionOptions().memoryLimitBytes);
}

void TestWindowOptions::everyOptionReachesTheRun()
{
    w().part<QPlainTextEdit>("runArguments")->setPlainText(u"-v\ntwo words\n"_s);
    replace("runDirectory", u"/sandbox/x"_s);
    w().part<PairsTable>("runEnvironment")->item(0, 0)->setText(u"MODE"_s);
    w().part<PairsTable>("runEnvironment")->item(0, 1)->setText(u"test"_s);
    w().part<QCheckBox>("runWritable")->click();
    w().part<QCheckBox>("runInputLive")->click();
    w().part<QPlainTextEdit>("runInput")->setPlainText(u"line\n"_s);
    replace("runPackages", u"numpy, pandas"_s);
    w().part<QPlainTextEdit>("runSetup")->setPlainText(u"echo hi"_s);
    replace("runImage", u"mine:1"_s);
    auto* run = start();
    QCOMPARE(run->request.arguments, (QStringList { u"-v"_s, u"two words"_s }));
    QCOMPARE(run->request.workingDirectory, u"/sandbox/x"_s);
    QCOMPARE(run->request.environment, (QMap<QString, QString> { { u"MODE"_s, u"test"_s } }));
    QVERIFY(!run->options.isRootReadOnly);
    QCOMPARE(run->request.stdinData, "line\n"_ba);
    QVERIFY(!run->request.isStdinLive);
    QCOMPARE(run->request.installPackages, (QStringList { u"numpy"_s, u"pandas"_s }));
    QCOMPARE(run->request.setupScript, u"echo hi"_s);
    QCOMPARE(run->options.image, u"mine:1"_s);
    QVERIFY(!w().part<QLineEdit>("inputLine")->isVisible());
}

void TestWindowOptions::secretsAreMaskedAndForgotten()
{
    auto* table = w().part<PairsTable>("runSecrets");
    table->item(0, 0)->setText(u"TOKEN"_s);
    table->item(0, 1)->setText(u"s3cret-value"_s);
    QCOMPARE(table->rowCount(), 2);
    auto* delegate = qobject_cast<QStyledItemDelegate*>(table->itemDelegateForColumn(1));
    QVERIFY(delegate);
    QVERIFY(!delegate->displayText(u"s3cret-value"_s, QLocale()).contains(u"s3cret"_s));
    QCOMPARE(start()->options.secrets.value(u"TOKEN"_s), u"s3cret-value"_s);
    w().run()->end(0);
    w().restart();
    w().window().openFiles({ w().filePath(u"a.py"_s) });
    table = w().part<PairsTable>("runSecrets");
    QCOMPARE(table->item(0, 0)->text(), u"TOKEN"_s);
    QCOMPARE(table->item(0, 1)->text(), QString());
}

void TestWindowOptions::networkListsAreTriedWhileTyping()
{
    auto* mode = w().part<QComboBox>("networkMode");
    auto* verdict = w().part<QLabel>("networkVerdict");
    QVERIFY(!verdict->isVisible());
    mode->setCurrentIndex(1);
    QTRY_VERIFY(verdict->isVisible());
    w().part<QPlainTextEdit>("networkAllow")->setPlainText(u"^example\\.org$"_s);
    replace("networkHost", u"example.org"_s);
    QVERIFY2(verdict->text().contains(u"Allowed"_s), qPrintable(verdict->text()));
    replace("networkHost", u"evil.test"_s);
    QVERIFY(verdict->text().contains(u"Refused"_s));
    w().part<QPlainTextEdit>("networkDeny")->setPlainText(u"("_s);
    QVERIFY(verdict->text().contains(u"Not a regular expression"_s));
    w().part<QPlainTextEdit>("networkDeny")->setPlainText(u"x"_s);
    const auto& options = start()->options;
    QCOMPARE(options.network, NetworkMode::Filtered);
    QCOMPARE(options.networkFilter.allow, QStringList { u"^example\\.org$"_s });
    QCOMPARE(options.networkFilter.deny, QStringList { u"x"_s });
}

void TestWindowOptions::optionsBelongToTheirFile()
{
    replace("limitMemory", u"64m"_s);
    w().window().openFiles({ w().writeFile(u"b.py"_s, "x\n") });
    QCOMPARE(w().part<QLineEdit>("limitMemory")->text(), u"512m"_s);
    replace("limitMemory", u"32m"_s);
    w().window().openFiles({ w().filePath(u"a.py"_s) });
    w().page()->setFocus();
    QCOMPARE(start()->options.memoryLimitBytes, 64 << 20);
    w().run()->end(0);
    w().restart();
    w().window().openFiles({ w().filePath(u"b.py"_s) });
    QCOMPARE(w().part<QLineEdit>("limitMemory")->text(), u"32m"_s);
}

void TestWindowOptions::backToTheDefaults()
{
    replace("limitMemory", u"64m"_s);
    w().part<QPushButton>("resetOptionsButton")->setFocus();
    w().part<QPushButton>("resetOptionsButton")->click();
    QCOMPARE(w().part<QLineEdit>("limitMemory")->text(), u"512m"_s);
    QCOMPARE(start()->options.memoryLimitBytes, 512 << 20);
}

void TestWindowOptions::copiesCommandLineAndCurl()
{
    replace("limitTime", u"5s"_s);
    w().part<QPushButton>("copyCommandLineButton")->click();
    const auto line = QApplication::clipboard()->text();
    QVERIFY2(line.startsWith(u"isol8 run %1"_s.arg(w().filePath(u"a.py"_s))), qPrintable(line));
    QVERIFY(line.contains(u"--timeout 5000"_s));
    w().part<QPushButton>("copyCurlButton")->click();
    QVERIFY(QApplication::clipboard()->text().startsWith(u"curl "_s));
}

QTEST_MAIN(TestWindowOptions)
#include "tst_windowoptions.moc"
