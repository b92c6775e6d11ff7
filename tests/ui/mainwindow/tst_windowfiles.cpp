// SPDX-License-Identifier: MIT
#include "tests/ui/support/fakefiles.h"
#include "tests/ui/support/fulldisk.h"
#include "tests/ui/support/windowfixture.h"

#include "ui/files/filespanel.h"
#include "ui/files/filetreemodel.h"
#include "ui/files/sessionchoice.h"
#include "ui/run/runcontroller.h"

#include <QAction>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QHeaderView>
#include <QInputDialog>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QProgressBar>
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
    void uploadsByDialogAndByDropping();
    void downloadsByDialog();
    void transferShowsProgressAndIsCancelled();
    void fullSessionIsTold();
    void fullDiskIsTold();
    void vanishedFileIsTold();
    void hugeFileIsNotFetched();
    void unreachableSessionIsTold();
    void keysRunFromTheTree();
    void showsImagesAndTables();
    void refusesWhatIsNoText();
    void runsRefreshTheTree();
    void sizesAreNotCut();

private:
    [[nodiscard]] QStringList names();
    void select(const QString& name);
    /// Types a path into a file dialog and takes it.
    void choose(const char* name, const QString& path);
    void answer(const QString& text);
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
    // Not setCurrentIndex() of the view: a case's last key with Ctrl would still add to the choice.
    view->selectionModel()->setCurrentIndex(view->model()->index(int(names().indexOf(name)), 0),
        QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

void TestWindowFiles::choose(const char* name, const QString& path)
{
    auto* dialog = w().window().findChild<QFileDialog*>(QLatin1StringView(name));
    QTRY_VERIFY(dialog && dialog->isVisible());
    auto* line = dialog->findChild<QLineEdit*>(u"fileNameEdit"_s);
    QVERIFY(line);
    line->setText(path);
    QTest::keyClick(line, Qt::Key_Return);
    QTRY_VERIFY(!w().window().findChild<QFileDialog*>(QLatin1StringView(name)));
    w().activate();
}

void TestWindowFiles::answer(const QString& text)
{
    auto* dialog = w().window().findChild<QInputDialog*>(u"nameDialog"_s);
    QTRY_VERIFY(dialog && dialog->isVisible());
    dialog->setTextValue(text);
    dialog->accept();
    QTRY_VERIFY(!w().window().findChild<QInputDialog*>(u"nameDialog"_s));
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
    QTRY_VERIFY(w().sentence().contains(u"o space left"_s));
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
        QTRY_VERIFY(!w().sentence().isEmpty());
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

void TestWindowFiles::uploadsByDialogAndByDropping()
{
    action("filesUpload")->trigger();
    choose("uploadDialog", w().writeFile(u"chosen.txt"_s, "1"));
    QTRY_VERIFY(names().contains(u"chosen.txt"_s));

    QVERIFY(QDir(w().filePath({})).mkpath(u"folder"_s));
    w().writeFile(u"folder/inner.txt"_s, "2");
    auto* viewport = w().window().files()->view()->viewport();
    QMimeData data;
    data.setUrls({ QUrl::fromLocalFile(w().filePath(u"folder"_s)) });
    const QPoint place(20, viewport->height() - 5); // below the files
    QDragEnterEvent enter(place, Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(viewport, &enter);
    QDragMoveEvent move(place, Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(viewport, &move);
    QVERIFY(move.isAccepted());
    QDropEvent drop(place, Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(viewport, &drop);
    QTRY_COMPARE(m_files->contents[u"/sandbox/folder/inner.txt"_s], "2"_ba);
    QTRY_VERIFY(names().contains(u"folder"_s));
}

void TestWindowFiles::downloadsByDialog()
{
    const QTemporaryDir target;
    select(u"a.py"_s);
    action("filesDownload")->trigger();
    choose("downloadDialog", target.path());
    QTRY_VERIFY(QFile::exists(target.filePath(u"a.py"_s)));
}

void TestWindowFiles::transferShowsProgressAndIsCancelled()
{
    m_files->isPutHanging = true;
    w().window().files()->upload(
        { w().writeFile(u"a.txt"_s, QByteArray(1000, 'x')), w().writeFile(u"b.txt"_s, "b") },
        u"/sandbox"_s);
    auto* bar = w().part<QProgressBar>("transferBar");
    QTRY_VERIFY(bar->isVisible());
    QCOMPARE(bar->value(), bar->maximum() / 2);
    QTest::mouseClick(w().part<QPushButton>("transferCancel"), Qt::LeftButton);
    QTRY_VERIFY(!bar->isVisible());
    QCOMPARE(names(), QStringList { u"a.py"_s });
    QCOMPARE(w().sentence(), QString());
}

void TestWindowFiles::fullSessionIsTold()
{
    m_files->putError = Error { Kind::Limit, u"no space left on device"_s };
    w().window().files()->upload({ w().writeFile(u"up.txt"_s, "up") }, u"/sandbox"_s);
    QTRY_VERIFY2(w().sentence().contains(u"o space left"_s), qPrintable(w().sentence()));
    QVERIFY(w().sentence().contains(u"up.txt"_s, Qt::CaseInsensitive));
}

void TestWindowFiles::fullDiskIsTold()
{
    const QTemporaryDir target;
    m_files->add(u"/sandbox/large"_s, QByteArray(5000, 'x'));
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().contains(u"large"_s));
    select(u"large"_s);
    {
        const FullDisk full(1000);
        w().window().files()->downloadTo(target.path());
        QTRY_VERIFY2(w().sentence().contains(u"large"_s), qPrintable(w().sentence()));
    }
    QVERIFY(QDir(target.path()).isEmpty());
}

void TestWindowFiles::vanishedFileIsTold()
{
    select(u"a.py"_s);
    m_files->remove(u"/sandbox/a.py"_s);
    action("filesOpen")->trigger();
    QTRY_VERIFY2(w().sentence().contains(u"a.py"_s), qPrintable(w().sentence()));
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().isEmpty());
}

void TestWindowFiles::hugeFileIsNotFetched()
{
    m_files->add(u"/sandbox/huge"_s, QByteArray(65 << 20, 'x'));
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().contains(u"huge"_s));
    select(u"huge"_s);
    action("filesOpen")->trigger();
    QTRY_VERIFY2(w().sentence().contains(u"too large"_s), qPrintable(w().sentence()));
    QVERIFY(w().sentence().contains(u"65 MiB"_s));
}

void TestWindowFiles::unreachableSessionIsTold()
{
    m_files->listError = Error { Kind::Unreachable, u"the server is gone"_s };
    action("filesRefresh")->trigger();
    QTRY_VERIFY2(w().sentence().contains(u"the server is gone"_s), qPrintable(w().sentence()));
}

/// F5 runs wherever the focus is.
void TestWindowFiles::keysRunFromTheTree()
{
    w().window().openFiles({ w().writeFile(u"b.py"_s, "x\n") });
    w().window().files()->view()->setFocus();
    w().press(Qt::Key_F5);
    QTRY_COMPARE(m_files->startCount, 1);
    m_files->runs.back()->end(0);
    const auto listings = m_files->listed.size();
    w().press(Qt::Key_F5, Qt::ControlModifier);
    QTRY_VERIFY(m_files->listed.size() > listings);
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
    QTRY_VERIFY(w().sentence().contains(u"bad.png"_s, Qt::CaseInsensitive));
}

void TestWindowFiles::refusesWhatIsNoText()
{
    m_files->add(u"/sandbox/a.bin"_s, QByteArray(100, '\0'));
    action("filesRefresh")->trigger();
    QTRY_VERIFY(names().contains(u"a.bin"_s));
    select(u"a.bin"_s);
    action("filesOpen")->trigger();
    QTRY_VERIFY(w().sentence().contains(u"binary"_s));
}

void TestWindowFiles::runsRefreshTheTree()
{
    w().window().openFiles({ w().writeFile(u"b.py"_s, "x\n") });
    w().window().actions().run->trigger();
    m_files->add(u"/sandbox/made-by-the-run"_s, "x");
    m_files->runs.back()->end(0);
    QTRY_VERIFY(names().contains(u"made-by-the-run"_s));
}

void TestWindowFiles::sizesAreNotCut()
{
    m_files->add(u"/sandbox/"_s + QString(200, u'n') + u".txt"_s, QByteArray(1023, 'x'));
    action("filesRefresh")->trigger();
    QTRY_COMPARE(names().size(), 2);
    auto* view = w().window().files()->view();
    const auto* header = view->header();
    const auto end = [header] {
        return header->sectionViewportPosition(FileTreeModel::Size)
            + header->sectionSize(FileTreeModel::Size);
    };
    const auto wanted = view->fontMetrics().horizontalAdvance(u"1023 bytes"_s);
    QTRY_COMPARE_GE(header->sectionSize(FileTreeModel::Size), wanted);
    QTRY_COMPARE_LE(end(), view->viewport()->width());
}

QTEST_MAIN(TestWindowFiles)
#include "tst_windowfiles.moc"
