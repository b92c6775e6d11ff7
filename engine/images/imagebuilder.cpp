// SPDX-License-Identifier: MIT
#include "engine/images/imagebuilder.h"

#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/images/imagejob.h"
#include "engine/images/imagelabels.h"

#include <QDir>

using namespace Qt::StringLiterals;

namespace isol8 {

struct ImageBuilder::State {
    std::shared_ptr<docker::Client> client;
    ImageSettings settings;
    CancelToken life; ///< Cancelled with the builder.
    bool isSharedFresh = false;
};

namespace {

using imagejob::Job;
using imagejob::JobPointer;

// An image that lost its name while a container used it; younger ones may be part of somebody's
// build.
constexpr qint64 supersededAgeSeconds = 3600;

Task<JobPointer> begin(std::shared_ptr<docker::Client> client, ImageSettings settings,
    bool isSharedFresh, ImageEventHandler handler, CancelToken cancel)
{
    const auto job = std::make_shared<Job>();
    job->client = client;
    job->settings = settings;
    job->handler = handler;
    job->cancel = cancel;
    job->isSharedFresh = isSharedFresh;
    const auto directory = settings.stateDirectory.isEmpty() ? QDir::homePath() + u"/.isol8"_s
                                                             : settings.stateDirectory;
    if (!QDir().mkpath(directory))
        co_return failure(Kind::Denied, u"cannot make the directory %1"_s.arg(directory));
    const auto waiting = [job] {
        job->tell(ImageEvent::Kind::Info, u"Another isol8 is building images; waiting for it"_s);
    };
    const auto lock = co_await FileLock::acquire(directory + u"/images.lock"_s, waiting, cancel);
    if (!lock)
        co_return std::unexpected(lock.error());
    job->lock = *lock;
    WorkDirectory::removeAbandoned(job->workParent());
    const auto removed = co_await imagejob::removeUnfinished(client);
    if (!removed)
        co_return std::unexpected(removed.error());
    co_return job;
}

/// Lets the next call begin. The coroutines of this one may outlive its answer, and the job with
/// them.
void end(const JobPointer& job)
{
    job->work.reset();
    job->lock.reset();
}

/// Cancelled by the caller or with the builder.
struct LinkedToken {
    CancelToken token;
    CancelToken::Registration registrations[2];

