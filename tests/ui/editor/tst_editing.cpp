// SPDX-License-Identifier: MIT
#include "ui/editor/editing.h"

#include <QTest>
#include <QTextDocument>

using namespace isol8::ui;
using namespace isol8::ui::editing;
using namespace Qt::StringLiterals;

/// What keys do in code. `|` is the cursor, `[` … `|` a selection where the text has a `‹`.
class TestEditing : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void edits_data();
    void edits();
    void detectsIndentation_data();
    void detectsIndentation();
    void matchesBrackets_data();
    void matchesBrackets();
    void oneStepOfUndo();
};

namespace {

/// Puts the cursor at `|`, with the anchor at `‹` where there is one.
QTextCursor place(QTextDocument& document, QString text)
{
    const auto anchor = text.indexOf(u'‹');
    text.remove(u'‹');
    const auto position = text.indexOf(u'|');
    text.remove(u'|');
    document.setPlainText(text);
    QTextCursor cursor(&document);
    cursor.setPosition(int(anchor >= 0 ? anchor : position));
    cursor.setPosition(int(position), QTextCursor::KeepAnchor);
    return cursor;
}

QString shown(const QTextDocument& document, const QTextCursor& cursor)
{
    auto text = document.toPlainText();
    return text.insert(cursor.position(), u'|');
}

const IndentStyle style { 4, false };

} // namespace

void TestEditing::edits_data()
{
    QTest::addColumn<QString>("act");
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("after");
    const auto row = [](const char* act, const QString& before, const QString& after) {
        QTest::newRow(qPrintable(QString::fromLatin1(act) + u' ' + before))
            << QString::fromLatin1(act) << before << after;
    };
    row("enter", u"a|"_s, u"a\n|"_s);
    row("enter", u"    a|"_s, u"    a\n    |"_s);
    row("enter", u"if x:|"_s, u"if x:\n    |"_s);
    row("enter", u"f({|})"_s, u"f({\n    |\n})"_s);
    row("enter", u"  ab|cd"_s, u"  ab\n  |cd"_s);
    row("tab", u"ab|"_s, u"ab  |"_s);
    row("tab", u"‹a\nb|"_s, u"    a\n    b|"_s);
    row("tab", u"‹a\n\nb\n|c"_s, u"    a\n\n    b\n|c"_s);
    row("untab", u"      a|"_s, u"  a|"_s);
    row("untab", u"‹    a\n  b|"_s, u"a\nb|"_s);
    row("untab", u"a|"_s, u"a|"_s);
    row("back", u"        |x"_s, u"    |x"_s);
    row("back", u"      |x"_s, u"    |x"_s);
    row("back", u"ab |"_s, u"ab |"_s);
    row("close", u"f {\n        |"_s, u"f {\n}|"_s);
    row("close", u"    f { a |"_s, u"    f { a }|"_s);
    row("comment", u"a|b"_s, u"# a|b"_s);
    row("comment", u"# a|"_s, u"a|"_s);
    row("comment", u"‹  a\n\n    b|"_s, u"  # a\n\n  #   b|"_s);
    row("comment", u"‹#a\nb|"_s, u"# #a\n# b|"_s);
    row("comment", u"|"_s, u"|"_s);
}

void TestEditing::edits()
{
    QFETCH(QString, act);
    QFETCH(QString, before);
    QTextDocument document;
    auto cursor = place(document, before);
    if (act == u"enter"_s)
        breakLine(cursor, style);
    else if (act == u"tab"_s)
        indent(cursor, style);
    else if (act == u"untab"_s)
        unindent(cursor, style);
    else if (act == u"back"_s)
        (void)eraseIndent(cursor, style);
    else if (act == u"close"_s)
        typeClosing(cursor, u'}');
    else
        toggleComment(cursor, u"#"_s);
    QTEST(shown(document, cursor), "after");
}

void TestEditing::detectsIndentation_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("width");
    QTest::addColumn<bool>("isTab");
    QTest::newRow("nothing") << u"a\nb"_s << 4 << false;
    QTest::newRow("two") << u"a:\n  b"_s << 2 << false;
    QTest::newRow("four") << u"a:\n\n    b"_s << 4 << false;
    QTest::newRow("tabs") << u"a:\n\tb"_s << 4 << true;
    QTest::newRow("odd") << u"a\n   b"_s << 4 << false;
}

void TestEditing::detectsIndentation()
{
    QFETCH(QString, text);
    const auto found = detectIndent(text, style);
    QTEST(found.width, "width");
    QTEST(found.isTab, "isTab");
}

void TestEditing::matchesBrackets_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("position");
    QTest::addColumn<int>("match");
    QTest::newRow("forwards") << u"(a(b)c)"_s << 0 << 6;
    QTest::newRow("backwards") << u"(a(b)c)"_s << 6 << 0;
    QTest::newRow("inner") << u"(a(b)c)"_s << 4 << 2;
    QTest::newRow("lines") << u"{\n [\n ]\n}"_s << 0 << 8;
    QTest::newRow("lines backwards") << u"{\n [\n ]\n}"_s << 8 << 0;
    QTest::newRow("none") << u"(a"_s << 0 << -1;
    QTest::newRow("no bracket") << u"a"_s << 0 << -1;
    QTest::newRow("outside") << u"a"_s << 5 << -1;
}

void TestEditing::matchesBrackets()
{
    QFETCH(QString, text);
    QFETCH(int, position);
    QTextDocument document(text);
    QTEST(matchingBracket(document, position), "match");
}

void TestEditing::oneStepOfUndo()
{
    QTextDocument document;
    auto cursor = place(document, u"‹a\nb\nc|"_s);
    toggleComment(cursor, u"//"_s);
    QCOMPARE(document.toPlainText(), u"// a\n// b\n// c"_s);
    document.undo();
    QCOMPARE(document.toPlainText(), u"a\nb\nc"_s);
}

QTEST_MAIN(TestEditing)
#include "tst_editing.moc"
