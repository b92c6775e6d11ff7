// SPDX-License-Identifier: MIT
#include "tests/ui/support/fakefiles.h"
#include "tests/ui/support/windowfixture.h"

#include "ui/files/filespanel.h"
#include "ui/files/filetreemodel.h"
#include "ui/files/sessionchoice.h"
#include "ui/run/runcontroller.h"

#include <QAction>
#include <QInputDialog>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QTreeView>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The file browser of a session in the window.
class TestWindowFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_fixture.reset(); }

    void sessionIsBegunAndUsed();
    void opensAndSavesBack();
    void newerTextIsNotMarkedSaved();
    void failedSaveKeepsTheText();
    void makesRenamesAndDeletes();
    void badNamesAreRefused();
    void uploadsDownloadsAndRefreshes();
    void showsImagesAndTables();
    void refusesWhatIsNoText();
    void runsRefreshTheTree();

private:
    [[nodiscard]] QStringList names();
    void select(const QString& name);
    void answer(const QString& text);
    [[nodiscard]] QString sentence();
    [[nodiscard]] QAction* action(const char* name) { return w().part<QAction>(name); }
    WindowFixture& w() { return *m_fixture; }

    std::shared_ptr<FakeFiles> m_files;
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestWindowFiles::init()
{
    m_files = std::make_shared<FakeFiles>();
    m_files->add(u"/sandbox/a.py"_s, "print(1)\n");
    m_fixture = std::make_unique<WindowFixture>([files = m_files](const Target&, const QString&) {
        return Result<std::shared_ptr<Engine>>(files);
    });
    w().part<QPushButton>("beginSession")->click();
    QTRY_COMPARE(names(), QStringList { u"a.py"_s });
}

QStringList TestWindowFiles::names()
{
    QStringList names;
    const auto* model = w().window().files()->model();
    for (int row = 0; row < model->rowCount(); ++row)
        names << model->index(row, 0, {}).data().toString();
    return names;
}

void TestWindowFiles::select(const QString& name)
{
    auto* view = w().window().files()->view();
    view->setCurrentIndex(view->model()->index(int(names().indexOf(name)), 0));
}

void TestWindowFiles::answer(const QString& text)
{
    auto* dialog = w().window().findChild<QInputDialog*>(u"nameDialog"_s);
    QTRY_VERIFY(dialog && dialog->isVisible());
    dialog->setTextValue(text);
    dialog->accept();
    QTRY_VERIFY(!w().window().findChild<QInputDialog*>(u"nameDialog"_s));
}

QString TestWindowFiles::sentence()
{
    const auto* text = w().page()->findChild<QLabel*>(u"messageText"_s);
    return text->isVisible() ? text->text() : QString();
}

void TestWindowFiles::sessionIsBegunAndUsed()
{
    QVERIFY(w().window().actions().session->isChecked());
    w().page()->editor()->setPlainText(u"x"_s);
    w().window().openFiles({ w().writeFile(u"b.py"_s, "x\n") });
    w().window().actions().run->trigger();
    QCOMPARE(m_files->runs.back()->sessionId, w().window().session()->id());
    m_files->runs.back()->end(0);
    QTRY_VERIFY(!w().window().runs()->isRunning());
    w().window().actions().session->trigger();
    QVERIFY(names().isEmpty());
    QVERIFY(w().part<QWidget>("filesEmpty")->isVisible());
    w().window().actions().run->trigger();
    QCOMPARE(m_files->runs.back()->sessionId, QString());
}

void TestWindowFiles::opensAndSavesBack()
{
    select(u"a.py"_s);
    QTest::keyClick(w().window().files()->view(), Qt::Key_Return);
    QTRY_COMPARE(w().editor()->toPlainText(), u"print(1)\n"_s);
    QCOMPARE(w().page()->title(), u"a.py"_s);
    QVERIFY(!w().page()->isModified());
    w().page()->setFocus();
    w().type(u"# "_s);
    w().press(Qt::Key_S, Qt::ControlModifier);
    QTRY_COMPARE(m_files->contents[u"/sandbox/a.py"_s], "# print(1)\n"_ba);
    QTRY_VERIFY(!w().page()->isModified());
    // Opening it again shows the same tab.
    const int tabs = w().window().tabs()->count();
    action("filesOpen")->trigger();
    QTRY_COMPARE(w().window().tabs()->count(), tabs);
}

void TestWindowFiles::newerTextIsNotMarkedSaved()
{
    select(u"a.py"_s);
    action("filesOpen")->trigger();
    QTRY_COMPARE(w().page()->title(), u"a.py"_s);
    w().page()->setFocus();
    w().type(u"1"_s);
    w().press(Qt::Key_S, Qt::ControlModifier);
    w().type(u"2"_s);
    QTRY_COMPARE(m_files->contents[u"/sandbox/a.py"_s], "1print(1)\n"_ba);
    QVERIFY(w().page()->isModified());
}

