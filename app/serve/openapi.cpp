// SPDX-License-Identifier: MIT
#include "app/serve/openapi.h"

#include "app/serve/openapischemas.h"

#include <QJsonArray>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

enum class Key { None, Any, Master };

struct Parameter {
    QLatin1StringView name;
    QLatin1StringView description;
    bool isRequired = true;
};

/// One route as the document describes it.
struct Description {
    QLatin1StringView method;
    QLatin1StringView pattern;
    Key key;
    QLatin1StringView summary;
    QLatin1StringView bodySchema; ///< Of components/schemas; empty: no body.
    int status;
    QLatin1StringView answerSchema; ///< Empty: contentType says it all.
    QLatin1StringView contentType = "application/json"_L1;
    QList<Parameter> query = {};
    QList<int> failures = {}; ///< Beside those that every route has.
};

const QList<Description>& descriptions()
{
    static const Parameter session { "sessionId"_L1, "The session's id."_L1 };
    static const Parameter path { "path"_L1, "Below /sandbox, or relative to it."_L1 };
    static const QList<Description> all {
        { "GET"_L1, "/health"_L1, Key::None, "Whether the server runs, and its version."_L1, {},
            200, "Health"_L1 },
        { "POST"_L1, "/execute"_L1, Key::Any, "Runs something and answers with its result."_L1,
            "ExecuteCall"_L1, 200, "ExecutionResult"_L1, "application/json"_L1, {},
            { 408, 409, 413, 415, 429, 503 } },
        { "POST"_L1, "/execute/stream"_L1, Key::Any,
            "Runs something and sends its output as server-sent events, each a StreamEvent."_L1,
            "ExecuteCall"_L1, 200, "StreamEvent"_L1, "text/event-stream"_L1, {},
            { 408, 409, 413, 415, 429, 503 } },
        { "GET"_L1, "/execute/ws"_L1, Key::Any,
            "WebSocket: takes one ClientMessage of type execute, then stdin, resize and signal; sends StreamEvents."_L1,
            {}, 101, {} },
        { "GET"_L1, "/executions/:id"_L1, Key::Any,
            "The state of an execution and, for some minutes, its result."_L1, {}, 200,
            "Execution"_L1, "application/json"_L1, {}, { 404 } },
        { "POST"_L1, "/executions/:id/cancel"_L1, Key::Any, "Ends an execution."_L1, {}, 200,
            "Ok"_L1, "application/json"_L1, {}, { 404 } },
        { "POST"_L1, "/file"_L1, Key::Any, "Writes a file of a session."_L1, "FileUpload"_L1, 200,
            "Ok"_L1, "application/json"_L1, {}, { 404, 409, 413, 415 } },
        { "GET"_L1, "/file"_L1, Key::Any, "Reads a file of a session."_L1, {}, 200,
            "FileContent"_L1, "application/json"_L1, { session, path }, { 404, 409, 413 } },
        { "DELETE"_L1, "/file"_L1, Key::Any, "Removes a file of a session."_L1, {}, 200, "Ok"_L1,
            "application/json"_L1, { session, path }, { 404, 409 } },
        { "GET"_L1, "/files"_L1, Key::Any, "Lists a directory of a session."_L1, {}, 200,
            "DirectoryListing"_L1, "application/json"_L1,
            { session, { "path"_L1, "Without it: /sandbox."_L1, false } }, { 404, 409 } },
        { "GET"_L1, "/sessions"_L1, Key::Any, "The sessions of the key's tenant."_L1, {}, 200,
            "SessionList"_L1 },
        { "DELETE"_L1, "/session/:id"_L1, Key::Any,
            "Ends a session and what runs in it; also when there is none."_L1, {}, 200, "Ok"_L1 },
        { "POST"_L1, "/cleanup"_L1, Key::Master,
            "Removes sessions that nobody uses, containers and, on request, images."_L1,
            "CleanupCall"_L1, 200, "CleanupResult"_L1, "application/json"_L1, {}, { 415 } },
        { "POST"_L1, "/auth/keys"_L1, Key::Master, "Makes a key, which is shown only here."_L1,
            "KeyCall"_L1, 201, "NewKey"_L1, "application/json"_L1, {}, { 415, 503 } },
        { "GET"_L1, "/auth/keys"_L1, Key::Master, "Lists the keys without their secrets."_L1, {},
            200, "KeyList"_L1, "application/json"_L1,
            { { "tenantId"_L1, "Only this tenant's."_L1, false } }, { 503 } },
        { "DELETE"_L1, "/auth/keys/:id"_L1, Key::Master, "Revokes a key at once."_L1, {}, 200,
            "RevokedKey"_L1, "application/json"_L1, {}, { 404, 503 } },
        { "POST"_L1, "/auth/login"_L1, Key::Master,
            "Makes a key for a client that keeps it as its login."_L1, "LoginCall"_L1, 200,
            "Login"_L1, "application/json"_L1, {}, { 415, 503 } },
        { "GET"_L1, "/runtimes"_L1, Key::Any, "The runtimes and their images."_L1, {}, 200,
            "RuntimeList"_L1 },
        { "GET"_L1, "/metrics"_L1, Key::Any, "Counters in Prometheus' text format."_L1, {}, 200, {},
            "text/plain"_L1 },
        { "GET"_L1, "/openapi.json"_L1, Key::Any, "This document."_L1, {}, 200, "Document"_L1 },
    };
    return all;
}

QJsonObject reference(QLatin1StringView schema)
{
    return { { u"$ref"_s, "#/components/schemas/"_L1 + schema } };
}

