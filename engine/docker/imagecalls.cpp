// SPDX-License-Identifier: MIT
// The part of Client that is about images and volumes.
#include "engine/docker/answersjson.h"
#include "engine/docker/clientstate.h"
#include "engine/docker/containerjson.h"
#include "engine/docker/progress.h"

#include <QJsonDocument>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

constexpr std::chrono::seconds queryLimit { 30 };
constexpr std::chrono::seconds changeLimit { 120 };
// A build's step may compile for long without a word, and an import unpacks after the upload.
constexpr std::chrono::minutes progressSilence { 20 };

HttpRequest jsonRequest(QByteArray verb, QByteArray target, const QJsonObject& body = {})
{
    HttpRequest request;
    request.limit = verb == "GET" ? queryLimit : changeLimit;
    request.verb = std::move(verb);
    request.target = std::move(target);
    if (!body.isEmpty()) {
        request.body = QJsonDocument(body).toJson(QJsonDocument::Compact);
        request.contentType = "application/json";
    }
    return request;
}

HttpRequest progressRequest(QByteArray target, const QString& bodyPath)
{
    HttpRequest request;
    request.verb = "POST";
    request.target = std::move(target);
    request.limit = progressSilence;
    request.limitKind = HttpRequest::LimitKind::Silence;
    request.bodyPath = bodyPath;
    if (!bodyPath.isEmpty())
        request.contentType = "application/x-tar";
    return request;
}

/// Runs a request whose answer is progress lines. What they said is left in @p reader.
Task<> follow(std::shared_ptr<Transport> transport, HttpRequest request,
    std::shared_ptr<ProgressReader> reader, CancelToken cancel)
{
    if (!request.bodyPath.isEmpty()) {
        const auto settled = co_await settleVersion(transport, cancel);
        if (!settled)
            co_return std::unexpected(settled.error());
    }
    request.sink = [reader](const QByteArray& bytes) { return reader->feed(bytes); };
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return reader->finish();
}

/// A call that makes an image: its id is in the progress lines.
Task<QString> makeImage(std::shared_ptr<Transport> transport, HttpRequest request,
    std::shared_ptr<ProgressReader> reader, CancelToken cancel)
{
    const auto followed = co_await follow(transport, request, reader, cancel);
    if (!followed) {
        auto error = followed.error();
        // A build's own Error says which step failed; why is in the output before it.
        if (const auto tail = reader->tail().trimmed(); error.httpStatus == 0 && !tail.isEmpty()
            && (error.kind == Kind::Internal || error.kind == Kind::NotFound))
            error.message += u"\n"_s + tail;
        co_return std::unexpected(error);
    }
    if (reader->imageId().isEmpty())
        co_return failure(Kind::Protocol, u"Docker did not say which image it made"_s);
    co_return reader->imageId();
}

Task<> removeThing(std::shared_ptr<Transport> transport, QByteArray target, CancelToken cancel)
{
    const auto request = jsonRequest("DELETE", std::move(target));
    const auto answer = co_await perform(transport, request, cancel);
    if (answer || answer.error().httpStatus == 404)
        co_return {};
    co_return std::unexpected(answer.error());
}

/// `name:tag` or `name@digest` apart; the colon of a registry's port is not one.
std::pair<QString, QString> splitReference(const QString& reference)
{
    if (const auto at = reference.indexOf(u'@'); at >= 0)
        return { reference.first(at), reference.sliced(at + 1) };
    const auto colon = reference.lastIndexOf(u':');
    if (colon < 0 || colon < reference.lastIndexOf(u'/'))
        return { reference, {} };
    return { reference.first(colon), reference.sliced(colon + 1) };
}

QString compact(const QJsonObject& object)
{
    return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

} // namespace

Task<> command(std::shared_ptr<Transport> transport, HttpRequest request, CancelToken cancel)
{
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return {};
}

