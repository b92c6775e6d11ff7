// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "ui/history/comparepage.h"
#include "ui/history/historypanel.h"
#include "ui/run/runcontroller.h"

#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QTableView>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The history in the window: runs come into it and out of it.
class TestWindowHistory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_fixture.reset(); }

    void runsAreListed();
    void opensWhatWasRun();
    void runsItAgain();
    void comparesTwo();
    void findsAndDeletes();
    void deletesAllWhenSure();

private:
    void run(const QByteArray& code, const QByteArray& output, int exitCode = 0);
    [[nodiscard]] QTableView* view() { return w().part<QTableView>("historyView"); }
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowHistory::init()
{
    m_fixture = std::make_unique<WindowFixture>();
    run("print(1)\n", "one\nsame\n");
    run("print(2)\n", "two\nsame\n", 3);
}

void TestWindowHistory::run(const QByteArray& code, const QByteArray& output, int exitCode)
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "") });
    w().editor()->setPlainText(QString::fromUtf8(code));
    w().window().actions().run->trigger();
    QTRY_VERIFY(w().run());
    w().run()->give(output);
    w().run()->end(exitCode);
    QTRY_VERIFY(!w().window().runs()->isRunning());
}

void TestWindowHistory::runsAreListed()
{
    QCOMPARE(view()->model()->rowCount(), 2);
    QCOMPARE(view()->model()->index(0, 1).data().toString(), u"a.py"_s);
    QVERIFY(view()->model()->index(0, 2).data().toString().contains(u"exit code 3"_s));
    QVERIFY(view()->model()->index(1, 2).data().toString().contains(u"Finished"_s));
    w().restart();
    QCOMPARE(view()->model()->rowCount(), 2);
}

void TestWindowHistory::opensWhatWasRun()
{
    view()->selectRow(1);
    w().part<QPushButton>("historyOpen")->click();
    QCOMPARE(w().editor()->toPlainText(), u"print(1)\n"_s);
    QVERIFY(w().page()->path().isEmpty());
}

void TestWindowHistory::runsItAgain()
{
    const int before = w().engine().startCount;
    view()->selectRow(1);
    w().part<QPushButton>("historyRun")->click();
    QTRY_COMPARE(w().engine().startCount, before + 1);
    QCOMPARE(w().run()->request.code, "print(1)\n"_ba);
    QCOMPARE(w().run()->request.runtime, Runtime::Python);
}

void TestWindowHistory::comparesTwo()
{
    QVERIFY(!w().part<QPushButton>("historyCompare")->isEnabled());
    view()->selectAll();
    QVERIFY(w().part<QPushButton>("historyCompare")->isEnabled());
    w().part<QPushButton>("historyCompare")->click();
    auto* page = qobject_cast<ComparePage*>(w().window().tabs()->currentWidget());
    QVERIFY(page);
    QCOMPARE(page->differences(), 1); // Not in how long they took.
    QCOMPARE(page->findChild<QLabel*>(u"compareSummary"_s)->text(), u"One line differs."_s);
    QVERIFY2(page->minimumSizeHint().width() < 400,
        qPrintable(QString::number(page->minimumSizeHint().width())));
    const auto sides = page->findChildren<QPlainTextEdit*>();
    QVERIFY(sides[0]->toPlainText().contains(u"one"_s));
    QVERIFY(sides[1]->toPlainText().contains(u"two"_s));
}

void TestWindowHistory::findsAndDeletes()
{
    w().part<QLineEdit>("historySearch")->setFocus();
    w().type(u"print(1)"_s);
    QTRY_COMPARE(view()->model()->rowCount(), 1);
    view()->selectRow(0);
    w().part<QPushButton>("historyRemove")->click();
    QTRY_COMPARE(view()->model()->rowCount(), 0);
    w().part<QLineEdit>("historySearch")->clear();
    QTRY_COMPARE(view()->model()->rowCount(), 1);
}

void TestWindowHistory::deletesAllWhenSure()
{
    const auto answer = [this](QMessageBox::StandardButton button) {
        w().part<QPushButton>("historyClear")->click();
        auto* question = w().part<QMessageBox>("clearQuestion");
        QTRY_VERIFY(question->isVisible());
        question->button(button)->click();
        QTRY_VERIFY(!w().window().findChild<QMessageBox*>(u"clearQuestion"_s));
    };
    answer(QMessageBox::Cancel);
    QCOMPARE(view()->model()->rowCount(), 2);
    answer(QMessageBox::Yes);
    QCOMPARE(view()->model()->rowCount(), 0);
}

QTEST_MAIN(TestWindowHistory)
#include "tst_windowhistory.moc"
