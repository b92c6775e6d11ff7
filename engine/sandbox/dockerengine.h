// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "engine/core/settings.h"
#include "engine/docker/endpoint.h"
#include "engine/docker/types.h"
#include "engine/sandbox/poollimits.h"
#include "engine/source/sourcerules.h"

#include <memory>
#include <optional>

namespace isol8 {

/// What a DockerEngine needs to know beside Docker's address.
struct DockerEngineSettings {
    /// Where lock files and stamps are kept; empty: `~/.isol8`.
    QString stateDirectory;
    /// How long a named session's container lives without a host.
    std::chrono::seconds sessionLinger { 3600 };
    /// Whether containers of dead isol8 processes are removed beside the first run.
    bool isReaping = true;
    Settings::Audit audit;
    SourcePolicy sources; ///< Code from URLs.
    std::optional<PoolLimits> pool; ///< None: every run has a sandbox made for it.
    /// For a process that is gone after one run: take the spare container that an earlier one has
    /// left, and say what the next one should be, which then waits for so long. None: not.
    std::optional<std::chrono::milliseconds> spareIdle;
    /// Whether shutdown() waits until Docker has removed the containers of runs that ended well.
    bool isRemovalAwaited = true;
};

/// With what @p settings, the configuration, say about it.
[[nodiscard]] DockerEngineSettings engineSettings(const Settings& settings);
/// The pool that they ask for, for whoever lives long enough to have one.
[[nodiscard]] std::optional<PoolLimits> poolLimits(const Settings& settings);

/// The Engine that runs code in containers of a Docker daemon. Owned by main; call shutdown() and
/// await it before destroying it, else what still runs ends by itself some moments later.
class DockerEngine final : public Engine {
public:
    explicit DockerEngine(docker::Endpoint endpoint, DockerEngineSettings settings = {});
    ~DockerEngine() override;
    Q_DISABLE_COPY_MOVE(DockerEngine)

    [[nodiscard]] std::unique_ptr<Run> start(
        ExecutionRequest request, ExecutionOptions options, QString sessionId) override;
    [[nodiscard]] Task<QList<SessionInfo>> sessions() override;
    [[nodiscard]] Task<bool> stopSession(QString sessionId) override;
    [[nodiscard]] Task<> putFile(
        QString sessionId, QString path, QByteArray content, Transfer transfer = {}) override;
    [[nodiscard]] Task<QByteArray> fetchFile(
        QString sessionId, QString path, Transfer transfer = {}) override;
    [[nodiscard]] Task<QList<FileEntry>> listFiles(QString sessionId, QString path) override;
    [[nodiscard]] Task<> removeFile(QString sessionId, QString path) override;
    [[nodiscard]] Task<> makeDirectory(QString sessionId, QString path) override;
    [[nodiscard]] Task<> renameFile(QString sessionId, QString from, QString to) override;
    [[nodiscard]] Task<> shutdown() override;

    /// Keeps sandboxes for runs with @p options ready in the pool, of each of @p runtimes whose
    /// image is there or comes to be.
    void keepWarm(QList<Runtime> runtimes, ExecutionOptions options);
    /// What makeSpare() needs for a run like the last one, as SpareOrder::toJson(); empty: nothing.
    [[nodiscard]] QByteArray nextSpare() const;
    /// None without a pool.
    [[nodiscard]] std::optional<PoolFigures> poolFigures() const;

    /// Every container that carries isol8's label, whoever made it: for `cleanup`.
    [[nodiscard]] Task<QList<docker::ContainerSummary>> ownContainers();
    /// Removes one of them; Kind::Denied when @p id does not carry isol8's label.
    [[nodiscard]] Task<> removeContainer(QString id);
    /// Removes containers whose isol8 is provably dead; how many.
    [[nodiscard]] Task<int> reap();

    struct State; ///< Shared with the coroutines of engine/sandbox.

private:
    std::shared_ptr<State> m_state;
};

} // namespace isol8
