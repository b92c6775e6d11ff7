// SPDX-License-Identifier: MIT
#include "engine/core/strictjson.h"

#include <QJsonArray>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestStrictJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsPositions();
    void readsOrdinaryTexts_data();
    void readsOrdinaryTexts();
    void refusesOthers_data();
    void refusesOthers();
    void everyCutIsRefused();
    void everyChangedByteEndsWell();
};

namespace {

const QByteArray sample = R"({
  "a": 1, "b": [true, {"c": "ä\n\"\u00e9\\"}],
  "d": {"e": -1.5e3, "f": null}
})";

QByteArray nested(int levels)
{
    return R"({"a":)" + QByteArray(levels - 1, '[') + QByteArray(levels - 1, ']') + "}";
}

} // namespace

void TestStrictJson::findsPositions()
{
    const auto parsed = parsePositionedJson(sample);
    QVERIFY(parsed);
    const QHash<QString, TextPosition> expected { { QString(), { 1, 1 } }, { u"a"_s, { 2, 8 } },
        { u"b"_s, { 2, 16 } }, { u"b[0]"_s, { 2, 17 } }, { u"b[1]"_s, { 2, 23 } },
        { u"b[1].c"_s, { 2, 29 } }, { u"d"_s, { 3, 8 } }, { u"d.e"_s, { 3, 14 } },
        { u"d.f"_s, { 3, 27 } } };
    QCOMPARE(parsed->positions, expected);
    QCOMPARE(parsed->object[u"b"][1][u"c"].toString(), u"ä\n\"é\\"_s);
}

void TestStrictJson::readsOrdinaryTexts_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("empty object") << QByteArray("{}");
    QTest::newRow("white space") << QByteArray(" \r\n\t{ } \n");
    QTest::newRow("same key in other objects") << QByteArray(R"({"a":{"x":1},"b":{"x":1}})");
    QTest::newRow("same key in a list's objects") << QByteArray(R"({"a":[{"x":1},{"x":1}]})");
    QTest::newRow("surrogate pair") << QByteArray(R"({"a":"\ud83d\ude00"})");
    QTest::newRow("two pairs in a text") << QByteArray(R"({"a":"x\ud83d\ude00\n\ud83d\ude00y"})");
    QTest::newRow("pair in a key") << QByteArray(R"({"x\ud83d\ude00":1,"\ud83d\ude00":2})");
    QTest::newRow("escaped NUL") << QByteArray(R"({"a":"\u0000"})");
    QTest::newRow("brackets in a text") << QByteArray(R"({"a":"[[[{{{\"]"})");
    QTest::newRow("deepest") << nested(128);
}

void TestStrictJson::readsOrdinaryTexts()
{
    QFETCH(QByteArray, text);
    const auto parsed = parseJsonObject(text);
    QVERIFY2(parsed, qPrintable(parsed ? QString() : parsed.error().message));
}

void TestStrictJson::refusesOthers_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("position");
    const auto row = [](const char* name, const QByteArray& text, const QString& position) {
        QTest::newRow(name) << text << position;
    };
    row("empty", "", u"line 1, column 1: "_s);
    row("white space", " \n ", u"line 1, column 1: "_s);
    row("null", "null", u"line 1"_s);
    row("list", "[]", u"line 1, column 1: "_s);
    row("number", "1", u"line 1"_s);
    row("trailing bytes", "{} x", u"line 1"_s);
    row("two objects", "{}{}", u"line 1"_s);
    row("comment", "{\n  // no\n  \"a\": 1\n}", u"line 2"_s);
    row("trailing comma", "{\"a\":1,}", u"line 1"_s);
    row("single quotes", "{'a':1}", u"line 1"_s);
    row("missing value", "{\n\n\"a\":}", u"line 3"_s);
    row("mark", "\xef\xbb\xbf{}", u"line 1, column 1: "_s);
    row("UTF-16", QByteArray("{\0}\0", 4), u"line 1, column 2: "_s);
    row("NUL", QByteArray("{\"a\":\"\0\"}", 9), u"line 1, column 7: "_s);
    row("bad UTF-8", "{\"a\":\"\xff\"}", u"line 1"_s);
    row("overlong UTF-8", "{\"a\":\"\xc0\x80\"}", u"line 1"_s);
    row("duplicate", "{\"a\":1,\n \"a\":2}", u"line 2, column 2: "_s);
    row("duplicate in disguise", R"({"a":1,"\u0061":2})", u"line 1, column 8: "_s);
    row("duplicate below", R"({"x":{"a":1,"b":2,"a":3}})", u"line 1, column 19: "_s);
    row("high surrogate", R"({"a":"\ud800"})", u"line 1, column 6: "_s);
    row("low surrogate behind a text", R"({"a":"x\udc00"})", u"line 1, column 6: "_s);
    row("text in a pair", R"({"a":"\ud83dx\ude00"})", u"line 1, column 6: "_s);
    row("escape in a pair", R"({"a":"\ud83d\n\ude00"})", u"line 1, column 6: "_s);
    row("pair the wrong way", R"({"a":"\ude00\ud83d"})", u"line 1, column 6: "_s);
    row("three halves", R"({"a":"\ud83d\ude00\ude00"})", u"line 1, column 6: "_s);
    row("two first halves", R"({"a":"\ud83d\ud83d\ude00"})", u"line 1, column 6: "_s);
    row("duplicate with an escape", R"({"a\nb":1,"a\u000ab":2})", u"line 1, column 11: "_s);
    row("low surrogate in a key", R"({"\udc00":1})", u"line 1, column 2: "_s);
    row("too deep", nested(129), u"line 1, column 133: "_s);
    row("much too deep", nested(1'000'000), u"line 1, column 133: "_s);
    row("NaN", R"({"a":NaN})", u"line 1"_s);
    row("too large a number", R"({"a":1e999})", u"line 1"_s);
}

void TestStrictJson::refusesOthers()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, position);
    const auto parsed = parseJsonObject(text);
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().kind, Kind::Invalid);
    QVERIFY2(parsed.error().message.startsWith(position), qPrintable(parsed.error().message));
    QVERIFY(!parsePositionedJson(text));
}

void TestStrictJson::everyCutIsRefused()
{
    for (qsizetype size = 0; size < sample.size(); ++size)
        QVERIFY(!parsePositionedJson(sample.first(size)));
}

void TestStrictJson::everyChangedByteEndsWell()
{
    int refused = 0;
    for (qsizetype at = 0; at < sample.size(); ++at) {
        for (const char byte : { '\0', '"', '\\', '{', ']', ',', '\xff', '\n', 'u' }) {
            QByteArray changed = sample;
            changed[at] = byte;
            refused += parsePositionedJson(changed) ? 0 : 1;
        }
    }
    QVERIFY(refused > sample.size());
}

QTEST_GUILESS_MAIN(TestStrictJson)
#include "tst_strictjson.moc"
