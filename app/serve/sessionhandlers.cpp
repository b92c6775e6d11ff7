// SPDX-License-Identifier: MIT
#include "app/serve/handlers.h"

#include "engine/core/jsonreader.h"
#include "engine/core/jsontext.h"
#include "engine/core/names.h"

#include <QJsonArray>

namespace isol8::serve::handlers {

using namespace Qt::StringLiterals;

namespace {

/// A file of a session, as a request names it.
struct FilePlace {
    QString clientSession;
    QString engineSession;
    QString path;
};

Result<FilePlace> filePlace(const Request& request, const QString& sessionId, const QString& path)
{
    if (const auto valid = checkSessionId(sessionId); !valid)
        return std::unexpected(valid.error());
    return FilePlace { sessionId, SessionTable::engineId(request.principal.tenant, sessionId),
        path };
}

/// @p fallbackPath: empty when the path must be given.
Result<FilePlace> filePlaceOfQuery(const Request& request, const QString& fallbackPath = {})
{
    const auto& head = request.exchange->head();
    const auto sessionId = head.queryItem(u"sessionId"_s).value_or(QString());
    auto path = head.queryItem(u"path"_s).value_or(QString());
    if (sessionId.isEmpty())
        return failure(Kind::Invalid, u"Missing sessionId parameter"_s);
    if (path.isEmpty())
        path = fallbackPath;
    if (path.isEmpty())
        return failure(Kind::Invalid, u"Missing path parameter"_s);
    return filePlace(request, sessionId, path);
}

Error fileFailure(const FilePlace& place, Error error)
{
    if (error.kind == Kind::Denied)
        return { error.kind, u"%1: not permitted in the sandbox"_s.arg(place.path), 403 };
    error = engineFailure(std::move(error));
    error.message.replace(place.engineSession, place.clientSession);
    return error;
}

/// The use of a session by a request.
struct Use {
    std::shared_ptr<SessionTable::Lease> lease;
    CancelToken cancel; ///< When the client goes away or somebody deletes the session.
};

/// Waits for the turn to use the session.
Task<Use> use(Request request, FilePlace place)
{
    Use made;
    QObject::connect(request.exchange.get(), &http::Exchange::clientGone, request.exchange.get(),
        [cancel = made.cancel] { cancel.cancel(); });
    if (request.exchange->isClientGone())
        made.cancel.cancel();
    auto turn
        = co_await request.service->sessions.acquireExisting(place.engineSession, made.cancel);
    if (!turn)
        co_return std::unexpected(turn.error());
    made.lease = std::move(*turn);
    co_return made;
}

QString typeName(FileEntry::Type type)
{
    switch (type) {
    case FileEntry::Type::File:
        return u"file"_s;
    case FileEntry::Type::Directory:
        return u"directory"_s;
    case FileEntry::Type::Link:
        return u"link"_s;
    case FileEntry::Type::Other:
        break;
    }
    return u"other"_s;
}

} // namespace

Task<Answer> putFile(Request request)
{
    const auto body = co_await readJson(request);
    if (!body)
        co_return std::unexpected(body.error());
    QString sessionId;
    QString path;
    QString text;
    JsonReader reader(*body, {}, Kind::Invalid);
    for (const auto& key : { u"sessionId"_s, u"path"_s, u"content"_s })
        reader.require(key);
    reader.read(u"sessionId"_s, sessionId);
    reader.read(u"path"_s, path);
    reader.read(u"content"_s, text);
    const auto content
        = QByteArray::fromBase64Encoding(text.toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
    if (!reader.error() && !content)
        reader.fail({ Kind::Invalid, u"content: invalid value; allowed is base64"_s });
    if (reader.error())
        co_return std::unexpected(*reader.error());
    const auto place = filePlace(request, sessionId, path);
    if (!place)
        co_return std::unexpected(place.error());
    const auto turn = co_await use(request, *place);
    if (!turn)
        co_return std::unexpected(turn.error());
    const auto put = co_await request.service->backend.engine->putFile(
        place->engineSession, place->path, *content, { turn->cancel, {} });
    if (!put)
        co_return std::unexpected(fileFailure(*place, put.error()));
    co_return okAnswer();
}

Task<Answer> fetchFile(Request request)
{
    const auto place = filePlaceOfQuery(request);
    if (!place)
        co_return std::unexpected(place.error());
    const auto turn = co_await use(request, *place);
    if (!turn)
        co_return std::unexpected(turn.error());
    const auto content = co_await request.service->backend.engine->fetchFile(
        place->engineSession, place->path, { turn->cancel, {} });
    if (!content)
        co_return std::unexpected(fileFailure(*place, content.error()));
    Answer answer;
    answer.body = R"({"content":)";
    appendBase64String(answer.body, *content);
    answer.body += '}';
    co_return answer;
}

Task<Answer> removeFile(Request request)
{
    const auto place = filePlaceOfQuery(request);
    if (!place)
        co_return std::unexpected(place.error());
    const auto turn = co_await use(request, *place);
    if (!turn)
        co_return std::unexpected(turn.error());
    const auto removed
        = co_await request.service->backend.engine->removeFile(place->engineSession, place->path);
    if (!removed)
        co_return std::unexpected(fileFailure(*place, removed.error()));
    co_return okAnswer();
}

Task<Answer> listFiles(Request request)
{
    const auto place = filePlaceOfQuery(request, u"/sandbox"_s);
    if (!place)
        co_return std::unexpected(place.error());
    const auto turn = co_await use(request, *place);
    if (!turn)
        co_return std::unexpected(turn.error());
    const auto entries
        = co_await request.service->backend.engine->listFiles(place->engineSession, place->path);
    if (!entries)
        co_return std::unexpected(fileFailure(*place, entries.error()));
    QJsonArray files;
    for (const auto& entry : *entries)
        files.append(QJsonObject { { u"name"_s, entry.name }, { u"type"_s, typeName(entry.type) },
            { u"size"_s, entry.sizeBytes },
            { u"mtime"_s, entry.modified.toUTC().toString(Qt::ISODateWithMs) },
            { u"mode"_s, entry.mode } });
    co_return jsonAnswer({ { u"path"_s, place->path }, { u"files"_s, files } });
}

Task<Answer> listSessions(Request request)
{
    const auto service = request.service;
    const auto sessions = co_await service->backend.engine->sessions();
    if (!sessions)
        co_return std::unexpected(engineFailure(sessions.error()));
    QJsonArray array;
    for (const auto& session : *sessions) {
        const auto id = SessionTable::clientId(request.principal.tenant, session.id);
        if (!id)
            continue;
        const auto accessed = service->sessions.lastAccess(session.id).value_or(session.created);
        array.append(QJsonObject { { u"id"_s, *id },
            { u"isActive"_s, service->sessions.isActive(session.id) },
            { u"lastAccessedAt"_s, accessed.toUTC().toString(Qt::ISODateWithMs) },
            { u"runtime"_s, runtimeName(session.runtime) } });
    }
    co_return jsonAnswer({ { u"sessions"_s, array } });
}

Task<Answer> deleteSession(Request request)
{
    const auto service = request.service;
    if (const auto valid = checkSessionId(request.parameter); !valid)
        co_return std::unexpected(valid.error());
    const auto id = SessionTable::engineId(request.principal.tenant, request.parameter);
    service->sessions.cancelUsers(id);
    // Unknown ones need no turn; the engine is asked all the same, as it alone knows.
    const auto turn = co_await service->sessions.acquireExisting(id, {});
    const auto stopped = co_await service->backend.engine->stopSession(id);
    if (!stopped)
        co_return std::unexpected(engineFailure(stopped.error()));
    if (turn)
        (*turn)->forget();
    co_return okAnswer();
}

} // namespace isol8::serve::handlers
