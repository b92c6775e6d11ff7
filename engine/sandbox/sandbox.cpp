// SPDX-License-Identifier: MIT
#include "engine/sandbox/sandbox.h"

#include "engine/core/completion.h"
#include "engine/core/logging.h"
#include "engine/docker/attachedstream.h"
#include "engine/images/imagename.h"
#include "engine/sandbox/dockertransport.h"
#include "engine/sandbox/labels.h"

#include <QCoroTimer>
#include <QFileInfo>
#include <QTimer>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using ClientPointer = std::shared_ptr<docker::Client>;

/// How long a cancelled create call may still take before it is broken off.
constexpr std::chrono::seconds createPatience { 3 };

/// A daemon that fails to remove a container is asked again: for a quarter of a minute.
constexpr int removalAttempts = 6;
constexpr std::chrono::milliseconds firstRetryDelay { 500 };
/// Of a guest whose container has yet to be started: many at once on a busy machine take long.
constexpr std::chrono::milliseconds firstGreetingLimit { 60'000 };

std::unique_ptr<GuestConnection> connectionOver(
    std::shared_ptr<docker::AttachedStream> stream, const GuestLimits& limits = {})
{
    return std::make_unique<GuestConnection>(
        std::make_unique<DockerTransport>(std::move(stream)), limits);
}

/// Asks Docker to start the container. A failure ends the wait for the guest.
Task<> start(ClientPointer client, QString id, CancelToken greeting, CancelToken cancel)
{
    const auto started = co_await client->startContainer(id, cancel);
    if (!started)
        greeting.cancel();
    co_return started;
}

/// Attaches, starts, and waits for the guest's greeting. The greeting usually arrives before
/// Docker's answer to the start. Only what stays for others waits for that answer as well: until
/// then Docker's list calls the container "created", and who looks for a session there misses it.
Task<std::unique_ptr<GuestConnection>> bringUp(ClientPointer client, QString id, bool isLeased,
    std::unique_ptr<DirectSocket> socket, CancelToken cancel)
{
    auto stream = co_await client->attach(id, cancel);
    if (!stream)
        co_return std::unexpected(stream.error().within(u"attaching to the sandbox"_s));
    GuestLimits limits;
    limits.greeting = firstGreetingLimit;
    auto guest = connectionOver(std::move(*stream), limits);
    guest->offer(std::move(socket));

    const CancelToken greeting;
    const auto linked = cancel.onCancel([greeting] { greeting.cancel(); });
    auto starting = start(client, id, greeting, cancel);
    const auto opened = co_await guest->open(/*mayHaveHistory=*/false, isLeased, greeting);
    if (opened && !isLeased)
        co_return guest;
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    // A container that cannot be started says why in the answer to the start.
    const auto started = co_await starting;
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    if (!started)
        co_return std::unexpected(started.error().within(u"starting the sandbox"_s));
    if (!opened)
        co_return std::unexpected(opened.error().within(u"waiting for the sandbox"_s));
    co_return guest;
}

Task<std::shared_ptr<Sandbox>> createOnce(ClientPointer client, docker::ContainerSpec spec,
    QString name, std::unique_ptr<DirectSocket> socket, CancelToken cancel)
{
    const bool isLeased = !spec.isStdinClosedOnDetach;
    const auto image = spec.image;
    // A create call that is broken off may still make a container, so a cancel first lets it
    // finish.
    const CancelToken creating;
    QTimer patience;
    patience.setSingleShot(true);
    QObject::connect(&patience, &QTimer::timeout, &patience, [creating] { creating.cancel(); });
    const auto linked = cancel.onCancel([&patience] { patience.start(createPatience); });
    auto id = co_await client->createContainer(std::move(spec), name, creating);
    if (!id) {
        if (creating.isCancelled())
            (void)co_await client->removeContainer(name);
        if (id.error().kind == Kind::NotFound)
            co_return std::unexpected(missingImage(image));
        co_return std::unexpected(id.error().within(u"creating the sandbox"_s));
    }
    auto guest = co_await bringUp(client, *id, isLeased, std::move(socket), cancel);
    if (!guest) {
        const auto removed = co_await client->removeContainer(*id);
        if (!removed)
            qCWarning(logSandbox) << "container" << id->left(12)
                                  << "was not removed:" << removed.error().message;
        co_return std::unexpected(guest.error());
    }
    qCDebug(logSandbox) << "sandbox" << id->left(12) << "is up";
    co_return std::make_shared<Sandbox>(std::move(client), *id, std::move(*guest));
}

/// Docker names the folder, or says what it does not do. Not any word of mounts: a kernel without
/// control groups has them "not mounted", and is not tried again.
bool isAboutMount(const Error& error, const QString& folder)
{
    if (error.kind == Kind::Cancelled)
        return false;
    for (const auto& words : { folder, u"mounts denied"_s, u"invalid mount"_s, u"bind mount"_s }) {
        if (error.message.contains(words, Qt::CaseInsensitive))
            return true;
    }
    return false;
}

} // namespace

