// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "ui/run/runcontroller.h"

#include <QAbstractItemView>
#include <QAccessible>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableWidget>
#include <QToolButton>

#include <csignal>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The window driven by keys and clicks, with an engine that does what the test says.
class TestWindow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_fixture = std::make_unique<WindowFixture>(); }
    void cleanup() { m_fixture.reset(); }

    void runsWhatIsTyped();
    void stopEndsTheRun();
    void interruptSendsItsSignal();
    void standardInputGoesToTheProgram();
    void networkLogIsShown();
    void saysHowItEnded_data();
    void saysHowItEnded();
    void runtimeIsFoundOrAskedFor();
    void complaintGoesWhenItIsMet();
    void tracebackLeadsToTheLine();
    void asksAboutUnsavedText();
    void newTextsAreNumbered();
    void noticesChangesOnDisk();
    void unreachableTargetIsTold();
    void everythingHasAName();

private:
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindow::runsWhatIsTyped()
{
    w().page()->setFocus();
    w().type(u"print(1)"_s);
    w().part<QComboBox>("runtimeChoice")->setFocus();
    w().press(Qt::Key_P);
    QTRY_COMPARE(w().part<QComboBox>("runtimeChoice")->currentText(), u"Python"_s);
    w().press(Qt::Key_Return, Qt::ControlModifier);
    QTRY_VERIFY(w().run());
    QCOMPARE(w().run()->request.code, "print(1)"_ba);
    QCOMPARE(w().run()->request.runtime, Runtime::Python);
    QVERIFY(!w().window().actions().run->isEnabled());
    w().run()->give("1\n");
    QTRY_COMPARE(w().output(), u"1"_s);
    QVERIFY(w().status().contains(u"is running"_s));
    w().run()->end(0);
    QTRY_VERIFY(w().status().startsWith(u"Finished"_s));
    QVERIFY(w().window().actions().run->isEnabled());
}

void TestWindow::stopEndsTheRun()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "while True: pass\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().press(Qt::Key_F5, Qt::ShiftModifier);
    QTRY_COMPARE(w().status().section(u"  "_s, 0, 0), u"Stopped"_s);
    QTRY_VERIFY(!w().run());
}

void TestWindow::interruptSendsItsSignal()
{
    QVERIFY(!w().window().actions().interrupt->isEnabled());
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().window().actions().interrupt->trigger();
    QCOMPARE(w().run()->signalNumbers, QList<int> { SIGINT });
    QVERIFY(w().window().runs()->isRunning());
}

void TestWindow::networkLogIsShown()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->result.networkLogs = {
        { QDateTime::currentDateTimeUtc(), u"GET"_s, u"example.org"_s, u"/a"_s, true,
            std::chrono::milliseconds(12), u"^example"_s },
        { QDateTime::currentDateTimeUtc(), u"CONNECT"_s, u"evil\u202e.test:443"_s, std::nullopt,
            false, {}, u"private address"_s },
    };
    w().run()->end(0);
    auto* log = w().part<QTableWidget>("networkLog");
    QTRY_COMPARE(log->rowCount(), 2);
    QVERIFY(log->item(0, 1)->text().contains(u"allowed"_s));
    QVERIFY(log->item(1, 1)->text().contains(u"refused"_s));
    QCOMPARE(log->item(1, 3)->text(), u"evil\\u202e.test:443"_s);
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->end(0);
    QTRY_COMPARE(log->rowCount(), 0);
}

