// SPDX-License-Identifier: MIT
#include "tests/app/serve/httpclient.h"

#include <QJsonDocument>
#include <QTest>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {
constexpr std::chrono::minutes patience { 2 };
}

QJsonObject HttpReply::json() const
{
    return QJsonDocument::fromJson(body).object();
}

QString HttpReply::error() const
{
    return json().value(u"error"_s).toString();
}

HttpClient::HttpClient(quint16 port, QByteArray key)
    : m_port(port)
    , m_key(std::move(key))
{
}

QNetworkRequest HttpClient::request(const QString& path, const QString& scheme) const
{
    QNetworkRequest request(QUrl(u"%1://127.0.0.1:%2%3"_s.arg(scheme).arg(m_port).arg(path)));
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, false);
    if (!m_key.isNull())
        request.setRawHeader("Authorization", m_key);
    return request;
}

std::unique_ptr<QNetworkReply> HttpClient::begin(const QByteArray& method, const QString& path,
    const QByteArray& body, const QByteArray& contentType)
{
    auto asked = request(path, u"http"_s);
    if (!body.isNull())
        asked.setRawHeader("Content-Type", contentType);
    return std::unique_ptr<QNetworkReply>(m_manager.sendCustomRequest(asked, method, body));
}

HttpReply HttpClient::finish(QNetworkReply& reply)
{
    if (!QTest::qWaitFor([&reply] { return reply.isFinished(); }, QDeadlineTimer(patience)))
        return {};
    return { reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), reply.readAll(),
        reply.rawHeader("Content-Type"), reply.rawHeader("Retry-After") };
}

HttpReply HttpClient::send(const QByteArray& method, const QString& path, const QByteArray& body,
    const QByteArray& contentType)
{
    return finish(*begin(method, path, body, contentType));
}

HttpReply HttpClient::get(const QString& path)
{
    return send("GET", path, {});
}

HttpReply HttpClient::post(const QString& path, const QJsonObject& body)
{
    return send("POST", path, QJsonDocument(body).toJson());
}

HttpReply HttpClient::remove(const QString& path)
{
    return send("DELETE", path, {});
}

QByteArray executeBody(const QJsonObject& request, const QString& sessionId)
{
    QJsonObject body { { u"request"_s, request } };
    if (!sessionId.isEmpty())
        body.insert(u"sessionId"_s, sessionId);
    return QJsonDocument(body).toJson();
}

} // namespace isol8::tests
