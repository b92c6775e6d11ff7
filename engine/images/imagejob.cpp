// SPDX-License-Identifier: MIT
#include "engine/images/imagejob.h"

#include "engine/core/completion.h"
#include "engine/core/escape.h"
#include "engine/core/logging.h"
#include "engine/images/imagelabels.h"

#include <QDir>
#include <QRegularExpression>
#include <QTimer>
#include <QUuid>

using namespace Qt::StringLiterals;

namespace isol8::imagejob {

namespace {

constexpr std::chrono::milliseconds cleanUpInterval { 100 };
constexpr int cleanUpRounds = 100;
constexpr int quietRounds = 3;

docker::ProgressHandler forwarding(const ImageEventHandler& handler)
{
    return [handler](const docker::Progress& progress) {
        if (!handler)
            return;
        const auto text = withoutColours(progress.status).trimmed().section(u'\n', -1).trimmed();
        if (!text.isEmpty())
            handler({ ImageEvent::Kind::Progress, printable(text.left(200)), progress.current,
                progress.total });
    };
}

Task<> pause()
{
    const Completion<> over;
    QTimer::singleShot(cleanUpInterval, [over] { over.deliver({}); });
    co_await over.wait();
    co_return {};
}

/// Removes the containers and images of one build; how many there were.
Task<int> removeTraces(std::shared_ptr<docker::Client> client, QString label)
{
    int count = 0;
    const auto containers = co_await client->listContainers({ label });
    if (!containers)
        co_return std::unexpected(containers.error());
    for (const auto& container : *containers) {
        ++count;
        co_await client->removeContainer(container.id);
    }
    const auto images = co_await client->listImages({ label });
    if (!images)
        co_return std::unexpected(images.error());
    for (const auto& image : *images) {
        if (!image.tags.isEmpty())
            continue;
        ++count;
        co_await client->removeImage(image.id);
    }
    co_return count;
}

/// After a cancel Docker may need a moment to notice, and makes or keeps something until then.
Task<> removeBuild(std::shared_ptr<docker::Client> client, QString buildId)
{
    const auto label = imagelabels::build + u'=' + buildId;
    int quiet = 0;
    for (int round = 0; round < cleanUpRounds && quiet < quietRounds; ++round) {
        const auto found = co_await removeTraces(client, label);
        if (!found)
            co_return std::unexpected(found.error());
        quiet = *found == 0 ? quiet + 1 : 0;
        co_await pause();
    }
    co_return {};
}

/// One instruction for all of them: each would be a step and an intermediate image of its own.
QByteArray labelInstruction(const docker::Labels& labels)
{
    QByteArray text = "LABEL";
    for (auto it = labels.cbegin(); it != labels.cend(); ++it) {
        auto value = it.value();
        for (const auto special : { u'\\', u'"', u'$' })
            value.replace(special, QString(u'\\') + special);
        text += ' ' + it.key().toUtf8() + "=\"" + value.toUtf8() + '"';
    }
    return text + '\n';
}

QMap<QString, QString> proxyArguments()
{
    QMap<QString, QString> arguments;
    for (const auto* name :
        { "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY" }) {
        if (qEnvironmentVariableIsSet(name))
            arguments.insert(QString::fromLatin1(name), qEnvironmentVariable(name));
    }
    return arguments;
}

} // namespace

Result<WorkDirectory*> Job::directory()
{
    if (work)
        return work.get();
    auto parent = settings.workDirectory;
    if (parent.isEmpty())
        parent = qEnvironmentVariable("TMPDIR", u"/var/tmp"_s);
    auto made = WorkDirectory::create(QDir(parent).absolutePath());
    if (!made)
        return std::unexpected(made.error());
    work = std::move(*made);
    return work.get();
}

Task<std::optional<docker::ImageDetails>> findImage(JobPointer job, QString name)
{
    const auto found = co_await job->client->inspectImage(name, job->cancel);
    if (found)
        co_return std::optional(*found);
    if (found.error().kind == Kind::NotFound)
        co_return std::optional<docker::ImageDetails>();
    co_return std::unexpected(found.error());
}

QString newBuildId()
{
    return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

Task<QString> build(JobPointer job, BuildPlan plan)
{
    const auto directory = job->directory();
    if (!directory)
        co_return std::unexpected(directory.error());
    const auto old = co_await findImage(job, plan.tag);
    if (!old)
        co_return std::unexpected(old.error());

    docker::BuildSpec spec;
    spec.contextPath = (*directory)->filePath(u"context.tar"_s);
    spec.tag = plan.tag;
    plan.labels.insert(imagelabels::managed, u"true"_s);
    plan.labels.insert(imagelabels::tag, fullTag(plan.tag));
    plan.labels.insert(imagelabels::build, QString());
    plan.context.files[u"Dockerfile"_s] += labelInstruction(plan.labels);
    spec.arguments = proxyArguments();
    spec.networkMode = plan.networkMode;
    spec.isCacheUsed = false;

    const auto written = co_await writeContext(plan.context, spec.contextPath, job->cancel);
    if (!written)
        co_return std::unexpected(written.error());
    const auto built
        = co_await job->client->buildImage(spec, forwarding(job->handler), job->cancel);
    QFile::remove(spec.contextPath);
    if (!built) {
        const auto removed = co_await removeBuild(job->client, plan.buildId);
        if (!removed)
            qCWarning(logImages).noquote() << "cleaning up a build:" << removed.error().message;
        co_return std::unexpected(built.error());
    }
    if (old->has_value() && (*old)->id != *built && isOurs(**old, fullTag(plan.tag)))
        co_await job->client->removeImage((*old)->id);
    co_return *built;
}

Task<int> removeUnfinished(std::shared_ptr<docker::Client> client)
{
    const auto images = co_await client->listImages({ imagelabels::build });
    if (!images)
        co_return std::unexpected(images.error());
    int count = 0;
    for (const auto& image : *images) {
        if (!image.tags.isEmpty() || image.labels.value(imagelabels::build).isEmpty())
            continue;
        const auto removed = co_await client->removeImage(image.id);
        count += removed ? 1 : 0;
    }
    co_return count;
}

QString withoutColours(QString text)
{
    // Docker paints standard error red; ECMA-48, 5.4: control sequences.
    static const QRegularExpression control(uR"(\x1b\[[0-?]*[ -/]*[@-~])"_s);
    return text.remove(control);
}

QString fullTag(const QString& tag)
{
    return tag.lastIndexOf(u':') > tag.lastIndexOf(u'/') ? tag : tag + u":latest"_s;
}

bool isOurs(const docker::ImageDetails& details, const QString& tag)
{
    return details.labels.value(imagelabels::managed) == "true"_L1
        && (details.labels.value(imagelabels::tag) == tag || tag.startsWith("isol8:"_L1));
}

} // namespace isol8::imagejob
