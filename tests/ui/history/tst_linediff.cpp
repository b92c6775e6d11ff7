// SPDX-License-Identifier: MIT
#include "ui/history/linediff.h"

#include <QRandomGenerator>
#include <QTest>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Two texts side by side.
class TestLineDiff : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void compares_data();
    void compares();
    void showsEveryLineOnce();
    void endsForTextsWithNothingInCommon();
};

namespace {

/// One character a row: `=` same, `~` changed, `<` only left, `>` only right.
QString shape(const QList<DiffRow>& rows)
{
    QString text;
    for (const auto& row : rows)
        text += u"=~<>"_s[int(row.kind)];
    return text;
}

} // namespace

void TestLineDiff::compares_data()
{
    QTest::addColumn<QString>("left");
    QTest::addColumn<QString>("right");
    QTest::addColumn<QString>("shape");
    QTest::newRow("empty") << u""_s << u""_s << u""_s;
    QTest::newRow("same") << u"abc"_s << u"abc"_s << u"==="_s;
    QTest::newRow("changed") << u"abc"_s << u"axc"_s << u"=~="_s;
    QTest::newRow("added") << u"ac"_s << u"abc"_s << u"=>="_s;
    QTest::newRow("removed") << u"abc"_s << u"ac"_s << u"=<="_s;
    QTest::newRow("all new") << u""_s << u"ab"_s << u">>"_s;
    QTest::newRow("all gone") << u"ab"_s << u""_s << u"<<"_s;
    QTest::newRow("at the end") << u"ab"_s << u"abcd"_s << u"==>>"_s;
    QTest::newRow("at the beginning") << u"cd"_s << u"abcd"_s << u">>=="_s;
    QTest::newRow("apart") << u"abcdefg"_s << u"axcdeyg"_s << u"=~===~="_s;
    QTest::newRow("moved") << u"abcde"_s << u"acdbe"_s << u"=<==>="_s;
}

void TestLineDiff::compares()
{
    QFETCH(QString, left);
    QFETCH(QString, right);
    const auto rows = diffLines(
        left.split(QString(), Qt::SkipEmptyParts), right.split(QString(), Qt::SkipEmptyParts));
    QTEST(shape(rows), "shape");
}

void TestLineDiff::showsEveryLineOnce()
{
    QRandomGenerator random(1);
    for (int round = 0; round < 200; ++round) {
        QStringList left;
        QStringList right;
        for (int i = random.bounded(30); i > 0; --i)
            left << QString::number(random.bounded(4));
        for (int i = random.bounded(30); i > 0; --i)
            right << QString::number(random.bounded(4));
        qsizetype nextLeft = 0;
        qsizetype nextRight = 0;
        for (const auto& row : diffLines(left, right)) {
            if (row.left >= 0)
                QCOMPARE(row.left, nextLeft++);
            if (row.right >= 0)
                QCOMPARE(row.right, nextRight++);
            if (row.kind == DiffRow::Kind::Same)
                QCOMPARE(left[row.left], right[row.right]);
        }
        QCOMPARE(nextLeft, left.size());
        QCOMPARE(nextRight, right.size());
    }
}

void TestLineDiff::endsForTextsWithNothingInCommon()
{
    QStringList left;
    QStringList right;
    for (int i = 0; i < 20'000; ++i) {
        left << u"l%1"_s.arg(i);
        right << u"r%1"_s.arg(i);
    }
    QCOMPARE(diffLines(left, right).size(), 20'000);
}

QTEST_GUILESS_MAIN(TestLineDiff)
#include "tst_linediff.moc"
