// SPDX-License-Identifier: MIT
#include "engine/http/headparser.h"

#include <QTest>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;

namespace {

const QByteArray host = "Host: a\r\n";

/// Scans growing bytes, then parses, as a connection does.
Result<RequestHead> parse(
    const QByteArray& bytes, qsizetype pieceBytes, const HttpLimits& limits = {})
{
    HeadScanner scanner(limits);
    for (qsizetype size = 0; size < bytes.size();) {
        size = std::min(size + pieceBytes, bytes.size());
        const auto end = scanner.scan(QByteArrayView(bytes).first(size));
        if (!end)
            return std::unexpected(end.error());
        if (*end > 0)
            return parseHead(QByteArrayView(bytes).first(*end), limits);
    }
    return failure(Kind::Internal, u"incomplete"_s);
}

} // namespace

class TestHeadParser : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void parsesInAnyPieces_data();
    void parsesInAnyPieces();
    void refuses_data();
    void refuses();
    void waitsForTheEnd();
    void boundsAreExact();
    void decodesPaths_data();
    void decodesPaths();
    void queryItems();
    void keepAlive_data();
    void keepAlive();
    void everyByteChangedIsSafe();
};

void TestHeadParser::parsesInAnyPieces_data()
{
    QTest::addColumn<int>("pieceBytes");
    for (const int size : { 1, 2, 3, 7, 100'000 })
        QTest::addRow("pieces of %d", size) << size;
}

void TestHeadParser::parsesInAnyPieces()
{
    QFETCH(int, pieceBytes);
    const auto head = parse("POST /a%20b?x=1&y=%2B HTTP/1.1\r\nHost: h\r\nX-One:  first \r\n"
                            "x-one:\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\nrest",
        pieceBytes);
    QVERIFY2(head, head ? "" : qPrintable(head.error().message));
    QCOMPARE(head->method, "POST");
    QCOMPARE(head->target, "/a%20b?x=1&y=%2B");
    QCOMPARE(head->path, u"/a b"_s);
    QCOMPARE(head->query, "x=1&y=%2B");
    QCOMPARE(head->header("X-ONE"), "first");
    QCOMPARE(head->headers("X-One"), (QList<QByteArray> { "first", "" }));
    QCOMPARE(head->headers("absent").size(), 0);
    QCOMPARE(head->contentLength, 12);
    QVERIFY(head->hasBody());
    QVERIFY(head->expectsContinue);
    QVERIFY(head->isKeepAlive);
    QVERIFY(!head->isChunked);
    QVERIFY(!head->isUpgrade);
}

void TestHeadParser::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto get
        = [](const QByteArray& fields) { return "GET / HTTP/1.1\r\n" + host + fields + "\r\n"; };
    const auto line = [](const QByteArray& text) { return text + "\r\n" + host + "\r\n"; };
    QTest::newRow("LF alone") << QByteArray("GET / HTTP/1.1\nHost: a\n\n") << 400;
    QTest::newRow("CR alone") << get("X: a\rb\r\n") << 400;
    QTest::newRow("CR CR LF") << get("X: a\r\r\n") << 400;
    QTest::newRow("NUL in a value") << get(QByteArray("X: a\0b\r\n", 8)) << 400;
    QTest::newRow("NUL in a name") << get(QByteArray("X\0: ab\r\n", 8)) << 400;
    QTest::newRow("escape in a value") << get("X: \x1b[0m\r\n") << 400;
    QTest::newRow("folded") << get("X: a\r\n b\r\n") << 400;
    QTest::newRow("folded with a tab") << get("X: a\r\n\tb\r\n") << 400;
    QTest::newRow("first field indented") << "GET / HTTP/1.1\r\n Host: a\r\n\r\n"_ba << 400;
    QTest::newRow("space before colon") << get("X : a\r\n") << 400;
    QTest::newRow("no colon") << get("X\r\n") << 400;
    QTest::newRow("empty name") << get(": a\r\n") << 400;
    QTest::newRow("name not a token") << get("X(: a\r\n") << 400;
    QTest::newRow("TLS handshake") << QByteArray("\x16\x03\x01\x02\x00", 5) << 400;
    QTest::newRow("no host") << "GET / HTTP/1.1\r\n\r\n"_ba << 400;
    QTest::newRow("two hosts") << get("Host: b\r\n") << 400;
    QTest::newRow("no version") << line("GET /") << 400;
    QTest::newRow("two spaces") << line("GET  / HTTP/1.1") << 400;
    QTest::newRow("space in the target") << line("GET /a b HTTP/1.1") << 400;
    QTest::newRow("trailing space") << line("GET / HTTP/1.1 ") << 400;
    QTest::newRow("lower-case protocol") << line("GET / http/1.1") << 400;
    QTest::newRow("no protocol") << line("GET / 1.1") << 400;
    QTest::newRow("HTTP/1.10") << line("GET / HTTP/1.10") << 400;
    QTest::newRow("HTTP/1.2") << line("GET / HTTP/1.2") << 505;
    QTest::newRow("HTTP/0.9") << line("GET / HTTP/0.9") << 505;
    QTest::newRow("HTTP/3.0") << line("GET / HTTP/3.0") << 505;
    QTest::newRow("HTTP/2 preface") << "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"_ba << 505;
    QTest::newRow("unknown method") << line("BREW / HTTP/1.1") << 400;
    QTest::newRow("lower-case method") << line("get / HTTP/1.1") << 400;
    QTest::newRow("no method") << line(" / HTTP/1.1") << 400;
    QTest::newRow("absolute form") << line("GET http://a/health HTTP/1.1") << 400;
    QTest::newRow("authority form") << line("CONNECT a:80 HTTP/1.1") << 400;
    QTest::newRow("asterisk") << line("GET * HTTP/1.1") << 400;
    QTest::newRow("relative") << line("GET health HTTP/1.1") << 400;
    QTest::newRow("fragment") << line("GET /a#b HTTP/1.1") << 400;
    QTest::newRow("stray percent") << line("GET /% HTTP/1.1") << 400;
    QTest::newRow("half percent") << line("GET /%6 HTTP/1.1") << 400;
    QTest::newRow("no hex") << line("GET /%6g HTTP/1.1") << 400;
    QTest::newRow("NUL in the path") << line("GET /%00 HTTP/1.1") << 400;
    QTest::newRow("line break in the path") << line("GET /a%0d%0ab HTTP/1.1") << 400;
    QTest::newRow("not UTF-8") << line("GET /%ff HTTP/1.1") << 400;
    QTest::newRow("overlong slash") << line("GET /%c0%af HTTP/1.1") << 400;
    QTest::newRow("raw high byte") << line("GET /\xc3\xa4 HTTP/1.1") << 400;
    QTest::newRow("length and coding")
        << get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") << 400;
    QTest::newRow("coding and length")
        << get("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") << 400;
    QTest::newRow("two lengths") << get("Content-Length: 3\r\nContent-Length: 3\r\n") << 400;
    QTest::newRow("list of lengths") << get("Content-Length: 3, 3\r\n") << 400;
    QTest::newRow("negative length") << get("Content-Length: -1\r\n") << 400;
    QTest::newRow("signed length") << get("Content-Length: +1\r\n") << 400;
    QTest::newRow("hex length") << get("Content-Length: 0x1\r\n") << 400;
    QTest::newRow("empty length") << get("Content-Length:\r\n") << 400;
    QTest::newRow("huge length") << get("Content-Length: 99999999999999999999\r\n") << 400;
    QTest::newRow("length of 2^63") << get("Content-Length: 9223372036854775808\r\n") << 400;
    QTest::newRow("gzip") << get("Transfer-Encoding: gzip\r\n") << 501;
    QTest::newRow("gzip, chunked") << get("Transfer-Encoding: gzip, chunked\r\n") << 501;
    QTest::newRow("identity") << get("Transfer-Encoding: identity\r\n") << 501;
    QTest::newRow("chunked twice")
        << get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") << 400;
    QTest::newRow("chunked in 1.0")
        << "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"_ba << 400;
    QTest::newRow("unknown expectation") << get("Expect: a cake\r\n") << 417;
    QTest::newRow("many fields") << get(QByteArray("X: a\r\n").repeated(100)) << 431;
    QTest::newRow("large field") << get("X: " + QByteArray(40'000, 'a') + "\r\n") << 431;
    QTest::newRow("long target") << line("GET /" + QByteArray(40'000, 'a') + " HTTP/1.1") << 414;
    QTest::newRow("long method") << line(QByteArray(40'000, 'A') + " / HTTP/1.1") << 400;
}

void TestHeadParser::refuses()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    for (const int pieceBytes : { 1, 1'000'000 }) {
        const auto head = parse(bytes, pieceBytes);
        QVERIFY(!head);
        QCOMPARE(head.error().httpStatus, status);
        QVERIFY(!head.error().message.isEmpty());
    }
}

void TestHeadParser::waitsForTheEnd()
{
    const QByteArray bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    HeadScanner scanner({});
    for (qsizetype size = 0; size < bytes.size(); ++size)
        QCOMPARE(scanner.scan(QByteArrayView(bytes).first(size)), Result<qint64>(0));
    QCOMPARE(scanner.scan(bytes), Result<qint64>(bytes.size()));
}

void TestHeadParser::boundsAreExact()
{
    const QByteArray bytes = "GET / HTTP/1.1\r\n" + host + "X: a\r\n\r\n";
    HttpLimits limits;
    limits.maxHeaderBytes = bytes.size();
    limits.maxHeaderFields = 2;
    QVERIFY(parse(bytes, 1, limits));
    limits.maxHeaderBytes = bytes.size() - 1;
    QCOMPARE(parse(bytes, 1, limits).error().httpStatus, 431);
    limits.maxHeaderBytes = bytes.size();
    limits.maxHeaderFields = 1;
    QCOMPARE(parse(bytes, 1, limits).error().httpStatus, 431);
}

void TestHeadParser::decodesPaths_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QString>("path");
    QTest::newRow("double slash") << "//execute"_ba << u"//execute"_s;
    QTest::newRow("trailing slash") << "/execute/"_ba << u"/execute/"_s;
    QTest::newRow("dots stay") << "/health/../execute"_ba << u"/health/../execute"_s;
    QTest::newRow("encoded letter") << "/%65xecute"_ba << u"/execute"_s;
    QTest::newRow("encoded slash") << "/health%2f..%2Fexecute"_ba << u"/health/../execute"_s;
    QTest::newRow("decoded once") << "/%2565"_ba << u"/%65"_s;
    QTest::newRow("case stays") << "/HEALTH?x"_ba << u"/HEALTH"_s;
    QTest::newRow("plus stays") << "/a+b"_ba << u"/a+b"_s;
    QTest::newRow("UTF-8") << "/%C3%A4"_ba << u"/ä"_s;
    QTest::newRow("encoded question") << "/a%3Fb?c"_ba << u"/a?b"_s;
}

void TestHeadParser::decodesPaths()
{
    QFETCH(QByteArray, target);
    const auto head = parse("GET " + target + " HTTP/1.1\r\n" + host + "\r\n", 1000);
    QVERIFY(head);
    QTEST(head->path, "path");
    QCOMPARE(head->target, target);
}

void TestHeadParser::queryItems()
{
    RequestHead head;
    head.query = "a=1&b=x+y%2B&c&d=%zz&e=%00&a=2&%66=%C3%A4&=n&g=%ff";
    QCOMPARE(head.queryItem(u"a"), u"1"_s);
    QCOMPARE(head.queryItem(u"b"), u"x y+"_s);
    QCOMPARE(head.queryItem(u"c"), u""_s);
    QCOMPARE(head.queryItem(u"d"), std::nullopt);
    QCOMPARE(head.queryItem(u"e"), std::nullopt);
    QCOMPARE(head.queryItem(u"f"), u"ä"_s);
    QCOMPARE(head.queryItem(u"g"), std::nullopt);
    QCOMPARE(head.queryItem(u"absent"), std::nullopt);
}

void TestHeadParser::keepAlive_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<bool>("isKeepAlive");
    QTest::addColumn<bool>("isUpgrade");
    const QByteArray get = "GET / HTTP/1.1\r\nHost: a\r\n";
    const QByteArray upgrade = "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
    QTest::newRow("1.1") << get << true << false;
    QTest::newRow("1.1 close") << get + "Connection: foo, Close\r\n" << false << false;
    QTest::newRow("1.0") << "GET / HTTP/1.0\r\n"_ba << false << false;
    QTest::newRow("1.0 keep") << "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n"_ba << true << false;
    QTest::newRow("upgrade") << get + upgrade << true << true;
    QTest::newRow("upgrade, no option") << get + "Upgrade: websocket\r\n" << true << false;
    QTest::newRow("upgrade with body") << get + upgrade + "Content-Length: 1\r\n" << true << false;
    QTest::newRow("upgrade of a POST")
        << "POST / HTTP/1.1\r\nHost: a\r\n" + upgrade << true << false;
    QTest::newRow("h2c") << get + "Upgrade: h2c\r\nConnection: Upgrade\r\n" << true << false;
}

void TestHeadParser::keepAlive()
{
    QFETCH(QByteArray, bytes);
    const auto head = parse(bytes + "\r\n", 1000);
    QVERIFY(head);
    QTEST(head->isKeepAlive, "isKeepAlive");
    QTEST(head->isUpgrade, "isUpgrade");
}

void TestHeadParser::everyByteChangedIsSafe()
{
    const QByteArray good = "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    int refused = 0;
    for (qsizetype at = 0; at < good.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            QByteArray bytes = good;
            bytes[at] = char(value);
            const auto head = parse(bytes, 1000);
            if (!head)
                ++refused;
            else
                QVERIFY(head->path.startsWith(u'/') && head->contentLength >= 0);
        }
    }
    QVERIFY(refused > 0);
}

QTEST_GUILESS_MAIN(TestHeadParser)
#include "tst_headparser.moc"
