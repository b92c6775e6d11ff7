// SPDX-License-Identifier: MIT
#include "engine/core/words.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestWords : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsWords_data();
    void splitsWords();
    void refusesOpenQuotes_data();
    void refusesOpenQuotes();
};

void TestWords::splitsWords_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("nothing") << u"  "_s << QStringList();
    QTest::newRow("words") << u" --model  a/b\t--thinking low\n"_s
                           << QStringList { u"--model"_s, u"a/b"_s, u"--thinking"_s, u"low"_s };
    QTest::newRow("quotes") << uR"(--x "a b" 'c "d' e"f"'g')"_s
                            << QStringList { u"--x"_s, u"a b"_s, u"c \"d"_s, u"efg"_s };
    QTest::newRow("empty words") << uR"('' "")"_s << QStringList { QString(), QString() };
    QTest::newRow("backslashes") << uR"(a\ b "c\"d" 'e\f' g\)"_s
                                 << QStringList { u"a b"_s, u"c\"d"_s, u"e\\f"_s, u"g\\"_s };
    QTest::newRow("nothing is expanded")
        << u"$HOME `id` * ; | >x"_s
        << QStringList { u"$HOME"_s, u"`id`"_s, u"*"_s, u";"_s, u"|"_s, u">x"_s };
}

void TestWords::splitsWords()
{
    QFETCH(QString, text);
    const auto words = splitWords(text);
    QVERIFY(words);
    QTEST(*words, "words");
}

void TestWords::refusesOpenQuotes_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("double") << u"--model \"a"_s;
    QTest::newRow("single") << u"it's"_s;
}

void TestWords::refusesOpenQuotes()
{
    QFETCH(QString, text);
    const auto words = splitWords(text);
    QVERIFY(!words);
    QCOMPARE(words.error().kind, Kind::Invalid);
}

QTEST_GUILESS_MAIN(TestWords)
#include "tst_words.moc"
