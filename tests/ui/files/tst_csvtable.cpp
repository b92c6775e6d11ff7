// SPDX-License-Identifier: MIT
#include "ui/files/csvtable.h"

#include <QTest>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Tables as RFC 4180 writes them, and as others do.
class TestCsvTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void parses_data();
    void parses();
    void isBounded();
    void showsNothingThatSteers();
};

void TestCsvTable::parses_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QList<QStringList>>("rows");
    const auto row = [](const char* name, const QString& text, const QList<QStringList>& rows) {
        QTest::newRow(name) << text << rows;
    };
    row("empty", {}, {});
    row("plain", u"a,b\n1,2\n"_s, { { u"a"_s, u"b"_s }, { u"1"_s, u"2"_s } });
    row("no end", u"a,b\n1,2"_s, { { u"a"_s, u"b"_s }, { u"1"_s, u"2"_s } });
    row("windows", u"a,b\r\n1,2\r\n"_s, { { u"a"_s, u"b"_s }, { u"1"_s, u"2"_s } });
    row("quoted", u"\"a,\"\"b\"\"\",\"x\ny\"\n"_s, { { u"a,\"b\""_s, u"x\ny"_s } });
    row("semicolons", u"a;b\n1,5;2\n"_s, { { u"a"_s, u"b"_s }, { u"1,5"_s, u"2"_s } });
    row("tabs", u"a\tb\n"_s, { { u"a"_s, u"b"_s } });
    row("empty fields", u",,\n"_s, { { u""_s, u""_s, u""_s } });
    row("ragged", u"a\nb,c\n"_s, { { u"a"_s }, { u"b"_s, u"c"_s } });
    row("open quote", u"a,\"b\nc"_s, { { u"a"_s, u"b\nc"_s } });
}

void TestCsvTable::parses()
{
    QFETCH(QString, text);
    QTEST(CsvText::parse(text).rows, "rows");
}

void TestCsvTable::isBounded()
{
    const auto tall = CsvText::parse(u"a\n"_s.repeated(300'000));
    QVERIFY(tall.isCut);
    QVERIFY(tall.rows.size() <= 200'000);
    const auto wide = CsvText::parse(QString(100'000, u','));
    QVERIFY(wide.isCut);
    QCOMPARE(wide.columns, 1000);
}

void TestCsvTable::showsNothingThatSteers()
{
    const CsvTableModel model(CsvText::parse(u"a,\u202eb\n\x1b[31mx,<b>y</b>\n"_s), nullptr);
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), u"\\u202eb"_s);
    QCOMPARE(model.data(model.index(0, 0), Qt::DisplayRole).toString(), u"\\x1b[31mx"_s);
}

QTEST_GUILESS_MAIN(TestCsvTable)
#include "tst_csvtable.moc"