void TestWindow::standardInputGoesToTheProgram()
{
    w().window().openFiles({ w().writeFile(u"a.sh"_s, "cat\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    auto* line = w().part<QLineEdit>("inputLine");
    QTRY_VERIFY(line->isVisible());
    line->setFocus();
    w().type(u"hello\n"_s);
    QCOMPARE(w().run()->stdinBytes, "hello\n"_ba);
    QVERIFY(!w().run()->isStdinClosed);
    w().press(Qt::Key_D, Qt::ControlModifier);
    QVERIFY(w().run()->isStdinClosed);
    QVERIFY(!line->isVisible());
}

void TestWindow::saysHowItEnded_data()
{
    QTest::addColumn<EndReason>("reason");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("expected");
    QTest::newRow("good") << EndReason::Exited << 0 << u"Finished"_s;
    QTest::newRow("code") << EndReason::Exited << 3 << u"Ended with exit code 3"_s;
    QTest::newRow("time") << EndReason::Timeout << 137 << u"Timed out"_s;
    QTest::newRow("memory") << EndReason::OutOfMemory << 137 << u"Out of memory"_s;
    QTest::newRow("lost") << EndReason::EngineLost << 1
                          << u"The connection to the sandbox was lost"_s;
}

void TestWindow::saysHowItEnded()
{
    QFETCH(EndReason, reason);
    QFETCH(int, exitCode);
    QFETCH(QString, expected);
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->result.ending.reason = reason;
    w().run()->end(exitCode);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    QVERIFY2(w().status().startsWith(expected), qPrintable(w().status()));
    QVERIFY(w().output().contains(expected));
}

void TestWindow::runtimeIsFoundOrAskedFor()
{
    w().window().openFiles({ w().writeFile(u"notes.txt"_s, "x\n") });
    w().press(Qt::Key_F5);
    QCOMPARE(w().engine().startCount, 0);
    QTRY_VERIFY(w().page()->findChild<QLabel*>(u"messageText"_s)->isVisible());
    QVERIFY(w().page()->findChild<QLabel*>(u"messageText"_s)->text().contains(u"notes.txt"_s));
    w().window().openFiles({ w().writeFile(u"a.mjs"_s, "x\n") });
    QVERIFY(w().part<QComboBox>("runtimeChoice")->currentText().contains(u"Node.js"_s));
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    QCOMPARE(w().run()->request.runtime, Runtime::Node);
    QCOMPARE(w().run()->request.fileExtension, u".mjs"_s);
}

void TestWindow::complaintGoesWhenItIsMet()
{
    w().window().openFiles({ w().writeFile(u"notes.txt"_s, "x\n") });
    w().press(Qt::Key_F5);
    auto* text = w().page()->findChild<QLabel*>(u"messageText"_s);
    QTRY_VERIFY(text->isVisible());
    w().part<QComboBox>("runtimeChoice")->setFocus();
    w().press(Qt::Key_P);
    QTRY_COMPARE(w().part<QComboBox>("runtimeChoice")->currentText(), u"Python"_s);
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    QVERIFY(!text->isVisible());
}

void TestWindow::tracebackLeadsToTheLine()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "1\n2\n3\n4\n") });
    w().press(Qt::Key_F5);
    QTRY_VERIFY(w().run());
    w().run()->give(
        "Traceback (most recent call last):\n  File \"/sandbox/main.py\", line 3, in f\n",
        Channel::Stderr);
    w().run()->end(1);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    w().press(Qt::Key_F8);
    QCOMPARE(w().editor()->textCursor().blockNumber(), 2);
    QVERIFY(w().editor()->hasFocus());

    // The same with the mouse.
    w().editor()->goToLine(1);
    auto* view = w().window().output()->view();
    const auto row = view->lineRect(view->buffer().firstLine() + 1);
    QVERIFY(!row.isEmpty());
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {},
        row.topLeft() + QPoint(view->fontMetrics().averageCharWidth() * 12, row.height() / 2));
    QCOMPARE(w().editor()->textCursor().blockNumber(), 2);
}

void TestWindow::asksAboutUnsavedText()
{
    const auto path = w().writeFile(u"a.py"_s, "old\n");
    w().window().openFiles({ path });
    w().type(u"x"_s);
    QVERIFY(w().page()->isModified());
    w().press(Qt::Key_W, Qt::ControlModifier);
    auto* question = w().window().findChild<QMessageBox*>(u"unsavedQuestion"_s);
    QTRY_VERIFY(question && question->isVisible());
    QTest::mouseClick(question->button(QMessageBox::Cancel), Qt::LeftButton);
    QTRY_VERIFY(!w().window().findChild<QMessageBox*>(u"unsavedQuestion"_s));
    QVERIFY(w().page()->isModified());

    QSignalSpy ended(&w().window(), &MainWindow::ended);
    w().window().close();
    question = w().window().findChild<QMessageBox*>(u"unsavedQuestion"_s);
    QTRY_VERIFY(question && question->isVisible());
    QTest::mouseClick(question->button(QMessageBox::Save), Qt::LeftButton);
    QTRY_COMPARE(ended.size(), 1);
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), "xold\n"_ba);
    QVERIFY(w().engine().isShutDown);
}

