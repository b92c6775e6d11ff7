// SPDX-License-Identifier: MIT
#include "engine/sandbox/enginepool.h"

#include "engine/core/completion.h"
#include "engine/core/logging.h"
#include "engine/images/imagelabels.h"
#include "engine/sandbox/guestvolume.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/policy.h"
#include "engine/sandbox/program.h"

#include <QTimer>
#include <QUuid>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using std::chrono::milliseconds;

/// A guest that is there answers within a millisecond.
constexpr milliseconds checkLimit { 1000 };
constexpr milliseconds firstReconnectDelay { 250 };
constexpr milliseconds lastReconnectDelay { 10'000 };
/// `setup` tags several images in a row.
constexpr milliseconds imageChangeDelay { 500 };

struct Maker {
    std::shared_ptr<docker::Client> client;
    std::shared_ptr<DirectAccess> access;
    QString stateDirectory;
    QString owner;
    bool areSysctlsRefused = false; ///< By this daemon: found out once.
};

Task<std::shared_ptr<Sandbox>> makeSandbox(
    std::shared_ptr<Maker> maker, docker::ContainerSpec spec, CancelToken cancel)
{
    const auto volume = co_await ensureGuestVolume(
        maker->client, spec.image, maker->stateDirectory, maker->owner, cancel);
    if (!volume)
        co_return std::unexpected(volume.error());
    for (;;) {
        if (maker->areSysctlsRefused)
            spec.sysctls.clear();
        const auto name = u"isol8-pool-"_s + QUuid::createUuid().toString(QUuid::Id128);
        auto sandbox = co_await Sandbox::create(maker->client, maker->access, spec, name, cancel);
        // Without them a sandbox with a lingering connection cannot be proved clean, that is all.
        if (sandbox || spec.sysctls.isEmpty() || !sandbox.error().message.contains(u"sysctl"_s))
            co_return sandbox;
        maker->areSysctlsRefused = true;
    }
}

Task<> scrub(std::shared_ptr<Sandbox> sandbox, CancelToken cancel)
{
    co_return co_await sandbox->guest().scrub(cancel);
}

Task<qint64> prestart(std::shared_ptr<Sandbox> sandbox, Ahead ahead, CancelToken cancel)
{
    co_return co_await sandbox->guest().prestart(ahead.spec, ahead.path, ahead.isCopyable, cancel);
}

Task<> check(std::shared_ptr<Sandbox> sandbox, CancelToken cancel)
{
    co_return co_await sandbox->guest().ping(checkLimit, cancel);
}

Result<docker::ContainerSpec> pooledSpec(const EngineState& engine, Runtime runtime,
    const ExecutionOptions& options, const docker::ImageDetails& image)
{
    SandboxPlan plan;
    plan.kind = SandboxKind::Pool;
    plan.runtime = runtime;
    plan.image = image.id; // Not its name, which may be another image's tomorrow.
    plan.imageVolumes = image.volumes;
    plan.guestVolume = guestVolumeName();
    plan.owner = engine->owner;
    return containerSpec(options, plan);
}

bool isOwn(const docker::ImageDetails& image)
{
    return image.labels.value(labels::managed) == "true"_L1;
}

/// Whether @p image is one that `setup` makes, with nothing added.
bool isPlain(const docker::ImageDetails& image)
{
    const auto has
        = [&image](const QString& label) { return !image.labels.value(label).isEmpty(); };
    return image.tags.contains(image.labels.value(imagelabels::tag)) && !has(imagelabels::custom)
        && !has(imagelabels::dependencies) && !has(imagelabels::setup);
}

/// What is started ahead in a sandbox of @p image.
Ahead aheadIn(const docker::ImageDetails& image, const ExecutionRequest& likely,
    const ExecutionOptions& options)
{
    auto ahead = aheadOf(likely, options, image.environment);
    // Packages may begin something at every start of the interpreter, like a sequence of random
    // numbers, that must not be the same in each copy.
    ahead.isCopyable = ahead.isCopyable && isPlain(image);
    return ahead;
}

/// Waits; Kind::Cancelled at the cancel.
Task<> pause(milliseconds time, CancelToken cancel)
{
    const Completion<> passed;
    const std::unique_ptr<QTimer, QScopedPointerDeleteLater> timer(new QTimer);
    timer->setSingleShot(true);
    QObject::connect(timer.get(), &QTimer::timeout, timer.get(), [passed] { passed.deliver({}); });
    timer->start(time);
    const auto linked = cancel.onCancel([passed] { passed.fail(cancelled()); });
    co_return co_await passed.wait();
}

Task<> refreshLater(EngineState engine)
{
    if (std::exchange(engine->isRefreshDue, true))
        co_return {};
    const auto passed = co_await pause(imageChangeDelay, engine->closing);
    engine->isRefreshDue = false;
    if (!passed)
        co_return passed;
    co_return co_await refreshWarm(engine);
}

void handleEvent(const EngineState& engine, const docker::Event& event)
{
    if (event.type == "image"_L1) {
        engine->images.forget();
        (void)refreshLater(engine);
    } else {
        engine->pool->drop(event.id);
    }
}

} // namespace

