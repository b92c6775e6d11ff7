// SPDX-License-Identifier: MIT
#include "tests/abuse/httpabusetest.h"

#include <QJsonDocument>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

std::unique_ptr<Subject> makeServer()
{
    ServerProcess::Options options;
    options.config = { { u"serve"_s, QJsonObject { { u"maxSessions"_s, 20 } } } };
    return std::make_unique<ServerSubject>(options);
}

} // namespace

HttpAbuseTest::HttpAbuseTest()
    : AbuseTest(makeServer)
{
}

std::unique_ptr<RawClient> HttpAbuseTest::ask(const QByteArray& bytes)
{
    auto client = std::make_unique<RawClient>(port(), bytes);
    (void)QTest::qWaitFor([&] { return !client->body().isNull() || client->isClosed; }, patience);
    return client;
}

void HttpAbuseTest::verifyRefused(const QByteArray& body, int status)
{
    for (const auto* path : { "/execute", "/execute/stream" }) {
        const auto answer = ask("POST", path, body);
        QVERIFY2(answer->status() == status, (body.left(200) + answer->received).constData());
        const auto error = QJsonDocument::fromJson(answer->body())[u"error"_s].toString();
        QVERIFY(!error.isEmpty() && error.size() < 1'000);
    }
}

void HttpAbuseTest::runs(World& world)
{
    const auto answer = ask("POST", "/execute", executeCall(bash("echo hi " + world.marker)));
    QCOMPARE(answer->status(), 200);
    const auto result = QJsonDocument::fromJson(answer->body()).object();
    QCOMPARE(result[u"stdout"_s].toString().toLatin1(), "hi " + world.marker);
}

QByteArray executeCall(
    const QJsonObject& request, const QJsonObject& options, const QJsonValue& sessionId)
{
    QJsonObject body { { u"request"_s, request }, { u"options"_s, options } };
    if (!sessionId.isUndefined())
        body.insert(u"sessionId"_s, sessionId);
    return QJsonDocument(body).toJson(QJsonDocument::Compact);
}

QJsonObject bash(const QByteArray& command)
{
    return { { u"cmd"_s, QString::fromUtf8(command) } };
}

} // namespace isol8::tests
