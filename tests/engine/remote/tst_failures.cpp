// SPDX-License-Identifier: MIT
#include "engine/remote/failures.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::remote;

class TestFailures : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsAnswers_data();
    void tellsAnswers();
    void tellsEvents();
    void tellsNetwork_data();
    void tellsNetwork();
    void shortensWhatServersSay();
    void hasASentenceForEach();
};

namespace {

ServerAddress address(const QString& text = u"https://example.org"_s)
{
    return parseServerAddress(text).value();
}

} // namespace

void TestFailures::tellsAnswers_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("retryAfter");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, int status, const QByteArray& body,
                         const QByteArray& retryAfter, Kind kind, const QString& text) {
        QTest::newRow(name) << status << body << retryAfter << kind << text;
    };
    row("missing key", 401, R"({"error":"Missing Authorization header"})", {}, Kind::Denied,
        u"asks for an API key"_s);
    row("wrong key", 403, R"({"error":"Invalid API key"})", {}, Kind::Denied,
        u"does not accept this API key"_s);
    row("policy", 403, R"({"error":"host networking is not allowed."})", {}, Kind::Denied,
        u"host networking is not allowed"_s);
    row("old server", 404, "<html>Not Found</html>", {}, Kind::NotFound,
        u"not an isol8 server, or one that is too old"_s);
    row("no session", 404, R"({"error":"there is no such session"})", {}, Kind::NotFound,
        u"there is no such session"_s);
    row("wrong path", 404, R"({"error":"Not found"})", {}, Kind::NotFound,
        u"https://example.org knows no such path"_s);
    row("invalid", 400, R"({"error":"request.code is missing"})", {}, Kind::Invalid,
        u"request.code is missing"_s);
    row("conflict", 409, R"({"error":"Cannot switch runtime"})", {}, Kind::Conflict,
        u"Cannot switch runtime"_s);
    row("too large", 413, "", {}, Kind::Limit, u"HTTP 413"_s);
    row("busy", 429, R"({"error":"the queue is full"})", "7", Kind::Limit,
        u"the queue is full; try again in 7 s"_s);
    row("busy, date", 429, R"({"error":"full"})", "Tue, 24 Nov 2026 03:00:00 GMT", Kind::Limit,
        u"full; try again later"_s);
    row("failed", 500, "", {}, Kind::Internal, u"failed (HTTP 500)"_s);
    row("gateway", 502, "<html>", {}, Kind::Unreachable, u"failed (HTTP 502)"_s);
    row("draining", 503, R"({"error":"shutting down"})", "1", Kind::Unreachable,
        u"shutting down; try again in 1 s"_s);
    row("error of another type", 500, R"({"error":{"a":1}})", {}, Kind::Internal, u"HTTP 500"_s);
    row("strange", 299, "", {}, Kind::Protocol, u"not an isol8 server"_s);
}

void TestFailures::tellsAnswers()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, retryAfter);
    QFETCH(QString, text);
    const auto error = errorFromAnswer(address(), status, body, retryAfter);
    QTEST(error.kind, "kind");
    QCOMPARE(error.httpStatus, status);
    QVERIFY2(error.message.contains(text), qPrintable(error.message));
}

void TestFailures::tellsEvents()
{
    QCOMPARE(errorFromEvent(0, u"lost"_s), (Error { Kind::Internal, u"lost"_s, 0 }));
    QCOMPARE(errorFromEvent(404, u"no image."_s), (Error { Kind::NotFound, u"no image"_s, 404 }));
    QCOMPARE(errorFromEvent(503, u"away"_s).kind, Kind::Unreachable);
    QVERIFY(!errorFromEvent(500, {}).message.isEmpty());
}

void TestFailures::tellsNetwork_data()
{
    QTest::addColumn<QNetworkReply::NetworkError>("code");
    QTest::addColumn<QString>("tlsProblem");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("text");
    QTest::newRow("refused") << QNetworkReply::ConnectionRefusedError << QString()
                             << Kind::Unreachable << u"nothing listens at https://example.org"_s;
    QTest::newRow("name") << QNetworkReply::HostNotFoundError << QString() << Kind::Unreachable
                          << u"no host named 'example.org'"_s;
    QTest::newRow("certificate") << QNetworkReply::SslHandshakeFailedError << u"it has expired"_s
                                 << Kind::Denied << u"cannot be trusted: it has expired"_s;
    QTest::newRow("no TLS") << QNetworkReply::SslHandshakeFailedError << QString() << Kind::Denied
                            << u"does it speak plain http?"_s;
    QTest::newRow("silent") << QNetworkReply::TimeoutError << QString() << Kind::Timeout
                            << u"does not answer"_s;
    QTest::newRow("closed") << QNetworkReply::RemoteHostClosedError << QString()
                            << Kind::Unreachable << u"before it had answered"_s;
    QTest::newRow("other") << QNetworkReply::UnknownNetworkError << QString() << Kind::Unreachable
                           << u"cannot be reached: detail"_s;
}

void TestFailures::tellsNetwork()
{
    QFETCH(QNetworkReply::NetworkError, code);
    QFETCH(QString, tlsProblem);
    QFETCH(QString, text);
    const auto error = errorFromNetwork(address(), code, u"detail."_s, tlsProblem);
    QTEST(error.kind, "kind");
    QVERIFY2(error.message.contains(text), qPrintable(error.message));
    QVERIFY(!error.message.endsWith(u'.'));
}

void TestFailures::shortensWhatServersSay()
{
    const QByteArray flood = R"({"error":")" + QByteArray(1 << 20, 'x') + R"("})";
    QVERIFY(errorFromAnswer(address(), 500, flood).message.size() < 2'000);
    const auto redirect
        = errorFromAnswer(address(), 302, {}, {}, "https://evil.example/" + QByteArray(9'999, 'x'));
    QCOMPARE(redirect.kind, Kind::Protocol);
    QVERIFY(redirect.message.contains(u"does not follow"_s));
    QVERIFY(redirect.message.size() < 2'000);
}

void TestFailures::hasASentenceForEach()
{
    using namespace std::chrono_literals;
    QVERIFY(noAnswerInTime(address(), 30s).message.contains(u"within 30 s"_s));
    QCOMPARE(noAnswerInTime(address(), 30s).kind, Kind::Timeout);
    QVERIFY(lostConnection(address()).message.contains(u"lost connection"_s));
    QVERIFY(lostConnection(address(), u"gone"_s).message.endsWith(u": gone"_s));
    QCOMPARE(lostConnection(address()).kind, Kind::Unreachable);
    QCOMPARE(answerTooLarge(address(), 1 << 20).kind, Kind::Limit);
    QCOMPARE(notIsol8(address(), u"x"_s).kind, Kind::Protocol);
}

QTEST_GUILESS_MAIN(TestFailures)
#include "tst_failures.moc"
