// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include <QDockWidget>
#include <QFileInfo>
#include <QSettings>
#include <QSignalSpy>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// What was open is open again, and what was typed is not lost.
class TestRecovery : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_fixture = std::make_unique<WindowFixture>(); }
    void cleanup() { m_fixture.reset(); }

    void crashLosesNoText();
    void properEndKeepsOnlyNames();
    void vanishedFilesAreLeftOut();
    void damagedFileIsAnEmptyWindow();
    void fileIsTheOwnersAlone();
    void crashLosesNoLayout();

private:
    [[nodiscard]] QString path() { return w().services().places.dataDirectory + u"/open.json"_s; }
    /// Waits until what is on the screen is in the file.
    void waitForText(const QByteArray& text);
    WindowFixture& w() { return *m_fixture; }
    std::unique_ptr<WindowFixture> m_fixture;
};

void TestRecovery::waitForText(const QByteArray& text)
{
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            QFile file(path());
            return file.open(QIODevice::ReadOnly) && file.readAll().contains(text);
        }(),
        20'000);
}

void TestRecovery::crashLosesNoText()
{
    w().page()->setFocus();
    w().type(u"never saved"_s);
    w().window().openFiles({ w().writeFile(u"a.py"_s, "one\ntwo\n") });
    w().type(u"changed "_s);
    w().editor()->goToLine(2);
    waitForText("changed one");
    w().restart(); // as after a kill: nothing was closed
    QCOMPARE(w().window().tabs()->pages().size(), 2);
    const auto pages = w().window().tabs()->pages();
    QCOMPARE(pages[0]->editor()->toPlainText(), u"never saved"_s);
    QVERIFY(pages[0]->isModified());
    QCOMPARE(pages[1]->editor()->toPlainText(), u"changed one\ntwo\n"_s);
    QVERIFY(pages[1]->isModified());
    QCOMPARE(pages[1]->path(), w().filePath(u"a.py"_s));
    QCOMPARE(w().page(), pages[1]);
    QCOMPARE(pages[0]->title(), u"Untitled"_s);
    QCOMPARE(w().window().tabs()->addPage()->title(), u"Untitled 2"_s);
}

void TestRecovery::properEndKeepsOnlyNames()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "one\n") });
    QSignalSpy ended(&w().window(), &MainWindow::ended);
    w().window().close();
    QTRY_COMPARE(ended.size(), 1);
    QFile file(path());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(!file.readAll().contains("one"));
    w().restart();
    QCOMPARE(w().page()->path(), w().filePath(u"a.py"_s));
    QVERIFY(!w().page()->isModified());
}

void TestRecovery::vanishedFilesAreLeftOut()
{
    w().window().openFiles({ w().writeFile(u"a.py"_s, "one\n") });
    waitForText("a.py");
    QVERIFY(QFile::remove(w().filePath(u"a.py"_s)));
    w().restart();
    QCOMPARE(w().window().tabs()->pages().size(), 1);
    QVERIFY(w().page()->isPristine());
}

void TestRecovery::damagedFileIsAnEmptyWindow()
{
    QFile file(path());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"pages":[{"path":7},"x",{"text":)");
    file.close();
    w().restart();
    QVERIFY(w().page()->isPristine());
}

void TestRecovery::fileIsTheOwnersAlone()
{
    w().page()->setFocus();
    w().type(u"mine"_s);
    waitForText("mine");
    QVERIFY(!(QFileInfo(path()).permissions() & (QFile::ReadGroup | QFile::ReadOther)));
}

void TestRecovery::crashLosesNoLayout()
{
    w().window().resize(790, 643); // The offscreen screen has 800 by 800.
    const auto size = w().window().size();
    w().part<QDockWidget>("filesDock")->hide();
    const auto isKept = [this] {
        const QSettings file(
            w().services().places.configDirectory + u"/window.ini"_s, QSettings::IniFormat);
        return file.contains(u"state/docks"_s) && file.contains(u"state/geometry"_s);
    };
    QTRY_VERIFY_WITH_TIMEOUT(isKept(), 20'000);
    w().restart();
    QCOMPARE(w().window().size(), size);
    QVERIFY(w().part<QDockWidget>("filesDock")->isHidden());
}

QTEST_MAIN(TestRecovery)
#include "tst_recovery.moc"
