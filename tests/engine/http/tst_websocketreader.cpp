// SPDX-License-Identifier: MIT
#include "engine/http/websocketreader.h"

#include <QTest>

using namespace isol8::http;
using namespace Qt::StringLiterals;

namespace {

using Item = WebSocketReader::Item;
using Opcode = WebSocketOpcode;

constexpr qint64 maxBytes = 300'000;

/// A client's frame.
QByteArray frame(Opcode opcode, const QByteArray& payload, bool isFinal = true)
{
    auto bytes = webSocketFrame(WebSocketRole::Client, opcode, payload);
    if (!isFinal)
        bytes[0] = char(uchar(bytes[0]) & 0x7f);
    return bytes;
}

/// All that is read of @p bytes in pieces, and the code of a fault; 0: none.
std::pair<QList<Item>, int> readIn(const QByteArray& bytes, qsizetype pieceBytes)
{
    WebSocketReader reader(WebSocketRole::Server, maxBytes);
    QList<Item> items;
    for (qsizetype at = 0; at < bytes.size(); at += pieceBytes) {
        const auto reading = reader.feed(bytes.mid(at, pieceBytes));
        items += reading.items;
        if (reading.fault)
            return { items, reading.fault->code };
    }
    return { items, 0 };
}

} // namespace

class TestWebSocketReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsMessagesOfEachSize_data();
    void readsMessagesOfEachSize();
    void readsConversations_data();
    void readsConversations();
    void findsFaults_data();
    void findsFaults();
    void readsNothingAfterTheEnd();
    void limitsMessages();
    void cutsLongReasons();
    void readsAServer();
};

void TestWebSocketReader::readsMessagesOfEachSize_data()
{
    QTest::addColumn<qsizetype>("size");
    for (const qsizetype size : { 0, 1, 3, 125, 126, 65'535, 65'536, 300'000 })
        QTest::addRow("%lld", static_cast<long long>(size)) << size;
}

void TestWebSocketReader::readsMessagesOfEachSize()
{
    QFETCH(qsizetype, size);
    QByteArray payload(size, '\0');
    for (qsizetype i = 0; i < size; ++i)
        payload[i] = char(i * 31 >> 3);
    const auto bytes = frame(Opcode::Binary, payload) + frame(Opcode::Text, "next");
    const QList<Item> expected { { Opcode::Binary, payload }, { Opcode::Text, "next" } };
    for (const qsizetype piece : { bytes.size(), qsizetype(1), qsizetype(1000), qsizetype(7) }) {
        const auto [items, fault] = readIn(bytes, piece);
        QCOMPARE(fault, 0);
        QVERIFY(items == expected);
    }
}

void TestWebSocketReader::readsConversations_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QList<Item>>("items");
    const auto row = [](const char* name, const QByteArray& bytes, const QList<Item>& items) {
        QTest::newRow(name) << bytes << items;
    };
    row("in pieces",
        frame(Opcode::Text, "a", false) + frame(Opcode::Continuation, "b", false)
            + frame(Opcode::Continuation, "", false) + frame(Opcode::Continuation, "c"),
        { { Opcode::Text, "abc" } });
    row("a ping between",
        frame(Opcode::Text, "a", false) + frame(Opcode::Ping, "beat")
            + frame(Opcode::Continuation, "b"),
        { { Opcode::Ping, "beat" }, { Opcode::Text, "ab" } });
    row("a character over two frames",
        frame(Opcode::Text, "\xc3", false) + frame(Opcode::Continuation, "\xa4"),
        { { Opcode::Text, "\xc3\xa4" } });
    row("binary is anything", frame(Opcode::Binary, "\xff\0"_ba),
        { { Opcode::Binary, "\xff\0"_ba } });
    row("empty", frame(Opcode::Text, {}) + frame(Opcode::Pong, {}),
        { { Opcode::Text, {} }, { Opcode::Pong, {} } });
    row("end without a reason", frame(Opcode::Close, {}), { { Opcode::Close, {} } });
    row("end", frame(Opcode::Close, closePayload(1000, u"bye"_s)),
        { { Opcode::Close,
            "\x03\xe8"
            "bye" } });
    row("end of the application's own", frame(Opcode::Close, closePayload(4999, {})),
        { { Opcode::Close, "\x13\x87" } });
}

void TestWebSocketReader::readsConversations()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QList<Item>, items);
    for (const qsizetype piece : { bytes.size(), qsizetype(1) }) {
        const auto [read, fault] = readIn(bytes, piece);
        QCOMPARE(fault, 0);
        QVERIFY(read == items);
    }
}

