// SPDX-License-Identifier: MIT
#include "app/cli/cleanupcommand.h"

#include "app/cli/context.h"
#include "app/cli/interruptible.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/sandbox/dockerengine.h"
#include "engine/sandbox/labels.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

struct Leftovers {
    QList<docker::ContainerSummary> containers;
    QStringList images;
    QList<docker::VolumeDetails> volumes;
};

struct Tools {
    std::shared_ptr<DockerEngine> engine;
    std::shared_ptr<docker::Client> client;
    std::shared_ptr<ImageBuilder> images; ///< Null: containers only.
};

QString describe(const docker::ContainerSummary& container)
{
    const auto session = container.labels.value(labels::session);
    return u"%1  %2  %3%4"_s.arg(container.id.left(12), container.names.value(0), container.state,
        session.isEmpty() ? QString() : u"  session "_s + session);
}

Task<Leftovers> find(Tools tools)
{
    Leftovers found;
    auto containers = co_await tools.engine->ownContainers();
    if (!containers)
        co_return std::unexpected(containers.error());
    found.containers = *containers;
    if (!tools.images)
        co_return found;
    auto images = co_await tools.images->listAll();
    if (!images)
        co_return std::unexpected(images.error());
    found.images = *images;
    auto volumes = co_await tools.client->listVolumes({ labels::managed + u"=true"_s });
    if (!volumes)
        co_return std::unexpected(volumes.error());
    found.volumes = *volumes;
    co_return found;
}

void show(const Leftovers& found, Console& console)
{
    console.info(u"Containers: %1"_s.arg(found.containers.size()));
    for (const auto& container : found.containers)
        console.info(u"  "_s + describe(container));
    if (!found.images.isEmpty())
        console.info(u"Images: "_s + found.images.join(u", "_s));
    for (const auto& volume : found.volumes)
        console.info(u"Volume: "_s + volume.name);
}

/// Goes on after a failure, so that one stuck container does not keep the rest.
QCoro::Task<bool> removeFound(Tools tools, Leftovers found, CancelToken cancel, Console* console)
{
    bool isComplete = true;
    int removedCount = 0;
    for (const auto& container : found.containers) {
        if (cancel.isCancelled())
            co_return false;
        const auto removed = co_await tools.engine->removeContainer(container.id);
        if (!removed && removed.error().kind != Kind::NotFound) {
            console->error(removed.error().within(container.id.left(12)));
            isComplete = false;
        } else {
            ++removedCount;
        }
    }
    console->ok(u"Removed containers: %1"_s.arg(removedCount));
    if (!tools.images)
        co_return isComplete;

    const auto images = co_await tools.images->removeAll(cancel);
    if (!images) {
        console->error(images.error());
        co_return false;
    }
    console->ok(u"Removed images: %1"_s.arg(images->size()));
    for (const auto& tag : found.images) {
        if (!images->contains(tag)) {
            console->warn(u"%1 stays: a container uses it"_s.arg(tag));
            isComplete = false;
        }
    }
    for (const auto& volume : found.volumes) {
        const auto removed = co_await tools.client->removeVolume(volume.name, cancel);
        if (!removed && removed.error().kind != Kind::NotFound) {
            console->error(removed.error().within(volume.name));
            isComplete = false;
        }
    }
    co_return isComplete;
}

QCoro::Task<int> perform(Tools tools, bool isForced, Console* console)
{
    auto found = co_await find(tools);
    if (!found) {
        console->error(found.error());
        co_return 1;
    }
    if (found->containers.isEmpty() && found->images.isEmpty() && found->volumes.isEmpty()) {
        console->ok(u"Nothing to clean up"_s);
        co_return 0;
    }
    show(*found, *console);
    if (!isForced) {
        if (!console->canAsk()) {
            console->error(
                u"Nothing removed: without a terminal to ask on, cleanup needs --force"_s);
            co_return 1;
        }
        if (!console->confirm(u"Remove them?"_s)) {
            console->info(u"Nothing removed"_s);
            co_return 0;
        }
    }
    const auto interruptible = std::make_unique<Interruptible>();
    const bool isComplete
        = co_await removeFound(tools, std::move(*found), interruptible->token(), console);
    if (interruptible->exitCode())
        co_return *interruptible->exitCode();
    if (isComplete)
        console->print(u"[DONE] Cleanup complete!"_s);
    co_return isComplete ? 0 : 1;
}

} // namespace

void CleanupCommand::define(OptionSet& options)
{
    options.flag("--force", m_isForced, "Do not ask (default: off)");
    options.flag("--images", m_hasImages, "Remove isol8's images and volumes too (default: off)");
}

int CleanupCommand::run(Console& console)
{
    Tools tools;
    tools.engine = dockerEngine(console);
    tools.client = tools.engine ? dockerClient(console) : nullptr;
    if (!tools.client)
        return 1;
    if (m_hasImages)
        tools.images = std::make_shared<ImageBuilder>(tools.client, ImageSettings {});
    return runEventLoop(perform(tools, m_isForced, &console));
}

} // namespace isol8::cli
