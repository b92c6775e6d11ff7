// SPDX-License-Identifier: MIT
#include "engine/remote/serveraddress.h"

#include <QHostAddress>

#include <algorithm>

namespace isol8::remote {

using namespace Qt::StringLiterals;

namespace {

constexpr int httpPort = 80;
constexpr int httpsPort = 443;
constexpr qsizetype maxAddressCharacters = 2'000;
constexpr qsizetype maxKeyCharacters = 4'096;

bool isTls(const QUrl& url)
{
    return url.scheme() == "https"_L1;
}

} // namespace

QString ServerAddress::origin() const
{
    auto host = url.host(QUrl::FullyEncoded);
    if (host.contains(u':'))
        host = u'[' + host + u']';
    return u"%1://%2:%3"_s.arg(
        url.scheme(), host, QString::number(url.port(isTls(url) ? httpsPort : httpPort)));
}

QString ServerAddress::toString() const
{
    return url.toString(QUrl::FullyEncoded);
}

bool ServerAddress::isPrivate() const
{
    const auto host = url.host();
    return isTls(url) || host == "localhost"_L1 || host.endsWith(".localhost"_L1)
        || QHostAddress(host).isLoopback();
}

Result<ServerAddress> parseServerAddress(const QString& text)
{
    const auto refuse = [&text](const QString& why) {
        return failure(Kind::Invalid,
            u"'%1' is no address of a server: %2"_s.arg(text.left(maxAddressCharacters), why));
    };
    const auto example = u"it looks like https://isol8.example.org or http://localhost:3000"_s;
    if (text.size() > maxAddressCharacters)
        return refuse(u"it is too long"_s);
    QUrl url(text, QUrl::StrictMode);
    if (!url.isValid())
        return refuse(example);
    // QUrl has made both lower case.
    if (url.scheme() != "http"_L1 && url.scheme() != "https"_L1)
        return refuse(u"it must begin with http:// or https://; "_s + example);
    if (url.host().isEmpty() || url.port() == 0)
        return refuse(example);
    if (!url.userInfo().isEmpty())
        return failure(
            Kind::Invalid, u"an address of a server has no user name; the key goes into --key"_s);
    if (url.hasQuery() || url.hasFragment())
        return refuse(u"it may not have a query or a fragment"_s);
    auto path = url.path(QUrl::FullyEncoded);
    while (path.endsWith(u'/'))
        path.chop(1);
    url.setPath(path, QUrl::StrictMode);
    if (url.port() == (isTls(url) ? httpsPort : httpPort))
        url.setPort(-1);
    return ServerAddress { url };
}

Result<> checkApiKey(const QString& key)
{
    const bool isVisible
        = std::ranges::all_of(key, [](QChar each) { return each > u' ' && each <= u'~'; });
    if (key.isEmpty() || key.size() > maxKeyCharacters || !isVisible)
        return failure(Kind::Invalid,
            u"an API key has 1 to %1 letters, digits and signs without white space"_s.arg(
                maxKeyCharacters));
    return {};
}

} // namespace isol8::remote
