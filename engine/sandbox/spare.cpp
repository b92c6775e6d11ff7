// SPDX-License-Identifier: MIT
#include "engine/sandbox/spare.h"

#include "engine/core/jsonreader.h"
#include "engine/core/logging.h"
#include "engine/core/names.h"
#include "engine/docker/containerjson.h"
#include "engine/sandbox/enginepool.h"
#include "engine/sandbox/guestvolume.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/policy.h"
#include "engine/sandbox/program.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonDocument>
#include <QLockFile>
#include <QUuid>

#include <unistd.h>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

/// A guest that waits answers within milliseconds, on a machine with ten times too much to do
/// within seconds. One that does not, because somebody has paused it, is not waited for much longer
/// than a new one takes there.
constexpr std::chrono::milliseconds greetingLimit { 5000 };

QString namePrefix()
{
    return u"isol8-spare-%1-"_s.arg(::getuid());
}

/// Of everything that the container is made with, and of the program that it is made for.
QString spareName(const docker::ContainerSpec& spec)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(QJsonDocument(docker::toJson(spec)).toJson(QJsonDocument::Compact));
    hash.addData(QByteArrayView(ISOL8_VERSION));
    hash.addData(guestVolumeName().toLatin1());
    return namePrefix() + QString::fromLatin1(hash.result().toHex().first(32));
}

Result<SpareOrder> orderFor(
    const EngineState& engine, const SandboxRequest& request, const docker::ImageDetails& image)
{
    SandboxPlan plan;
    plan.kind = SandboxKind::Spare;
    plan.runtime = request.runtime;
    plan.image = image.id;
    plan.imageVolumes = image.volumes;
    plan.guestVolume = guestVolumeName();
    plan.linger = std::chrono::ceil<std::chrono::seconds>(*engine->settings.spareIdle);
    auto spec = containerSpec(request.options, plan);
    if (!spec)
        return std::unexpected(spec.error());

    SpareOrder order { spareName(*spec), image.id, runtimeName(request.runtime), {} };
    spec->labels.insert(labels::owner, engine->owner);
    if (request.likely) {
        const auto ahead = aheadOf(*request.likely, request.options, image.environment);
        spec->entrypoint << QString::fromUtf8(ahead.path)
                         << QString::fromLatin1(encodedRunSpec(ahead.spec).toHex());
    }
    order.container = docker::toJson(*spec);
    return order;
}

/// Renames the container @p name. Docker looks a name up before it locks what it stands for (moby,
/// daemon/rename.go), so that of two calls at the same moment both can succeed: on one machine only
/// one of them is made. Where that does not help, the guest ends when a second host greets it.
Task<> claim(std::shared_ptr<docker::Client> client, QString stateDirectory, QString name,
    QString newName, CancelToken cancel)
{
    QDir().mkpath(stateDirectory);
    QLockFile lock(u"%1/%2.lock"_s.arg(stateDirectory, name));
    lock.setStaleLockTime(0); // Only its owner's death makes it stale.
    if (!lock.tryLock(0) && lock.error() == QLockFile::LockFailedError)
        co_return failure(Kind::NotFound, u"another command has just claimed it"_s);
    co_return co_await client->renameContainer(name, newName, cancel);
}

Task<AcquiredSandbox> takeSpare(
    EngineState engine, QString name, QString newName, CancelToken cancel)
{
    const auto renamed
        = co_await claim(engine->client, engine->settings.stateDirectory, name, newName, cancel);
    if (!renamed)
        co_return std::unexpected(renamed.error());
    auto inspecting = engine->client->inspectContainer(newName, cancel);
    auto sandbox = co_await Sandbox::meet(engine->client, newName, greetingLimit, cancel);
    const auto details = co_await inspecting;
    if (!sandbox || !details) {
        (void)co_await engine->client->removeContainer(newName);
        co_return std::unexpected(sandbox ? details.error() : sandbox.error());
    }
    AcquiredSandbox acquired;
    acquired.sandbox = std::move(*sandbox);
    acquired.sandbox->setContainerId(details->id);
    co_return acquired;
}

