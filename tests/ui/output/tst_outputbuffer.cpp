// SPDX-License-Identifier: MIT
#include "ui/output/outputselection.h"

#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Output as a terminal's line would show it: colours, overwriting, and nothing that a hostile
/// program could do with more.
class TestOutputBuffer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void shows_data();
    void shows();
    void showsTheSameHoweverItIsCut_data() { shows_data(); }
    void showsTheSameHoweverItIsCut();
    void coloursText();
    void coloursGoOnInTheNextLine();
    void trueColours();
    void keepsStreamsApart();
    void goesOnWithTheLineOfItsStream();
    void copiesContinuedLinesApartFromOtherStreams();
    void endsAnUnfinishedSequence();
    void dropsOldLines();
    void boundsMemoryOfFloods_data();
    void boundsMemoryOfFloods();
    void joinsContinuedLinesInCopies();
    void findsForwardsAndBackwards();
};

namespace {

QString textOf(const OutputBuffer& buffer)
{
    QStringList lines;
    for (auto number = buffer.firstLine(); number < buffer.endLine(); ++number)
        lines << buffer.line(number).text;
    return lines.join(u'\n');
}

} // namespace

void TestOutputBuffer::shows_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, const QByteArray& bytes, const QString& text) {
        QTest::newRow(name) << bytes << text;
    };
    row("plain", "one\ntwo\n", u"one\ntwo"_s);
    row("unfinished", "one\ntw", u"one\ntw"_s);
    row("empty lines", "\n\nx\n", u"\n\nx"_s);
    row("carriage returns before line feeds", "one\r\ntwo\r\n", u"one\ntwo"_s);
    row("progress", "10%\r20%\r100%\n", u"100%"_s);
    row("shorter over longer", "abcdef\rxy\n", u"xycdef"_s);
    row("erase to the end", "abcdef\rxy\x1b[K\n", u"xy"_s);
    row("erase the line", "abcdef\x1b[2K\rxy\n", u"xy"_s);
    row("backspace", "abc\b\bX\n", u"aXc"_s);
    row("column", "abc\x1b[2GX\n", u"aXc"_s);
    row("colours", "a\x1b[31mb\x1b[0mc\n", u"abc"_s);
    row("cursor elsewhere", "a\x1b[5A\x1b[2Jb\x1b[Hc\n", u"abc"_s);
    row("title",
        "a\x1b]0;evil\x07"
        "b\n",
        u"ab"_s);
    row("clipboard", "a\x1b]52;c;ZXZpbA==\x1b\\b\n", u"ab"_s);
    row("link", "\x1b]8;;http://evil/\x1b\\text\x1b]8;;\x1b\\\n", u"text"_s);
    row("question to the terminal", "a\x1b[6n\x1b[c\x1b[?25lb\n", u"ab"_s);
    row("character set",
        "a\x1b(0b\x1b"
        "7c\n",
        u"abc"_s);
    row("bell",
        "a\x07"
        "b\n",
        u"ab"_s);
    row("other controls", QByteArray("a\0b\x01\x7f\n", 6), u"a\\x00b\\x01\\x7f"_s);
    row("C1 controls",
        "a\xc2\x9b"
        "31mb\n",
        u"a\\x9b31mb"_s);
    row("direction marks",
        "a\xe2\x80\xae"
        "b\xe2\x81\xa6\n",
        u"a\\u202eb\\u2066"_s);
    row("separators",
        "a\xe2\x80\xa8"
        "b\n",
        u"a\\u2028b"_s);
    row("umlauts", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x99\n", u"ä€🐙"_s);
    row("umlauts written over", "\xc3\xa4\xe2\x82\xac\rx\n", u"x€"_s);
    row("no UTF-8",
        "a\xff"
        "b\n",
        u"a\uFFFDb"_s);
    row("tab", "a\tb\n", u"a\tb"_s);
}

void TestOutputBuffer::shows()
{
    QFETCH(QByteArray, bytes);
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, bytes);
    QTEST(textOf(buffer), "text");
}

void TestOutputBuffer::showsTheSameHoweverItIsCut()
{
    QFETCH(QByteArray, bytes);
    OutputBuffer buffer;
    for (const char byte : std::as_const(bytes))
        buffer.append(Channel::Stdout, QByteArrayView(&byte, 1));
    QTEST(textOf(buffer), "text");
}

