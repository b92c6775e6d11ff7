// SPDX-License-Identifier: MIT
#include "app/serve/server.h"
#include "tests/app/serve/fakeengine.h"
#include "tests/support/rawclient.h"

#include <QJsonDocument>

using namespace isol8;
using namespace isol8::serve;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

enum Opcode { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };
enum Flag { Final = 0x80, Reserved1 = 0x40 };

/// A frame as clients send it (RFC 6455, section 5.2): masked, unless it is not to be.
QByteArray frame(int opcode, const QByteArray& payload, int flags = Final, bool isMasked = true)
{
    QByteArray bytes(1, char(flags | opcode));
    const char mask = isMasked ? char(0x80) : char(0);
    if (payload.size() < 126) {
        bytes += char(mask | char(payload.size()));
    } else if (payload.size() < 1 << 16) {
        bytes += char(mask | 126);
        for (const int shift : { 8, 0 })
            bytes += char(payload.size() >> shift);
    } else {
        bytes += char(mask | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += char(payload.size() >> shift);
    }
    if (!isMasked)
        return bytes + payload;
    const QByteArray key = "k\0e\xff"_ba;
    bytes += key;
    for (qsizetype i = 0; i < payload.size(); ++i)
        bytes += char(payload[i] ^ key[i % 4]);
    return bytes;
}

struct Frame {
    int opcode = 0;
    QByteArray payload;
};

/// A client that has shaken hands.
struct Client : RawClient {
    /// @p early: sent without waiting for the answer.
    explicit Client(quint16 port, const QByteArray& early = {})
        : RawClient(port, handshake() + early)
    {
    }
    static QByteArray handshake()
    {
        return "GET /execute/ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer master\r\n"
               "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    }
    [[nodiscard]] bool isOpen() { return waitFor("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", patience); }
    /// Complete frames that came.
    [[nodiscard]] QList<Frame> frames() const
    {
        QList<Frame> frames;
        const auto headEnd = received.indexOf("\r\n\r\n");
        if (headEnd < 0)
            return frames;
        auto bytes = QByteArrayView(received).sliced(headEnd + 4);
        const auto byte = [&](qsizetype at) { return quint64(uchar(bytes[at])); };
        while (bytes.size() >= 2) {
            const auto shortSize = byte(1) & 0x7f;
            const qsizetype extended = shortSize == 126 ? 2 : shortSize == 127 ? 8 : 0;
            if (bytes.size() < 2 + extended)
                break;
            quint64 size = extended == 0 ? shortSize : 0;
            for (qsizetype i = 0; i < extended; ++i)
                size = size << 8 | byte(2 + i);
            if (quint64(bytes.size()) < 2 + quint64(extended) + size)
                break;
            frames << Frame { int(byte(0) & 0x0f),
                bytes.sliced(2 + extended, qsizetype(size)).toByteArray() };
            bytes = bytes.sliced(2 + extended + qsizetype(size));
        }
        return frames;
    }
    /// The code of the server's close frame; 0 when none has come.
    [[nodiscard]] int closeCode() const
    {
        for (const auto& frame : frames()) {
            if (frame.opcode == Close && frame.payload.size() >= 2)
                return uchar(frame.payload[0]) << 8 | uchar(frame.payload[1]);
        }
        return 0;
    }
    /// Waits for the server to close with @p code.
    [[nodiscard]] bool isClosedWith(int code)
    {
        (void)QTest::qWaitFor([this] { return closeCode() != 0 || isClosed; }, patience);
        if (closeCode() != code)
            qInfo() << "closed with" << closeCode() << received.right(200);
        return closeCode() == code;
    }
    [[nodiscard]] QString text() const
    {
        QString all;
        for (const auto& frame : frames()) {
            if (frame.opcode == Text)
                all += QString::fromUtf8(frame.payload) + u'\n';
        }
        return all;
    }
};

const QByteArray execute = R"({"type":"execute","request":{"code":"1"}})"_ba;

} // namespace

/// `/execute/ws` in bytes: the handshake and the frames, good and bad (RFC 6455). HTTP-18 of
/// ABUSE.md; silence and floods: tst_websocketlimits.
class TestWebSocketFrames : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void badHandshakes_data();
    void badHandshakes();
    void conversation();
    void doesNotWaitForTheAnswer();
    void fragments();
    void charactersOverFrames();
    void binaryMessage();
    void pings();
    void badFrames_data();
    void badFrames();
    void largeMessage();
    void nonsense_data();
    void nonsense();
    void wrongOrder();
    void failureHasAStatus();
    void closeOfTheClientCancels();
    void vanishedClientCancels();

private:
    [[nodiscard]] FakeRun* run()
    {
        (void)QTest::qWaitFor([this] { return !m_engine->runs.empty(); }, patience);
        return m_engine->runs.empty() ? nullptr : m_engine->runs.front().data();
    }

    std::shared_ptr<FakeEngine> m_engine;
    std::shared_ptr<Service> m_service;
    std::unique_ptr<Server> m_server;
};

