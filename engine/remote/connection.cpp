// SPDX-License-Identifier: MIT
#include "engine/remote/connection.h"

#include "engine/core/strictjson.h"
#include "engine/remote/exchange.h"
#include "engine/remote/failures.h"

#include <QNetworkRequest>

namespace isol8::remote {

using namespace Qt::StringLiterals;

Connection::Connection(ServerAddress address, const QString& key)
    : m_address(std::move(address))
    , m_manager(std::make_unique<QNetworkAccessManager>())
{
    // Anything else would let a key write headers of its own.
    if (checkApiKey(key))
        m_authorization = "Bearer " + key.toLatin1();
}

Connection::~Connection()
{
    close();
    // A signal of a reply may be on the stack.
    m_manager.release()->deleteLater();
}

QNetworkRequest Connection::request(const QString& path, const QUrlQuery& query) const
{
    auto url = m_address.url;
    url.setPath(url.path(QUrl::FullyEncoded) + path, QUrl::TolerantMode);
    if (!query.isEmpty())
        url.setQuery(query);
    QNetworkRequest request(url);
    request.setAttribute(
        QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, false);
    for (const auto attribute :
        { QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::CookieSaveControlAttribute,
            QNetworkRequest::AuthenticationReuseAttribute })
        request.setAttribute(attribute, QNetworkRequest::Manual);
    request.setAttribute(
        QNetworkRequest::CacheLoadControlAttribute, QNetworkRequest::AlwaysNetwork);
    request.setAttribute(QNetworkRequest::CacheSaveControlAttribute, false);
    request.setRawHeader("User-Agent", "isol8/" ISOL8_VERSION);
    if (!m_authorization.isEmpty())
        request.setRawHeader("Authorization", m_authorization);
    return request;
}

Task<QJsonObject> perform(std::shared_ptr<Connection> connection, HttpCall call, CancelToken cancel)
{
    const auto exchange = Exchange::start(connection, call, cancel);
    const auto answer = co_await exchange.wait();
    if (!answer)
        co_return std::unexpected(answer.error());
    const auto& address = connection->address();
    if (answer->status < 200 || answer->status >= 300)
        co_return std::unexpected(errorFromAnswer(
            address, answer->status, answer->body, answer->retryAfter, answer->location));
    auto object = parseJsonObject(answer->body);
    if (!object)
        co_return std::unexpected(notIsol8(address, object.error().message));
    co_return std::move(*object);
}

} // namespace isol8::remote
