// SPDX-License-Identifier: MIT
#include "engine/sandbox/dockerengine.h"

#include "engine/core/completion.h"
#include "engine/core/names.h"
#include "engine/core/validation.h"
#include "engine/sandbox/dockerrun.h"
#include "engine/sandbox/enginepool.h"
#include "engine/sandbox/enginestate.h"
#include "engine/sandbox/labels.h"
#include "engine/sandbox/reaper.h"
#include "engine/sandbox/sandboxsource.h"
#include "engine/sandbox/spare.h"

#include <QDir>
#include <QThread>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

constexpr qint64 maxFileBytes = 256LL << 20;
constexpr int fileMode = 0644;
constexpr int directoryMode = 0755;

Task<int> reapBeside(EngineState engine)
{
    const CancelToken cancel;
    const auto activity = engine->begin({});
    auto removed = co_await reapLeftovers(engine->client, engine->access, cancel);
    engine->end(activity);
    co_return removed;
}

Task<QList<SessionInfo>> listSessions(EngineState engine)
{
    const auto containers = co_await engine->client->listContainers({ labels::session });
    if (!containers)
        co_return std::unexpected(containers.error());
    QList<SessionInfo> sessions;
    for (const auto& container : *containers) {
        const auto id = container.labels.value(labels::session);
        if (container.state != "running"_L1 || !container.names.contains(sessionContainerName(id)))
            continue;
        SessionInfo session;
        session.id = id;
        session.containerId = container.id;
        session.runtime
            = runtimeFromName(container.labels.value(labels::runtime)).value_or(Runtime::Python);
        session.isActive = SessionLock::isHeld(engine->settings.stateDirectory, id);
        session.created = container.created;
        sessions << session;
    }
    co_return sessions;
}

Task<bool> endSession(EngineState engine, QString sessionId)
{
    const auto name = sessionContainerName(sessionId);
    const auto details = co_await engine->client->inspectContainer(name);
    if (!details && details.error().kind == Kind::NotFound)
        co_return false;
    if (!details)
        co_return std::unexpected(details.error());
    if (details->labels.value(labels::session) != sessionId)
        co_return false;
    const auto removed = co_await engine->client->removeContainer(details->id);
    if (!removed)
        co_return std::unexpected(removed.error());
    engine->access->removeFolder(details->labels.value(labels::socket));
    co_return true;
}

Task<> putIntoSession(
    EngineState engine, QString sessionId, QByteArray path, QByteArray content, Transfer transfer)
{
    auto acquired = co_await acquireSession(engine, sessionId, transfer.cancel);
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto put = co_await acquired->sandbox->guest().putFile(
        path, std::move(content), fileMode, transfer.cancel, transfer.progress);
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return put;
}

Task<QByteArray> fetchFromSession(
    EngineState engine, QString sessionId, QByteArray path, Transfer transfer)
{
    auto acquired = co_await acquireSession(engine, sessionId, transfer.cancel);
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto content = co_await acquired->sandbox->guest().fetchFile(
        path, maxFileBytes, transfer.cancel, transfer.progress);
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return content;
}

Task<QList<FileEntry>> listInSession(EngineState engine, QString sessionId, QByteArray path)
{
    auto acquired = co_await acquireSession(engine, sessionId, {});
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto entries = co_await acquired->sandbox->guest().listDirectory(path, {});
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return entries;
}

Task<> removeInSession(EngineState engine, QString sessionId, QByteArray path)
{
    auto acquired = co_await acquireSession(engine, sessionId, {});
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto removed = co_await acquired->sandbox->guest().removeFile(path, {});
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return removed;
}

Task<> makeDirectoryInSession(EngineState engine, QString sessionId, QByteArray path)
{
    auto acquired = co_await acquireSession(engine, sessionId, {});
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto made = co_await acquired->sandbox->guest().makeDirectory(path, directoryMode, {});
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return made;
}

Task<> renameInSession(EngineState engine, QString sessionId, QByteArray from, QByteArray to)
{
    auto acquired = co_await acquireSession(engine, sessionId, {});
    if (!acquired)
        co_return std::unexpected(acquired.error());
    auto renamed = co_await acquired->sandbox->guest().renameFile(from, to, {});
    (void)co_await giveBack(engine, std::move(*acquired), /*isBroken=*/false);
    co_return renamed;
}

