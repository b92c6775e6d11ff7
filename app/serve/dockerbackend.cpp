// SPDX-License-Identifier: MIT
#include "app/serve/dockerbackend.h"

#include "app/serve/runtimeversions.h"
#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/dockerengine.h"
#include "engine/sandbox/labels.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

using RuntimeState = Backend::RuntimeState;
using Removal = Backend::Removal;

/// What is known of one image.
Task<RuntimeState> stateOf(std::shared_ptr<docker::Client> client,
    std::shared_ptr<RuntimeVersions> versions, RuntimeState state, QString ownImage)
{
    const auto details = co_await client->inspectImage(state.image);
    if (!details && details.error().kind != Kind::NotFound)
        co_return std::unexpected(details.error());
    state.isImageReady = details.has_value();
    if (!details)
        co_return state;
    // The runtime of an image with packages is that of the image below it.
    const auto content
        = ownImage.isEmpty() ? details->id : details->labels.value(imagelabels::base, details->id);
    state.version = co_await versions->of(state.runtime, ownImage, content);
    co_return state;
}

Task<QList<RuntimeState>> listRuntimes(std::shared_ptr<docker::Client> client,
    std::shared_ptr<ImageBuilder> images, std::shared_ptr<RuntimeVersions> versions)
{
    QList<RuntimeState> states;
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash }) {
        RuntimeState state;
        state.runtime = runtime;
        state.image = baseImageTag(runtime);
        const auto known = co_await stateOf(client, versions, state, {});
        if (!known)
            co_return std::unexpected(known.error());
        states << *known;
    }
    const auto custom = co_await images->listCustom();
    if (!custom)
        co_return std::unexpected(custom.error());
    for (const auto& image : *custom) {
        const RuntimeState state { image.runtime, {}, image.tag, true, image.packages };
        const auto known = co_await stateOf(client, versions, state, image.tag);
        if (!known)
            co_return std::unexpected(known.error());
        if (known->isImageReady) // Else it was removed meanwhile.
            states << *known;
    }
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
    const auto versions = std::make_shared<RuntimeVersions>(engine);
    backend.runtimes
        = [client, images, versions] { return listRuntimes(client, images, versions); };
    backend.removeContainers = [engine] { return removeContainers(engine); };
    backend.removeImages = [images] { return removeImages(images); };
    return backend;
}

} // namespace isol8::serve
