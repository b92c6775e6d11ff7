// SPDX-License-Identifier: MIT
#include "engine/images/imagejob.h"

#include "engine/core/completion.h"
#include "engine/core/escape.h"
#include "engine/core/logging.h"
#include "engine/core/owner.h"
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
constexpr int abandonedRounds = 5;

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

/// Whether @p labels are of a build whose isol8 is dead.
bool isAbandoned(const docker::Labels& labels)
{
    const auto owner = Owner::fromString(labels.value(imagelabels::build).section(u' ', 0, 0));
    return owner && owner->isProvablyDead();
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

/// Removes what a build that has ended left. One that was abandoned (@p quietRounds over 1) may
/// still make something.
Task<> removeBuild(std::shared_ptr<docker::Client> client, QString label, int quietRounds)
{
    int quiet = 0;
    for (int round = 0; round < cleanUpRounds && quiet < quietRounds; ++round) {
        if (round > 0)
            co_await pause();
        const auto found = co_await removeTraces(client, label);
        if (!found)
            co_return std::unexpected(found.error());
        quiet = *found == 0 ? quiet + 1 : 0;
    }
    co_return {};
}

/// How a build ends early: its containers are taken away until Docker itself says that it failed.
/// To hang up instead would leave Docker at work on a step that nobody sees the end of.
struct Stopping {
    CancelToken hangUp; ///< For a build that does not even end so.
    bool isOver = false;
    bool isAsked = false;
    std::optional<Task<>> task;
};

Task<> stopBuild(
    std::shared_ptr<docker::Client> client, QString label, std::shared_ptr<Stopping> stopping)
{
    for (int round = 0; round < cleanUpRounds && !stopping->isOver; ++round) {
        const auto containers = co_await client->listContainers({ label });
        if (!containers)
            break;
        for (const auto& container : *containers)
            co_await client->removeContainer(container.id);
        co_await pause();
    }
    if (!stopping->isOver) {
        stopping->hangUp.cancel();
        co_return failure(Kind::Timeout, u"Docker does not stop the build"_s);
    }
    co_return {};
}

/// Client::buildImage(), with a cancel after which nothing of the build is left.
Task<QString> runBuild(JobPointer job, docker::BuildSpec spec, QString buildId)
{
    if (job->cancel.isCancelled())
        co_return std::unexpected(cancelled());
    const auto label = imagelabels::build + u'=' + buildId;
    const auto stopping = std::make_shared<Stopping>();
    const auto registration = job->cancel.onCancel([client = job->client, label, stopping] {
        stopping->isAsked = true;
        stopping->task.emplace(stopBuild(client, label, stopping));
    });
    const auto built
        = co_await job->client->buildImage(spec, forwarding(job->handler), stopping->hangUp);
    stopping->isOver = true;
    int quietRounds = 1;
    if (stopping->task) {
        auto task = std::move(*stopping->task);
        stopping->task.reset();
        const auto stopped = co_await std::move(task);
        quietRounds = stopped ? 1 : abandonedRounds;
    }
    if (built)
        co_return built;
    const auto removed = co_await removeBuild(job->client, label, quietRounds);
    if (!removed)
        qCWarning(logImages).noquote() << "cleaning up a build:" << removed.error().message;
    if (stopping->isAsked)
        co_return std::unexpected(cancelled());
    co_return built;
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

QString Job::workParent() const
{
    const auto chosen = settings.workDirectory.isEmpty()
        ? qEnvironmentVariable("TMPDIR", u"/var/tmp"_s)
        : settings.workDirectory;
    return QDir(chosen).absolutePath();
}

Result<WorkDirectory*> Job::directory()
{
    if (work)
        return work.get();
    auto made = WorkDirectory::create(workParent());
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
    return Owner::self().toString() + u' ' + QUuid::createUuid().toString(QUuid::WithoutBraces);
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
    const auto built = co_await runBuild(job, spec, plan.buildId);
    QFile::remove(spec.contextPath);
    if (!built)
        co_return std::unexpected(built.error());
    if (old->has_value() && (*old)->id != *built && isOurs(**old, fullTag(plan.tag)))
        co_await job->client->removeImage((*old)->id);
    co_return *built;
}

Task<int> removeUnfinished(std::shared_ptr<docker::Client> client)
{
    const auto containers = co_await client->listContainers({ imagelabels::build });
    if (!containers)
        co_return std::unexpected(containers.error());
    for (const auto& container : *containers) {
        if (isAbandoned(container.labels))
            co_await client->removeContainer(container.id);
    }
    const auto images = co_await client->listImages({ imagelabels::build });
    if (!images)
        co_return std::unexpected(images.error());
    int count = 0;
    for (const auto& image : *images) {
        if (!image.tags.isEmpty() || !isAbandoned(image.labels))
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

std::unexpected<Error> failedWithin(const Error& error, const QString& context)
{
    return std::unexpected(error.kind == Kind::Cancelled ? error : error.within(context));
}

} // namespace isol8::imagejob