void TestOutputBuffer::coloursText()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "a\x1b[1;31mbc\x1b[0md\n");
    const auto line = buffer.line(0);
    QCOMPARE(line.spans.size(), 2);
    QCOMPARE(line.spans[0].begin, 1);
    QCOMPARE(line.spans[0].style.foreground, (TextColour { TextColour::Kind::Palette, 1 }));
    QCOMPARE(line.spans[0].style.attributes, quint8(TextStyle::Bold));
    QCOMPARE(line.spans[1].begin, 3);
    QCOMPARE(line.spans[1].style, TextStyle());
}

void TestOutputBuffer::coloursGoOnInTheNextLine()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "\x1b[32ma\nb\n");
    buffer.append(Channel::Stderr, "c\n");
    QCOMPARE(buffer.line(1).spans.size(), 1);
    QCOMPARE(buffer.line(1).spans[0].style.foreground.value, 2U);
    QVERIFY(buffer.line(2).spans.isEmpty());
}

void TestOutputBuffer::trueColours()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "\x1b[38;2;1;2;3;48;5;200mx\x1b[39;49my\n");
    const auto line = buffer.line(0);
    QCOMPARE(line.spans[0].style.foreground, (TextColour { TextColour::Kind::Rgb, 0x010203 }));
    QCOMPARE(line.spans[0].style.background, (TextColour { TextColour::Kind::Palette, 200 }));
    QCOMPARE(line.spans[1].style, TextStyle());
}

void TestOutputBuffer::keepsStreamsApart()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "out");
    buffer.append(Channel::Stderr, "err\n");
    buffer.append(Channel::Stdout, "more");
    buffer.appendNote(u"note"_s);
    QCOMPARE(textOf(buffer), u"err\noutmore\nnote"_s);
    QCOMPARE(buffer.line(0).source, OutputLine::Source::Stderr);
    QCOMPARE(buffer.line(1).source, OutputLine::Source::Stdout);
    QCOMPARE(buffer.line(2).source, OutputLine::Source::Note);
}

void TestOutputBuffer::goesOnWithTheLineOfItsStream()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "line");
    buffer.append(Channel::Stderr, "to stderr\n");
    QCOMPARE(textOf(buffer), u"to stderr\nline"_s);
    QCOMPARE(buffer.unfinishedLine(), 1);
    buffer.append(Channel::Stdout, " 0");
    QCOMPARE(textOf(buffer), u"to stderr\nline 0"_s);
    buffer.append(Channel::Stderr, "more");
    QCOMPARE(textOf(buffer), u"to stderr\nline 0\nmore"_s);
    QCOMPARE(buffer.line(1).source, OutputLine::Source::Stdout);
    QCOMPARE(buffer.line(2).source, OutputLine::Source::Stderr);
    buffer.append(Channel::Stderr, " errors\n");
    buffer.append(Channel::Stdout, "\n");
    QCOMPARE(textOf(buffer), u"to stderr\nmore errors\nline 0"_s);
    QCOMPARE(buffer.unfinishedLine(), buffer.endLine());
    // A progress line is written over though errors come between.
    buffer.append(Channel::Stdout, "10%");
    buffer.append(Channel::Stderr, "warning\n");
    buffer.append(Channel::Stdout, "\r20%");
    QVERIFY(textOf(buffer).endsWith(u"line 0\nwarning\n20%"_s));
}

void TestOutputBuffer::copiesContinuedLinesApartFromOtherStreams()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, QByteArray(LineAssembler::maxBytes + 1, 'x'));
    buffer.append(Channel::Stderr, "error\n");
    buffer.append(Channel::Stdout, "y\n");
    const auto text = selectedText(buffer, wholeOutput(buffer), 1 << 20);
    QCOMPARE(text, QString(LineAssembler::maxBytes, u'x') + u"\nerror\nxy"_s);
}

