// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"

#include "engine/core/escape.h"
#include "engine/docker/answersjson.h"
#include "engine/docker/clientstate.h"
#include "engine/docker/containerjson.h"
#include "engine/docker/eventreader.h"
#include "engine/docker/socketstream.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

constexpr std::chrono::seconds queryLimit { 30 };
constexpr std::chrono::seconds changeLimit {
    120
}; // A busy daemon may take long to create or remove.
constexpr std::chrono::seconds archiveSilence { 120 };

HttpRequest query(QByteArray target)
{
    HttpRequest request;
    request.target = std::move(target);
    request.limit = queryLimit;
    return request;
}

HttpRequest change(QByteArray verb, QByteArray target)
{
    HttpRequest request;
    request.verb = std::move(verb);
    request.target = std::move(target);
    request.limit = changeLimit;
    return request;
}

Result<QJsonObject> rawFromAnswer(const QByteArray& body)
{
    return objectFromAnswer(body);
}

Task<> remove(std::shared_ptr<Transport> transport, QString id, CancelToken cancel)
{
    const auto request = change("DELETE", makeTarget("/containers/%?force=1&v=1", id));
    const auto answer = co_await perform(transport, request, cancel);
    if (answer || answer.error().httpStatus == 404)
        co_return {};
    if (answer.error().httpStatus == 409
        && answer.error().message.contains(u"already in progress"_s))
        co_return {};
    co_return std::unexpected(answer.error());
}

/// A limit that this kernel has no means for is left out by Docker, with a remark only.
Result<> checkLimits(const QByteArray& answer)
{
    const auto warnings = warningsFromAnswer(answer);
    if (!warnings)
        return std::unexpected(warnings.error());
    for (const auto& warning : *warnings) {
        if (warning.contains(u"discarded"_s, Qt::CaseInsensitive))
            return failure(Kind::Denied,
                u"Docker cannot keep a limit of the sandbox: %1 (`isol8 doctor` says what is missing)"_s
                    .arg(printable(warning)));
    }
    return {};
}

Task<QString> create(
    std::shared_ptr<Transport> transport, QJsonObject container, QString name, CancelToken cancel)
{
    const auto parameters = name.isEmpty() ? Query {} : Query { { u"name"_s, name } };
    auto request = change("POST", makeTarget("/containers/create", {}, parameters));
    request.body = QJsonDocument(container).toJson(QJsonDocument::Compact);
    request.contentType = "application/json";
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    const auto id = stringFromAnswer(answer->body, u"Id"_s);
    if (!id)
        co_return id;
    const auto limited = checkLimits(answer->body);
    if (!limited) {
        (void)co_await remove(transport, *id, {});
        co_return std::unexpected(limited.error());
    }
    co_return id;
}

Task<> watch(std::shared_ptr<Transport> transport, HttpRequest request,
    std::shared_ptr<EventReader> reader, CancelToken cancel)
{
    request.sink = [reader](const QByteArray& bytes) { return reader->feed(bytes); };
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return failure(Kind::Unreachable, u"Docker has ended its stream of events"_s);
}

Task<QByteArray> fetch(
    std::shared_ptr<Transport> transport, HttpRequest request, CancelToken cancel)
{
    auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return std::move(answer->body);
}

} // namespace

Client::Client(Endpoint endpoint)
    : m_state(std::make_shared<State>(State { std::make_shared<Transport>(std::move(endpoint)) }))
{
}

Client::~Client()
{
    m_state->transport->close();
}

const Endpoint& Client::endpoint() const
{
    return m_state->transport->endpoint();
}

Task<ServerVersion> Client::version(CancelToken cancel)
{
    return ask(m_state->transport, query("/version"), versionFromAnswer, cancel);
}

Task<ServerInfo> Client::info(CancelToken cancel)
{
    return ask(m_state->transport, query("/info"), infoFromAnswer, cancel);
}