void TestWebSocketFrames::init()
{
    Settings settings;
    settings.serve.maxBodyBytes = 1 << 20;
    m_engine = std::make_shared<FakeEngine>();
    Backend backend;
    backend.engine = m_engine;
    m_service = std::make_shared<Service>(
        settings, backend, std::make_shared<Authenticator>("master", nullptr));
    m_server = std::make_unique<Server>(m_service);
    QVERIFY(m_server->listen({}));
}

void TestWebSocketFrames::cleanup()
{
    // Whatever the client did, nothing of it goes on.
    QTRY_COMPARE_WITH_TIMEOUT(m_service->executions.activeCount(), 0, patience);
    m_server.reset();
    m_service.reset();
}

void TestWebSocketFrames::badHandshakes_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto row
        = [](const char* name, const QByteArray& before, const QByteArray& after, int status) {
              QTest::newRow(name) << Client::handshake().replace(before, after) << status;
          };
    row("no key", "Authorization: Bearer master\r\n", "", 401);
    row("wrong key", "Bearer master", "Bearer wrong", 403);
    row("not an upgrade", "Connection: keep-alive, Upgrade\r\n", "", 426);
    row("upgrade to something else", "Upgrade: websocket", "Upgrade: h2c", 426);
    row("other path", "/execute/ws", "/execute", 405);
    row("old version", "Version: 13", "Version: 8", 426);
    row("no version", "Sec-WebSocket-Version: 13\r\n", "", 400);
    row("no nonce", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400);
    row("short nonce", "dGhlIHNhbXBsZSBub25jZQ==", "dGhl", 400);
    row("POST", "GET ", "POST ", 405);
}

void TestWebSocketFrames::badHandshakes()
{
    QFETCH(QByteArray, bytes);
    RawClient client(m_server->port(), bytes.replace("\r\n\r\n", "\r\nX: y\r\n\r\n"));
    QTRY_VERIFY_WITH_TIMEOUT(!client.body().isNull() || client.isClosed, patience);
    QTEST(client.status(), "status");
    QVERIFY(!QJsonDocument::fromJson(client.body())[u"error"_s].toString().isEmpty());
    QVERIFY(client.status() != 426 || client.received.contains("\r\nUpgrade: websocket\r\n"));
}

void TestWebSocketFrames::conversation()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    QVERIFY(client.received.startsWith("HTTP/1.1 101 "));
    client.send(frame(Text, execute));
    QVERIFY(run());
    run()->begin();
    run()->give("hi ä\n");
    client.send(frame(Text, R"({"type":"stdin","data":"in\u00e4"})"));
    client.send(frame(Text, R"({"type":"resize","rows":7,"cols":8})"));
    client.send(frame(Text, R"({"type":"signal","signal":"SIGINT"})"));
    client.send(frame(Text, R"({"type":"stdin","eof":true})"));
    QTRY_VERIFY_WITH_TIMEOUT(run()->isStdinClosed, patience);
    QCOMPARE(run()->stdinBytes, "inä"_ba);
    QCOMPARE(run()->size, (QPair<int, int> { 8, 7 }));
    QCOMPARE(run()->signalNumbers, QList<int> { 2 });
    run()->end(5);
    QVERIFY(client.isClosedWith(1000));
    QVERIFY(client.received.endsWith("Execution complete"));
    QVERIFY(client.text().startsWith(
        u"{\"data\":\"hi ä\\n\",\"phase\":\"code\",\"type\":\"stdout\"}\n"_s));
    QVERIFY(client.text().contains("\"data\":\"5\""_L1));
    client.send(frame(Close, "\x03\xe8"));
    QVERIFY(client.waitForEnd(patience));
}

