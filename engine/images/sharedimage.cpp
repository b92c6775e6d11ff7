// SPDX-License-Identifier: MIT
// isol8:base, the layer below every image.
#include "engine/images/host.h"
#include "engine/images/imagejob.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"
#include "engine/images/rootfs.h"

#include <QFile>
#include <QTimer>

using namespace Qt::StringLiterals;

namespace isol8::imagejob {

namespace {

using Source = ImageSettings::Source;

// A registry that answers at all names a first layer within this time.
constexpr std::chrono::seconds registryPatience { 4 };

docker::Labels labelsOf(const QString& source)
{
    return { { imagelabels::managed, u"true"_s }, { imagelabels::tag, sharedBaseTag() },
        { imagelabels::hash, baserecipe::hash() }, { imagelabels::source, source },
        { imagelabels::build, QString() } };
}

/// Pulls the official image, and gives up early when nothing comes.
Task<> pullOfficial(JobPointer job)
{
    const CancelToken pulling;
    const auto stop = job->cancel.onCancel([pulling] { pulling.cancel(); });
    QTimer patience;
    patience.setSingleShot(true);
    QObject::connect(&patience, &QTimer::timeout, &patience, [pulling] { pulling.cancel(); });
    patience.start(registryPatience);
    const auto progress
        = [timer = &patience, handler = job->handler](const docker::Progress& step) {
              if (step.id.isEmpty())
                  return;
              timer->stop();
              if (handler && step.total > 0)
                  handler({ ImageEvent::Kind::Progress, u"downloading the official image"_s,
                      step.current, step.total });
          };
    const auto pulled
        = co_await job->client->pullImage(baserecipe::registryImage(), progress, pulling);
    if (!pulled && pulling.isCancelled() && !job->cancel.isCancelled())
        co_return failure(Kind::Unreachable, u"the registry does not answer"_s);
    co_return pulled;
}

Task<QString> makeFromRegistry(JobPointer job)
{
    const auto before = co_await findImage(job, baserecipe::registryImage());
    if (!before)
        co_return std::unexpected(before.error());
    job->tell(ImageEvent::Kind::Step, u"Pulling %1"_s.arg(baserecipe::registryImage()));
    const auto pulled = co_await pullOfficial(job);
    if (!pulled)
        co_return std::unexpected(pulled.error());

    job->tell(ImageEvent::Kind::Step, u"Building %1"_s.arg(sharedBaseTag()));
    BuildPlan plan;
    plan.buildId = newBuildId();
    plan.tag = sharedBaseTag();
    plan.labels = labelsOf(u"registry"_s);
    plan.networkMode = u"host"_s;
    plan.context.files = { { u"Dockerfile"_s, baserecipe::registryDockerfile(plan.buildId) },
        { u"finish"_s, baserecipe::finishScript() },
        { u"dpkg"_s, baserecipe::dpkgOptions().join(u'\n').toUtf8() + '\n' } };
    const auto built = co_await build(job, plan);
    // Its layers are in our image now; the name is only left when it was there before.
    if (!before->has_value())
        co_await job->client->removeImage(baserecipe::registryImage());
    co_return built;
}

QStringList importChanges()
{
    QStringList changes;
    for (const auto& variable : baserecipe::environment())
        changes << u"ENV "_s + variable;
    const auto labels = labelsOf(u"debian"_s);
    for (auto it = labels.cbegin(); it != labels.cend(); ++it)
        changes << u"LABEL %1=\"%2\""_s.arg(it.key(), it.value());
    return changes << u"WORKDIR /sandbox"_s << u"CMD [\"/bin/bash\"]"_s;
}

Task<QString> makeFromDebian(JobPointer job)
{
    const auto directory = job->directory();
    if (!directory)
        co_return std::unexpected(directory.error());
    const auto old = co_await findImage(job, sharedBaseTag());
    if (!old)
        co_return std::unexpected(old.error());

    RootfsSpec spec;
    spec.directory = (*directory)->path();
    spec.tarPath = (*directory)->filePath(u"rootfs.tar"_s);
    spec.mirror = job->settings.debianMirror;
    if (spec.mirror.isEmpty()) {
        const auto mirror = co_await hostDebianMirror(job->cancel);
        if (!mirror)
            co_return std::unexpected(mirror.error());
        spec.mirror = *mirror;
    }
    const auto bundle = readCaBundle(job->settings.caBundlePath);
    if (!bundle)
        co_return std::unexpected(bundle.error());
    if (!job->settings.caBundlePath.isEmpty())
        spec.caBundle = *bundle;

    job->tell(ImageEvent::Kind::Step, u"Making the base image from Debian's mirror"_s);
    const auto made = co_await makeRootfs(spec, job->handler, job->cancel);
    if (!made)
        co_return std::unexpected(made.error());
    job->tell(ImageEvent::Kind::Step, u"Importing %1"_s.arg(sharedBaseTag()));
    const auto imported = co_await job->client->importImage(
        spec.tarPath, sharedBaseTag(), importChanges(), {}, job->cancel);
    QFile::remove(spec.tarPath);
    if (!imported)
        co_return failedWithin(imported.error(), u"importing the base image"_s);
    // It stays while images are made from it, and goes with the last of them.
    if (old->has_value() && (*old)->id != *imported && isOurs(**old, sharedBaseTag()))
        co_await job->client->removeImage((*old)->id);
    co_return *imported;
}

Task<QString> make(JobPointer job)
{
    const auto source = job->settings.source;
    if (source != Source::Debian) {
        const auto made = co_await makeFromRegistry(job);
        if (made || source == Source::Registry || job->cancel.isCancelled())
            co_return made;
        job->tell(ImageEvent::Kind::Info,
            u"The official image cannot be used (%1); making the base image from Debian's mirror instead"_s
                .arg(made.error().message.section(u'\n', 0, 0)));
    }
    const auto made = co_await makeFromDebian(job);
    co_return made;
}

bool isUpToDate(const docker::ImageDetails& image, Source wanted)
{
    const auto source = image.labels.value(imagelabels::source);
    return image.labels.value(imagelabels::hash) == baserecipe::hash()
        && (wanted == Source::Auto
            || source == (wanted == Source::Debian ? "debian"_L1 : "registry"_L1));
}

} // namespace

Task<QString> ensureShared(JobPointer job, Rebuild rebuild)
{
    const auto present = co_await findImage(job, sharedBaseTag());
    if (!present)
        co_return std::unexpected(present.error());
    const auto isWanted = rebuild == Rebuild::Always && !job->isSharedFresh;
    if (present->has_value() && !isWanted && isUpToDate(**present, job->settings.source))
        co_return (*present)->id;
    const auto made = co_await make(job);
    if (made) {
        job->isSharedFresh = true;
        job->tell(ImageEvent::Kind::Ready, sharedBaseTag());
    }
    co_return made;
}

} // namespace isol8::imagejob
