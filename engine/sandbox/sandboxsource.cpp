// SPDX-License-Identifier: MIT
#include "engine/sandbox/sandboxsource.h"

#include "engine/core/names.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/enginepool.h"
#include "engine/sandbox/guestvolume.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/policy.h"
#include "engine/sandbox/spare.h"

#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

constexpr std::chrono::seconds keptLinger { 3600 };

SandboxKind kindOf(const SandboxRequest& request)
{
    if (!request.sessionId.isEmpty())
        return SandboxKind::Session;
    return request.options.isKept ? SandboxKind::Kept : SandboxKind::Run;
}

Task<AcquiredSandbox> makeSandbox(
    EngineState engine, SandboxRequest request, QString name, CancelToken cancel)
{
    // Asked at once: each is a round trip before the container can be created.
    auto choosing = engine->images.choose(request.runtime, request.options.image, cancel);
    auto preparing = ensureGuestVolume(engine->client,
        request.options.image.isEmpty() ? baseImageTag(request.runtime) : request.options.image,
        engine->settings.stateDirectory, engine->owner, cancel);
    const auto choice = co_await choosing;
    const auto volume = co_await preparing;
    if (!choice)
        co_return std::unexpected(choice.error());
    if (!volume)
        co_return std::unexpected(volume.error());

    SandboxPlan plan;
    plan.kind = kindOf(request);
    plan.runtime = request.runtime;
    plan.image = choice->name;
    plan.isOwnImage = choice->details.labels.value(labels::managed) == "true"_L1;
    plan.imageVolumes = choice->details.volumes;
    plan.guestVolume = *volume;
    plan.owner = engine->owner;
    plan.session = request.sessionId;
    plan.linger = plan.kind == SandboxKind::Session ? engine->settings.sessionLinger : keptLinger;
    auto spec = containerSpec(request.options, plan);
    if (!spec)
        co_return std::unexpected(spec.error());

    auto sandbox
        = co_await Sandbox::create(engine->client, engine->access, std::move(*spec), name, cancel);
    if (!sandbox)
        co_return std::unexpected(sandbox.error());
    co_return AcquiredSandbox { std::move(*sandbox), nullptr, choice->details.id,
        choice->details.environment, plan.kind != SandboxKind::Run };
}

/// Takes over the session's container, or removes it when it is of no use any more (NotFound then).
Task<AcquiredSandbox> findSession(
    EngineState engine, QString sessionId, std::optional<Runtime> wanted, CancelToken cancel)
{
    const auto name = sessionContainerName(sessionId);
    const auto details = co_await engine->client->inspectContainer(name, cancel);
    if (!details)
        co_return std::unexpected(details.error());
    if (details->labels.value(labels::session) != sessionId)
        co_return failure(
            Kind::Conflict, u"the container %1 is not a session of isol8's"_s.arg(name));
    const auto runtime = details->labels.value(labels::runtime);
    if (wanted && runtime != runtimeName(*wanted))
        co_return failure(Kind::Conflict,
            u"Cannot switch runtime from \"%1\" to \"%2\" in session %3"_s.arg(
                runtime, runtimeName(*wanted), sessionId));
    if (!details->isRunning || details->status == "paused"_L1) {
        (void)co_await engine->client->removeContainer(details->id);
        engine->access->removeFolder(details->labels.value(labels::socket));
        co_return failure(Kind::NotFound, u"the session %1 has ended"_s.arg(sessionId));
    }
    auto image = co_await engine->client->inspectImage(details->imageId, cancel);
    auto socket = engine->access->reopenSocket(details->labels.value(labels::socket));
    auto sandbox
        = co_await Sandbox::takeOver(engine->client, std::move(socket), details->id, cancel);
    if (!sandbox)
        co_return std::unexpected(sandbox.error());
    co_return AcquiredSandbox { std::move(*sandbox), nullptr, details->imageId,
        image ? image->environment : QStringList(), /*isLingering=*/true };
}

} // namespace

QString sessionContainerName(const QString& sessionId)
{
    return u"isol8-session-%1-%2"_s.arg(::getuid()).arg(sessionId);
}

Task<AcquiredSandbox> acquireSandbox(EngineState engine, SandboxRequest request, CancelToken cancel)
{
    if (request.sessionId.isEmpty() && engine->pool && isPoolable(request.options))
        co_return co_await acquirePooled(engine, request, cancel);
    if (request.sessionId.isEmpty() && engine->settings.spareIdle && isPoolable(request.options)) {
        auto spare = co_await claimSpare(engine, request, cancel);
        if (spare || cancel.isCancelled())
            co_return spare;
    }
    if (request.sessionId.isEmpty())
        co_return co_await makeForOneRun(engine, request, cancel);

    const auto lock
        = co_await SessionLock::acquire(engine->settings.stateDirectory, request.sessionId, cancel);
    if (!lock)
        co_return std::unexpected(lock.error());
    auto found = co_await findSession(engine, request.sessionId, request.runtime, cancel);
    if (!found && found.error().kind == Kind::NotFound)
        found = co_await makeSandbox(
            engine, request, sessionContainerName(request.sessionId), cancel);
    if (found)
        found->lock = *lock;
    co_return found;
}

Task<AcquiredSandbox> makeForOneRun(EngineState engine, SandboxRequest request, CancelToken cancel)
{
    co_return co_await makeSandbox(engine, request, u"isol8-"_s + request.executionId, cancel);
}

Task<AcquiredSandbox> acquireSession(EngineState engine, QString sessionId, CancelToken cancel)
{
    const auto lock
        = co_await SessionLock::acquire(engine->settings.stateDirectory, sessionId, cancel);
    if (!lock)
        co_return std::unexpected(lock.error());
    auto found = co_await findSession(engine, sessionId, std::nullopt, cancel);
    if (!found && found.error().kind == Kind::NotFound)
        co_return failure(Kind::NotFound, u"there is no session %1"_s.arg(sessionId));
    if (found)
        found->lock = *lock;
    co_return found;
}

Task<> giveBack(EngineState engine, AcquiredSandbox acquired, bool isBroken)
{
    if (acquired.pool) {
        acquired.pool->giveBack(std::move(acquired.pooled), isBroken);
        co_return {};
    }
    if (acquired.isLingering && !isBroken) {
        acquired.sandbox->release();
        co_return {};
    }
    if (!engine->settings.isRemovalAwaited && !isBroken) {
        acquired.sandbox->end();
        co_return {};
    }
    co_return co_await Sandbox::destroy(acquired.sandbox);
}

} // namespace isol8
