// SPDX-License-Identifier: MIT
#include "app/serve/handlers.h"

#include "app/serve/openapi.h"
#include "engine/core/jsonreader.h"
#include "engine/core/names.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace isol8::serve::handlers {

using namespace Qt::StringLiterals;

namespace {

QJsonObject removalJson(const Backend::Removal& removal)
{
    return { { u"removed"_s, removal.removed }, { u"failed"_s, removal.errors.size() },
        { u"errors"_s, QJsonArray::fromStringList(removal.errors) } };
}

/// Ends every session of this server that nobody uses.
Task<Backend::Removal> removeIdleSessions(std::shared_ptr<Service> service)
{
    const auto sessions = co_await service->backend.engine->sessions();
    if (!sessions)
        co_return std::unexpected(engineFailure(sessions.error()));
    Backend::Removal removal;
    for (const auto& session : *sessions) {
        if (!SessionTable::isServerSession(session.id) || session.isActive
            || service->sessions.isActive(session.id))
            continue;
        const auto turn = co_await service->sessions.acquireExisting(session.id, {});
        const auto stopped = co_await service->backend.engine->stopSession(session.id);
        if (turn && stopped)
            (*turn)->forget();
        if (stopped)
            removal.removed += *stopped ? 1 : 0;
        else
            removal.errors << stopped.error().message;
    }
    co_return removal;
}

} // namespace

Task<Answer> health(Request)
{
    co_return jsonAnswer(
        { { u"status"_s, u"ok"_s }, { u"version"_s, QStringLiteral(ISOL8_VERSION) } });
}

Task<Answer> listRuntimes(Request request)
{
    const auto states = co_await request.service->backend.runtimes();
    if (!states)
        co_return std::unexpected(engineFailure(states.error()));
    QJsonArray array;
    for (const auto& state : *states)
        array.append(QJsonObject { { u"name"_s, runtimeName(state.runtime) },
            { u"version"_s, state.version.isEmpty() ? QJsonValue() : QJsonValue(state.version) },
            { u"extensions"_s, QJsonArray::fromStringList(extensionsOf(state.runtime)) },
            { u"image"_s, state.image }, { u"imageReady"_s, state.isImageReady },
            { u"packages"_s, QJsonArray::fromStringList(state.packages) } });
    Answer answer;
    answer.body = QJsonDocument(array).toJson(QJsonDocument::Compact);
    co_return answer;
}

Task<Answer> cleanUp(Request request)
{
    const auto body = co_await readJson(request, /*isOptional=*/true);
    if (!body)
        co_return std::unexpected(body.error());
    bool hasImages = false;
    JsonReader reader(*body, {}, Kind::Invalid);
    reader.read(u"images"_s, hasImages);
    if (reader.error())
        co_return std::unexpected(*reader.error());

    const auto sessions = co_await removeIdleSessions(request.service);
    if (!sessions)
        co_return std::unexpected(sessions.error());
    const auto containers = co_await request.service->backend.removeContainers();
    if (!containers)
        co_return std::unexpected(engineFailure(containers.error()));
    QJsonObject answer { { u"ok"_s, true }, { u"sessions"_s, removalJson(*sessions) },
        { u"containers"_s, removalJson(*containers) } };
    if (hasImages) {
        const auto images = co_await request.service->backend.removeImages();
        if (!images)
            co_return std::unexpected(engineFailure(images.error()));
        answer.insert(u"images"_s, removalJson(*images));
    }
    co_return jsonAnswer(answer);
}

Task<Answer> showMetrics(Request request)
{
    Answer answer;
    answer.body = request.service->metrics.text();
    answer.contentType = "text/plain; version=0.0.4; charset=utf-8";
    co_return answer;
}

Task<Answer> showOpenApi(Request)
{
    co_return jsonAnswer(openApiDocument());
}

} // namespace isol8::serve::handlers