Task<> removeOthers(std::shared_ptr<docker::Client> client, QString stateDirectory,
    SpareOrder order, CancelToken cancel)
{
    const auto all = co_await client->listContainers({ labels::kind + u"=spare"_s }, cancel);
    if (!all)
        co_return std::unexpected(all.error());
    for (const auto& container : *all) {
        const auto name = container.names.value(0);
        if (name == order.name || !name.startsWith(namePrefix())
            || container.labels.value(labels::runtime) != order.runtime)
            continue;
        // Claimed first: it may be in somebody's hands by now.
        const auto claimed = co_await claim(client, stateDirectory, name,
            u"isol8-old-spare-"_s + QUuid::createUuid().toString(QUuid::Id128), cancel);
        if (claimed)
            (void)co_await client->removeContainer(container.id, cancel);
    }
    co_return {};
}

} // namespace

QByteArray SpareOrder::toJson() const
{
    return QJsonDocument(QJsonObject { { u"name"_s, name }, { u"image"_s, image },
                             { u"runtime"_s, runtime }, { u"container"_s, container } })
        .toJson(QJsonDocument::Compact);
}

Result<SpareOrder> SpareOrder::fromJson(const QByteArray& json)
{
    const auto object = QJsonDocument::fromJson(json).object();
    SpareOrder order { object.value(u"name"_s).toString(), object.value(u"image"_s).toString(),
        object.value(u"runtime"_s).toString(), object.value(u"container"_s).toObject() };
    if (!order.name.startsWith(namePrefix()) || order.image.isEmpty() || order.container.isEmpty())
        return failure(Kind::Invalid, u"this is no order for a spare container"_s);
    return order;
}

Task<AcquiredSandbox> claimSpare(EngineState engine, SandboxRequest request, CancelToken cancel)
{
    const auto choice
        = co_await engine->images.choose(request.runtime, request.options.image, cancel);
    if (!choice)
        co_return std::unexpected(choice.error());
    const auto& image = choice->details;
    if (image.labels.value(labels::managed) != "true"_L1)
        co_return failure(Kind::NotFound, u"no spare is kept of a foreign image"_s);
    const auto order = orderFor(engine, request, image);
    if (!order)
        co_return std::unexpected(order.error());
    engine->nextSpare = std::make_shared<SpareOrder>(*order);
    auto acquired = co_await takeSpare(
        engine, order->name, u"isol8-claimed-"_s + request.executionId, cancel);
    if (!acquired)
        co_return std::unexpected(acquired.error());
    acquired->imageId = image.id;
    acquired->imageEnvironment = image.environment;
    qCDebug(logSandbox) << "container" << acquired->sandbox->containerId().left(12)
                        << "was left by an earlier command";
    co_return acquired;
}

Task<> makeSpare(std::shared_ptr<docker::Client> client, QString stateDirectory, SpareOrder order,
    CancelToken cancel)
{
    const auto owner
        = order.container.value(u"Labels"_s).toObject().value(labels::owner).toString();
    const auto volume
        = co_await ensureGuestVolume(client, order.image, stateDirectory, owner, cancel);
    if (!volume)
        co_return std::unexpected(volume.error());
    const auto id = co_await client->createContainer(order.container, order.name, cancel);
    if (!id && id.error().kind == Kind::Conflict)
        co_return {}; // Somebody else has just made it.
    if (!id)
        co_return std::unexpected(id.error().within(u"creating the spare container"_s));
    const auto started = co_await client->startContainer(*id, cancel);
    if (!started) {
        (void)co_await client->removeContainer(*id);
        co_return std::unexpected(started.error().within(u"starting the spare container"_s));
    }
    co_return co_await removeOthers(client, stateDirectory, order, cancel);
}

} // namespace isol8
