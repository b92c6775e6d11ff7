// SPDX-License-Identifier: MIT
#include "ui/output/outputview.h"

#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The widget: following, scrolling while more comes, selecting, copying.
class TestOutputView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_view.reset(); }

    void followsTheEnd();
    void stopsFollowingWhenScrolledUp();
    void staysWhereItIsWhenOldLinesGo();
    void selectsWithTheMouse();
    void copiesOnlyWhatIsAskedFor();
    void findsAndShows();
    void drawsHostileOutput();
    void screenReadersReadIt();

private:
    void fill(int lines);
    QScrollBar& bar() { return *m_view->verticalScrollBar(); }
    std::unique_ptr<OutputView> m_view;
};

void TestOutputView::init()
{
    m_view = std::make_unique<OutputView>();
    m_view->resize(600, 300);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
}

void TestOutputView::fill(int lines)
{
    for (int i = 0; i < lines; ++i)
        m_view->append(Channel::Stdout, "line " + QByteArray::number(i) + '\n');
}

void TestOutputView::followsTheEnd()
{
    fill(500);
    QTRY_VERIFY(bar().maximum() > 400);
    QCOMPARE(bar().value(), bar().maximum());
    fill(500);
    QTRY_VERIFY(bar().maximum() > 900);
    QCOMPARE(bar().value(), bar().maximum());
    QVERIFY(m_view->isFollowing());
}

void TestOutputView::stopsFollowingWhenScrolledUp()
{
    fill(500);
    QTRY_VERIFY(bar().maximum() > 400);
    QSignalSpy changed(m_view.get(), &OutputView::followingChanged);
    QTest::keyClick(m_view.get(), Qt::Key_PageUp);
    QVERIFY(!m_view->isFollowing());
    QCOMPARE(changed.size(), 1);
    const int place = bar().value();
    fill(500);
    QTRY_VERIFY(bar().maximum() > 900);
    QCOMPARE(bar().value(), place);
    QTest::keyClick(m_view.get(), Qt::Key_End);
    QVERIFY(m_view->isFollowing());
    QCOMPARE(bar().value(), bar().maximum());
}

void TestOutputView::staysWhereItIsWhenOldLinesGo()
{
    m_view->setScrollBack({ 20'000, 1 << 30 });
    fill(20'000);
    QTRY_VERIFY(bar().maximum() > 19'000);
    bar().setValue(15'000);
    QVERIFY(!m_view->isFollowing());
    QVERIFY(!m_view->lineRect(15'000).isEmpty());
    fill(10'000);
    QTRY_VERIFY(m_view->buffer().firstLine() > 0);
    QTRY_VERIFY(bar().value() < 15'000);
    QCOMPARE(m_view->lineRect(15'000).top(), 0);
}

void TestOutputView::selectsWithTheMouse()
{
    m_view->append(Channel::Stdout, "first line\nsecond line\n");
    const auto first = m_view->lineRect(0);
    const auto second = m_view->lineRect(1);
    auto* viewport = m_view->viewport();
    QTest::mousePress(viewport, Qt::LeftButton, {}, first.topLeft() + QPoint(0, 3));
    QTest::mouseMove(viewport, second.topRight() + QPoint(0, 3));
    QTest::mouseRelease(viewport, Qt::LeftButton, {}, second.topRight() + QPoint(0, 3));
    QCOMPARE(m_view->selectedText(), u"first line\nsecond line"_s);
    QTest::keyClick(m_view.get(), Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QApplication::clipboard()->text(), u"first line\nsecond line"_s);
}

void TestOutputView::copiesOnlyWhatIsAskedFor()
{
    QApplication::clipboard()->setText(u"mine"_s);
    m_view->append(Channel::Stdout, "\x1b]52;c;ZXZpbA==\x07\x1b]0;evil\x07text\n");
    QCOMPARE(m_view->text(), u"text"_s);
    QCOMPARE(QApplication::clipboard()->text(), u"mine"_s);
    m_view->copy();
    QCOMPARE(QApplication::clipboard()->text(), u"mine"_s);
    QVERIFY(m_view->windowTitle().isEmpty());
}

void TestOutputView::findsAndShows()
{
    fill(500);
    QTRY_VERIFY(bar().maximum() > 400);
    QVERIFY(m_view->find(u"line 7"_s, SearchDirection::Forward));
    QCOMPARE(m_view->selectedText(), u"line 7"_s);
    QVERIFY(!m_view->lineRect(7).isEmpty());
    QVERIFY(!m_view->isFollowing());
    QVERIFY(!m_view->find(u"nowhere"_s, SearchDirection::Forward));
}

/// GUI-02 of ABUSE.md; sequences and floods: tst_outputbuffer, of a real run: tst_window_live.
void TestOutputView::drawsHostileOutput()
{
    m_view->append(Channel::Stdout, QByteArray(300'000, 'x'));
    m_view->append(Channel::Stderr, QByteArray("\xe2\x80\xae\xcc\x81").repeated(2'000) + '\n');
    m_view->append(Channel::Stdout, "<b>not bold</b><img src=http://evil/>\n");
    m_view->append(Channel::Stdout, QByteArray(5'000, '\0') + '\n');
    QVERIFY(!m_view->grab().isNull());
    QVERIFY(m_view->text().contains(u"<b>not bold</b>"_s));
}

void TestOutputView::screenReadersReadIt()
{
    m_view->append(Channel::Stdout, "fine\n");
    m_view->append(Channel::Stderr, "broken\n");
    auto* accessible = QAccessible::queryAccessibleInterface(m_view.get());
    QVERIFY(accessible);
    QCOMPARE(accessible->role(), QAccessible::Terminal);
    QCOMPARE(accessible->text(QAccessible::Name), u"Output"_s);
    QCOMPARE(accessible->text(QAccessible::Value), u"fine\n! broken\n"_s);
}

QTEST_MAIN(TestOutputView)
#include "tst_outputview.moc"
