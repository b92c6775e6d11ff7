// SPDX-License-Identifier: MIT
#include "engine/http/responsehead.h"

#include <QTest>

using namespace isol8;
using namespace isol8::http;
using namespace Qt::StringLiterals;
using Framing = BodyDecoder::Framing;

namespace {

Result<ResponseHead> parse(const QByteArray& head)
{
    return parseResponseHead(head, HttpLimits {});
}

Result<ResponseHead> withFields(const QByteArray& fields)
{
    return parse("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
}

} // namespace

class TestResponseHead : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsStatusLines_data();
    void readsStatusLines();
    void refusesStatusLines_data();
    void refusesStatusLines();
    void readsFields();
    void knowsWhereTheBodyEnds();
    void refusesAmbiguousLengths_data();
    void refusesAmbiguousLengths();
    void knowsWhichAnswersHaveABody();
    void boundsTheNumberOfFields();
};

void TestResponseHead::readsStatusLines_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("status");
    QTest::addColumn<int>("minorVersion");
    QTest::addColumn<QByteArray>("reason");
    QTest::newRow("usual") << QByteArray("HTTP/1.1 200 OK") << 200 << 1 << QByteArray("OK");
    QTest::newRow("1.0") << QByteArray("HTTP/1.0 404 Not Found") << 404 << 0
                         << QByteArray("Not Found");
    QTest::newRow("no reason") << QByteArray("HTTP/1.1 204 ") << 204 << 1 << QByteArray();
    QTest::newRow("no space") << QByteArray("HTTP/1.1 204") << 204 << 1 << QByteArray();
    QTest::newRow("unknown") << QByteArray("HTTP/1.1 599 \xe4!") << 599 << 1 << QByteArray("\xe4!");
    QTest::newRow("interim") << QByteArray("HTTP/1.1 103 Early Hints") << 103 << 1
                             << QByteArray("Early Hints");
    QTest::newRow("upgrade") << QByteArray("HTTP/1.1 101 X") << 101 << 1 << QByteArray("X");
}

void TestResponseHead::readsStatusLines()
{
    QFETCH(QByteArray, line);
    const auto head = parse(line + "\r\n\r\n");
    QVERIFY2(head, head ? "" : qPrintable(head.error().message));
    QTEST(head->status, "status");
    QTEST(head->minorVersion, "minorVersion");
    QTEST(head->reason, "reason");
    QCOMPARE(head->isInterim(), head->status == 103);
}

void TestResponseHead::refusesStatusLines_data()
{
    QTest::addColumn<QByteArray>("line");
    for (const auto* line :
        { "", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK",
            "HTTP/1.1  200 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK", "HTTP/1.1 600 OK",
            "HTTP/1.1 -20 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/0.9 200 OK",
            "http/1.1 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "<html>", "SSH-2.0-OpenSSH_9.2p1" })
        QTest::newRow(line) << QByteArray(line);
}

void TestResponseHead::refusesStatusLines()
{
    QFETCH(QByteArray, line);
    const auto head = parse(line + "\r\n\r\n");
    QVERIFY(!head);
    QCOMPARE(head.error().kind, Kind::Protocol);
}

void TestResponseHead::readsFields()
{
    const auto head
        = withFields("Server: x\r\nSet-Cookie: a=b\r\nset-cookie:  c=d \t\r\nEmpty:\r\n");
    QVERIFY(head);
    QCOMPARE(head->fields.size(), 4);
    QCOMPARE(head->fields[2].name, QByteArray("set-cookie"));
    QCOMPARE(head->fields[2].value, QByteArray("c=d"));
    QVERIFY(head->fields[3].value.isEmpty());
}

void TestResponseHead::knowsWhereTheBodyEnds()
{
    QCOMPARE(withFields({})->framing, Framing::UntilClose);
    QVERIFY(!withFields({})->contentLength);
    QCOMPARE(withFields("Content-Length: 5\r\n")->framing, Framing::Length);
    QCOMPARE(withFields("Content-Length: 5\r\n")->contentLength, 5);
    QCOMPARE(withFields("Transfer-Encoding: Chunked\r\n")->framing, Framing::Chunked);
}

void TestResponseHead::refusesAmbiguousLengths_data()
{
    QTest::addColumn<QByteArray>("fields");
    for (const auto* fields : { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
             "Content-Length: 5\r\nContent-Length: 6\r\n",
             "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
             "Content-Length: -1\r\n", "Content-Length: 5x\r\n", "Content-Length: \r\n",
             "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip\r\n",
             "Transfer-Encoding: gzip, chunked\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding : chunked\r\n", "X y: z\r\n", ": z\r\n" })
        QTest::newRow(fields) << QByteArray(fields);
}

void TestResponseHead::refusesAmbiguousLengths()
{
    QFETCH(QByteArray, fields);
    const auto head = withFields(fields);
    QVERIFY(!head);
    QCOMPARE(head.error().kind, Kind::Protocol);
    QVERIFY(!parse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

void TestResponseHead::knowsWhichAnswersHaveABody()
{
    QVERIFY(withFields({})->hasBody("GET"));
    QVERIFY(withFields("Content-Length: 5\r\n")->hasBody("GET"));
    QVERIFY(!withFields("Content-Length: 5\r\n")->hasBody("HEAD"));
    QVERIFY(!withFields("Content-Length: 0\r\n")->hasBody("GET"));
    for (const auto* status : { "204", "304", "100", "101" })
        QVERIFY(!parse(QByteArray("HTTP/1.1 ") + status + " X\r\nContent-Length: 5\r\n\r\n")
                ->hasBody("GET"));
}

void TestResponseHead::boundsTheNumberOfFields()
{
    QVERIFY(withFields(QByteArray("A: b\r\n").repeated(100)));
    QVERIFY(!withFields(QByteArray("A: b\r\n").repeated(101)));
}

QTEST_APPLESS_MAIN(TestResponseHead)
#include "tst_responsehead.moc"
