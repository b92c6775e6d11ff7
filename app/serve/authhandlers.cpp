// SPDX-License-Identifier: MIT
#include "app/serve/handlers.h"

#include "app/serve/keystore.h"
#include "engine/core/jsonreader.h"

#include <QJsonArray>

namespace isol8::serve::handlers {

using namespace Qt::StringLiterals;

namespace {

/// `{name, tenantId?, ttlMs?}`
struct KeyWish {
    QString name;
    QString tenant;
    std::chrono::milliseconds ttl {};
};

Result<std::shared_ptr<KeyStore>> storeOf(const Request& request)
{
    if (!request.service->keyStore)
        return failure(Kind::Invalid, u"DB-backed auth is not enabled"_s);
    return request.service->keyStore;
}

Result<KeyWish> keyWish(const QJsonObject& object, const Settings& settings)
{
    KeyWish wish;
    wish.ttl = settings.auth.defaultTtl;
    JsonReader reader(object, {}, Kind::Invalid);
    reader.read(u"name"_s, wish.name);
    reader.read(u"tenantId"_s, wish.tenant);
    double milliseconds = double(wish.ttl.count());
    reader.read(u"ttlMs"_s, milliseconds);
    if (reader.error())
        return std::unexpected(*reader.error());
    const auto ttl = keyTtl(milliseconds);
    if (!ttl)
        return std::unexpected(ttl.error());
    wish.ttl = *ttl;
    return wish;
}

QJsonObject recordJson(const KeyRecord& record)
{
    return { { u"id"_s, record.id }, { u"name"_s, record.name }, { u"tenantId"_s, record.tenant },
        { u"createdAt"_s, record.created.toUTC().toString(Qt::ISODateWithMs) },
        { u"expiresAt"_s, record.expires.toUTC().toString(Qt::ISODateWithMs) } };
}

Task<NewKey> makeKey(Request request, QString defaultName)
{
    const auto store = storeOf(request);
    if (!store)
        co_return std::unexpected(store.error());
    const auto body = co_await readJson(request, /*isOptional=*/!defaultName.isEmpty());
    if (!body)
        co_return std::unexpected(body.error());
    auto wish = keyWish(*body, request.service->settings);
    if (!wish)
        co_return std::unexpected(wish.error());
    if (wish->name.isEmpty())
        wish->name = defaultName;
    if (wish->name.isEmpty())
        co_return failure(Kind::Invalid, u"name is missing"_s);
    co_return co_await (*store)->create(wish->name, wish->tenant, wish->ttl);
}

} // namespace

Task<Answer> createKey(Request request)
{
    const auto made = co_await makeKey(request, {});
    if (!made)
        co_return std::unexpected(made.error());
    auto object = recordJson(made->record);
    object.insert(u"key"_s, QString::fromLatin1(made->key));
    auto answer = jsonAnswer(object, 201);
    answer.headers.emplaceBack("Cache-Control", "no-store");
    co_return answer;
}

Task<Answer> listKeys(Request request)
{
    const auto store = storeOf(request);
    if (!store)
        co_return std::unexpected(store.error());
    const auto tenant = request.exchange->head().queryItem(u"tenantId"_s);
    const auto records = co_await (*store)->list(tenant);
    if (!records)
        co_return std::unexpected(records.error());
    QJsonArray keys;
    for (const auto& record : *records)
        keys.append(recordJson(record));
    co_return jsonAnswer({ { u"keys"_s, keys } });
}

Task<Answer> revokeKey(Request request)
{
    const auto store = storeOf(request);
    if (!store)
        co_return std::unexpected(store.error());
    const auto removed = co_await (*store)->remove(request.parameter);
    if (!removed)
        co_return std::unexpected(removed.error());
    if (!*removed)
        co_return failure(Kind::NotFound, u"there is no such key"_s);
    co_return jsonAnswer({ { u"ok"_s, true }, { u"id"_s, request.parameter } });
}

Task<Answer> logIn(Request request)
{
    const auto made = co_await makeKey(request, u"login"_s);
    if (!made)
        co_return std::unexpected(made.error());
    auto answer = jsonAnswer({ { u"token"_s, QString::fromLatin1(made->key) },
        { u"expiresAt"_s, made->record.expires.toUTC().toString(Qt::ISODateWithMs) },
        { u"keyId"_s, made->record.id } });
    answer.headers.emplaceBack("Cache-Control", "no-store");
    co_return answer;
}

} // namespace isol8::serve::handlers