void TestOutputBuffer::endsAnUnfinishedSequence()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "\x1b]0;title\nnext\n");
    QVERIFY(textOf(buffer).endsWith(u"\nnext"_s));
    buffer.append(Channel::Stdout, "\x1b]0;" + QByteArray(10'000, 'x') + "\nafter\n");
    QVERIFY(textOf(buffer).endsWith(u"\nafter"_s));
    buffer.append(Channel::Stdout, "\x1b[" + QByteArray(10'000, '1') + "\nend\n");
    QVERIFY(textOf(buffer).endsWith(u"\nend"_s));
}

void TestOutputBuffer::dropsOldLines()
{
    OutputBuffer buffer({ 1000, 1 << 30 });
    for (int i = 0; i < 50'000; ++i)
        buffer.append(Channel::Stdout, QByteArray::number(i) + '\n');
    QCOMPARE(buffer.endLine(), 50'000);
    QVERIFY(buffer.firstLine() > 0);
    QVERIFY(buffer.endLine() - buffer.firstLine() >= 1000);
    QVERIFY(buffer.endLine() - buffer.firstLine() < 15'000);
    QCOMPARE(buffer.line(49'999).text, u"49999"_s);
    QCOMPARE(buffer.line(buffer.firstLine()).text, QString::number(buffer.firstLine()));
    QCOMPARE(buffer.line(0).text, QString());
}

void TestOutputBuffer::boundsMemoryOfFloods_data()
{
    QTest::addColumn<QByteArray>("piece");
    QTest::newRow("one endless line") << QByteArray(64 << 10, 'x');
    QTest::newRow("empty lines") << QByteArray(16 << 10, '\n');
    QTest::newRow("endless progress") << QByteArray("\r12345").repeated(5'000);
    QTest::newRow("colours only") << QByteArray("\x1b[31ma\x1b[32mb").repeated(2'000);
    QTest::newRow("coloured lines") << QByteArray("\x1b[31ma\x1b[32mb\n").repeated(1'000);
    QTest::newRow("far columns") << QByteArray("\x1b[60000Gx\n").repeated(1'000);
}

void TestOutputBuffer::boundsMemoryOfFloods()
{
    QFETCH(QByteArray, piece);
    constexpr qint64 limit = 1 << 20;
    OutputBuffer buffer({ 1'000'000'000, limit });
    for (int i = 0; i < 20; ++i) {
        buffer.append(Channel::Stdout, piece);
        QVERIFY(buffer.heldBytes() <= limit);
    }
    for (auto number = buffer.firstLine();
        number < std::min(buffer.endLine(), buffer.firstLine() + 50); ++number)
        QVERIFY(buffer.line(number).text.size() <= LineAssembler::maxBytes);
}

void TestOutputBuffer::joinsContinuedLinesInCopies()
{
    OutputBuffer buffer;
    const auto longLine = QByteArray(LineAssembler::maxBytes * 2 + 10, 'x');
    buffer.append(Channel::Stdout, "a\n" + longLine + "\nb\n");
    const auto text = selectedText(buffer, wholeOutput(buffer), 1 << 20);
    QCOMPARE(text, u"a\n"_s + QString::fromLatin1(longLine) + u"\nb"_s);
    QCOMPARE(selectedText(buffer, wholeOutput(buffer), 5).size(), 5);
}

void TestOutputBuffer::findsForwardsAndBackwards()
{
    OutputBuffer buffer;
    buffer.append(Channel::Stdout, "x one x\nTwo\nx x\n");
    auto at = findOutput(buffer, u"X"_s, {}, SearchDirection::Forward);
    QCOMPARE(at.begin(), (OutputPosition { 0, 0 }));
    at = findOutput(buffer, u"X"_s, at, SearchDirection::Forward);
    QCOMPARE(at.begin(), (OutputPosition { 0, 6 }));
    at = findOutput(buffer, u"x"_s, at, SearchDirection::Forward);
    QCOMPARE(at.begin(), (OutputPosition { 2, 0 }));
    at = findOutput(buffer, u"x"_s, at, SearchDirection::Backward);
    QCOMPARE(at.begin(), (OutputPosition { 0, 6 }));
    at = findOutput(buffer, u"x"_s, at, SearchDirection::Backward);
    at = findOutput(buffer, u"x"_s, at, SearchDirection::Backward);
    QCOMPARE(at.begin(), (OutputPosition { 2, 2 }));
    at = findOutput(buffer, u"x"_s, at, SearchDirection::Forward);
    QCOMPARE(at.begin(), (OutputPosition { 0, 0 }));
    QVERIFY(findOutput(buffer, u"none"_s, at, SearchDirection::Forward).isEmpty());
    QVERIFY(findOutput(buffer, QString(), at, SearchDirection::Forward).isEmpty());
}

QTEST_GUILESS_MAIN(TestOutputBuffer)
#include "tst_outputbuffer.moc"