Pool::Actions poolActions(std::shared_ptr<docker::Client> client,
    std::shared_ptr<DirectAccess> access, QString stateDirectory, QString owner)
{
    const auto maker = std::make_shared<Maker>(Maker {
        std::move(client), std::move(access), std::move(stateDirectory), std::move(owner) });
    return {
        .make = [maker](docker::ContainerSpec spec,
                    CancelToken cancel) { return makeSandbox(maker, std::move(spec), cancel); },
        .scrub = scrub,
        .prestart = prestart,
        .isAlive = [](const auto& sandbox) { return sandbox->isOpen(); },
        .check = check,
        .destroy = [](const auto& sandbox) { return Sandbox::destroy(sandbox); },
        .idOf = [](const auto& sandbox) { return sandbox->containerId(); },
    };
}

bool isPoolable(const ExecutionOptions& options)
{
    return options.isRootReadOnly && options.network != NetworkMode::Host
        && options.seccomp == SeccompMode::Strict && !options.isKept;
}

Task<AcquiredSandbox> acquirePooled(EngineState engine, SandboxRequest request, CancelToken cancel)
{
    for (bool isFirst = true;; isFirst = false) {
        const auto choice
            = co_await engine->images.choose(request.runtime, request.options.image, cancel);
        if (!choice)
            co_return std::unexpected(choice.error());
        const auto& image = choice->details;
        if (!isOwn(image))
            co_return co_await makeForOneRun(engine, request, cancel);
        auto spec = pooledSpec(engine, request.runtime, request.options, image);
        if (!spec)
            co_return std::unexpected(spec.error());
        Pool::Wish wish { std::move(*spec), request.tenant, std::nullopt };
        if (request.likely)
            wish.ahead = aheadIn(image, *request.likely, request.options);
        auto taken = co_await engine->pool->take(std::move(wish), cancel);
        if (taken) {
            AcquiredSandbox acquired;
            acquired.sandbox = std::move(taken->sandbox);
            acquired.imageId = image.id;
            acquired.imageEnvironment = image.environment;
            acquired.pool = engine->pool;
            acquired.pooled = std::move(taken->item);
            co_return acquired;
        }
        // The image has gone this moment; the name may stand for another one now.
        if (taken.error().kind != Kind::NotFound || !isFirst)
            co_return std::unexpected(taken.error());
        engine->images.forget();
    }
}

Task<> refreshWarm(EngineState engine)
{
    if (!engine->warm || !engine->pool)
        co_return {};
    const auto warm = *engine->warm;
    QStringList images;
    QList<Pool::Wish> wishes;
    for (const auto runtime : warm.runtimes) {
        const auto choice = co_await engine->images.choose(runtime, {}, engine->closing);
        if (!choice && choice.error().kind == Kind::NotFound)
            continue;
        if (!choice)
            co_return std::unexpected(choice.error());
        auto spec = pooledSpec(engine, runtime, warm.options, choice->details);
        if (!spec)
            co_return std::unexpected(spec.error());
        images << choice->details.id;
        ExecutionRequest likely;
        likely.runtime = runtime;
        wishes << Pool::Wish { std::move(*spec), {},
            aheadIn(choice->details, likely, warm.options) };
    }
    engine->pool->retire(
        [images](const docker::ContainerSpec& spec) { return !images.contains(spec.image); });
    for (auto& wish : wishes)
        engine->pool->keepReady(std::move(wish));
    co_return {};
}

Task<> watchDaemon(EngineState engine)
{
    const auto activity = engine->begin(engine->closing);
    auto delay = firstReconnectDelay;
    while (!engine->closing.isCancelled()) {
        const auto heard = std::make_shared<bool>(false);
        const std::weak_ptr weak = engine;
        const auto listening = [weak, heard] {
            const auto state = weak.lock();
            if (!state)
                return;
            *heard = true;
            state->images.setRemembering(true);
            state->pool->setWatched(true);
            (void)refreshLater(state);
        };
        const auto handler = [weak](const docker::Event& event) {
            if (const auto state = weak.lock())
                handleEvent(state, event);
        };
        const auto ended
            = co_await engine->client->watchEvents(listening, handler, engine->closing);
        engine->images.setRemembering(false);
        engine->pool->setWatched(false);
        if (engine->closing.isCancelled())
            break;
        qCInfo(logSandbox) << "Docker's events are not heard:" << ended.error().message;
        delay = *heard ? firstReconnectDelay : std::min(delay * 2, lastReconnectDelay);
        (void)co_await pause(delay, engine->closing);
    }
    engine->end(activity);
    co_return {};
}

} // namespace isol8
