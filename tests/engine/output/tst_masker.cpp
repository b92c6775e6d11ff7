// SPDX-License-Identifier: MIT
#include "engine/output/masker.h"

#include <QRandomGenerator>
#include <QTest>
#include <QUrl>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestMasker : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void masks_data();
    void masks();
    void masksPromisedEncodings_data();
    void masksPromisedEncodings();
    void masksMarkup();
    void masksSpellingsOfShortValues();
    void spellingsAreBounded();
    void doesNotPromiseOthers_data();
    void doesNotPromiseOthers();
    void agreesWithASimpleSearch();
    void holdsBackOnlyBeginnings();
    void shortValuesAreReported();
    void masksOurOwnSentences();
    void manyAndLargeSecrets();
    void bytesThatAreNoUtf8();
};

namespace {

SecretSet setOf(const QStringList& values)
{
    QMap<QString, QString> secrets;
    for (const QString& value : values)
        secrets.insert(u"S%1"_s.arg(secrets.size()), value);
    return SecretSet(secrets);
}

QByteArray inPieces(const SecretSet& secrets, const QByteArray& text, qsizetype pieceBytes)
{
    Masker masker(secrets);
    QByteArray shown;
    for (qsizetype at = 0; at < text.size(); at += pieceBytes)
        shown += masker.feed(text.sliced(at, std::min(pieceBytes, text.size() - at)));
    shown += masker.flush();
    return shown;
}

/// The same by trying every value at every place.
QByteArray simplyMasked(const QList<QByteArray>& values, const QByteArray& text)
{
    QList<std::pair<qsizetype, qsizetype>> spans;
    for (qsizetype end = 1; end <= text.size(); ++end) {
        for (const QByteArray& value : values) {
            qsizetype start = end - value.size();
            if (start < 0 || text.sliced(start, value.size()) != value)
                continue;
            while (!spans.isEmpty() && spans.last().second > start)
                start = std::min(start, spans.takeLast().first);
            spans.append({ start, end });
        }
    }
    QByteArray shown;
    qsizetype at = 0;
    for (const auto& [start, end] : spans) {
        shown += text.sliced(at, start - at) + "***";
        at = end;
    }
    return shown + text.sliced(at);
}

} // namespace

void TestMasker::masks_data()
{
    QTest::addColumn<QStringList>("secrets");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    const auto row = [](const char* name, const QStringList& secrets, const QString& text,
                         const QString& shown) { QTest::newRow(name) << secrets << text << shown; };
    row("nothing to mask", {}, u"some text"_s, u"some text"_s);
    row("plain", { u"hunter22"_s }, u"it is hunter22!"_s, u"it is ***!"_s);
    row("alone", { u"hunter22"_s }, u"hunter22"_s, u"***"_s);
    row("start and end", { u"hunter22"_s }, u"hunter22 x hunter22"_s, u"*** x ***"_s);
    row("twice in a row", { u"hunter22"_s }, u"hunter22hunter22"_s, u"******"_s);
    row("not quite", { u"hunter22"_s }, u"hunter2 hunter21 unter22"_s,
        u"hunter2 hunter21 unter22"_s);
    row("beginning at the end", { u"hunter22"_s }, u"x hunter2"_s, u"x hunter2"_s);
    row("false start", { u"aab1"_s }, u"aaab1"_s, u"a***"_s);
    row("one within another", { u"abc123"_s, u"abc123-long"_s }, u"<abc123-long><abc123-lo>"_s,
        u"<***><***-lo>"_s);
    row("one in the middle of another", { u"xsecretx"_s, u"secret"_s }, u"xsecretx xsecrety"_s,
        u"*** x***y"_s);
    row("overlap", { u"abcd"_s, u"cdef"_s }, u"abcdef"_s, u"***"_s);
    row("overlap and alone", { u"abcd"_s, u"cdef"_s }, u"abcdabcdef aabcd"_s, u"****** a***"_s);
    row("longer one fails late", { u"abcdefghX"_s, u"cdef"_s }, u"abcdefghY"_s, u"ab***ghY"_s);
    row("longer one swallows", { u"abcdefghX"_s, u"cdef"_s }, u"abcdefghX"_s, u"***"_s);
    row("itself overlapping", { u"aaaa"_s }, u"aaaaaaaaaab"_s, u"***b"_s);
    row("equal secrets", { u"hunter22"_s, u"hunter22"_s }, u"hunter22"_s, u"***"_s);
    row("stars", { u"****"_s }, u"a****b"_s, u"a***b"_s);
    row("no pattern", { u".*+$1"_s, u"[a-z"_s, u"%s%n"_s, u"\\d\\w"_s },
        u".*+$1 [a-z %s%n \\d\\w abcd"_s, u"*** *** *** *** abcd"_s);
    row("quotes and tabs", { u"a\"b'\tc"_s }, u"<a\"b'\tc>"_s, u"<***>"_s);
    row("multi-byte", { u"pä$$wörd-密"_s }, u"x pä$$wörd-密 y"_s, u"x *** y"_s);
    row("white space around it", { u"  token77\n"_s }, u"<token77>"_s, u"<***>"_s);
    row("lines", { u"first-line\nsecond-line"_s }, u"first-line\nsecond-line|second-line"_s,
        u"***|***"_s);
    row("lines as CRLF", { u"one1\ntwo2"_s }, u"<one1\r\ntwo2>"_s, u"<***>"_s);
    row("CRLF as lines", { u"one1\r\ntwo2"_s }, u"<one1\ntwo2>"_s, u"<***>"_s);
}