    LinkedToken(const CancelToken& caller, const CancelToken& life)
    {
        const auto forward = [token = token] { token.cancel(); };
        registrations[0] = caller.onCancel(forward);
        registrations[1] = life.onCancel(forward);
    }
};

CustomImage customImage(const docker::ImageDetails& details)
{
    CustomImage image;
    image.tag = details.labels.value(imagelabels::tag);
    image.id = details.id;
    image.runtime
        = runtimeFromName(details.labels.value(imagelabels::runtime)).value_or(Runtime::Bash);
    image.packages
        = details.labels.value(imagelabels::dependencies).split(u' ', Qt::SkipEmptyParts);
    image.setupScript = QString::fromUtf8(
        QByteArray::fromBase64(details.labels.value(imagelabels::setup).toLatin1()));
    image.created = details.created;
    image.sizeBytes = details.sizeBytes;
    return image;
}

/// Tags of ours, those that others are built on last.
Task<QStringList> ownTags(std::shared_ptr<docker::Client> client, CancelToken cancel)
{
    const auto images = co_await client->listImages({ imagelabels::managed + u"=true"_s }, cancel);
    if (!images)
        co_return std::unexpected(images.error());
    QStringList bases;
    for (const auto runtime : allRuntimes())
        bases << baseImageTag(runtime);
    QMap<std::pair<int, QString>, QString> sorted;
    for (const auto& image : *images) {
        for (const auto& tag : image.tags) {
            const int rank = tag == sharedBaseTag() ? 2 : bases.contains(tag) ? 1 : 0;
            if (imagejob::isOurs(image, tag))
                sorted.insert({ rank, tag }, tag);
        }
    }
    co_return QStringList(sorted.cbegin(), sorted.cend());
}

Task<QList<CustomImage>> listCustomImages(
    std::shared_ptr<docker::Client> client, CancelToken cancel)
{
    const auto images = co_await client->listImages({ imagelabels::custom + u"=true"_s }, cancel);
    if (!images)
        co_return std::unexpected(images.error());
    QList<CustomImage> list;
    for (const auto& image : *images) {
        const auto tag = image.labels.value(imagelabels::tag);
        if (image.tags.contains(tag) && imagejob::isOurs(image, tag))
            list << customImage(image);
    }
    std::ranges::sort(list, {}, &CustomImage::tag);
    co_return list;
}

Task<int> removeReplaced(JobPointer job)
{
    const auto images
        = co_await job->client->listImages({ imagelabels::managed + u"=true"_s }, job->cancel);
    if (!images)
        co_return std::unexpected(images.error());
    int count = 0;
    const auto now = QDateTime::currentDateTimeUtc();
    for (const auto& image : *images) {
        if (!image.tags.isEmpty() || image.created.secsTo(now) < supersededAgeSeconds)
            continue;
        const auto removed = co_await job->client->removeImage(image.id, job->cancel);
        if (!removed && removed.error().kind != Kind::Conflict)
            co_return std::unexpected(removed.error());
        count += removed ? 1 : 0;
    }
    co_return count;
}

Task<QStringList> removeTags(JobPointer job)
{
    const auto tags = co_await ownTags(job->client, job->cancel);
    if (!tags)
        co_return std::unexpected(tags.error());
    QStringList gone;
    for (const auto& tag : *tags) {
        const auto removed = co_await job->client->removeImage(tag, job->cancel);
        if (removed)
            gone << tag;
        else if (removed.error().kind != Kind::Conflict)
            co_return std::unexpected(removed.error());
    }
    co_return gone;
}

} // namespace

ImageBuilder::ImageBuilder(std::shared_ptr<docker::Client> client, ImageSettings settings)
    : m_state(std::make_shared<State>())
{
    m_state->client = std::move(client);
    m_state->settings = std::move(settings);
}

ImageBuilder::~ImageBuilder()
{
    m_state->life.cancel();
}

Task<bool> ImageBuilder::buildBase(
    Runtime runtime, Rebuild rebuild, ImageEventHandler handler, CancelToken cancel)
{
    return [](auto state, auto runtime, auto rebuild, auto handler, auto cancel) -> Task<bool> {
        const LinkedToken linked(cancel, state->life);
        const auto job = co_await begin(
            state->client, state->settings, state->isSharedFresh, handler, linked.token);
        if (!job)
            co_return std::unexpected(job.error());
        const auto made = co_await imagejob::ensureRuntime(*job, runtime, rebuild);
        state->isSharedFresh = (*job)->isSharedFresh;
        end(*job);
        co_return made;
    }(m_state, runtime, rebuild, std::move(handler), std::move(cancel));
}

Task<QString> ImageBuilder::buildCustom(
    CustomImageSpec spec, ImageEventHandler handler, CancelToken cancel)
{
    return [](auto state, auto spec, auto handler, auto cancel) -> Task<QString> {
        const LinkedToken linked(cancel, state->life);
        const auto job = co_await begin(
            state->client, state->settings, state->isSharedFresh, handler, linked.token);
        if (!job)
            co_return std::unexpected(job.error());
        const auto made = co_await imagejob::ensureCustom(*job, spec);
        end(*job);
        co_return made;
    }(m_state, std::move(spec), std::move(handler), std::move(cancel));
}

Task<QList<CustomImage>> ImageBuilder::listCustom(CancelToken cancel)
{
    return listCustomImages(m_state->client, std::move(cancel));
}

Task<QStringList> ImageBuilder::listAll(CancelToken cancel)
{
    return ownTags(m_state->client, std::move(cancel));
}

Task<int> ImageBuilder::removeSuperseded(CancelToken cancel)
{
    return [](auto state, auto cancel) -> Task<int> {
        const auto job = co_await begin(state->client, state->settings, false, {}, cancel);
        if (!job)
            co_return std::unexpected(job.error());
        const auto count = co_await removeReplaced(*job);
        end(*job);
        co_return count;
    }(m_state, std::move(cancel));
}

Task<QStringList> ImageBuilder::removeAll(CancelToken cancel)
{
    return [](auto state, auto cancel) -> Task<QStringList> {
        const auto job = co_await begin(state->client, state->settings, false, {}, cancel);
        if (!job)
            co_return std::unexpected(job.error());
        const auto gone = co_await removeTags(*job);
        end(*job);
        co_return gone;
    }(m_state, std::move(cancel));
}

} // namespace isol8