Task<> removeOurs(EngineState engine, QString id)
{
    const auto details = co_await engine->client->inspectContainer(id);
    if (!details)
        co_return std::unexpected(details.error());
    if (details->labels.value(labels::managed) != "true"_L1
        || !details->labels.contains(labels::owner))
        co_return failure(Kind::Denied, u"container %1 is not one of isol8's"_s.arg(id));
    co_return co_await engine->client->removeContainer(details->id);
}

Task<> shutDown(EngineState engine)
{
    engine->isShuttingDown = true;
    const auto activities = engine->activities;
    for (const auto& activity : activities)
        activity.cancel();
    while (!engine->activities.isEmpty()) {
        const Completion<> idle;
        engine->idleWaiters.push_back([idle] { idle.deliver({}); });
        (void)co_await idle.wait();
    }
    if (engine->pool)
        (void)co_await engine->pool->close();
    co_return co_await engine->audit.finish();
}

/// A session's id and a path, both checked; the path by @p check. Kind::Cancelled after shutdown().
Result<QByteArray> checkedPath(const EngineState& engine, const QString& sessionId,
    const QString& path, Result<QString> (*check)(const QString&) = sandboxPath)
{
    if (engine->isShuttingDown)
        return std::unexpected(cancelled());
    const auto valid = checkSessionId(sessionId);
    if (!valid)
        return std::unexpected(valid.error());
    const auto absolute = check(path);
    if (!absolute)
        return std::unexpected(absolute.error());
    return absolute->toUtf8();
}

DockerEngineSettings withStateDirectory(DockerEngineSettings settings)
{
    if (settings.stateDirectory.isEmpty())
        settings.stateDirectory = QDir::homePath() + u"/.isol8"_s;
    return settings;
}

template <typename T> Task<T> failed(Error error)
{
    co_return std::unexpected(std::move(error));
}

} // namespace

DockerEngineSettings engineSettings(const Settings& settings)
{
    DockerEngineSettings chosen;
    chosen.sessionLinger
        = std::chrono::ceil<std::chrono::seconds>(settings.cleanup.maxContainerAge);
    chosen.audit = settings.audit;
    chosen.sources = SourcePolicy::of(settings);
    return chosen;
}

std::optional<PoolLimits> poolLimits(const Settings& settings)
{
    const auto& size = settings.poolSize;
    if (size.clean == 0 && size.dirty == 0)
        return std::nullopt;
    PoolLimits limits;
    limits.isReusing = settings.poolStrategy == PoolStrategy::Fast && size.dirty > 0;
    limits.isPrestarting = settings.pool.prestart;
    limits.ready = size.clean;
    constexpr int runtimes = 5;
    limits.maxSandboxes = settings.maxConcurrent + size.clean * runtimes;
    limits.idle = settings.pool.idle;
    limits.maxUses = settings.pool.maxReuses;
    limits.maxMemoryBytes = settings.pool.maxMemoryBytes;
    // One more than can go on at a time, since each also waits.
    limits.maxStarting = QThread::idealThreadCount() + 1;
    return limits;
}

DockerEngine::State::State(docker::Endpoint endpoint, DockerEngineSettings chosen)
    : settings(withStateDirectory(std::move(chosen)))
    , client(std::make_shared<docker::Client>(std::move(endpoint)))
    , access(std::make_shared<DirectAccess>(client->endpoint()))
    , audit(settings.audit)
    , sources(settings.sources, settings.stateDirectory + u"/cache/code"_s)
    , owner(Owner::self().toString())
    , images(client)
{
    // A process that is gone after one run need not hear of images that change meanwhile.
    images.setRemembering(settings.spareIdle.has_value());
    if (settings.pool)
        pool = std::make_shared<Pool>(
            *settings.pool, poolActions(client, access, settings.stateDirectory, owner));
}

quint64 DockerEngine::State::begin(const CancelToken& cancel)
{
    const auto activity = nextActivity++;
    activities.insert(activity, cancel);
    if (isShuttingDown) // A run begins one turn after it was asked for.
        cancel.cancel();
    return activity;
}

