// SPDX-License-Identifier: MIT
#include "app/serve/routes.h"

#include "app/serve/handlers.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr Route table[] {
    { "GET"_L1, "/health"_L1, Access::Anyone, handlers::health },
    { "POST"_L1, "/execute"_L1, Access::AnyKey, handlers::execute },
    { "POST"_L1, "/execute/stream"_L1, Access::AnyKey, handlers::executeStream },
    { "GET"_L1, "/execute/ws"_L1, Access::AnyKey, handlers::executeWebSocket },
    { "GET"_L1, "/executions/:id"_L1, Access::AnyKey, handlers::showExecution },
    { "POST"_L1, "/executions/:id/cancel"_L1, Access::AnyKey, handlers::cancelExecution },
    { "POST"_L1, "/file"_L1, Access::AnyKey, handlers::putFile },
    { "GET"_L1, "/file"_L1, Access::AnyKey, handlers::fetchFile },
    { "DELETE"_L1, "/file"_L1, Access::AnyKey, handlers::removeFile },
    { "GET"_L1, "/files"_L1, Access::AnyKey, handlers::listFiles },
    { "GET"_L1, "/sessions"_L1, Access::AnyKey, handlers::listSessions },
    { "DELETE"_L1, "/session/:id"_L1, Access::AnyKey, handlers::deleteSession },
    { "POST"_L1, "/cleanup"_L1, Access::MasterKey, handlers::cleanUp },
    { "POST"_L1, "/auth/keys"_L1, Access::MasterKey, handlers::createKey },
    { "GET"_L1, "/auth/keys"_L1, Access::MasterKey, handlers::listKeys },
    { "DELETE"_L1, "/auth/keys/:id"_L1, Access::MasterKey, handlers::revokeKey },
    { "POST"_L1, "/auth/login"_L1, Access::MasterKey, handlers::logIn },
    { "GET"_L1, "/runtimes"_L1, Access::AnyKey, handlers::listRuntimes },
    { "GET"_L1, "/metrics"_L1, Access::AnyKey, handlers::showMetrics },
    { "GET"_L1, "/openapi.json"_L1, Access::AnyKey, handlers::showOpenApi },
};

/// The parameter of @p path if it is one of @p pattern; empty for a pattern without one.
std::optional<QString> matchPath(QLatin1StringView pattern, const QString& path)
{
    const auto colon = pattern.indexOf(":id"_L1);
    if (colon < 0)
        return pattern == path ? std::optional(QString()) : std::nullopt;
    const auto before = pattern.first(colon);
    const auto after = pattern.sliced(colon + 3);
    if (path.size() <= before.size() + after.size() || !path.startsWith(before)
        || !path.endsWith(after))
        return std::nullopt;
    const auto part = path.sliced(before.size(), path.size() - before.size() - after.size());
    return part.contains(u'/') ? std::nullopt : std::optional(part);
}

} // namespace

std::span<const Route> routes()
{
    return table;
}

Match findRoute(const QByteArray& method, const QString& path)
{
    const auto sought = method == "HEAD" ? QByteArray("GET") : method;
    Match match;
    for (const auto& route : table) {
        const auto parameter = matchPath(route.path, path);
        if (!parameter)
            continue;
        if (route.method == QLatin1StringView(sought)) {
            match.route = &route;
            match.parameter = *parameter;
            return match;
        }
        match.allowedMethods.append(QByteArray(route.method.data(), route.method.size()));
    }
    return match;
}

} // namespace isol8::serve
