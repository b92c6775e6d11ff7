// SPDX-License-Identifier: MIT
#include "ui/editor/editorpage.h"
#include "ui/editor/highlighter.h"
#include "ui/editor/linegutter.h"
#include "ui/editor/messagebar.h"

#include <KSyntaxHighlighting/Repository>
#include <KSyntaxHighlighting/Theme>

#include <QClipboard>
#include <QGuiApplication>
#include <QInputMethodEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTextLayout>
#include <QToolButton>

#include <functional>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

namespace {
const auto longLine
    = u"x = 1  # "_s + QString(91, u'x') + u'\n'; ///< 4000 of them do not come at once.
}

/// A page with the real editor: colours, folding, keys, search.
class TestCodeEditor : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_page.reset(); }

    void coloursCode();
    void coloursFollowEdits();
    void largeFilesDoNotBlock();
    void largeFilesComeInParts();
    void recoveredTextsStayUnsaved();
    void partsAreCompletedWhenAllIsNeeded();
    void movesInWhatIsThere();
    void editsWhileTheRestComes_data();
    void editsWhileTheRestComes();
    void findsInWhatIsStillToCome();
    void filesAreSavedWhole();
    void otherVersionComesWhileOneIsLoaded();
    void marksLinesAndIndentation();
    void foldsByIndentation();
    void foldsByBraces();
    void clickOnTheMarkFolds();
    void goingToAHiddenLineShowsIt();
    void keysEdit();
    void movesAndDuplicatesLines();
    void findsAndReplaces();
    void tellsWhichMatchOfHowMany();
    void countsAgainAfterAnEdit();
    void countsToALimit();
    void framesTheCurrentMatch();
    void badExpressionIsTold();
    void warnsOfBytesThatAreNoText();
    void refusesBinaryFiles();
    void longLinesAreLeftPlain();

private:
    CodeEditor& editor() { return *m_page->editor(); }
    void show(const QString& text, const QString& language);
    [[nodiscard]] bool isColoured(int line);

    KSyntaxHighlighting::Repository m_repository;
    QTemporaryDir m_directory;
    std::unique_ptr<EditorPage> m_page;
};

void TestCodeEditor::init()
{
    m_page = std::make_unique<EditorPage>(m_repository, nullptr);
    EditorStyle style;
    style.theme = m_repository.theme(u"GitHub Light"_s);
    editor().setStyle(style);
    m_page->resize(700, 500);
    m_page->show();
    m_page->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_page.get()));
    m_page->setFocus();
}

void TestCodeEditor::show(const QString& text, const QString& language)
{
    editor().setContent(text);
    m_page->setLanguage(language);
    QTRY_VERIFY(editor().highlighter().isFinished());
}

bool TestCodeEditor::isColoured(int line)
{
    return !editor().document()->findBlockByNumber(line).layout()->formats().isEmpty();
}

void TestCodeEditor::coloursCode()
{
    show(u"import os\n# comment\nx = 'text'\n"_s, u"Python"_s);
    for (int line = 0; line < 3; ++line)
        QVERIFY2(isColoured(line), qPrintable(QString::number(line)));
    QVERIFY(!editor().document()->isModified());
    QVERIFY(!editor().document()->isUndoAvailable());
}

void TestCodeEditor::coloursFollowEdits()
{
    show(u"a\nb\nc\n"_s, u"Python"_s);
    QVERIFY(!isColoured(1));
    editor().moveCursor(QTextCursor::Start);
    editor().insertPlainText(u"\"\"\""_s);
    QTRY_VERIFY(isColoured(1) && isColoured(2));
    editor().undo();
    QTRY_VERIFY(!isColoured(1) && !isColoured(2));
}

