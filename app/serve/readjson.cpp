// SPDX-License-Identifier: MIT
#include "app/serve/handlers.h"

#include "engine/core/strictjson.h"

namespace isol8::serve::handlers {

using namespace Qt::StringLiterals;

namespace {

/// A page of another site can send a form without asking, but no JSON.
Result<> checkContentType(const QByteArray& contentType)
{
    const auto semicolon = contentType.indexOf(';');
    const auto type = (semicolon < 0 ? contentType : contentType.first(semicolon)).trimmed();
    if (type.isEmpty() || type.compare("application/json", Qt::CaseInsensitive) == 0)
        return {};
    return failure(Kind::Invalid, u"Content-Type must be application/json"_s, 415);
}

} // namespace

Task<QJsonObject> readJson(Request request, bool isOptional)
{
    const auto& head = request.exchange->head();
    if (head.hasBody() || !isOptional) {
        if (const auto valid = checkContentType(head.header("content-type")); !valid)
            co_return std::unexpected(valid.error());
    }
    const auto body
        = co_await request.exchange->readBody(request.service->settings.serve.maxBodyBytes);
    if (!body)
        co_return std::unexpected(body.error());
    if (body->isEmpty() && isOptional)
        co_return QJsonObject();
    auto object = parseJsonObject(*body);
    if (!object)
        co_return std::unexpected(object.error().within(u"Invalid JSON"_s));
    co_return object;
}

} // namespace isol8::serve::handlers
