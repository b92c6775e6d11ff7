// SPDX-License-Identifier: MIT
#include "tests/engine/guest/scriptedguest.h"

#include <QRandomGenerator>
#include <QTest>

using namespace isol8;
using namespace isol8::test;
using guest::FrameParser;
using guest::Stream;
using guest::Type;

namespace {

struct Parsed {
    QByteArrayList frames; ///< Type, stream, id and payload of each, as text.
    bool isMalformed = false;
};

void feed(FrameParser& parser, const QByteArray& bytes, Parsed& parsed)
{
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.constData());
    auto size = static_cast<std::size_t>(bytes.size());
    for (;;) {
        const auto status = parser.feed(data, size);
        if (status == FrameParser::Status::NeedMore)
            return;
        if (status == FrameParser::Status::Malformed) {
            parsed.isMalformed = true;
            return;
        }
        const auto& header = parser.header();
        parsed.frames.append(QByteArray::number(static_cast<int>(header.type)) + ' '
            + QByteArray::number(static_cast<int>(header.stream)) + ' '
            + QByteArray::number(header.id) + ' '
            + QByteArray(reinterpret_cast<const char*>(parser.payload()), header.length));
    }
}

Parsed parsed(const QByteArrayList& pieces)
{
    const auto parser = std::make_unique<FrameParser>();
    Parsed result;
    for (const auto& piece : pieces) {
        if (!result.isMalformed)
            feed(*parser, piece, result);
    }
    return result;
}

QByteArray conversation()
{
    return ScriptedTransport::frame(Type::Ping, 0) + QByteArray(5, 0)
        + ScriptedTransport::frame(Type::Output, 7, "hello", Stream::Stderr)
        + ScriptedTransport::frame(
            Type::Output, 0xfffffffe, QByteArray(guest::maxPayloadBytes, 'x'), Stream::Stdout)
        + QByteArray(100, 0) + ScriptedTransport::frame(Type::Pong, 1);
}

} // namespace

/// The protocol's parser and its fields.
class TestFrameParser : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsWhole()
    {
        const auto result = parsed({ conversation() });
        QVERIFY(!result.isMalformed);
        QCOMPARE(result.frames.size(), 4);
        QCOMPARE(result.frames[0], "2 0 0 ");
        QCOMPARE(result.frames[1], "21 3 7 hello");
        QCOMPARE(result.frames[2], "21 2 4294967294 " + QByteArray(guest::maxPayloadBytes, 'x'));
        QCOMPARE(result.frames[3], "3 0 1 ");
    }

    void splitsByteByByte()
    {
        QByteArrayList pieces;
        for (const char byte : conversation())
            pieces.append(QByteArray(1, byte));
        QCOMPARE(parsed(pieces).frames, parsed({ conversation() }).frames);
    }

    void splitsAtEveryCut()
    {
        const auto bytes = ScriptedTransport::frame(Type::Output, 7, "hello", Stream::Stderr)
            + QByteArray(3, 0) + ScriptedTransport::frame(Type::Started, 8, "abcd");
        const auto whole = parsed({ bytes }).frames;
        QCOMPARE(whole.size(), 2);
        for (qsizetype first = 0; first <= bytes.size(); ++first) {
            for (qsizetype second = first; second <= bytes.size(); ++second)
                QCOMPARE(parsed({ bytes.first(first), bytes.sliced(first, second - first),
                                    bytes.sliced(second) })
                             .frames,
                    whole);
        }
    }

    void paddingEndsAnyUnfinishedFrame()
    {
        // What a dead host left, then as many zeros as the next one sends: a frame follows
        // unharmed.
        const auto bytes
            = ScriptedTransport::frame(Type::Stdin, 3, QByteArray(guest::maxPayloadBytes, 'x'));
        for (qsizetype cut = 0; cut < bytes.size(); cut += cut < 20 ? 1 : 997) {
            const auto result = parsed({ bytes.first(cut) + QByteArray(guest::resyncBytes, 0)
                + ScriptedTransport::frame(Type::Ping, 9) });
            QVERIFY(!result.isMalformed);
            QCOMPARE(result.frames.last(), "2 0 9 ");
        }
    }

    void refuses_data()
    {
        QTest::addColumn<int>("offset");
        QTest::addColumn<int>("value");
        QTest::newRow("reserved low") << 2 << 1;
        QTest::newRow("reserved high") << 3 << 1;
        QTest::newRow("stream") << 1 << 5;
        QTest::newRow("length by one") << 8 << 1;
        QTest::newRow("length high") << 11 << 0x80;
    }
    void refuses()
    {
        QFETCH(int, offset);
        QFETCH(int, value);
        auto bytes
            = ScriptedTransport::frame(Type::Output, 7, QByteArray(guest::maxPayloadBytes, 'x'));
        bytes[offset] = static_cast<char>(bytes[offset] | value);
        QVERIFY(parsed({ bytes }).isMalformed);
    }

    void survivesCorruption()
    {
        QRandomGenerator random(20261124);
        for (int round = 0; round < 2000; ++round) {
            auto bytes
                = ScriptedTransport::frame(Type::Output, 7, "hello", Stream::Stderr).repeated(3);
            for (int i = 0; i < 3; ++i)
                bytes[random.bounded(int(bytes.size()))] = static_cast<char>(random.bounded(256));
            const auto result = parsed({ bytes });
            QVERIFY(result.frames.size() <= 4);
        }
    }

    void readerStopsAtTheEnd()
    {
        const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
        guest::Reader reader(bytes, sizeof bytes);
        QCOMPARE(reader.u8(), 1);
        QCOMPARE(reader.u16(), 0x0302);
        QCOMPARE(reader.u32(), 0x07060504U);
        QCOMPARE(reader.left(), std::size_t(2));
        QVERIFY(!reader.bytes(3));
        QVERIFY(!reader.isValid());
        QCOMPARE(reader.u8(), 0);
        guest::Reader whole(bytes, 8);
        QCOMPARE(whole.u64(), 0x0807060504030201ULL);
        QVERIFY(whole.isValid());
        QVERIFY(!whole.bytes(static_cast<std::size_t>(-1)));
    }

    void reportSurvivesTheWay()
    {
        const guest::RunReport report { guest::Outcome::Signalled, 9, 1, 2, 3, 4, 5, 1ULL << 40 };
        unsigned char bytes[guest::RunReport::encodedBytes];
        report.encode(bytes);
        guest::RunReport decoded;
        QVERIFY(decoded.decode(guest::Reader(bytes, sizeof bytes)));
        QVERIFY(decoded == report);
        QVERIFY(!decoded.decode(guest::Reader(bytes, sizeof bytes - 1)));
        bytes[0] = 5;
        QVERIFY(!decoded.decode(guest::Reader(bytes, sizeof bytes)));
    }
};

QTEST_GUILESS_MAIN(TestFrameParser)
#include "tst_frameparser.moc"
