// SPDX-License-Identifier: MIT
#include "tests/ui/support/fulldisk.h"
#include "tests/ui/support/windowfixture.h"

#include "ui/editor/findbar.h"
#include "ui/run/runcontroller.h"

#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QInputDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QToolButton>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The commands of the File, Edit, View and Run menus, by their keys.
class TestWindowCommands : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_fixture.reset(); }

    void opensByDialogAndByDropping();
    void savesUnderAName();
    void sameNamesAreToldApart();
    void refusesWhatIsNoText_data();
    void refusesWhatIsNoText();
    void opensAFileOfFiftyMegabytes();
    void fullDiskKeepsTheText();
    void editsLines();
    void goesToALine();
    void findsByKeys();
    void zooms();
    void wrapsAndShowsSpaces();
    void foldsByKeys();
    void editMenuFollowsTheFocus();
    void outputIsSearched();
    void outputIsCopiedSavedAndCleared();
    void fullDiskIsToldForOutputToo();

private:
    void open(const QString& name, const QByteArray& content);
    /// Types a path into a file dialog and takes it.
    void choose(const char* name, const QString& path);
    void runWith(const QByteArray& output);
    [[nodiscard]] QByteArray read(const QString& name);
    WindowFixture& w() { return *m_fixture; }

    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowCommands::init()
{
    m_fixture = std::make_unique<WindowFixture>();
    open(u"a.py"_s, "one\ntwo\nthree\n");
}

void TestWindowCommands::open(const QString& name, const QByteArray& content)
{
    w().window().openFiles({ w().writeFile(name, content) });
}

void TestWindowCommands::choose(const char* name, const QString& path)
{
    auto* dialog = w().window().findChild<QFileDialog*>(QLatin1StringView(name));
    QTRY_VERIFY(dialog && dialog->isVisible());
    auto* line = dialog->findChild<QLineEdit*>(u"fileNameEdit"_s);
    QVERIFY(line);
    line->setFocus();
    line->setText(path);
    QTest::keyClick(line, Qt::Key_Return);
    QTRY_VERIFY(!w().window().findChild<QFileDialog*>(QLatin1StringView(name)));
    w().activate();
}

void TestWindowCommands::runWith(const QByteArray& output)
{
    w().window().actions().run->trigger();
    w().run()->give(output);
    w().run()->end(0);
    QTRY_VERIFY(!w().window().runs()->isRunning());
}

