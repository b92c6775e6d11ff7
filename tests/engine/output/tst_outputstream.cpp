// SPDX-License-Identifier: MIT
#include "engine/output/outputstream.h"

#include "engine/output/utf8.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestOutputStream : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bounds_data();
    void bounds();
    void neverSplitsACharacter();
    void staysShutAfterTheLimit();
    void boundsOutputWithoutALine();
    void countsWhatIsShown();
    void masksBeforeItCuts();
    void finishGivesWhatWaited();
    void decodes_data();
    void decodes();
};

void TestOutputStream::bounds_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("limit");
    QTest::addColumn<QByteArray>("kept");
    QTest::newRow("below") << QByteArray("abc") << 4 << QByteArray("abc");
    QTest::newRow("exact") << QByteArray("abcd") << 4 << QByteArray("abcd");
    QTest::newRow("above") << QByteArray("abcde") << 4 << QByteArray("abcd");
    QTest::newRow("nothing") << QByteArray() << 4 << QByteArray();
    QTest::newRow("no room") << QByteArray("a") << 0 << QByteArray();
    QTest::newRow("fits exactly") << QByteArray("ab\u00e9") << 4 << QByteArray("ab\u00e9");
    QTest::newRow("two bytes") << QByteArray("abc\u00e9") << 4 << QByteArray("abc");
    QTest::newRow("four bytes") << QByteArray("a\U0001f600") << 4 << QByteArray("a");
    QTest::newRow("Latin-1") << QByteArray("\xe4\xe4\xe4\xe4\xe4\xe4") << 4
                             << QByteArray("\xe4\xe4\xe4");
    QTest::newRow("continuations") << QByteArray(6, '\x80') << 4 << QByteArray(4, '\x80');
}

void TestOutputStream::bounds()
{
    QFETCH(QByteArray, text);
    QFETCH(int, limit);
    QFETCH(QByteArray, kept);
    Bounder whole(limit);
    QCOMPARE(whole.feed(text), kept);
    QCOMPARE(whole.isTruncated(), kept != text);
}

void TestOutputStream::neverSplitsACharacter()
{
    const QString characters = u"aé日😀"_s.repeated(4);
    const QByteArray text = characters.toUtf8();
    for (int limit = 0; limit <= text.size(); ++limit) {
        for (int pieceBytes = 1; pieceBytes <= 6; ++pieceBytes) {
            Bounder bounder(limit);
            QByteArray kept;
            for (qsizetype at = 0; at < text.size(); at += pieceBytes)
                kept += bounder.feed(text.mid(at, pieceBytes));
            QVERIFY(kept.size() <= limit);
            QVERIFY(kept.size() > limit - 4);
            QVERIFY(text.startsWith(kept));
            QVERIFY(QString::fromUtf8(kept).isValidUtf16());
            QCOMPARE(QString::fromUtf8(kept).toUtf8(), kept);
            QCOMPARE(bounder.isTruncated(), kept != text);
        }
    }
}

void TestOutputStream::staysShutAfterTheLimit()
{
    Bounder bounder(4);
    QCOMPARE(bounder.feed("abc\u00e9"), QByteArray("abc"));
    QCOMPARE(bounder.feed("d"), QByteArray());
    QVERIFY(bounder.isTruncated());
    Bounder exact(4);
    QCOMPARE(exact.feed("abcd"), QByteArray("abcd"));
    QVERIFY(!exact.isTruncated());
    QCOMPARE(exact.feed({}), QByteArray());
    QVERIFY(!exact.isTruncated());
    QCOMPARE(exact.feed("e"), QByteArray());
    QVERIFY(exact.isTruncated());
}

void TestOutputStream::boundsOutputWithoutALine()
{
    OutputStream stream(SecretSet({ { u"S"_s, u"xxxxy"_s } }), 1 << 20);
    const QByteArray chunk(64 << 10, 'x');
    qint64 shown = 0;
    for (int i = 0; i < 64; ++i)
        shown += stream.feed(chunk).size();
    shown += stream.finish().size();
    QCOMPARE(shown, 1 << 20);
    QVERIFY(stream.isTruncated());
}

void TestOutputStream::countsWhatIsShown()
{
    OutputStream stream(SecretSet({ { u"S"_s, u"a-long-secret"_s } }), 7);
    QCOMPARE(stream.feed("a-long-secret|a-long-secret"), QByteArray("***|***"));
    QCOMPARE(stream.finish(), QByteArray());
    QVERIFY(!stream.isTruncated());
}

void TestOutputStream::masksBeforeItCuts()
{
    const QByteArray text = "12345a-long-secret";
    for (int limit = 0; limit <= text.size(); ++limit) {
        OutputStream stream(SecretSet({ { u"S"_s, u"a-long-secret"_s } }), limit);
        QByteArray shown;
        for (const char byte : text)
            shown += stream.feed(QByteArray(1, byte));
        shown += stream.finish();
        QCOMPARE(shown, QByteArray("12345***").left(limit));
    }
}

void TestOutputStream::finishGivesWhatWaited()
{
    OutputStream stream(SecretSet({ { u"S"_s, u"a-long-secret"_s } }), 100);
    QCOMPARE(stream.feed("end: a-long-sec"), QByteArray("end: "));
    QCOMPARE(stream.finish(), QByteArray("a-long-sec"));
    QVERIFY(!stream.isTruncated());
}

void TestOutputStream::decodes_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    QTest::newRow("empty") << QByteArray() << QString();
    QTest::newRow("all lengths") << QByteArray("a\u00e9\u65e5\U0001f600") << u"aé日😀"_s;
    QTest::newRow("mark stays") << QByteArray("\ufeffa") << u"\ufeffa"_s;
    QTest::newRow("Latin-1") << QByteArray("p\xe4ss") << u"p\ufffdss"_s;
    QTest::newRow("cut at the end") << QByteArray("a\xf0\x9f\x98") << u"a\ufffd\ufffd\ufffd"_s;
    QTest::newRow("NUL") << QByteArray("a\0b", 3) << QString(u"a\0b"_s);
    QTest::newRow("never valid") << QByteArray("\xff\xfe") << u"\ufffd\ufffd"_s;
}

void TestOutputStream::decodes()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, text);
    for (int pieceBytes = 1; pieceBytes <= 5; ++pieceBytes) {
        Utf8Decoder decoder;
        QString decoded;
        for (qsizetype at = 0; at < bytes.size(); at += pieceBytes)
            decoded += decoder.feed(bytes.mid(at, pieceBytes));
        decoded += decoder.finish();
        QCOMPARE(decoded, text);
        QCOMPARE(decoder.finish(), QString());
    }
}

QTEST_GUILESS_MAIN(TestOutputStream)
#include "tst_outputstream.moc"
