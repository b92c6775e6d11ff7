// SPDX-License-Identifier: MIT
#include "engine/proxy/proxyrequest.h"

#include "engine/http/headparser.h"

#include <algorithm>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

namespace {

constexpr quint16 httpPort = 80;

std::unexpected<Error> badRequest(const QString& message)
{
    return failure(Kind::Invalid, message, 400);
}

Result<> applyAuthority(QByteArrayView authority, quint16 defaultPort, ProxyRequest& request)
{
    auto target = hostAndPortFromText(QString::fromLatin1(authority), defaultPort);
    if (!target)
        return badRequest(target.error().message);
    request.target = *target;
    return {};
}

Result<> applyUrl(QByteArrayView url, ProxyRequest& request)
{
    const auto scheme = url.first(std::max<qsizetype>(url.indexOf("://"), 0));
    if (scheme.compare("https", Qt::CaseInsensitive) == 0)
        return badRequest(
            u"https goes through CONNECT, since this proxy does not open what is encrypted"_s);
    if (scheme.compare("http", Qt::CaseInsensitive) != 0)
        return badRequest(u"this is a proxy: ask for http://host/path, or CONNECT to host:port"_s);
    const auto rest = url.sliced(scheme.size() + 3);
    const auto isEnd = [](char c) { return c == '/' || c == '?'; };
    const auto end = std::ranges::find_if(rest, isEnd) - rest.begin();
    const auto path = rest.sliced(end);
    if (path.isEmpty())
        request.path = request.head.method == "OPTIONS" ? "*" : "/";
    else
        request.path = path.startsWith('?') ? '/' + path.toByteArray() : path.toByteArray();
    return applyAuthority(rest.first(end), httpPort, request);
}

} // namespace

Result<ProxyRequest> parseProxyRequest(QByteArrayView bytes, const http::HttpLimits& limits)
{
    auto head = http::parseHead(bytes, limits, http::TargetForm::Any);
    if (!head)
        return std::unexpected(head.error());
    ProxyRequest request;
    request.head = std::move(*head);
    if (request.isConnect() && request.head.hasBody())
        return badRequest(u"CONNECT has no body"_s);
    const auto applied = request.isConnect() ? applyAuthority(request.head.target, 0, request)
                                             : applyUrl(request.head.target, request);
    if (!applied)
        return std::unexpected(applied.error());
    return request;
}

} // namespace isol8::proxy