QByteArray TestWindowCommands::read(const QString& name)
{
    QFile file(w().filePath(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : "(not there)"_ba;
}

void TestWindowCommands::opensByDialogAndByDropping()
{
    const auto first = w().writeFile(u"first.js"_s, "1\n");
    w().press(Qt::Key_O, Qt::ControlModifier);
    choose("openDialog", first);
    QCOMPARE(w().page()->path(), first);

    QMimeData data;
    data.setUrls({ QUrl::fromLocalFile(w().writeFile(u"second.sh"_s, "2\n")),
        QUrl::fromLocalFile(w().filePath({})) }); // a folder: left alone
    QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(&w().window(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPointF(5, 5), Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(&w().window(), &drop);
    QCOMPARE(w().page()->path(), w().filePath(u"second.sh"_s));
    QCOMPARE(w().window().tabs()->pages().size(), 3);
}

void TestWindowCommands::savesUnderAName()
{
    w().press(Qt::Key_N, Qt::ControlModifier);
    w().type(u"echo 1"_s);
    w().press(Qt::Key_S, Qt::ControlModifier);
    choose("saveDialog", w().filePath(u"new.sh"_s));
    QTRY_COMPARE(read(u"new.sh"_s), "echo 1"_ba);
    QVERIFY(!w().page()->isModified());
    QCOMPARE(w().editor()->definition().name(), u"Bash"_s);

    w().press(Qt::Key_S, Qt::ControlModifier | Qt::ShiftModifier);
    choose("saveDialog", w().filePath(u"copy.py"_s));
    QTRY_COMPARE(w().page()->title(), u"copy.py"_s);
    QCOMPARE(w().editor()->definition().name(), u"Python"_s);
}

void TestWindowCommands::sameNamesAreToldApart()
{
    const QTemporaryDir other;
    QVERIFY(QDir(other.path()).mkdir(u"elsewhere"_s));
    const auto path = other.filePath(u"elsewhere/a.py"_s);
    QVERIFY(QFile::copy(w().filePath(u"a.py"_s), path));
    const auto* tabs = w().window().tabs();
    QCOMPARE(tabs->tabText(0), u"a.py"_s);
    w().window().openFiles({ path });
    QCOMPARE(tabs->tabText(1), u"a.py (elsewhere)"_s);
    QCOMPARE_NE(tabs->tabText(0), u"a.py"_s);
    w().press(Qt::Key_W, Qt::ControlModifier);
    QTRY_COMPARE(tabs->count(), 1);
    QCOMPARE(tabs->tabText(0), u"a.py"_s);
}

void TestWindowCommands::refusesWhatIsNoText_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<qint64>("size");
    QTest::addColumn<QString>("expected");
    QTest::newRow("binary") << "\x7f"
                               "ELF\0\0\0"_ba
                            << 1000LL << u"binary"_s;
    QTest::newRow("too large") << "x"_ba << (70LL << 20) << u"large"_s;
}

void TestWindowCommands::refusesWhatIsNoText()
{
    QFETCH(QByteArray, content);
    QFETCH(qint64, size);
    QFETCH(QString, expected);
    const auto path = w().writeFile(u"thing"_s, content);
    QVERIFY(QFile::resize(path, size));
    w().window().openFiles({ path });
    QTRY_VERIFY2(w().sentence().contains(expected), qPrintable(w().sentence()));
    QVERIFY(w().sentence().contains(u"thing"_s));
    QCOMPARE(w().page()->title(), u"a.py"_s);
}

void TestWindowCommands::opensAFileOfFiftyMegabytes()
{
    const auto line = QByteArray(499, 'x') + '\n';
    open(u"large.txt"_s, line.repeated(50 * 2048));
    QCOMPARE(w().page()->title(), u"large.txt"_s);
    QTRY_VERIFY_WITH_TIMEOUT(w().editor()->isWhole(), 60'000);
    QCOMPARE(w().editor()->document()->blockCount(), 50 * 2048 + 1);
    w().editor()->goToLine(100'000);
    w().type(u"y"_s);
    QVERIFY(w().editor()->textCursor().block().text().startsWith(u"yx"_s));
}

void TestWindowCommands::fullDiskKeepsTheText()
{
    w().page()->setFocus();
    w().type(QString(2000, u'x'));
    {
        const FullDisk full(1000);
        w().press(Qt::Key_S, Qt::ControlModifier);
    }
    QTRY_VERIFY2(w().sentence().contains(u"a.py"_s), qPrintable(w().sentence()));
    QVERIFY(w().page()->isModified());
    QCOMPARE(read(u"a.py"_s), "one\ntwo\nthree\n"_ba);

    w().press(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY(!w().page()->isModified());
    QVERIFY(read(u"a.py"_s).startsWith("xxx"));
    QVERIFY(w().sentence().isEmpty());
}

void TestWindowCommands::editsLines()
{
    w().page()->setFocus();
    w().press(Qt::Key_Slash, Qt::ControlModifier);
    QVERIFY(w().editor()->toPlainText().startsWith(u"# one\n"_s));
    w().press(Qt::Key_Slash, Qt::ControlModifier);
    w().press(Qt::Key_D, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(w().editor()->toPlainText(), u"one\none\ntwo\nthree\n"_s);
    w().press(Qt::Key_Z, Qt::ControlModifier);
    w().press(Qt::Key_Down, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(w().editor()->toPlainText(), u"two\none\nthree\n"_s);
    w().press(Qt::Key_Up, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(w().editor()->toPlainText(), u"one\ntwo\nthree\n"_s);
}

void TestWindowCommands::goesToALine()
{
    w().page()->setFocus();
    w().press(Qt::Key_G, Qt::ControlModifier);
    auto* dialog = w().window().findChild<QInputDialog*>(u"lineDialog"_s);
    QTRY_VERIFY(dialog && dialog->isVisible());
    dialog->setIntValue(3);
    dialog->accept();
    QTRY_COMPARE(w().editor()->textCursor().blockNumber(), 2);
    QTRY_VERIFY(w().editor()->hasFocus());
}

void TestWindowCommands::findsByKeys()
{
    w().page()->setFocus();
    w().press(Qt::Key_F, Qt::ControlModifier);
    QTRY_VERIFY(w().page()->findBar()->isVisible());
    w().type(u"t\n"_s);
    QCOMPARE(w().editor()->textCursor().blockNumber(), 1);
    w().press(Qt::Key_F3);
    QCOMPARE(w().editor()->textCursor().blockNumber(), 2);
    w().press(Qt::Key_F3, Qt::ShiftModifier);
    QCOMPARE(w().editor()->textCursor().blockNumber(), 1);
    w().press(Qt::Key_Escape);
    QVERIFY(!w().page()->findBar()->isVisible());
    w().press(Qt::Key_H, Qt::ControlModifier);
    QVERIFY(w().page()->findBar()->findChild<QLineEdit*>(u"findReplacement"_s)->isVisible());
}

void TestWindowCommands::zooms()
{
    w().page()->setFocus();
    const int size = w().editor()->font().pointSize();
    w().press(Qt::Key_Plus, Qt::ControlModifier);
    w().press(Qt::Key_Plus, Qt::ControlModifier);
    QCOMPARE(w().editor()->font().pointSize(), size + 2);
    w().press(Qt::Key_Minus, Qt::ControlModifier);
    QCOMPARE(w().editor()->font().pointSize(), size + 1);
    w().press(Qt::Key_0, Qt::ControlModifier);
    QCOMPARE(w().editor()->font().pointSize(), size);
}

void TestWindowCommands::wrapsAndShowsSpaces()
{
    w().page()->setFocus();
    w().press(Qt::Key_Z, Qt::AltModifier);
    QCOMPARE(w().editor()->lineWrapMode(), QPlainTextEdit::WidgetWidth);
    w().press(Qt::Key_Z, Qt::AltModifier);
    QCOMPARE(w().editor()->lineWrapMode(), QPlainTextEdit::NoWrap);
    const auto areShown = [this] {
        return w().editor()->document()->defaultTextOption().flags().testFlag(
            QTextOption::ShowTabsAndSpaces);
    };
    QVERIFY(!areShown());
    w().window().actions().showSpaces->trigger();
    QVERIFY(areShown());
    QVERIFY(w().services().settings.values().areSpacesShown);
}

void TestWindowCommands::foldsByKeys()
{
    open(u"b.py"_s, "def f():\n    a\n    b\nc\n");
    const auto isSeen = [this](int line) {
        return w().editor()->document()->findBlockByNumber(line).isVisible();
    };
    w().page()->setFocus();
    w().press(Qt::Key_BracketLeft, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(!isSeen(1) && !isSeen(2) && isSeen(3));
    w().press(Qt::Key_BracketRight, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(isSeen(1) && isSeen(2));
}

/// Whoever has selected output and takes Copy of the menu means the output.
void TestWindowCommands::editMenuFollowsTheFocus()
{
    runWith("from the program\n");
    auto* view = w().window().output()->view();
    view->setFocus();
    w().press(Qt::Key_A, Qt::ControlModifier);
    w().window().actions().copy->trigger();
    QVERIFY(QApplication::clipboard()->text().startsWith(u"from the program\n"_s));
    w().page()->setFocus();
    w().press(Qt::Key_A, Qt::ControlModifier);
    w().window().actions().cut->trigger();
    QCOMPARE(w().editor()->toPlainText(), QString());
    w().window().actions().undo->trigger();
    QCOMPARE(w().editor()->toPlainText(), u"one\ntwo\nthree\n"_s);
    auto* packages = w().part<QLineEdit>("runPackages");
    packages->setFocus();
    w().window().actions().paste->trigger();
    QVERIFY(packages->text().startsWith(u"one"_s));
    QCOMPARE(w().editor()->toPlainText(), u"one\ntwo\nthree\n"_s);
}

void TestWindowCommands::outputIsSearched()
{
    runWith("alpha\nbeta\nalpha\n");
    w().press(Qt::Key_F, Qt::ControlModifier | Qt::ShiftModifier);
    auto* text = w().part<QLineEdit>("outputSearchText");
    QTRY_VERIFY(text->isVisible() && text->hasFocus());
    w().type(u"BETA\n"_s);
    QCOMPARE(w().window().output()->view()->selectedText(), u"beta"_s);
    w().press(Qt::Key_Escape);
    QVERIFY(!text->isVisible());
}

void TestWindowCommands::outputIsCopiedSavedAndCleared()
{
    runWith("first\nsecond\n");
    QTest::mouseClick(w().part<QToolButton>("outputCopy"), Qt::LeftButton);
    QVERIFY(QApplication::clipboard()->text().startsWith(u"first\nsecond\n"_s));
    QTest::mouseClick(w().part<QToolButton>("outputSave"), Qt::LeftButton);
    choose("outputDialog", w().filePath(u"out.txt"_s));
    QTRY_VERIFY(read(u"out.txt"_s).startsWith("first\nsecond\n"));
    w().page()->setFocus();
    w().press(Qt::Key_L, Qt::ControlModifier);
    QCOMPARE(w().output(), QString());
}

void TestWindowCommands::fullDiskIsToldForOutputToo()
{
    runWith(QByteArray(5000, 'x') + '\n');
    QTest::mouseClick(w().part<QToolButton>("outputSave"), Qt::LeftButton);
    {
        const FullDisk full(1000);
        choose("outputDialog", w().filePath(u"out.txt"_s));
    }
    QTRY_VERIFY2(w().sentence().contains(u"out.txt"_s), qPrintable(w().sentence()));
    QVERIFY(!QFile::exists(w().filePath(u"out.txt"_s)));
}

QTEST_MAIN(TestWindowCommands)
#include "tst_windowcommands.moc"
