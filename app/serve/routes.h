// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/answer.h"
#include "app/serve/requestrecord.h"
#include "app/serve/service.h"
#include "engine/http/exchange.h"

#include <span>

namespace isol8::serve {

/// A request that was routed and whose key was checked.
struct Request {
    std::shared_ptr<Service> service;
    std::shared_ptr<http::Exchange> exchange;
    std::shared_ptr<RequestRecord> record;
    Principal principal; ///< Nobody's for a route that needs no key.
    QString parameter; ///< What `:id` stands for; empty without one.
};

/// Does what a route is for. Errors become an answer in JSON.
using Handler = Task<Answer> (*)(Request request);

enum class Access { Anyone, AnyKey, MasterKey };

struct Route {
    QLatin1StringView method;
    QLatin1StringView path; ///< `:id` at its end stands for one part of the path.
    Access access;
    Handler handler;
};

/// Every route of the server.
[[nodiscard]] std::span<const Route> routes();

struct Match {
    const Route* route = nullptr; ///< Null: none.
    QString parameter;
    QByteArrayList allowedMethods; ///< Of the path, when only the method is wrong.
};

/// @p path is http::RequestHead::path: decoded once and otherwise untouched. HEAD is taken for GET.
[[nodiscard]] Match findRoute(const QByteArray& method, const QString& path);

} // namespace isol8::serve
