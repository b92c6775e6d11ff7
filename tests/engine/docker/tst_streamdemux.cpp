// SPDX-License-Identifier: MIT
#include "engine/docker/streamdemux.h"

#include <QTest>
#include <QtEndian>

using namespace isol8;
using namespace isol8::docker;

namespace {

QByteArray frame(int stream, const QByteArray& payload)
{
    QByteArray bytes(8, '\0');
    bytes[0] = char(stream);
    qToBigEndian(quint32(payload.size()), bytes.data() + 4);
    return bytes + payload;
}

struct Outcome {
    QByteArray standardOutput;
    QByteArray standardError;
    bool isFailed = false;
    bool isAtFrameEnd = false;
};

Outcome demux(const QByteArray& bytes, qsizetype pieceBytes)
{
    Outcome outcome;
    StreamDemux demux;
    for (qsizetype at = 0; at < bytes.size(); at += pieceBytes) {
        auto input = QByteArrayView(bytes).sliced(at, std::min(pieceBytes, bytes.size() - at));
        for (;;) {
            const auto piece = demux.next(input);
            if (!piece) {
                outcome.isFailed = piece.error().kind == Kind::Protocol;
                return outcome;
            }
            if (!*piece)
                break;
            auto& to = (*piece)->stream == StreamDemux::Stream::Stderr ? outcome.standardError
                                                                       : outcome.standardOutput;
            to += (*piece)->bytes;
        }
        if (!input.isEmpty())
            outcome.isFailed = true; // What is not a frame's end must have been taken.
    }
    outcome.isAtFrameEnd = demux.isAtFrameEnd();
    return outcome;
}

} // namespace

class TestStreamDemux : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsFrames_data();
    void splitsFrames();
    void framesInOutputStayOutput();
    void refusesWhatIsNoFrame_data();
    void refusesWhatIsNoFrame();
    void knowsAnUnfinishedFrame_data();
    void knowsAnUnfinishedFrame();
    void largestLengthIsNotKept();
};

void TestStreamDemux::splitsFrames_data()
{
    QTest::addColumn<int>("pieceBytes");
    for (int size = 1; size <= 20; ++size)
        QTest::addRow("pieces of %d", size) << size;
    QTest::newRow("whole") << 1'000'000;
}

void TestStreamDemux::splitsFrames()
{
    QFETCH(int, pieceBytes);
    const QByteArray large(70'000, 'L');
    const auto bytes = frame(1, "one") + frame(2, "two") + frame(1, {}) + frame(0, "zero")
        + frame(1, large) + frame(2, QByteArray("\0\1\2", 3));
    const auto outcome = demux(bytes, pieceBytes);
    QVERIFY(!outcome.isFailed);
    QVERIFY(outcome.isAtFrameEnd);
    QCOMPARE(outcome.standardOutput, "onezero" + large);
    QCOMPARE(outcome.standardError, "two" + QByteArray("\0\1\2", 3));
}

void TestStreamDemux::framesInOutputStayOutput()
{
    const auto inner = frame(2, "pretended");
    for (const qsizetype size : { 1, 3, 8, 100 }) {
        const auto outcome = demux(frame(1, inner), size);
        QCOMPARE(outcome.standardOutput, inner);
        QVERIFY(outcome.standardError.isEmpty());
    }
}

void TestStreamDemux::refusesWhatIsNoFrame_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("daemon's error stream") << frame(3, "x");
    QTest::newRow("stream 9") << frame(9, "x");
    QTest::newRow("stream 255") << frame(255, "x");
    QTest::newRow("text") << QByteArray("hello world");
    for (int at = 1; at <= 3; ++at) {
        auto bytes = frame(1, "x");
        bytes[at] = 1;
        QTest::addRow("padding %d", at) << bytes;
    }
}

void TestStreamDemux::refusesWhatIsNoFrame()
{
    QFETCH(QByteArray, bytes);
    for (const qsizetype size : { 1, 5, 100 }) {
        const auto outcome = demux(frame(1, "before") + bytes, size);
        QVERIFY(outcome.isFailed);
        QCOMPARE(outcome.standardOutput, "before");
    }
}

void TestStreamDemux::knowsAnUnfinishedFrame_data()
{
    QTest::addColumn<int>("cutBytes");
    for (int cut = 1; cut < 13; ++cut)
        QTest::addRow("cut by %d", cut) << cut;
}

void TestStreamDemux::knowsAnUnfinishedFrame()
{
    QFETCH(int, cutBytes);
    const auto outcome = demux(frame(1, "first") + frame(1, "12345").chopped(cutBytes), 3);
    QVERIFY(!outcome.isFailed);
    QVERIFY(!outcome.isAtFrameEnd);
}

void TestStreamDemux::largestLengthIsNotKept()
{
    StreamDemux demux;
    const QByteArray header("\1\0\0\0\xff\xff\xff\xff", 8);
    QByteArrayView input(header);
    QVERIFY(!demux.next(input)->has_value());
    const QByteArray part(1000, 'p');
    for (int i = 0; i < 100; ++i) {
        input = part;
        const auto piece = demux.next(input);
        QVERIFY(piece && piece->has_value());
        QCOMPARE((*piece)->bytes.data(), part.constData()); // A view, not a copy.
        QCOMPARE((*piece)->bytes.size(), part.size());
    }
}

QTEST_GUILESS_MAIN(TestStreamDemux)
#include "tst_streamdemux.moc"
