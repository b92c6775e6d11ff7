// SPDX-License-Identifier: MIT
#include "app/serve/dockerbackend.h"

#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/dockerengine.h"
#include "engine/sandbox/labels.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

using RuntimeState = Backend::RuntimeState;
using Removal = Backend::Removal;

Task<QList<RuntimeState>> listRuntimes(
    std::shared_ptr<docker::Client> client, std::shared_ptr<ImageBuilder> images)
{
    QList<RuntimeState> states;
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash }) {
        RuntimeState state;
        state.runtime = runtime;
        state.image = baseImageTag(runtime);
        const auto details = co_await client->inspectImage(state.image);
        if (!details && details.error().kind != Kind::NotFound)
            co_return std::unexpected(details.error());
        state.isImageReady = details.has_value();
        states << state;
    }
    const auto custom = co_await images->listCustom();
    if (!custom)
        co_return std::unexpected(custom.error());
    for (const auto& image : *custom)
        states << RuntimeState { image.runtime, {}, image.tag, true, image.packages };
    co_return states;
}

/// A container that nobody uses: its isol8 is dead and it is no session, or it was kept.
bool isRemovable(const docker::ContainerSummary& container)
{
    const auto kind = container.labels.value(labels::kind);
    if (kind == "kept"_L1)
        return true;
    const auto owner = Owner::fromString(container.labels.value(labels::owner));
    return kind != "session"_L1 && owner && owner->isProvablyDead();
}

Task<Removal> removeContainers(std::shared_ptr<DockerEngine> engine)
{
    const auto containers = co_await engine->ownContainers();
    if (!containers)
        co_return std::unexpected(containers.error());
    Removal removal;
    for (const auto& container : *containers) {
        if (!isRemovable(container))
            continue;
        const auto removed = co_await engine->removeContainer(container.id);
        if (removed)
            ++removal.removed;
        else if (removed.error().kind != Kind::NotFound)
            removal.errors << removed.error().within(container.id.left(12)).message;
    }
    co_return removal;
}

Task<Removal> removeImages(std::shared_ptr<ImageBuilder> images)
{
    const auto all = co_await images->listAll();
    if (!all)
        co_return std::unexpected(all.error());
    const auto gone = co_await images->removeAll();
    if (!gone)
        co_return std::unexpected(gone.error());
    Removal removal { int(gone->size()), {} };
    for (const auto& tag : *all) {
        if (!gone->contains(tag))
            removal.errors << tag + u": a container uses it"_s;
    }
    co_return removal;
}

} // namespace

Backend dockerBackend(std::shared_ptr<DockerEngine> engine, std::shared_ptr<docker::Client> client,
    std::shared_ptr<ImageBuilder> images)
{
    Backend backend;
    backend.engine = engine;
    backend.runtimes = [client, images] { return listRuntimes(client, images); };
    backend.removeContainers = [engine] { return removeContainers(engine); };
    backend.removeImages = [images] { return removeImages(images); };
    return backend;
}

} // namespace isol8::serve