void DockerEngine::State::end(quint64 activity)
{
    activities.remove(activity);
    if (!activities.isEmpty())
        return;
    for (const auto& waiter : std::exchange(idleWaiters, {}))
        waiter();
}

DockerEngine::DockerEngine(docker::Endpoint endpoint, DockerEngineSettings settings)
    : m_state(std::make_shared<State>(std::move(endpoint), std::move(settings)))
{
    if (m_state->pool)
        (void)watchDaemon(m_state);
}

DockerEngine::~DockerEngine()
{
    m_state->closing.cancel();
}

std::unique_ptr<Run> DockerEngine::start(
    ExecutionRequest request, ExecutionOptions options, QString sessionId)
{
    if (m_state->settings.isReaping && !std::exchange(m_state->hasReaped, true))
        (void)reapBeside(m_state);
    return std::make_unique<DockerRun>(std::make_shared<RunContext>(
        m_state, std::move(request), std::move(options), std::move(sessionId)));
}

Task<QList<SessionInfo>> DockerEngine::sessions()
{
    return listSessions(m_state);
}

Task<bool> DockerEngine::stopSession(QString sessionId)
{
    if (const auto valid = checkSessionId(sessionId); !valid)
        return failed<bool>(valid.error());
    return endSession(m_state, std::move(sessionId));
}

Task<> DockerEngine::putFile(QString sessionId, QString path, QByteArray content, Transfer transfer)
{
    auto checked = checkedPath(m_state, sessionId, path);
    if (!checked)
        return failed<void>(checked.error());
    return putIntoSession(
        m_state, std::move(sessionId), *checked, std::move(content), std::move(transfer));
}

Task<QByteArray> DockerEngine::fetchFile(QString sessionId, QString path, Transfer transfer)
{
    auto checked = checkedPath(m_state, sessionId, path);
    if (!checked)
        return failed<QByteArray>(checked.error());
    return fetchFromSession(m_state, std::move(sessionId), *checked, std::move(transfer));
}

Task<QList<FileEntry>> DockerEngine::listFiles(QString sessionId, QString path)
{
    auto checked = checkedPath(m_state, sessionId, path, sandboxDirectory);
    if (!checked)
        return failed<QList<FileEntry>>(checked.error());
    return listInSession(m_state, std::move(sessionId), *checked);
}

Task<> DockerEngine::removeFile(QString sessionId, QString path)
{
    auto checked = checkedPath(m_state, sessionId, path);
    if (!checked)
        return failed<void>(checked.error());
    return removeInSession(m_state, std::move(sessionId), *checked);
}

Task<> DockerEngine::makeDirectory(QString sessionId, QString path)
{
    auto checked = checkedPath(m_state, sessionId, path);
    if (!checked)
        return failed<void>(checked.error());
    return makeDirectoryInSession(m_state, std::move(sessionId), *checked);
}

Task<> DockerEngine::renameFile(QString sessionId, QString from, QString to)
{
    auto source = checkedPath(m_state, sessionId, from);
    if (!source)
        return failed<void>(source.error());
    auto target = checkedPath(m_state, sessionId, to);
    if (!target)
        return failed<void>(target.error());
    return renameInSession(m_state, std::move(sessionId), *source, *target);
}

Task<> DockerEngine::shutdown()
{
    return shutDown(m_state);
}

void DockerEngine::keepWarm(QList<Runtime> runtimes, ExecutionOptions options)
{
    m_state->warm = State::Warm { std::move(runtimes), std::move(options) };
    (void)refreshWarm(m_state);
}

QByteArray DockerEngine::nextSpare() const
{
    return m_state->nextSpare ? m_state->nextSpare->toJson() : QByteArray();
}

std::optional<PoolFigures> DockerEngine::poolFigures() const
{
    if (!m_state->pool)
        return std::nullopt;
    auto figures = m_state->pool->figures();
    figures.ahead = m_state->runsAhead;
    return figures;
}

Task<QList<docker::ContainerSummary>> DockerEngine::ownContainers()
{
    return m_state->client->listContainers({ labels::managed + u"=true"_s, labels::owner });
}

Task<> DockerEngine::removeContainer(QString id)
{
    return removeOurs(m_state, std::move(id));
}

Task<int> DockerEngine::reap()
{
    return reapLeftovers(m_state->client, m_state->access, {});
}

} // namespace isol8
