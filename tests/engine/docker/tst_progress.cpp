// SPDX-License-Identifier: MIT
#include "engine/docker/progress.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;

namespace {

const QByteArray lines
    = "{\"stream\":\"Step 1/2 : FROM a\\n\"}\r\n"
      "{\"status\":\"Pulling\",\"progressDetail\":{\"current\":3,\"total\":9},\"id\":\"ab\"}\r\n"
      "\r\n"
      "{\"aux\":{\"ID\":\"sha256:42\"}}\n"
      "{\"stream\":\"Successfully built\"}";

} // namespace

class TestProgress : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsLinesInPieces_data();
    void readsLinesInPieces();
    void errorsEndIt_data();
    void errorsEndIt();
    void nonsenseIsProtocol_data();
    void nonsenseIsProtocol();
    void lineLengthIsBounded();
    void tailIsBounded();
};

void TestProgress::readsLinesInPieces_data()
{
    QTest::addColumn<int>("pieceBytes");
    for (int size = 1; size <= 10; ++size)
        QTest::addRow("pieces of %d", size) << size;
    QTest::newRow("whole") << 10'000;
}

void TestProgress::readsLinesInPieces()
{
    QFETCH(int, pieceBytes);
    QStringList statuses;
    qint64 total = 0;
    ProgressReader reader([&](const Progress& progress) {
        statuses << progress.status;
        total += progress.total;
    });
    for (qsizetype at = 0; at < lines.size(); at += pieceBytes)
        QVERIFY(reader.feed(lines.sliced(at, std::min<qsizetype>(pieceBytes, lines.size() - at))));
    QCOMPARE(statuses.size(), 2); // The last line has not ended.
    QVERIFY(reader.finish());
    QCOMPARE(statuses,
        (QStringList { u"Step 1/2 : FROM a\n"_s, u"Pulling"_s, u"Successfully built"_s }));
    QCOMPARE(total, 9);
    QCOMPARE(reader.imageId(), u"sha256:42"_s);
    QCOMPARE(reader.tail(), u"Step 1/2 : FROM a\nSuccessfully built"_s);
}

void TestProgress::errorsEndIt_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("message");
    QTest::newRow("detail") << QByteArray(
        R"({"error":"short","errorDetail":{"message":"the whole sentence."}})")
                            << Kind::Internal << u"the whole sentence"_s;
    QTest::newRow("error") << QByteArray(R"({"error":"short"})") << Kind::Internal << u"short"_s;
    QTest::newRow("empty") << QByteArray(R"({"error":""})") << Kind::Internal
                           << u"Docker reported a failure without a word"_s;
    QTest::newRow("disk") << QByteArray(R"({"error":"write: no space left on device"})")
                          << Kind::Limit << u"write: no space left on device"_s;
    QTest::newRow("missing") << QByteArray(
        R"({"error":"manifest for a:b not found: manifest unknown"})")
                             << Kind::NotFound << u"manifest for a:b not found: manifest unknown"_s;
    QTest::newRow("private") << QByteArray(R"({"error":"pull access denied for a"})")
                             << Kind::Denied << u"pull access denied for a"_s;
}

void TestProgress::errorsEndIt()
{
    QFETCH(QByteArray, line);
    ProgressReader reader({});
    const auto fed = reader.feed("{\"stream\":\"x\"}\n" + line + "\n");
    QVERIFY(!fed);
    QTEST(fed.error().kind, "kind");
    QTEST(fed.error().message, "message");
}

void TestProgress::nonsenseIsProtocol_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("text") << QByteArray("hello\n");
    QTest::newRow("list") << QByteArray("[1]\n");
    QTest::newRow("cut") << QByteArray("{\"stream\":\n");
}

void TestProgress::nonsenseIsProtocol()
{
    QFETCH(QByteArray, line);
    ProgressReader reader({});
    const auto fed = reader.feed(line);
    QVERIFY(!fed);
    QCOMPARE(fed.error().kind, Kind::Protocol);
}

void TestProgress::lineLengthIsBounded()
{
    ProgressReader reader({});
    const QByteArray part(100'000, 'x');
    int parts = 0;
    while (parts < 100 && reader.feed(part))
        ++parts;
    QCOMPARE(parts, ProgressReader::maxLineBytes / part.size());
}

void TestProgress::tailIsBounded()
{
    ProgressReader reader({});
    for (int i = 0; i < 1000; ++i)
        QVERIFY(reader.feed("{\"stream\":\"some line of output\\n\"}\n"));
    QVERIFY(reader.feed("{\"stream\":\"the last\"}\n"));
    QCOMPARE(reader.tail().size(), ProgressReader::maxTailCharacters);
    QVERIFY(reader.tail().endsWith(u"the last"_s));
}

QTEST_GUILESS_MAIN(TestProgress)
#include "tst_progress.moc"