void TestWebSocketFrames::doesNotWaitForTheAnswer()
{
    Client client(m_server->port(), frame(Ping, "early") + frame(Text, execute));
    QVERIFY(run());
    run()->end();
    QVERIFY(client.isClosedWith(1000));
    QCOMPARE(client.frames().constFirst().opcode, int(Pong));

    Client bad(m_server->port(), frame(Text, execute, Final, false));
    QVERIFY(bad.isClosedWith(1002));
    QCOMPARE(m_engine->startCount, 1);
}

void TestWebSocketFrames::fragments()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    // A message in pieces, cut within the frames as well, with a ping between them.
    const auto bytes = frame(Text, execute.first(5), 0) + frame(Continuation, execute.mid(5, 9), 0)
        + frame(Ping, "beat") + frame(Continuation, execute.sliced(14));
    for (const char byte : bytes) {
        client.send(QByteArray(1, byte));
        client.socket.flush();
        QCoreApplication::processEvents();
    }
    QVERIFY(run());
    run()->end();
    QVERIFY(client.isClosedWith(1000));
    QVERIFY(std::ranges::any_of(client.frames(),
        [](const Frame& frame) { return frame.opcode == Pong && frame.payload == "beat"; }));
}

void TestWebSocketFrames::charactersOverFrames()
{
    // Each byte a frame of its own, all at once and one after the other.
    const auto text = R"({"type":"execute","request":{"code":"# äöü 🦀 漢字"}})"_ba;
    QByteArray bytes;
    for (qsizetype i = 0; i < text.size(); ++i)
        bytes += frame(
            i == 0 ? Text : Continuation, text.mid(i, 1), i + 1 == text.size() ? Final : 0);
    for (const qsizetype piece : { bytes.size(), qsizetype(1) }) {
        m_engine->runs.clear();
        Client client(m_server->port());
        QVERIFY(client.isOpen());
        for (qsizetype at = 0; at < bytes.size(); at += piece) {
            client.send(bytes.mid(at, piece));
            client.socket.flush();
            QCoreApplication::processEvents();
        }
        QVERIFY(run());
        QCOMPARE(run()->request.code, "# äöü 🦀 漢字"_ba);
        run()->end();
        QVERIFY(client.isClosedWith(1000));
    }
}

void TestWebSocketFrames::binaryMessage()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(frame(Binary, execute));
    QVERIFY(run());
    run()->end();
    QVERIFY(client.isClosedWith(1000));
}

void TestWebSocketFrames::pings()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    QByteArray flood;
    for (int i = 0; i < 2'000; ++i)
        flood += frame(Ping, QByteArray(100, 'p'));
    client.send(flood + frame(Pong, "unasked") + frame(Text, execute));
    QVERIFY(run());
    run()->end();
    QVERIFY(client.isClosedWith(1000));
}

void TestWebSocketFrames::badFrames_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::newRow("not masked") << frame(Text, execute, Final, false) << 1002;
    QTest::newRow("reserved bit") << frame(Text, execute, Final | Reserved1) << 1002;
    QTest::newRow("reserved opcode") << frame(3, "x") << 1002;
    QTest::newRow("reserved control opcode") << frame(11, "x") << 1002;
    QTest::newRow("continues nothing") << frame(Continuation, "x") << 1002;
    QTest::newRow("text within text") << frame(Text, "x", 0) + frame(Text, "y") << 1002;
    QTest::newRow("ping in pieces") << frame(Ping, "x", 0) << 1002;
    QTest::newRow("long ping") << frame(Ping, QByteArray(126, 'x')) << 1002;
    QTest::newRow("not UTF-8") << frame(Text, "\xff") << 1007;
    QTest::newRow("not UTF-8 in pieces")
        << frame(Text, "\xe4", 0) + frame(Continuation, "\xe4") << 1007;
    QTest::newRow("ends within a character")
        << frame(Text, "{", 0) + frame(Continuation, "\xc3") << 1007;
    QTest::newRow("binary that is no text") << frame(Binary, "\xff") << 1003;
    QTest::newRow("surrogate") << frame(Text, "\xed\xa0\x80") << 1007;
    QTest::newRow("announces 2^62 bytes")
        << QByteArray("\x81\xff\x40\0\0\0\0\0\0\0kkkk", 14) << 1009;
    QTest::newRow("announces 2^63 bytes")
        << QByteArray("\x81\xff\x80\0\0\0\0\0\0\0kkkk", 14) << 1002;
    QTest::newRow("announces 200 MB")
        << QByteArray("\x81\xff\0\0\0\0\x0b\xeb\xc2\0kkkk", 14) << 1009;
}