Task<> Client::watchEvents(
    std::function<void()> listening, EventHandler handler, CancelToken cancel)
{
    const QJsonObject filters {
        { u"type"_s, QJsonArray { u"container"_s, u"image"_s } },
        { u"event"_s,
            QJsonArray { u"die"_s, u"destroy"_s, u"oom"_s, u"pause"_s, u"tag"_s, u"untag"_s,
                u"delete"_s, u"import"_s, u"load"_s, u"pull"_s } },
    };
    auto request = query(makeTarget("/events", {},
        { { u"filters"_s,
            QString::fromUtf8(QJsonDocument(filters).toJson(QJsonDocument::Compact)) } }));
    request.limit = {};
    request.opened = std::move(listening);
    return watch(m_state->transport, std::move(request),
        std::make_shared<EventReader>(std::move(handler)), std::move(cancel));
}

Task<QString> Client::createContainer(ContainerSpec spec, QString name, CancelToken cancel)
{
    return create(m_state->transport, toJson(spec), std::move(name), cancel);
}

Task<QString> Client::createContainer(QJsonObject container, QString name, CancelToken cancel)
{
    return create(m_state->transport, std::move(container), std::move(name), cancel);
}

Task<> Client::startContainer(QString id, CancelToken cancel)
{
    return command(
        m_state->transport, change("POST", makeTarget("/containers/%/start", id)), cancel);
}

Task<> Client::killContainer(QString id, QString signal, CancelToken cancel)
{
    return command(m_state->transport,
        change("POST", makeTarget("/containers/%/kill", id, { { u"signal"_s, signal } })), cancel);
}

Task<> Client::removeContainer(QString id, CancelToken cancel)
{
    return remove(m_state->transport, std::move(id), cancel);
}

Task<> Client::renameContainer(QString id, QString name, CancelToken cancel)
{
    return command(m_state->transport,
        change("POST", makeTarget("/containers/%/rename", id, { { u"name"_s, name } })), cancel);
}

Task<ContainerDetails> Client::inspectContainer(QString id, CancelToken cancel)
{
    return ask(m_state->transport, query(makeTarget("/containers/%/json", id)), containerFromAnswer,
        cancel);
}

Task<QJsonObject> Client::inspectContainerRaw(QString id, CancelToken cancel)
{
    return ask(
        m_state->transport, query(makeTarget("/containers/%/json", id)), rawFromAnswer, cancel);
}

Task<QList<ContainerSummary>> Client::listContainers(QStringList labels, CancelToken cancel)
{
    const auto target
        = makeTarget("/containers/json", {}, Query { { u"all"_s, u"1"_s } } + labelFilter(labels));
    return ask(m_state->transport, query(target), containersFromAnswer, cancel);
}

Task<int> Client::waitContainer(QString id, CancelToken cancel)
{
    auto request = change("POST", makeTarget("/containers/%/wait", id));
    request.limit = {};
    return ask(m_state->transport, request, exitCodeFromAnswer, cancel);
}

Task<> Client::putArchive(QString id, QString path, QByteArray tar, CancelToken cancel)
{
    auto request = change("PUT", makeTarget("/containers/%/archive", id, { { u"path"_s, path } }));
    request.body = std::move(tar);
    request.contentType = "application/x-tar";
    request.limit = archiveSilence;
    request.limitKind = HttpRequest::LimitKind::Silence;
    return command(m_state->transport, request, cancel);
}

Task<QByteArray> Client::fetchArchive(QString id, QString path, qint64 maxBytes, CancelToken cancel)
{
    auto request = query(makeTarget("/containers/%/archive", id, { { u"path"_s, path } }));
    request.maxAnswerBytes = maxBytes;
    request.limit = archiveSilence;
    request.limitKind = HttpRequest::LimitKind::Silence;
    return fetch(m_state->transport, request, cancel);
}

Task<std::shared_ptr<AttachedStream>> Client::attach(QString id, CancelToken cancel)
{
    return attachContainer(m_state->transport, std::move(id), cancel);
}

} // namespace isol8::docker