void TestCodeEditor::largeFilesDoNotBlock()
{
    QString text;
    for (int i = 0; i < 20'000; ++i)
        text += u"def f%1(x):  # comment\n    return 'text' + x\n"_s.arg(i);
    editor().setContent(text);
    m_page->setLanguage(u"Python"_s);
    QVERIFY(!editor().highlighter().isFinished());
    QTRY_VERIFY(isColoured(0));
    QTRY_VERIFY_WITH_TIMEOUT(editor().isWhole(), 60'000);
    QTest::keyClick(&editor(), Qt::Key_A);
    QVERIFY(editor().toPlainText().startsWith(u'a'));
    QTRY_VERIFY_WITH_TIMEOUT(editor().highlighter().isFinished(), 120'000);
    QVERIFY(isColoured(39'998));
}

void TestCodeEditor::largeFilesComeInParts()
{
    const auto text = u"x = 1  # ä\n"_s.repeated(120'000);
    editor().setContent(text);
    QVERIFY(editor().toPlainText().size() < text.size());
    QVERIFY(text.startsWith(editor().toPlainText()));
    // A column for line numbers that grew later would lay out everything anew.
    const int width = editor().viewport()->width();
    QTRY_VERIFY_WITH_TIMEOUT(editor().isWhole(), 60'000);
    QCOMPARE(editor().toPlainText(), text);
    QCOMPARE(editor().viewport()->width(), width);
    QVERIFY(!m_page->isModified());
    QVERIFY(!editor().document()->isUndoAvailable());
    QTest::keyClick(&editor(), Qt::Key_A);
    QVERIFY(m_page->isModified());
    QCOMPARE(editor().toPlainText().size(), text.size() + 1);
    editor().undo();
    QCOMPARE(editor().toPlainText(), text);
}

void TestCodeEditor::recoveredTextsStayUnsaved()
{
    const auto text = u"x = 1\n"_s.repeated(60'000);
    m_page->restore({}, u"Lost"_s, text);
    QVERIFY(!editor().isWhole() && m_page->isModified());
    QTRY_VERIFY_WITH_TIMEOUT(editor().isWhole(), 60'000);
    QVERIFY(m_page->isModified());
    m_page->restore({}, u"Lost"_s, text);
    QCOMPARE(m_page->text(), text);
    QVERIFY(m_page->isModified());
}

void TestCodeEditor::partsAreCompletedWhenAllIsNeeded()
{
    const auto text = u"x = 1\n"_s.repeated(60'000) + u"last"_s;
    editor().setContent(text);
    QCOMPARE(m_page->bytes(), text.toUtf8());
    QVERIFY(editor().isWhole());
    editor().setContent(text);
    editor().goToLine(60'001);
    QCOMPARE(editor().textCursor().block().text(), u"last"_s);
    // Another text takes the place of one that is not whole.
    editor().setContent(text);
    editor().setContent(u"short"_s);
    QVERIFY(editor().isWhole());
    QCoreApplication::processEvents();
    QCOMPARE(editor().toPlainText(), u"short"_s);
    // Nothing is loaded into an editor that is gone.
    editor().setContent(text);
    m_page.reset();
    QCoreApplication::processEvents();
}

void TestCodeEditor::movesInWhatIsThere()
{
    const auto text = longLine.repeated(4000) + u"last"_s;
    editor().setContent(text);
    QTest::keyClick(&editor(), Qt::Key_Down);
    QTest::keyClick(&editor(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(editor().textCursor().selectedText(), u"x"_s);
    QTest::keyClick(&editor(), Qt::Key_C, Qt::ControlModifier);
    QVERIFY(!editor().isWhole());
    // What comes does not take a cursor along that waits where it begins.
    editor().moveCursor(QTextCursor::End);
    editor().moveCursor(QTextCursor::Left, QTextCursor::KeepAnchor);
    const auto cursor = editor().textCursor();
    const int anchor = cursor.anchor();
    const int position = cursor.position();
    QTRY_VERIFY_WITH_TIMEOUT(editor().isWhole(), 60'000);
    QCOMPARE(editor().textCursor().anchor(), anchor);
    QCOMPARE(editor().textCursor().position(), position);
    QVERIFY(!m_page->isModified());

    editor().setContent(text);
    QTest::keyClick(&editor(), Qt::Key_End, Qt::ControlModifier);
    QCOMPARE(editor().textCursor().block().text(), u"last"_s);
    editor().setContent(text);
    QTest::keyClick(&editor(), Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(editor().textCursor().selectedText().size(), text.size());
}

void TestCodeEditor::editsWhileTheRestComes_data()
{
    using Edit = std::function<void(CodeEditor*)>;
    QTest::addColumn<Edit>("edit");
    QTest::addColumn<QString>("begin");
    const auto row = [](const char* name, const QString& begin, const Edit& edit) {
        QTest::newRow(name) << edit << begin;
    };
    row("key", u"qa\nb\n"_s, [](auto* editor) { QTest::keyClick(editor, Qt::Key_Q); });
    row("return", u"\na\nb\n"_s, [](auto* editor) { QTest::keyClick(editor, Qt::Key_Return); });
    row("delete", u"\nb\n"_s, [](auto* editor) { QTest::keyClick(editor, Qt::Key_Delete); });
    row("paste", u"new a\nb\n"_s, [](auto* editor) {
        QGuiApplication::clipboard()->setText(u"new "_s);
        editor->paste();
    });
    row("cut", u"\nb\n"_s, [](auto* editor) {
        editor->moveCursor(QTextCursor::Right, QTextCursor::KeepAnchor);
        QMetaObject::invokeMethod(editor, "cut");
    });
    row("input method", u"ßa\nb\n"_s, [](auto* editor) {
        QInputMethodEvent event;
        event.setCommitString(u"ß"_s);
        QCoreApplication::sendEvent(editor, &event);
    });
    row("comment", u"# a\nb\n"_s, [](auto* editor) { editor->toggleComment(); });
    row("duplicate", u"a\na\nb\n"_s, [](auto* editor) { editor->duplicateLine(); });
    row("move", u"b\na\n"_s, [](auto* editor) { editor->moveLines(1); });
}

void TestCodeEditor::editsWhileTheRestComes()
{
    QFETCH(std::function<void(CodeEditor*)>, edit);
    QFETCH(QString, begin);
    const auto rest = longLine.repeated(4000);
    editor().setContent(u"a\nb\n"_s + rest);
    QVERIFY(!editor().isWhole());
    edit(&editor());
    QVERIFY(m_page->text() == begin + rest);
    QVERIFY(m_page->isModified());
    editor().undo();
    QVERIFY(m_page->text() == u"a\nb\n"_s + rest);
    QVERIFY(!m_page->isModified());
    QVERIFY(!editor().document()->isUndoAvailable());
    editor().redo();
    QVERIFY(m_page->text() == begin + rest);
}

void TestCodeEditor::findsInWhatIsStillToCome()
{
    editor().setContent(longLine.repeated(4000) + u"needle"_s);
    m_page->findBar()->open(FindBar::Mode::Find);
    m_page->findChild<QLineEdit*>(u"findPattern"_s)->setText(u"needle"_s);
    QVERIFY(!editor().isWhole());
    m_page->findBar()->findNext();
    QCOMPARE(editor().textCursor().blockNumber(), 4000);
    QCOMPARE(editor().textCursor().selectedText(), u"needle"_s);
    QTRY_COMPARE(m_page->findChild<QLabel*>(u"findMessage"_s)->text(), u"1 of 1"_s);
}

void TestCodeEditor::filesAreSavedWhole()
{
    const auto path = m_directory.filePath(u"large.py"_s);
    const auto content = longLine.toUtf8().repeated(4000);
    const auto write = [&path](const QByteArray& bytes) {
        QFile file(path);
        return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
    };
    const auto saved = [&path] {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QVERIFY(write(content));
    QVERIFY(m_page->load(path));
    QVERIFY(!editor().isWhole());
    QVERIFY(m_page->save());
    QVERIFY(saved() == content);
    QVERIFY(m_page->load(path));
    QTest::keyClick(&editor(), Qt::Key_A);
    QVERIFY(m_page->save());
    QVERIFY(saved() == 'a' + content);
}

void TestCodeEditor::otherVersionComesWhileOneIsLoaded()
{
    const auto path = m_directory.filePath(u"changing.py"_s);
    const auto write = [&path](const QByteArray& bytes) {
        QFile file(path);
        return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
    };
    QVERIFY(write(longLine.toUtf8().repeated(4000)));
    QVERIFY(m_page->load(path));
    const auto other = "yy" + longLine.toUtf8().repeated(5000);
    QVERIFY(write(other));
    m_page->handleDiskChange();
    QTRY_VERIFY_WITH_TIMEOUT(editor().isWhole(), 60'000);
    QVERIFY(m_page->bytes() == other);
    QVERIFY(!m_page->isModified());

    // What was typed meanwhile is not overwritten.
    QVERIFY(m_page->load(path));
    QVERIFY(!editor().isWhole());
    QTest::keyClick(&editor(), Qt::Key_A);
    QVERIFY(write("z = 3\n"));
    m_page->handleDiskChange();
    QVERIFY(m_page->bytes() == 'a' + other);
    QVERIFY(m_page->messageBar()->isVisible());
}

void TestCodeEditor::marksLinesAndIndentation()
{
    show(u"if x:\n    if y:\n        z\n"_s, u"Python"_s);
    editor().goToLine(3);
    const auto row = editor().cursorRect().adjusted(0, 2, 0, -2);
    const auto pictureOf = [&row](QWidget* widget) {
        return widget->grab(QRect(0, row.top(), 60, row.height())).toImage();
    };
    const auto has = [&pictureOf](QWidget* widget, const QColor& colour) {
        const auto picture = pictureOf(widget);
        for (int y = 0; y < picture.height(); ++y) {
            for (int x = 0; x < picture.width(); ++x) {
                if (picture.pixelColor(x, y) == colour)
                    return true;
            }
        }
        return false;
    };
    auto* gutter = editor().findChild<LineGutter*>();
    const auto& colours = editor().colours();
    QVERIFY(has(editor().viewport(), colours.currentLine));
    QVERIFY(has(editor().viewport(), colours.guide));
    const auto current = pictureOf(gutter);
    editor().goToLine(1);
    QVERIFY(!has(editor().viewport(), colours.currentLine));
    const auto other = pictureOf(gutter);
    QVERIFY(other != current);
    auto empty = other;
    empty.fill(colours.gutter);
    QVERIFY(other != empty); // There is a number.

    EditorStyle style;
    style.theme = m_repository.theme(u"GitHub Light"_s);
    style.areGuidesShown = false;
    editor().setStyle(style);
    QVERIFY(!has(editor().viewport(), colours.guide));
}

void TestCodeEditor::foldsByIndentation()
{
    show(u"def f():\n    a\n\n    b\nx\n"_s, u"Python"_s);
    const auto& document = *editor().document();
    QCOMPARE(editor().foldStyle(), folding::Style::Indentation);
    QVERIFY(folding::canFold(document.findBlockByNumber(0), editor().foldStyle()));
    QVERIFY(!folding::canFold(document.findBlockByNumber(4), editor().foldStyle()));
    editor().toggleFold(document.findBlockByNumber(0));
    QVERIFY(!document.findBlockByNumber(1).isVisible());
    QVERIFY(!document.findBlockByNumber(3).isVisible());
    QVERIFY(document.findBlockByNumber(4).isVisible());
    editor().unfoldAll();
    QVERIFY(document.findBlockByNumber(1).isVisible());
}

void TestCodeEditor::foldsByBraces()
{
    show(u"function f() {\n  if (x) {\n    a\n  }\n}\nx\n"_s, u"JavaScript"_s);
    const auto& document = *editor().document();
    QCOMPARE(editor().foldStyle(), folding::Style::Regions);
    editor().foldAll();
    QVERIFY(document.findBlockByNumber(0).isVisible());
    QVERIFY(!document.findBlockByNumber(1).isVisible());
    QVERIFY(document.findBlockByNumber(4).isVisible());
    editor().toggleFold(document.findBlockByNumber(0));
    QVERIFY(document.findBlockByNumber(1).isVisible());
}

void TestCodeEditor::clickOnTheMarkFolds()
{
    show(u"def f():\n    a\n"_s, u"Python"_s);
    auto* gutter = editor().findChild<LineGutter*>();
    const int y = editor().fontMetrics().height() / 2 + 4;
    QTest::mouseClick(gutter, Qt::LeftButton, {}, QPoint(gutter->width() - 6, y));
    QVERIFY(!editor().document()->findBlockByNumber(1).isVisible());
    QTest::mouseClick(gutter, Qt::LeftButton, {}, QPoint(6, y));
    QCOMPARE(editor().textCursor().selectedText(), u"def f():\u2029"_s);
}

void TestCodeEditor::goingToAHiddenLineShowsIt()
{
    show(u"def f():\n    def g():\n        a\n        b\nx\n"_s, u"Python"_s);
    editor().foldAll();
    QVERIFY(!editor().document()->findBlockByNumber(3).isVisible());
    editor().goToLine(4, 3);
    QVERIFY(editor().document()->findBlockByNumber(3).isVisible());
    QCOMPARE(editor().textCursor().blockNumber(), 3);
    QCOMPARE(editor().textCursor().positionInBlock(), 2);
    editor().goToLine(1000);
    QCOMPARE(editor().textCursor().blockNumber(), 5);
}

void TestCodeEditor::keysEdit()
{
    show({}, u"Python"_s);
    for (const char character : "if x:"_ba)
        QTest::keyClick(&editor(), character);
    QTest::keyClick(&editor(), Qt::Key_Return);
    QTest::keyClick(&editor(), Qt::Key_Y);
    QCOMPARE(editor().toPlainText(), u"if x:\n    y"_s);
    QTest::keyClick(&editor(), Qt::Key_Home);
    QTest::keyClick(&editor(), Qt::Key_Backspace);
    QCOMPARE(editor().toPlainText(), u"if x:\ny"_s);
    QTest::keyClick(&editor(), Qt::Key_Tab);
    QCOMPARE(editor().toPlainText(), u"if x:\n    y"_s);
    QTest::keyClick(&editor(), Qt::Key_Backtab, Qt::ShiftModifier);
    QCOMPARE(editor().toPlainText(), u"if x:\ny"_s);
    editor().selectAll();
    editor().toggleComment();
    QCOMPARE(editor().toPlainText(), u"# if x:\n# y"_s);
}

void TestCodeEditor::movesAndDuplicatesLines()
{
    show(u"one\ntwo\nthree"_s, u"Python"_s);
    editor().goToLine(1);
    editor().moveLines(1);
    QCOMPARE(editor().toPlainText(), u"two\none\nthree"_s);
    QCOMPARE(editor().textCursor().blockNumber(), 1);
    editor().moveLines(1);
    QCOMPARE(editor().toPlainText(), u"two\nthree\none"_s);
    editor().moveLines(1);
    QCOMPARE(editor().toPlainText(), u"two\nthree\none"_s);
    editor().moveLines(-1);
    QCOMPARE(editor().toPlainText(), u"two\none\nthree"_s);
    editor().duplicateLine();
    QCOMPARE(editor().toPlainText(), u"two\none\none\nthree"_s);
}

void TestCodeEditor::findsAndReplaces()
{
    show(u"a1 b2\nA3 c4\n"_s, u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Replace);
    auto* pattern = bar->findChild<QLineEdit*>(u"findPattern"_s);
    auto* replacement = bar->findChild<QLineEdit*>(u"findReplacement"_s);
    QVERIFY(pattern->hasFocus());
    QTest::keyClicks(pattern, u"a"_s);
    QTest::keyClick(pattern, Qt::Key_Return);
    QCOMPARE(editor().textCursor().selectionStart(), 0);
    QTest::keyClick(pattern, Qt::Key_Return);
    QCOMPARE(editor().textCursor().selectionStart(), 6);
    QTest::keyClick(pattern, Qt::Key_Return, Qt::ShiftModifier);
    QCOMPARE(editor().textCursor().selectionStart(), 0);

    QTest::mouseClick(bar->findChild<QToolButton*>(u"findRegularExpression"_s), Qt::LeftButton);
    pattern->setText(u"([a-z])(\\d)"_s);
    replacement->setText(u"\\2\\1"_s);
    QTest::mouseClick(bar->findChild<QPushButton*>(u"replaceAllButton"_s), Qt::LeftButton);
    QCOMPARE(editor().toPlainText(), u"1a 2b\n3A 4c\n"_s);
    editor().undo();
    QCOMPARE(editor().toPlainText(), u"a1 b2\nA3 c4\n"_s);
    QTest::keyClick(pattern, Qt::Key_Escape);
    QVERIFY(!bar->isVisible());
    QVERIFY(editor().hasFocus());
}

void TestCodeEditor::tellsWhichMatchOfHowMany()
{
    show(u"one two\nOne\nthree one\n"_s, u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Find);
    auto* pattern = bar->findChild<QLineEdit*>(u"findPattern"_s);
    const auto* message = bar->findChild<QLabel*>(u"findMessage"_s);
    QCOMPARE(message->text(), QString());
    QTest::keyClicks(pattern, u"one"_s);
    QTRY_COMPARE(message->text(), u"3 results"_s);
    for (const auto& expected :
        { u"1 of 3"_s, u"2 of 3"_s, u"3 of 3"_s, u"1 of 3, from the beginning"_s, u"2 of 3"_s }) {
        QTest::keyClick(pattern, Qt::Key_Return);
        QCOMPARE(message->text(), expected);
    }
    bar->findPrevious();
    bar->findPrevious();
    QCOMPARE(message->text(), u"3 of 3, from the end"_s);
    editor().moveCursor(QTextCursor::Start);
    QCOMPARE(message->text(), u"3 results"_s);
    QTest::mouseClick(bar->findChild<QToolButton*>(u"findCase"_s), Qt::LeftButton);
    QTRY_COMPARE(message->text(), u"2 results"_s);
    pattern->setText(u"two"_s);
    QTRY_COMPARE(message->text(), u"1 result"_s);
    pattern->setText(u"four"_s);
    QTRY_COMPARE(message->text(), u"No results"_s);
    bar->findNext();
    QCOMPARE(message->text(), u"No results"_s);
    pattern->clear();
    QCOMPARE(message->text(), QString());
}

void TestCodeEditor::countsAgainAfterAnEdit()
{
    show(u"a1\na2\n"_s, u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Replace);
    const auto* message = bar->findChild<QLabel*>(u"findMessage"_s);
    bar->findChild<QLineEdit*>(u"findPattern"_s)->setText(u"a"_s);
    QTRY_COMPARE(message->text(), u"2 results"_s);
    editor().setFocus();
    QTest::keyClicks(&editor(), u"aa"_s);
    QTRY_COMPARE(message->text(), u"4 results"_s);
    bar->findChild<QLineEdit*>(u"findReplacement"_s)->setText(u"b"_s);
    QTest::mouseClick(bar->findChild<QPushButton*>(u"replaceAllButton"_s), Qt::LeftButton);
    QCOMPARE(message->text(), u"4 replaced"_s);
    bar->findNext();
    QCOMPARE(message->text(), u"No results"_s);
}

void TestCodeEditor::countsToALimit()
{
    show(u"aaaaaaaaaa\n"_s.repeated(1000), u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Find);
    const auto* message = bar->findChild<QLabel*>(u"findMessage"_s);
    bar->findChild<QLineEdit*>(u"findPattern"_s)->setText(u"a"_s);
    QTRY_COMPARE(message->text(), QLocale().toString(10'000) + u" results"_s);
    editor().appendPlainText(u"a"_s);
    QTRY_COMPARE(message->text(), QLocale().toString(10'000) + u"+ results"_s);
    bar->findNext();
    QTRY_COMPARE(message->text(), u"1 of %1+"_s.arg(QLocale().toString(10'000)));
}

void TestCodeEditor::framesTheCurrentMatch()
{
    show(u"word\nword\n"_s, u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Find);
    bar->findChild<QLineEdit*>(u"findPattern"_s)->setText(u"word"_s);
    bar->findNext();
    // Above the letters, where nothing but the frame is.
    const auto darkest = [this] {
        const auto image = editor().viewport()->grab().toImage();
        const auto first = editor().cursorRect(QTextCursor(editor().document()));
        int least = 255;
        for (const int y : { first.top(), first.top() + 1 })
            least = std::min(least, qGray(image.pixel(first.left() + 6, y)));
        return least;
    };
    QVERIFY(darkest() < 128);
    bar->findNext();
    QVERIFY(darkest() > 128);
    bar->findPrevious();
    QVERIFY(darkest() < 128);
    bar->hide();
    QVERIFY(editor().textCursor().hasSelection());
    QVERIFY(darkest() > 128);
}

void TestCodeEditor::badExpressionIsTold()
{
    show(u"a\n"_s, u"Python"_s);
    auto* bar = m_page->findBar();
    bar->open(FindBar::Mode::Find);
    QTest::mouseClick(bar->findChild<QToolButton*>(u"findRegularExpression"_s), Qt::LeftButton);
    bar->findChild<QLineEdit*>(u"findPattern"_s)->setText(u"("_s);
    QVERIFY(!bar->findChild<QLabel*>(u"findMessage"_s)->text().isEmpty());
    bar->findNext();
    QVERIFY(!editor().textCursor().hasSelection());
}

void TestCodeEditor::warnsOfBytesThatAreNoText()
{
    QFile file(m_directory.filePath(u"latin.py"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("x = 'stra\xdf"
               "e'\n");
    file.close();
    QVERIFY(m_page->load(file.fileName()));
    auto* text = m_page->findChild<QLabel*>(u"messageText"_s);
    QTRY_VERIFY(text->isVisible());
    QVERIFY(text->text().contains(u"UTF-8"_s));
}

void TestCodeEditor::refusesBinaryFiles()
{
    QFile file(m_directory.filePath(u"a.out"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(1000, '\0'));
    file.close();
    const auto loaded = m_page->load(file.fileName());
    QVERIFY(!loaded);
    QVERIFY(loaded.error().message.contains(u"a.out"_s));
    QVERIFY(m_page->path().isEmpty());
}

void TestCodeEditor::longLinesAreLeftPlain()
{
    show(u"x = '"_s + QString(1'000'000, u'(') + u"'\ny = 1\n"_s, u"Python"_s);
    QVERIFY(!isColoured(0));
    QVERIFY(isColoured(1));
}

QTEST_MAIN(TestCodeEditor)
#include "tst_codeeditor.moc"
