// SPDX-License-Identifier: MIT
#include "engine/core/jsontext.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// What becomes of a program's bytes in an answer.
class TestJsonText : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyByteInEveryPlace()
    {
        for (int byte = 0; byte < 0x80; ++byte) {
            for (int length = 1; length <= 20; ++length) {
                for (int at = 0; at < length; ++at) {
                    QByteArray text(length, 'x');
                    text[at] = char(byte);
                    QCOMPARE(read(text), QString::fromLatin1(text));
                }
            }
        }
    }

    void plainTextIsCopied()
    {
        QByteArray json = "before";
        appendJsonString(json, "a plain text/ of some length ~ \x7f");
        QCOMPARE(json, "before\"a plain text/ of some length ~ \x7f\"");
    }

    void shortEscapes()
    {
        QByteArray json;
        appendJsonString(json, "\"\\\b\f\n\r\t\x01\x1f");
        QCOMPARE(json, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"");
    }

    void othersAreUtf8_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("two bytes") << "na\u00efve \"quoted\"\n"_ba;
        QTest::newRow("four bytes") << "\U0001f600\\"_ba;
        QTest::newRow("byte order mark") << "\ufefftext"_ba;
        QTest::newRow("across pieces") << QByteArray(64 * 1024 - 1, 'x') + "\u00e9\n";
        QTest::newRow("neighbours of the escaped") << "\u00a2\u00dc\u009f\u00ff\u0080"_ba;
    }
    void othersAreUtf8()
    {
        QFETCH(QByteArray, text);
        QCOMPARE(read(text), QString::fromUtf8(text));
    }

    void brokenUtf8IsReplaced() { QCOMPARE(read("a\xff\"b"), u"a\ufffd\"b"_s); }

private:
    /// As a client's parser reads it.
    static QString read(const QByteArray& text)
    {
        QByteArray json = "[";
        appendJsonString(json, text);
        QJsonParseError error;
        const auto document = QJsonDocument::fromJson(json + ']', &error);
        return error.error == QJsonParseError::NoError ? document.array().at(0).toString()
                                                       : error.errorString();
    }
};

QTEST_GUILESS_MAIN(TestJsonText)
#include "tst_jsontext.moc"
