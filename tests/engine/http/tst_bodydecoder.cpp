// SPDX-License-Identifier: MIT
#include "engine/http/bodydecoder.h"

#include <QTest>

using namespace isol8;
using namespace isol8::http;

namespace {

struct Outcome {
    QByteArray body;
    QByteArray rest;
    bool isComplete = false;
    int status = 0;
};

Outcome decode(
    const RequestHead& head, const QByteArray& bytes, qsizetype pieceBytes, qint64 maxBytes)
{
    BodyDecoder decoder(head, maxBytes);
    Outcome outcome;
    qsizetype at = 0;
    while (at < bytes.size() && !decoder.isComplete()) {
        const auto piece = bytes.sliced(at, std::min(pieceBytes, bytes.size() - at));
        const auto taken = at % 2 == 0 ? decoder.feedShared(piece) : decoder.feed(piece);
        if (!taken) {
            outcome.status = taken.error().httpStatus;
            return outcome;
        }
        at += *taken;
    }
    return { decoder.body(), bytes.sliced(at), decoder.isComplete(), 0 };
}

RequestHead chunked()
{
    RequestHead head;
    head.isChunked = true;
    return head;
}

RequestHead sized(qint64 bytes)
{
    RequestHead head;
    head.contentLength = bytes;
    return head;
}

} // namespace

class TestBodyDecoder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decodesInAnyPieces_data();
    void decodesInAnyPieces();
    void refusesChunks_data();
    void refusesChunks();
    void boundsAreExact();
    void isTakenPieceByPiece();
    void endsWithTheConnection();
    void noBody();
    void endlessFraming_data();
    void endlessFraming();
};

void TestBodyDecoder::decodesInAnyPieces_data()
{
    QTest::addColumn<int>("pieceBytes");
    for (const int size : { 1, 2, 3, 5, 1000 })
        QTest::addRow("pieces of %d", size) << size;
}

void TestBodyDecoder::decodesInAnyPieces()
{
    QFETCH(int, pieceBytes);
    const auto whole = decode(sized(5), "helloGET /", pieceBytes, 5);
    QCOMPARE(whole.body, "hello");
    QVERIFY(whole.isComplete);
    QCOMPARE(whole.rest, "GET /");
    const auto pieces = decode(chunked(),
        "5\r\nhello\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: a\r\n\r\nGET /", pieceBytes, 15);
    QCOMPARE(pieces.body, "hello0123456789");
    QVERIFY(pieces.isComplete);
    QCOMPARE(pieces.rest, "GET /");
    QVERIFY(!decode(chunked(), "5\r\nhello\r\n0\r\n", pieceBytes, 15).isComplete);
    QVERIFY(!decode(sized(5), "hell", pieceBytes, 5).isComplete);
}

void TestBodyDecoder::refusesChunks_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("no size") << QByteArray("\r\nhello\r\n");
    QTest::newRow("not hexadecimal") << QByteArray("g\r\nhello\r\n");
    QTest::newRow("negative") << QByteArray("-5\r\nhello\r\n");
    QTest::newRow("prefix") << QByteArray("0x5\r\nhello\r\n");
    QTest::newRow("overflow") << QByteArray("10000000000000005\r\nhello\r\n");
    QTest::newRow("too long chunk") << QByteArray("5\r\nhello!\r\n0\r\n\r\n");
    QTest::newRow("too short chunk") << QByteArray("5\r\nhell\r\n0\r\n\r\n");
    QTest::newRow("LF alone") << QByteArray("5\nhello\r\n0\r\n\r\n");
    QTest::newRow("LF after the chunk") << QByteArray("5\r\nhello\n0\r\n\r\n");
    QTest::newRow("space before the size") << QByteArray(" 5\r\nhello\r\n0\r\n\r\n");
    QTest::newRow("bad trailer") << QByteArray("0\r\nbad trailer\r\n\r\n");
}

void TestBodyDecoder::refusesChunks()
{
    QFETCH(QByteArray, bytes);
    for (const int pieceBytes : { 1, 1000 })
        QCOMPARE(decode(chunked(), bytes, pieceBytes, 1000).status, 400);
}

void TestBodyDecoder::boundsAreExact()
{
    QCOMPARE(decode(sized(6), "hello!", 1, 5).status, 413);
    QCOMPARE(decode(chunked(), "6\r\nhello!\r\n0\r\n\r\n", 1000, 5).status, 413);
    QCOMPARE(decode(chunked(), "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", 1, 5).status, 413);
    QCOMPARE(decode(chunked(), "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", 1, 6).body, "hello!");
    QCOMPARE(decode(sized(1LL << 62), "x", 1, 64 << 20).status, 413);
}

void TestBodyDecoder::noBody()
{
    BodyDecoder decoder(RequestHead {}, 0);
    QVERIFY(decoder.isComplete());
    QCOMPARE(decoder.feed("GET /"), Result<qint64>(0));
}

void TestBodyDecoder::endlessFraming_data()
{
    QTest::addColumn<QByteArray>("start");
    QTest::addColumn<QByteArray>("piece");
    QTest::newRow("extension") << QByteArray("5;") << QByteArray(1000, 'x');
    QTest::newRow("trailers") << QByteArray("0\r\n") << QByteArray("Trailer: a\r\n").repeated(50);
    QTest::newRow("zeros") << QByteArray("0") << QByteArray(1000, '0');
}

void TestBodyDecoder::endlessFraming()
{
    QFETCH(QByteArray, start);
    QFETCH(QByteArray, piece);
    QVERIFY(decode(chunked(), start + piece.repeated(1000), 4096, 1000).status >= 400);
}

void TestBodyDecoder::isTakenPieceByPiece()
{
    BodyDecoder chunked(BodyDecoder::Framing::Chunked);
    QVERIFY(chunked.feed("3\r\nab"));
    QCOMPARE(chunked.takeBody(), QByteArray("ab"));
    QVERIFY(chunked.takeBody().isEmpty());
    QCOMPARE(chunked.feed("c\r\n0\r\n\r\nrest"), 8);
    QCOMPARE(chunked.takeBody(), QByteArray("c"));
    QVERIFY(chunked.isComplete() && chunked.finish());

    BodyDecoder sized(BodyDecoder::Framing::Length, 5);
    QCOMPARE(sized.feed("abc"), 3);
    QCOMPARE(sized.takeBody(), QByteArray("abc"));
    QCOMPARE(sized.feed("defg"), 2);
    QCOMPARE(sized.takeBody(), QByteArray("de"));
    QVERIFY(sized.isComplete());
    QVERIFY(BodyDecoder(BodyDecoder::Framing::Length, 0).isComplete());
}

void TestBodyDecoder::endsWithTheConnection()
{
    BodyDecoder open(BodyDecoder::Framing::UntilClose);
    QCOMPARE(open.feed("abc"), 3);
    QVERIFY(!open.isComplete());
    QVERIFY(open.finish());
    QCOMPARE(open.takeBody(), QByteArray("abc"));

    BodyDecoder sized(BodyDecoder::Framing::Length, 5);
    QVERIFY(sized.feed("abc"));
    QVERIFY(!sized.finish());
    BodyDecoder chunked(BodyDecoder::Framing::Chunked);
    QVERIFY(chunked.feed("3\r\nabc\r\n"));
    QVERIFY(!chunked.finish());
}

QTEST_GUILESS_MAIN(TestBodyDecoder)
#include "tst_bodydecoder.moc"