void TestWindowFiles::failedSaveKeepsTheText()
{
    select(u"a.py"_s);
    action("filesOpen")->trigger();
    QTRY_COMPARE(w().page()->title(), u"a.py"_s);
    w().page()->setFocus();
    w().type(u"x"_s);
    m_files->putError = Error { Kind::Limit, u"no space left"_s };
    w().press(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY(sentence().contains(u"o space left"_s));
    QVERIFY(w().page()->isModified());
}

void TestWindowFiles::makesRenamesAndDeletes()
{
    action("filesNewFolder")->trigger();
    answer(u"folder"_s);
    QTRY_VERIFY(m_files->contents.contains(u"/sandbox/folder/"_s));
    action("filesNewFile")->trigger();
    answer(u"new.sh"_s);
    QTRY_VERIFY(m_files->contents.contains(u"/sandbox/new.sh"_s));
    QTRY_COMPARE(w().page()->title(), u"new.sh"_s);
    QTRY_VERIFY(names().contains(u"a.py"_s));
    select(u"a.py"_s);
    action("filesRename")->trigger();
    answer(u"b.py"_s);
    QTRY_VERIFY(m_files->contents.contains(u"/sandbox/b.py"_s));
    QTRY_VERIFY(names().contains(u"b.py"_s) && !names().contains(u"a.py"_s));

    select(u"b.py"_s);
    action("filesRemove")->trigger();
    auto* question = w().window().findChild<QMessageBox*>(u"removeQuestion"_s);
    QTRY_VERIFY(question && question->isVisible());
    question->button(QMessageBox::Cancel)->click();
    QTRY_VERIFY(!w().window().findChild<QMessageBox*>(u"removeQuestion"_s));
    QVERIFY(m_files->contents.contains(u"/sandbox/b.py"_s));
    action("filesRemove")->trigger();
    question = w().window().findChild<QMessageBox*>(u"removeQuestion"_s);
    question->button(QMessageBox::Yes)->click();
    QTRY_VERIFY(!m_files->contents.contains(u"/sandbox/b.py"_s));
    QTRY_VERIFY(!names().contains(u"b.py"_s));
}

void TestWindowFiles::badNamesAreRefused()
{
    for (const auto& name : { u"../../etc/x"_s, u"/etc/x"_s, QString(300, u'x'), u"a\nb"_s }) {
        action("filesNewFile")->trigger();
        answer(name);
        QTRY_VERIFY(!sentence().isEmpty());
    }
    QCOMPARE(m_files->contents.size(), 1U);
}

void TestWindowFiles::uploadsDownloadsAndRefreshes()
{
    w().window().files()->upload({ w().writeFile(u"up.txt"_s, "up") }, u"/sandbox"_s);
    QTRY_VERIFY(names().contains(u"up.txt"_s));
    QCOMPARE(m_files->contents[u"/sandbox/up.txt"_s], "up"_ba);
    QTemporaryDir target;
    select(u"up.txt"_s);
    w().window().files()->downloadTo(target.path());
    QTRY_VERIFY(QFile::exists(target.filePath(u"up.txt"_s)));
}

void TestWindowFiles::showsImagesAndTables()
{
    m_files->add(u"/sandbox/t.csv"_s, "a,b\n1,2\n");
    m_files->add(u"/sandbox/bad.png"_s, "no image");
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().contains(u"t.csv"_s));
    const int tabs = w().window().tabs()->count();
    select(u"t.csv"_s);
    action("filesOpen")->trigger();
    QTRY_COMPARE(w().window().tabs()->count(), tabs + 1);
    QVERIFY(!w().page());
    QVERIFY(!w().window().actions().run->isEnabled());
    w().window().tabs()->setCurrentIndex(0);
    select(u"bad.png"_s);
    action("filesOpen")->trigger();
    QTRY_VERIFY(sentence().contains(u"bad.png"_s, Qt::CaseInsensitive));
}

void TestWindowFiles::refusesWhatIsNoText()
{
    m_files->add(u"/sandbox/a.bin"_s, QByteArray(100, '\0'));
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().contains(u"a.bin"_s));
    select(u"a.bin"_s);
    action("filesOpen")->trigger();
    QTRY_VERIFY(sentence().contains(u"binary"_s));
}

void TestWindowFiles::runsRefreshTheTree()
{
    w().window().openFiles({ w().writeFile(u"b.py"_s, "x\n") });
    w().window().actions().run->trigger();
    m_files->add(u"/sandbox/made-by-the-run"_s, "x");
    m_files->runs.back()->end(0);
    QTRY_VERIFY(names().contains(u"made-by-the-run"_s));
}

QTEST_MAIN(TestWindowFiles)
#include "tst_windowfiles.moc"
