// SPDX-License-Identifier: MIT
#include "engine/core/escape.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestEscape : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void shows_data();
    void shows();
};

void TestEscape::shows_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    QTest::newRow("empty") << QString() << QString();
    QTest::newRow("plain") << u"a b.c"_s << u"a b.c"_s;
    QTest::newRow("other scripts") << u"Ünï 日本 עברית 😀"_s << u"Ünï 日本 עברית 😀"_s;
    QTest::newRow("escape") << u"\x1b[31m"_s << u"\\x1b[31m"_s;
    QTest::newRow("clipboard") << u"\x1b]52;c;eA==\a"_s << u"\\x1b]52;c;eA==\\x07"_s;
    QTest::newRow("line breaks") << u"a\r\nb\tc"_s << u"a\\r\\nb\\tc"_s;
    QTest::newRow("nul") << QString(QChar(u'\0')) << u"\\x00"_s;
    QTest::newRow("delete") << QString(QChar(0x7f)) << u"\\x7f"_s;
    QTest::newRow("C1") << QString(QChar(0x9b)) << u"\\x9b"_s;
    QTest::newRow("override") << QString(QChar(0x202e)) << u"\\u202e"_s;
    QTest::newRow("isolate") << QString(QChar(0x2066)) << u"\\u2066"_s;
    QTest::newRow("zero width") << QString(QChar(0x200b)) << u"\\u200b"_s;
    QTest::newRow("line separator") << QString(QChar(0x2028)) << u"\\u2028"_s;
    QTest::newRow("high surrogate") << QString(QChar(0xd83d)) << u"\\ud83d"_s;
    QTest::newRow("low surrogate first") << QString(QChar(0xde00)) + u'x' << u"\\ude00x"_s;
    QTest::newRow("tag") << QString::fromUcs4(U"\U000E0041") << u"\\U000e0041"_s;
}

void TestEscape::shows()
{
    QFETCH(QString, text);
    QFETCH(QString, shown);
    QCOMPARE(printable(text), shown);
}

QTEST_GUILESS_MAIN(TestEscape)
#include "tst_escape.moc"
