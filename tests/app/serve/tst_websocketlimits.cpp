// SPDX-License-Identifier: MIT
#include "tests/app/serve/serverfixture.h"
#include "tests/support/rawclient.h"

using namespace isol8;
using namespace isol8::tests;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 120'000;

const QByteArray handshake
    = "GET /execute/ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer master\r\n"
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A frame whose mask is zero (RFC 6455, section 5.2).
QByteArray frame(int opcode, const QByteArray& payload)
{
    Q_ASSERT(payload.size() < 126);
    return QByteArray(1, char(0x80 | opcode)) + char(0x80 | char(payload.size()))
        + QByteArray(4, '\0') + payload;
}

} // namespace

/// What a client of `/execute/ws` may not do for long.
class TestWebSocketLimits : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void silentOneIsClosed();
    void oneThatExecutesIsNot();
    void floodOfPingsIsCutOff();
    void nonsenseIsNotHeardForEver();
    void echoesAreShort();
};

void TestWebSocketLimits::silentOneIsClosed()
{
    Settings settings;
    settings.serve.idleTimeout = 20ms;
    ServerFixture fixture(settings);
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodePolicyViolated);
    QCOMPARE(client.socket.closeReason(), u"There was no execute message"_s);
}

void TestWebSocketLimits::oneThatExecutesIsNot()
{
    Settings settings;
    settings.serve.idleTimeout = 1h;
    ServerFixture fixture(settings);
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    client.send({ { u"type"_s, u"execute"_s }, { u"request"_s, oneLiner } });
    QVERIFY(fixture.run());
    settings.serve.idleTimeout = 1ms; // For those that come later.
    QVERIFY(fixture.server->reconfigure(settings));
    ServerSocket later(fixture);
    QVERIFY(later.isClosed());
    fixture.run()->end(3);
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodeNormal);
}

/// Each makes an answer, and the client reads none.
void TestWebSocketLimits::floodOfPingsIsCutOff()
{
    ServerFixture fixture;
    RawClient client(fixture.server->port(), handshake);
    QVERIFY(client.waitFor("\r\n\r\n", patience));
    client.stopReading();
    client.socket.setSocketOption(QAbstractSocket::ReceiveBufferSizeSocketOption, 4096);
    const auto flood = frame(0x9, QByteArray(125, 'p')).repeated(1000);
    connect(&client.socket, &QTcpSocket::bytesWritten, this, [&] {
        if (client.socket.bytesToWrite() < flood.size())
            client.socket.write(flood);
    });
    client.socket.write(flood);
    QVERIFY(QTest::qWaitFor(
        [&] { return client.socket.state() == QAbstractSocket::UnconnectedState; }, patience));
    QTRY_COMPARE_WITH_TIMEOUT(fixture.service->requests.count(), 0, patience);
    client.socket.disconnect(this);

    ServerSocket another(fixture);
    QVERIFY(another.isOpen());
}

void TestWebSocketLimits::nonsenseIsNotHeardForEver()
{
    ServerFixture fixture;
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    for (int i = 0; i < 1000; ++i)
        client.send({ { u"type"_s, u"x"_s } });
    QVERIFY(client.isClosed());
    QCOMPARE(client.socket.closeCode(), QWebSocketProtocol::CloseCodePolicyViolated);
    QCOMPARE(client.messages.size(), 100);
}

void TestWebSocketLimits::echoesAreShort()
{
    ServerFixture fixture;
    ServerSocket client(fixture);
    QVERIFY(client.isOpen());
    client.send({ { u"type"_s, QString(1'000'000, u'x') } });
    QTRY_COMPARE_WITH_TIMEOUT(client.messages.size(), 1, patience);
    QVERIFY(client.messages[0].size() < 300);
}

QTEST_GUILESS_MAIN(TestWebSocketLimits)
#include "tst_websocketlimits.moc"