Task<ImageDetails> Client::inspectImage(QString name, CancelToken cancel)
{
    return ask(m_state->transport, jsonRequest("GET", makeTarget("/images/%/json", name)),
        imageFromAnswer, cancel);
}

Task<QList<ImageDetails>> Client::listImages(QStringList labels, CancelToken cancel)
{
    return ask(m_state->transport,
        jsonRequest("GET", makeTarget("/images/json", {}, labelFilter(labels))), imagesFromAnswer,
        cancel);
}

Task<> Client::tagImage(QString name, QString repository, QString tag, CancelToken cancel)
{
    const Query query { { u"repo"_s, repository }, { u"tag"_s, tag } };
    return command(
        m_state->transport, jsonRequest("POST", makeTarget("/images/%/tag", name, query)), cancel);
}

Task<> Client::removeImage(QString name, CancelToken cancel)
{
    return removeThing(m_state->transport, makeTarget("/images/%", name), cancel);
}

Task<QString> Client::importImage(QString tarPath, QString reference, QStringList changes,
    ProgressHandler progress, CancelToken cancel)
{
    Query query { { u"fromSrc"_s, u"-"_s } };
    if (!reference.isEmpty()) {
        const auto [repository, tag] = splitReference(reference);
        query << std::pair { u"repo"_s, repository };
        if (!tag.isEmpty())
            query << std::pair { u"tag"_s, tag };
    }
    for (const auto& line : std::as_const(changes))
        query << std::pair { u"changes"_s, line };
    return makeImage(m_state->transport,
        progressRequest(makeTarget("/images/create", {}, query), tarPath),
        std::make_shared<ProgressReader>(std::move(progress)), cancel);
}

Task<QString> Client::buildImage(BuildSpec spec, ProgressHandler progress, CancelToken cancel)
{
    Query query { { u"rm"_s, u"1"_s }, { u"forcerm"_s, u"1"_s }, { u"t"_s, spec.tag },
        { u"labels"_s, compact(toJson(spec.labels)) },
        { u"buildargs"_s, compact(toJson(spec.arguments)) } };
    if (!spec.networkMode.isEmpty())
        query << std::pair { u"networkmode"_s, spec.networkMode };
    if (!spec.isCacheUsed)
        query << std::pair { u"nocache"_s, u"1"_s };
    return makeImage(m_state->transport,
        progressRequest(makeTarget("/build", {}, query), spec.contextPath),
        std::make_shared<ProgressReader>(std::move(progress)), cancel);
}

Task<> Client::pullImage(QString name, ProgressHandler progress, CancelToken cancel)
{
    // Without a tag Docker would pull every tag there is.
    const auto [repository, tag] = splitReference(name);
    const Query query { { u"fromImage"_s, repository },
        { u"tag"_s, tag.isEmpty() ? u"latest"_s : tag } };
    return follow(m_state->transport, progressRequest(makeTarget("/images/create", {}, query), {}),
        std::make_shared<ProgressReader>(std::move(progress)), cancel);
}

Task<> Client::createVolume(QString name, Labels labels, CancelToken cancel)
{
    const QJsonObject body { { u"Name"_s, name }, { u"Labels"_s, toJson(labels) } };
    return command(m_state->transport, jsonRequest("POST", "/volumes/create", body), cancel);
}

Task<VolumeDetails> Client::inspectVolume(QString name, CancelToken cancel)
{
    return ask(m_state->transport, jsonRequest("GET", makeTarget("/volumes/%", name)),
        volumeFromAnswer, cancel);
}

Task<QList<VolumeDetails>> Client::listVolumes(QStringList labels, CancelToken cancel)
{
    return ask(m_state->transport,
        jsonRequest("GET", makeTarget("/volumes", {}, labelFilter(labels))), volumesFromAnswer,
        cancel);
}

Task<> Client::removeVolume(QString name, CancelToken cancel)
{
    return removeThing(m_state->transport, makeTarget("/volumes/%", name), cancel);
}

} // namespace isol8::docker