QJsonObject content(QLatin1StringView type, const QJsonObject& schema)
{
    return { { type, QJsonObject { { u"schema"_s, schema } } } };
}

QString statusText(int status)
{
    switch (status) {
    case 101:
        return u"The connection is a WebSocket from here on."_s;
    case 400:
        return u"The request is malformed or asks for what cannot be."_s;
    case 401:
        return u"There is no Authorization header."_s;
    case 403:
        return u"The key is wrong, or not allowed to do this."_s;
    case 404:
        return u"There is no such thing, or it is another tenant's."_s;
    case 408:
        return u"The time limit passed while the execution waited for its turn."_s;
    case 409:
        return u"The state of the session or file does not allow it."_s;
    case 413:
        return u"Too large."_s;
    case 415:
        return u"The body is not application/json."_s;
    case 429:
        return u"Too many executions wait already, or too many failed attempts."_s;
    case 500:
        return u"The server failed."_s;
    case 503:
        return u"Docker or the key database does not answer, the server is busy or ends."_s;
    default:
        return u"Success."_s;
    }
}

QJsonObject answers(const Description& route)
{
    QJsonObject success { { u"description"_s, statusText(route.status) } };
    if (route.status != 101) {
        success.insert(u"content"_s,
            content(route.contentType,
                route.answerSchema.isEmpty() ? QJsonObject { { u"type"_s, u"string"_s } }
                                             : reference(route.answerSchema)));
    }
    QJsonObject all { { QString::number(route.status), success } };
    QList<int> failures = route.failures;
    if (route.key != Key::None)
        failures << 400 << 401 << 403 << 500;
    if (route.key != Key::None && !failures.contains(429))
        failures << 429;
    for (const int status : std::as_const(failures)) {
        all.insert(QString::number(status),
            QJsonObject { { u"description"_s, statusText(status) },
                { u"content"_s, content("application/json"_L1, reference("Error"_L1)) } });
    }
    return all;
}

QJsonObject parameter(
    const QString& name, const QString& place, const QString& description, bool isRequired)
{
    return { { u"name"_s, name }, { u"in"_s, place }, { u"description"_s, description },
        { u"required"_s, isRequired },
        { u"schema"_s, QJsonObject { { u"type"_s, u"string"_s } } } };
}

/// `executeStream` of POST /execute/stream: what generated clients name their functions by.
QString operationId(const Description& route)
{
    QString id = QString(route.method).toLower();
    const auto parts = QString(route.pattern).split(u'/', Qt::SkipEmptyParts);
    for (QString part : parts) {
        part.remove(u':');
        part.replace(u'.', u'_');
        id += part.left(1).toUpper() + part.mid(1);
    }
    return id;
}

QJsonObject operation(const Description& route)
{
    QJsonObject made { { u"operationId"_s, operationId(route) },
        { u"summary"_s, QString(route.summary) }, { u"responses"_s, answers(route) } };
    QJsonArray parameters;
    if (route.pattern.contains(":id"_L1))
        parameters.append(parameter(u"id"_s, u"path"_s, u"The id."_s, /*isRequired=*/true));
    for (const Parameter& each : route.query)
        parameters.append(parameter(each.name, u"query"_s, each.description, each.isRequired));
    if (!parameters.isEmpty())
        made.insert(u"parameters"_s, parameters);
    if (!route.bodySchema.isEmpty()) {
        made.insert(u"requestBody"_s,
            QJsonObject {
                { u"required"_s,
                    route.bodySchema != "CleanupCall"_L1 && route.bodySchema != "LoginCall"_L1 },
                { u"content"_s, content("application/json"_L1, reference(route.bodySchema)) } });
    }
    if (route.key == Key::None)
        made.insert(u"security"_s, QJsonArray()); // Overrides the document's.
    if (route.key == Key::Master)
        made.insert(u"description"_s, u"Needs the master key."_s);
    return made;
}

} // namespace

QList<DescribedRoute> describedRoutes()
{
    QList<DescribedRoute> routes;
    for (const Description& route : descriptions())
        routes.append({ QByteArray(route.method.data(), route.method.size()),
            QByteArray(route.pattern.data(), route.pattern.size()) });
    return routes;
}

QJsonObject openApiDocument()
{
    QJsonObject paths;
    for (const Description& route : descriptions()) {
        const QString path = QString(route.pattern).replace(u":id"_s, u"{id}"_s);
        QJsonObject methods = paths[path].toObject();
        methods.insert(QString(route.method).toLower(), operation(route));
        paths.insert(path, methods);
    }
    const QJsonObject bearer { { u"type"_s, u"http"_s }, { u"scheme"_s, u"bearer"_s } };
    return { { u"openapi"_s, u"3.1.0"_s },
        { u"info"_s,
            QJsonObject { { u"title"_s, u"isol8"_s },
                { u"version"_s, QStringLiteral(ISOL8_VERSION) },
                { u"description"_s, u"Runs untrusted code in locked-down containers."_s },
                { u"license"_s,
                    QJsonObject { { u"name"_s, u"MIT"_s }, { u"identifier"_s, u"MIT"_s } } } } },
        { u"security"_s, QJsonArray { QJsonObject { { u"key"_s, QJsonArray() } } } },
        { u"paths"_s, paths },
        { u"components"_s,
            QJsonObject { { u"schemas"_s, openApiSchemas() },
                { u"securitySchemes"_s, QJsonObject { { u"key"_s, bearer } } } } } };
}

} // namespace isol8::serve
