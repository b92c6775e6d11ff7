// SPDX-License-Identifier: MIT
#include "engine/http/upgradeparser.h"

#include <QTest>

using namespace isol8;
using namespace isol8::http;
using State = UpgradeParser::State;

namespace {

const QByteArray switched
    = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
      "Connection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: 1.41\r\n\r\n";

} // namespace

class TestUpgradeParser : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void upgrades_data();
    void upgrades();
    void upgradesByteByByte();
    void restIsExactWhereverItIsCut();
    void refusals_data();
    void refusals();
    void skipsInformationalAnswers();
    void nonsenseIsProtocol_data();
    void nonsenseIsProtocol();
    void endInTheMiddleIsProtocol_data();
    void endInTheMiddleIsProtocol();
    void endlessHeaderIsBounded();
    void endlessBodyIsBounded();
};

void TestUpgradeParser::upgrades_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::newRow("101") << switched << 101;
    QTest::newRow("200 of older servers")
        << QByteArray("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")
        << 200;
    QTest::newRow("200 with a length")
        << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") << 200;
}

void TestUpgradeParser::upgrades()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    const QByteArray payload("\1\0\0\0\0\0\0\2hi\r\n\r\nHTTP/1.1", 20);
    UpgradeParser parser;
    const auto state = parser.feed(bytes + payload);
    QVERIFY(state);
    QCOMPARE(*state, State::Upgraded);
    QCOMPARE(parser.status(), status);
    QCOMPARE(parser.rest(), payload);
}

void TestUpgradeParser::upgradesByteByByte()
{
    UpgradeParser parser;
    for (qsizetype at = 0; at < switched.size(); ++at) {
        const auto state = parser.feed(QByteArrayView(switched).sliced(at, 1));
        QVERIFY(state);
        QCOMPARE(*state, at + 1 == switched.size() ? State::Upgraded : State::Reading);
    }
    QVERIFY(parser.rest().isEmpty());
    QCOMPARE(parser.apiVersion(), "1.41");
}

void TestUpgradeParser::restIsExactWhereverItIsCut()
{
    const auto whole = switched + "payload";
    for (qsizetype cut = 0; cut <= whole.size(); ++cut) {
        UpgradeParser parser;
        const auto first = parser.feed(QByteArrayView(whole).first(cut));
        QVERIFY(first);
        QByteArray rest;
        if (*first == State::Upgraded) {
            rest = parser.rest() + whole.sliced(cut);
        } else {
            const auto second = parser.feed(QByteArrayView(whole).sliced(cut));
            QVERIFY(second);
            QCOMPARE(*second, State::Upgraded);
            rest = parser.rest();
        }
        QCOMPARE(rest, "payload");
    }
}

void TestUpgradeParser::refusals_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::newRow("length") << QByteArray(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno such!")
                            << 404;
    QTest::newRow("chunked") << QByteArray("HTTP/1.1 409 Conflict\r\nTransfer-Encoding: "
                                           "chunked\r\n\r\n3\r\nno \r\n5\r\nsuch!\r\n0\r\n\r\n")
                             << 409;
    QTest::newRow("until the end") << QByteArray("HTTP/1.0 500 Error\r\n\r\nno such!") << 500;
}

void TestUpgradeParser::refusals()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    for (const qsizetype size : { qsizetype(1), qsizetype(7), bytes.size() }) {
        UpgradeParser parser;
        auto state = State::Reading;
        for (qsizetype at = 0; at < bytes.size() && state == State::Reading; at += size) {
            const auto next
                = parser.feed(QByteArrayView(bytes).sliced(at, std::min(size, bytes.size() - at)));
            QVERIFY(next);
            state = *next;
        }
        if (state == State::Reading) {
            const auto last = parser.finish();
            QVERIFY(last);
            state = *last;
        }
        QCOMPARE(state, State::Refused);
        QCOMPARE(parser.status(), status);
        QCOMPARE(parser.body(), "no such!");
    }
}

void TestUpgradeParser::skipsInformationalAnswers()
{
    UpgradeParser parser;
    const auto state = parser.feed(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + switched + "x");
    QVERIFY(state);
    QCOMPARE(*state, State::Upgraded);
    QCOMPARE(parser.status(), 101);
    QCOMPARE(parser.rest(), "x");
}

void TestUpgradeParser::nonsenseIsProtocol_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("text") << QByteArray("hello world\r\n\r\n");
    QTest::newRow("request") << QByteArray("GET / HTTP/1.1\r\n\r\n");
    QTest::newRow("tls alert") << QByteArray("\x15\x03\x01\0\2\2\x0a", 7);
    QTest::newRow("status") << QByteArray("HTTP/1.1 abc Bad\r\n\r\n");
    QTest::newRow("both lengths") << QByteArray(
        "HTTP/1.1 404 No\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
}

void TestUpgradeParser::nonsenseIsProtocol()
{
    QFETCH(QByteArray, bytes);
    UpgradeParser parser;
    const auto state = parser.feed(bytes);
    QVERIFY(!state);
    QCOMPARE(state.error().kind, Kind::Protocol);
}

void TestUpgradeParser::endInTheMiddleIsProtocol_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("nothing") << QByteArray();
    QTest::newRow("status line") << QByteArray("HTTP/1.1 101 UPGR");
    QTest::newRow("header") << switched.chopped(1);
    QTest::newRow("body") << QByteArray("HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nhello");
}

void TestUpgradeParser::endInTheMiddleIsProtocol()
{
    QFETCH(QByteArray, bytes);
    UpgradeParser parser;
    const auto state = parser.feed(bytes);
    QVERIFY(state);
    QCOMPARE(*state, State::Reading);
    const auto end = parser.finish();
    QVERIFY(!end);
    QCOMPARE(end.error().kind, Kind::Protocol);
}

void TestUpgradeParser::endlessHeaderIsBounded()
{
    UpgradeParser parser;
    QVERIFY(parser.feed("HTTP/1.1 101 UPGRADED\r\n"));
    const auto line = "X-Filler: " + QByteArray(1000, 'x') + "\r\n";
    int lines = 0;
    while (lines < 1000 && parser.feed(line))
        ++lines;
    QVERIFY(lines < 100);
}

void TestUpgradeParser::endlessBodyIsBounded()
{
    UpgradeParser parser;
    QVERIFY(parser.feed("HTTP/1.0 500 Error\r\n\r\n"));
    const QByteArray part(10'000, 'x');
    int parts = 0;
    while (parts < 1000 && parser.feed(part))
        ++parts;
    QVERIFY(parts < 100);
    QVERIFY(parser.body().size() <= UpgradeParser::maxBodyBytes);
}

QTEST_GUILESS_MAIN(TestUpgradeParser)
#include "tst_upgradeparser.moc"