void TestMasker::masks()
{
    QFETCH(QStringList, secrets);
    QFETCH(QString, text);
    QFETCH(QString, shown);
    const SecretSet set = setOf(secrets);
    for (const qsizetype pieceBytes : { 1, 2, 3, 5, 7, 1000 })
        QCOMPARE(inPieces(set, text.toUtf8(), pieceBytes), shown.toUtf8());
}

void TestMasker::masksPromisedEncodings_data()
{
    QTest::addColumn<QByteArray>("text");
    const QByteArray value = "p@ss wörd/77+\"x\"";
    for (int before = 0; before < 4; ++before) {
        const QByteArray whole = QByteArray(before, '<') + value + "and more";
        QTest::addRow("base64 behind %d", before) << whole.toBase64();
        QTest::addRow("base64url behind %d", before)
            << whole.toBase64(QByteArray::Base64UrlEncoding);
    }
    QTest::newRow("base64 alone") << value.toBase64();
    QTest::newRow("base64 of a line") << (value + '\n').toBase64();
    QTest::newRow("base64 unpadded") << value.toBase64(QByteArray::OmitTrailingEquals);
    QTest::newRow("hex") << value.toHex();
    QTest::newRow("HEX") << value.toHex().toUpper();
    QTest::newRow("URL") << QUrl::toPercentEncoding(QString::fromUtf8(value));
    QTest::newRow("path of a URL") << QUrl::toPercentEncoding(QString::fromUtf8(value), "/");
    QTest::newRow("form") << QUrl::toPercentEncoding(QString::fromUtf8(value)).replace("%20", "+");
    QTest::newRow("JSON") << QByteArray(R"({"a":"p@ss wörd/77+\"x\""})");
    QTest::newRow("JSON in ASCII") << QByteArray(R"({"a":"p@ss w\u00f6rd/77+\"x\""})");
    QTest::newRow("JSON of PHP") << QByteArray(R"({"a":"p@ss w\u00f6rd\/77+\"x\""})");
    QTest::newRow("JSON with slashes") << QByteArray(R"({"a":"p@ss wörd\/77+\"x\""})");
    QTest::newRow("XML attribute") << QByteArray("<a b=\"p@ss wörd/77+&quot;x&quot;\"/>");
    QTest::newRow("HTML of Go") << QByteArray("<p>p@ss wörd/77+&#34;x&#34;</p>");
}

void TestMasker::masksPromisedEncodings()
{
    QFETCH(QByteArray, text);
    const SecretSet set = setOf({ u"p@ss wörd/77+\"x\""_s });
    const QByteArray shown = set.masked(text);
    QVERIFY2(shown.contains("***"), shown);
    QVERIFY2(shown.size() <= text.size() - 16, shown);
    QCOMPARE(inPieces(set, text, 1), shown);
}

void TestMasker::masksMarkup()
{
    const SecretSet set = setOf({ u"a<b>&'c\""_s });
    for (const QByteArray text :
        { "a&lt;b&gt;&amp;'c\"", "a&lt;b&gt;&amp;&#x27;c&quot;", "a&lt;b&gt;&amp;&#39;c&#34;",
            "a&lt;b&gt;&amp;&apos;c&quot;", R"(a\u003cb\u003e\u0026'c\")" })
        QCOMPARE(set.masked('<' + text + '>'), "<***>");
    // Nothing of it alone.
    QCOMPARE(set.masked("a&lt;b&gt;&amp;"_ba), "a&lt;b&gt;&amp;");
}

void TestMasker::masksSpellingsOfShortValues()
{
    const SecretSet set = setOf({ u"k7&Q"_s });
    const QByteArray value = "k7&Q";
    for (const QByteArray& text :
        { value.toBase64(), value.toHex(), value.toHex().toUpper(), "k7%26Q"_ba, "k7&amp;Q"_ba })
        QCOMPARE(set.masked(text), "***");
    for (int before = 0; before < 3; ++before) {
        const QByteArray text = (QByteArray(before, '<') + value + "..").toBase64();
        QVERIFY2(set.masked(text).contains("***"), text);
    }
}

void TestMasker::spellingsAreBounded()
{
    // As many as an environment can hold: the short one keeps its spellings, memory stays small.
    QStringList values { u"short-secret"_s };
    for (int i = 0; i < 256; ++i)
        values.append(u"%1"_s.arg(i, 4, 36, QChar(u'0')).repeated(1000));
    const SecretSet set = setOf(values);
    QCOMPARE(set.masked("short-secret"_ba.toHex()), "***");
    for (const QString& value : values)
        QCOMPARE(set.masked(value), u"***"_s);
    const QByteArray large(SecretSet::maxSpelledBytes + 1, 'x');
    QCOMPARE(setOf({ QString::fromLatin1(large) }).masked(large.toHex()), large.toHex());
}