void TestWebSocketReader::findsFaults_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const QByteArray& bytes, int code) {
        QTest::newRow(name) << bytes << code;
    };
    const auto header = [](const char* bytes, qsizetype size) { return QByteArray(bytes, size); };
    row("not masked", webSocketFrame(WebSocketRole::Server, Opcode::Text, "x"), 1002);
    for (const char flag : { 0x40, 0x20, 0x10 }) {
        auto bytes = frame(Opcode::Text, "x");
        bytes[0] = char(bytes[0] | flag);
        row(qPrintable(u"flag %1"_s.arg(int(flag))), bytes, 1002);
    }
    for (const int opcode : { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 })
        row(qPrintable(u"opcode %1"_s.arg(opcode)), frame(Opcode(opcode), "x"), 1002);
    row("goes on before it begins", frame(Opcode::Continuation, "x"), 1002);
    row("within another", frame(Opcode::Text, "x", false) + frame(Opcode::Text, "y"), 1002);
    row("ping in pieces", frame(Opcode::Ping, "x", false), 1002);
    row("long ping", frame(Opcode::Ping, QByteArray(126, 'x')), 1002);
    row("not UTF-8", frame(Opcode::Text, "\xff"), 1007);
    row("a surrogate", frame(Opcode::Text, "\xed\xa0\x80"), 1007);
    row("ends within a character",
        frame(Opcode::Text, "a", false) + frame(Opcode::Continuation, "\xc3"), 1007);
    row("2^63 bytes", header("\x81\xff\x80\0\0\0\0\0\0\0kkkk", 14), 1002);
    row("2^62 bytes", header("\x81\xff\x40\0\0\0\0\0\0\0kkkk", 14), 1009);
    row("half a code", frame(Opcode::Close, "\x03"), 1002);
    for (const int code : { 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65'535 })
        row(qPrintable(u"code %1"_s.arg(code)), frame(Opcode::Close, closePayload(code, {})), 1002);
    row("reason that is not UTF-8", frame(Opcode::Close, "\x03\xe8\xff"), 1007);
}

void TestWebSocketReader::findsFaults()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    const auto good = frame(Opcode::Text, "good");
    for (const qsizetype piece : { qsizetype(1'000'000), qsizetype(1) }) {
        const auto [items, fault] = readIn(good + bytes + good, piece);
        QCOMPARE(fault, code);
        QVERIFY(items == (QList<Item> { { Opcode::Text, "good" } }));
    }
}

void TestWebSocketReader::readsNothingAfterTheEnd()
{
    WebSocketReader reader(WebSocketRole::Server, maxBytes);
    const auto end = frame(Opcode::Close, {});
    QCOMPARE(reader.feed(end + frame(Opcode::Text, "x")).items.size(), 1);
    const auto later = reader.feed(webSocketFrame(WebSocketRole::Server, Opcode::Text, "x"));
    QVERIFY(later.items.isEmpty() && !later.fault);
}

void TestWebSocketReader::limitsMessages()
{
    const QByteArray half(maxBytes / 2, 'x');
    QCOMPARE(
        readIn(frame(Opcode::Text, half, false) + frame(Opcode::Continuation, half), 999).second,
        0);
    const auto [items, fault]
        = readIn(frame(Opcode::Text, half, false) + frame(Opcode::Continuation, half + 'x'), 999);
    QCOMPARE(fault, 1009);
    QVERIFY(items.isEmpty());
    // Known from the header, before any of it is there.
    QCOMPARE(
        readIn(frame(Opcode::Binary, QByteArray(maxBytes + 1, 'x')).first(14), 1).second, 1009);
}

void TestWebSocketReader::cutsLongReasons()
{
    QCOMPARE(closePayload(1000, QString(200, u'x')).size(), 125);
    // Three bytes each, so that the limit falls within one.
    const auto cut = closePayload(1000, u'x' + QString(200, u'\u20ac'));
    QCOMPARE(QString::fromUtf8(cut.sliced(2)), u'x' + QString(40, u'\u20ac'));
}

void TestWebSocketReader::readsAServer()
{
    for (const qsizetype size : { 0, 1, 125, 126, 65'535, 65'536 }) {
        const QByteArray payload(size, 'x');
        WebSocketReader reader(WebSocketRole::Client, maxBytes);
        const auto reading
            = reader.feed(webSocketFrame(WebSocketRole::Server, Opcode::Text, payload));
        QVERIFY(!reading.fault);
        QVERIFY(reading.items == (QList<Item> { { Opcode::Text, payload } }));
        const auto masked = reader.feed(frame(Opcode::Text, payload));
        QCOMPARE(masked.fault.value_or(WebSocketReader::Fault {}).code, 1002);
    }
}

QTEST_GUILESS_MAIN(TestWebSocketReader)
#include "tst_websocketreader.moc"
