// SPDX-License-Identifier: MIT
// isol8:python, isol8:node and so on.
#include "engine/core/names.h"
#include "engine/images/download.h"
#include "engine/images/host.h"
#include "engine/images/imagejob.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"

using namespace Qt::StringLiterals;

namespace isol8::imagejob {

namespace {

constexpr qsizetype downloadsAtATime = 8;

Task<Architecture> daemonArchitecture(JobPointer job)
{
    const auto info = co_await job->client->info(job->cancel);
    if (!info)
        co_return std::unexpected(info.error());
    if (info->architecture == "x86_64"_L1 || info->architecture == "amd64"_L1)
        co_return Architecture::Amd64;
    if (info->architecture == "aarch64"_L1 || info->architecture == "arm64"_L1)
        co_return Architecture::Arm64;
    co_return failure(Kind::Invalid,
        u"Docker runs on a %1 machine; isol8 has images for x86_64 and aarch64"_s.arg(
            info->architecture));
}

/// Where a package comes from.
struct Registry {
    QString url;
    QByteArray caBundle;
};

Task<BuildContext::Part> fetch(
    JobPointer job, Artifact artifact, Registry registry, int number, DownloadProgress progress)
{
    const auto directory = job->directory();
    if (!directory)
        co_return std::unexpected(directory.error());
    DownloadSpec spec;
    spec.url = QUrl(artifact.url(registry.url));
    spec.path = (*directory)->filePath(u"%1.tgz"_s.arg(number));
    spec.integrity = artifact.integrity;
    spec.caBundle = registry.caBundle;
    const auto fetched = co_await download(spec, progress, job->cancel);
    if (!fetched)
        co_return failedWithin(
            fetched.error(), u"downloading %1 %2"_s.arg(artifact.package, artifact.version));
    co_return BuildContext::Part { spec.path, artifact };
}

/// Several at a time: of many small ones most of the time is waiting.
Task<QList<BuildContext::Part>> fetchGroup(
    JobPointer job, QList<Artifact> group, Registry registry, int firstNumber)
{
    const auto isOne = group.size() == 1;
    const auto& first = group.constFirst();
    const auto title = isOne ? first.title + u' ' + first.version : first.title;
    job->tell(ImageEvent::Kind::Step, u"Downloading %1"_s.arg(title));
    const auto progress = [handler = job->handler, title](qint64 current, qint64 total) {
        if (handler)
            handler({ ImageEvent::Kind::Progress, title, current, total });
    };
    QList<BuildContext::Part> parts;
    Result<> state;
    for (qsizetype begin = 0; begin < group.size() && state; begin += downloadsAtATime) {
        const auto end = std::min(begin + downloadsAtATime, group.size());
        std::vector<Task<BuildContext::Part>> downloads;
        for (auto at = begin; at < end; ++at)
            downloads.push_back(fetch(job, group[at], registry, firstNumber + int(at),
                isOne ? DownloadProgress(progress) : DownloadProgress()));
        for (auto& download : downloads) { // All of them, also after a failure.
            auto part = co_await std::move(download);
            if (part)
                parts << std::move(*part);
            else if (state)
                state = std::unexpected(part.error());
        }
        if (!isOne)
            progress(parts.size(), group.size());
    }
    if (!state)
        co_return std::unexpected(state.error());
    co_return parts;
}

Task<QList<BuildContext::Part>> fetchAll(JobPointer job, QList<Artifact> artifacts)
{
    QList<BuildContext::Part> parts;
    if (artifacts.isEmpty())
        co_return parts;
    const auto bundle = readCaBundle(job->settings.caBundlePath);
    if (!bundle)
        co_return std::unexpected(bundle.error());
    auto registry = job->settings.npmRegistry;
    if (registry.isEmpty()) {
        const auto found = co_await hostNpmRegistry(job->cancel);
        if (!found)
            co_return std::unexpected(found.error());
        registry = *found;
    }
    while (parts.size() < artifacts.size()) {
        const auto begin = artifacts.begin() + parts.size();
        const auto end = std::find_if(begin + 1, artifacts.end(),
            [](const Artifact& artifact) { return !artifact.title.isEmpty(); });
        const auto group = co_await fetchGroup(
            job, QList<Artifact>(begin, end), { registry, *bundle }, int(parts.size()));
        if (!group)
            co_return std::unexpected(group.error());
        parts += *group;
    }
    co_return parts;
}

} // namespace

Task<bool> ensureRuntime(JobPointer job, Runtime runtime, Rebuild rebuild)
{
    const auto architecture = co_await daemonArchitecture(job);
    if (!architecture)
        co_return std::unexpected(architecture.error());
    const auto base = co_await ensureShared(job, rebuild);
    if (!base)
        co_return std::unexpected(base.error());
    const auto tag = baseImageTag(runtime);
    const auto present = co_await findImage(job, tag);
    if (!present)
        co_return std::unexpected(present.error());
    const auto recipe = recipeOf(runtime, *architecture);
    const auto labels = present->has_value() ? (*present)->labels : docker::Labels();
    if (rebuild == Rebuild::IfChanged && labels.value(imagelabels::hash) == recipe.hash()
        && labels.value(imagelabels::base) == *base) {
        job->tell(ImageEvent::Kind::Ready, tag);
        co_return false;
    }

    const auto parts = co_await fetchAll(job, recipe.artifacts);
    if (!parts)
        co_return std::unexpected(parts.error());
    job->tell(ImageEvent::Kind::Step, u"Building %1"_s.arg(tag));
    BuildPlan plan;
    plan.buildId = newBuildId();
    plan.tag = tag;
    plan.labels = { { imagelabels::hash, recipe.hash() }, { imagelabels::base, *base },
        { imagelabels::runtime, runtimeName(recipe.runtime) } };
    plan.networkMode = u"none"_s;
    plan.context.files = { { u"Dockerfile"_s, recipe.dockerfile(plan.buildId) } };
    plan.context.parts = *parts;
    plan.context.links = recipe.links;
    const auto built = co_await build(job, plan);
    for (const auto& part : *parts)
        QFile::remove(part.archivePath);
    if (!built)
        co_return failedWithin(built.error(), u"building "_s + tag);
    job->tell(ImageEvent::Kind::Ready, tag);
    co_return true;
}

} // namespace isol8::imagejob