void TestMasker::doesNotPromiseOthers_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("reversed") << QByteArray("2retnuh-drowssap");
    QTest::newRow("spelled") << QByteArray("p\na\ns\ns\nw\no\nr\nd\n-\nh");
    QTest::newRow("mixed hex") << QByteArray("70617373776F72642d68756e74657232");
    QTest::newRow("other case") << QByteArray("PASSWORD-HUNTER2");
}

void TestMasker::doesNotPromiseOthers()
{
    QFETCH(QByteArray, text);
    QCOMPARE(setOf({ u"password-hunter2"_s }).masked(text), text);
}

void TestMasker::agreesWithASimpleSearch()
{
    QRandomGenerator random(8);
    const auto word = [&random](int least, int most) {
        QByteArray bytes(random.bounded(least, most + 1), ' ');
        for (char& byte : bytes)
            byte = char('a' + random.bounded(2));
        return bytes;
    };
    for (int round = 0; round < 400; ++round) {
        QStringList secrets;
        QList<QByteArray> values;
        // Their spellings hold other characters than these texts.
        for (int count = random.bounded(1, 5); count > 0; --count) {
            values.append(word(4, 7));
            secrets.append(QString::fromLatin1(values.last()));
        }
        const QByteArray text = word(0, 60);
        QCOMPARE(inPieces(setOf(secrets), text, random.bounded(1, 9)), simplyMasked(values, text));
    }
}

void TestMasker::holdsBackOnlyBeginnings()
{
    Masker masker(setOf({ u"hunt"_s }));
    QCOMPARE(masker.feed("prompt> "), QByteArray("prompt> "));
    QCOMPARE(masker.feed("x hun"), QByteArray("x "));
    QCOMPARE(masker.waitingBytes(), 3);
    QCOMPARE(masker.feed("g"), QByteArray("hung"));
    QCOMPARE(masker.feed("hunt"), QByteArray("***"));
    QCOMPARE(masker.waitingBytes(), 0);
    QCOMPARE(masker.feed("h"), QByteArray());
    QCOMPARE(masker.flush(), QByteArray("h"));
    QCOMPARE(masker.flush(), QByteArray());
}

void TestMasker::shortValuesAreReported()
{
    const SecretSet set({ { u"EMPTY"_s, QString() }, { u"SHORT"_s, u"abc"_s },
        { u"BLANK"_s, u"     "_s }, { u"TWO"_s, u"ää"_s }, { u"ONE"_s, u"日"_s } });
    QCOMPARE(set.unmaskedNames(), QStringList({ u"BLANK"_s, u"ONE"_s, u"SHORT"_s }));
    QCOMPARE(set.masked(u"abc      ää日"_s), u"abc      ***日"_s);
    QVERIFY(SecretSet().isEmpty());
    QVERIFY(setOf({ u"abc"_s }).isEmpty());
}

void TestMasker::masksOurOwnSentences()
{
    const SecretSet set = setOf({ u"hunter22"_s });
    QCOMPARE(set.masked(u"File not found: /home/hunter22/ä"_s), u"File not found: /home/***/ä"_s);
    QCOMPARE(SecretSet().masked(u"ä"_s), u"ä"_s);
}

void TestMasker::manyAndLargeSecrets()
{
    QStringList values;
    for (int i = 0; i < 200; ++i)
        values.append(u"secret-number-%1-of-many"_s.arg(i, 3, 10, QChar(u'0')));
    values.append(QString(1 << 20, u'L'));
    const SecretSet set = setOf(values);
    QByteArray text;
    QByteArray shown;
    for (int i = 0; i < 200; ++i) {
        text += values[i].toUtf8() + " secret-number- \n";
        shown += "*** secret-number- \n";
    }
    text += values.last().toUtf8() + '!';
    shown += "***!";
    QCOMPARE(inPieces(set, text, 4096), shown);
    // A flood of what is nearly the large one must neither be lost nor take quadratic time.
    const QByteArray flood = QByteArray(1 << 20, 'L').chopped(1) + 'M';
    QCOMPARE(inPieces(set, flood, 65'536), flood);
}

void TestMasker::bytesThatAreNoUtf8()
{
    const SecretSet set = setOf({ u"päss"_s });
    QByteArray all;
    for (int byte = 0; byte < 256; ++byte)
        all += char(byte);
    QCOMPARE(inPieces(set, all + "p\xc3\xa4ss" + all, 3), all + "***" + all);
    QCOMPARE(set.masked(QByteArray("p\xe4ss")), QByteArray("p\xe4ss")); // Latin-1 is not promised.
}

QTEST_GUILESS_MAIN(TestMasker)
#include "tst_masker.moc"