void TestWebSocketFrames::badFrames()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(bytes);
    QVERIFY(client.isClosedWith(code));
    QCOMPARE(m_engine->startCount, 0);
}

void TestWebSocketFrames::largeMessage()
{
    // In one frame as large as allowed, then in pieces that are too large together.
    Client good(m_server->port());
    QVERIFY(good.isOpen());
    const QByteArray begin = R"({"type":"execute","request":{"code":"1","stdin":")";
    const QByteArray end = R"("}})";
    good.send(frame(Text, begin + QByteArray((1 << 20) - begin.size() - end.size(), 'x') + end));
    QVERIFY(run());
    run()->end();
    QVERIFY(good.isClosedWith(1000));
    m_engine->runs.clear();

    Client bad(m_server->port());
    QVERIFY(bad.isOpen());
    bad.send(
        frame(Text, QByteArray(700'000, 'x'), 0) + frame(Continuation, QByteArray(700'000, 'x')));
    QVERIFY(bad.isClosedWith(1009));
}

void TestWebSocketFrames::nonsense_data()
{
    QTest::addColumn<QByteArray>("message");
    for (const auto* message : { "", "null", "[]", "x", "{", "\"execute\"" })
        QTest::newRow(message) << QByteArray(message);
}

void TestWebSocketFrames::nonsense()
{
    QFETCH(QByteArray, message);
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(frame(Text, message));
    QVERIFY(client.isClosedWith(1003));
    QVERIFY2(client.text().contains("\"type\":\"error\""_L1), qPrintable(client.text()));
}

void TestWebSocketFrames::wrongOrder()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(frame(Text, R"({"type":"dance"})"));
    QVERIFY(client.waitFor("Unknown message type: dance", patience));
    client.send(frame(Text, R"({})"));
    client.send(frame(Text, R"({"type":"stdin","data":"x"})"));
    QVERIFY(client.waitFor("execute message first", patience));
    client.send(frame(Text, execute));
    QVERIFY(run());
    client.send(frame(Text, execute));
    QVERIFY(client.waitFor("execution already", patience));
    for (const auto* wish : { R"({"type":"signal","signal":"SIGSTOP"})",
             R"({"type":"signal","signal":9})", R"({"type":"signal","signal":"KILL; rm"})" })
        client.send(frame(Text, wish));
    QTRY_COMPARE_WITH_TIMEOUT(client.text().count("Unknown signal"_L1), 3, patience);
    client.send(frame(Text, R"({"type":"resize","rows":0,"cols":1e9})"));
    QVERIFY(client.waitFor("resize needs", patience));
    QVERIFY(run()->signalNumbers.isEmpty() && !run()->isCancelled);
    QCOMPARE(m_engine->startCount, 1);
    run()->end();
    QVERIFY(client.isClosedWith(1000));
}

void TestWebSocketFrames::failureHasAStatus()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(frame(Text, execute));
    QVERIFY(run());
    run()->fail({ Kind::NotFound, u"there is no such image"_s, 0 });
    QVERIFY(client.isClosedWith(1000));
    QVERIFY2(client.text().startsWith(
                 R"({"data":"there is no such image","status":404,"type":"error"})"_L1),
        qPrintable(client.text()));
    QVERIFY(client.text().contains("\"data\":\"1\""_L1));
}

void TestWebSocketFrames::closeOfTheClientCancels()
{
    Client client(m_server->port());
    QVERIFY(client.isOpen());
    client.send(frame(Text, execute));
    const QPointer started(run());
    QVERIFY(started);
    client.send(frame(Close,
        "\x03\xe8"
        "bye"));
    QVERIFY(client.isClosedWith(1000));
    QTRY_VERIFY_WITH_TIMEOUT(!started || started->isCancelled, patience);
}

void TestWebSocketFrames::vanishedClientCancels()
{
    for (const bool isPolite : { true, false }) {
        m_engine->runs.clear();
        Client client(m_server->port());
        QVERIFY(client.isOpen());
        client.send(frame(Text, execute));
        const QPointer started(run());
        QVERIFY(started);
        if (isPolite)
            client.socket.disconnectFromHost();
        else
            client.socket.abort();
        QTRY_VERIFY_WITH_TIMEOUT(!started || started->isCancelled, patience);
    }
}

QTEST_GUILESS_MAIN(TestWebSocketFrames)
#include "tst_websocketframes.moc"