void TestWindow::newTextsAreNumbered()
{
    const auto titles = [this] {
        QStringList all;
        for (const auto* page : w().window().tabs()->pages())
            all << page->title();
        return all;
    };
    QCOMPARE(titles(), QStringList { u"Untitled"_s });
    w().press(Qt::Key_N, Qt::ControlModifier);
    w().press(Qt::Key_N, Qt::ControlModifier);
    QCOMPARE(titles(), (QStringList { u"Untitled"_s, u"Untitled 2"_s, u"Untitled 3"_s }));
    w().window().tabs()->closeTab(0);
    w().press(Qt::Key_N, Qt::ControlModifier);
    QCOMPARE(titles(), (QStringList { u"Untitled 2"_s, u"Untitled 3"_s, u"Untitled"_s }));
    w().window().tabs()->setCurrentIndex(0);
    w().editor()->setFocus();
    w().type(u"x"_s);
    w().press(Qt::Key_W, Qt::ControlModifier);
    auto* question = w().window().findChild<QMessageBox*>(u"unsavedQuestion"_s);
    QTRY_VERIFY(question && question->isVisible());
    QVERIFY2(question->text().contains(u"“Untitled 2”"_s), qPrintable(question->text()));
    QTest::mouseClick(question->button(QMessageBox::Discard), Qt::LeftButton);
    QTRY_COMPARE(titles(), (QStringList { u"Untitled 3"_s, u"Untitled"_s }));
}

void TestWindow::noticesChangesOnDisk()
{
    const auto path = w().writeFile(u"a.py"_s, "old\n");
    w().window().openFiles({ path });
    w().writeFile(u"a.py"_s, "newer text\n");
    QTRY_COMPARE(w().editor()->toPlainText(), u"newer text\n"_s);
    w().type(u"x"_s);
    w().writeFile(u"a.py"_s, "a third text\n");
    auto* text = w().page()->findChild<QLabel*>(u"messageText"_s);
    QTRY_VERIFY(text->isVisible() && text->text().contains(u"changed by another program"_s));
    QCOMPARE(w().editor()->toPlainText(), u"xnewer text\n"_s);
    QFile::remove(path);
    QTRY_VERIFY(text->text().contains(u"is gone"_s));
}

void TestWindow::unreachableTargetIsTold()
{
    m_fixture = std::make_unique<WindowFixture>([](const Target&, const QString&) {
        return Result<std::shared_ptr<Engine>>(
            failure(Kind::Unreachable, u"Docker does not answer"_s));
    });
    QTRY_VERIFY(w().part<QToolButton>("targetHealth")->text().contains(u"not available"_s));
    QVERIFY(w().part<QToolButton>("targetHealth")->toolTip().contains(u"does not answer"_s));
    w().window().openFiles({ w().writeFile(u"a.py"_s, "x\n") });
    w().press(Qt::Key_F5);
    QVERIFY(
        w().page()
            ->findChild<QLabel*>(u"messageText"_s)
            ->text()
            .contains(u"Docker does not answer"_s));
}

/// Whoever cannot see the window has to be able to tell its controls apart.
void TestWindow::everythingHasAName()
{
    QStringList nameless;
    for (auto* widget : w().window().findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith(u"qt_"_s)
            || widget->isHidden() || widget->window() != &w().window())
            continue;
        auto* accessible = QAccessible::queryAccessibleInterface(widget);
        const bool isControl = qobject_cast<QAbstractButton*>(widget)
            || qobject_cast<QLineEdit*>(widget) || qobject_cast<QComboBox*>(widget)
            || qobject_cast<QPlainTextEdit*>(widget) || qobject_cast<QAbstractItemView*>(widget);
        if (isControl && accessible && accessible->text(QAccessible::Name).isEmpty())
            nameless << u"%1 %2"_s.arg(
                QLatin1StringView(widget->metaObject()->className()), widget->objectName());
    }
    QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(u", "_s)));
}

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