Sandbox::Sandbox(ClientPointer client, QString containerId, std::unique_ptr<GuestConnection> guest)
    : m_client(std::move(client))
    , m_containerId(std::move(containerId))
    , m_guest(std::move(guest))
{
}

Sandbox::~Sandbox() = default;

Task<std::shared_ptr<Sandbox>> Sandbox::create(ClientPointer client,
    std::shared_ptr<DirectAccess> access, docker::ContainerSpec spec, QString name,
    CancelToken cancel)
{
    const auto wanted = std::exchange(spec.binds, {});
    const bool isLasting = !spec.isStdinClosedOnDetach;
    auto socket = wanted.isEmpty() || !access ? nullptr : access->makeSocket(isLasting);
    if (socket) {
        const auto folder = socket->folder();
        auto direct = spec;
        direct.binds = { { folder, wanted.constFirst().target } };
        if (isLasting)
            direct.labels.insert(labels::socket, QFileInfo(folder).fileName());
        auto sandbox
            = co_await createOnce(client, std::move(direct), name, std::move(socket), cancel);
        if (sandbox && !(*sandbox)->guest().isDirect())
            access->giveUp(u"the guest does not reach them"_s);
        if (sandbox || !isAboutMount(sandbox.error(), folder))
            co_return sandbox;
        access->giveUp(sandbox.error().message);
    }
    co_return co_await createOnce(client, std::move(spec), name, nullptr, cancel);
}

Task<std::shared_ptr<Sandbox>> Sandbox::takeOver(ClientPointer client,
    std::unique_ptr<DirectSocket> socket, QString containerId, CancelToken cancel)
{
    auto stream = co_await client->attach(containerId, cancel);
    if (!stream)
        co_return std::unexpected(stream.error().within(u"attaching to the sandbox"_s));
    auto guest = connectionOver(std::move(*stream));
    guest->offer(std::move(socket));
    const auto opened = co_await guest->open(/*mayHaveHistory=*/true, /*isLeased=*/true, cancel);
    if (!opened)
        co_return std::unexpected(opened.error().within(u"waiting for the sandbox"_s));
    co_return std::shared_ptr<Sandbox>(
        new Sandbox(std::move(client), std::move(containerId), std::move(guest)));
}

Task<std::shared_ptr<Sandbox>> Sandbox::meet(
    ClientPointer client, QString name, std::chrono::milliseconds greetingLimit, CancelToken cancel)
{
    auto stream = co_await client->attach(name, cancel);
    if (!stream)
        co_return std::unexpected(stream.error().within(u"attaching to the sandbox"_s));
    GuestLimits limits;
    limits.greeting = greetingLimit;
    auto guest = connectionOver(std::move(*stream), limits);
    const auto opened = co_await guest->open(/*mayHaveHistory=*/false, /*isLeased=*/false, cancel);
    if (!opened)
        co_return std::unexpected(opened.error().within(u"waiting for the sandbox"_s));
    co_return std::make_shared<Sandbox>(std::move(client), std::move(name), std::move(guest));
}

Task<> Sandbox::destroy(std::shared_ptr<Sandbox> sandbox)
{
    sandbox->m_guest->shutdown();
    const auto client = sandbox->m_client;
    const auto id = sandbox->m_containerId;
    auto delay = firstRetryDelay;
    for (int attempt = 1;; ++attempt) {
        const auto removed = co_await client->removeContainer(id);
        if (removed || attempt == removalAttempts || removed.error().kind == Kind::Cancelled)
            co_return removed;
        qCInfo(logSandbox) << "container" << id.left(12)
                           << "is not removed yet:" << removed.error().message;
        co_await QCoro::sleepFor(delay);
        delay *= 2;
    }
}

void Sandbox::end()
{
    m_guest->shutdown();
    m_guest.reset();
}

void Sandbox::release()
{
    m_guest.reset();
}

} // namespace isol8
