// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/client.h"
#include "engine/sandbox/dockerengine.h"

#include <QTemporaryDir>

namespace isol8::tests {

/// A run that is watched: everything it signalled, for asserting.
class WatchedRun : public QObject {
    Q_OBJECT

public:
    explicit WatchedRun(std::unique_ptr<Run> run);

    [[nodiscard]] Run& run() { return *m_run; }
    [[nodiscard]] bool isFinished() const { return m_result.has_value(); }
    /// Waits (at most two minutes) for the end.
    [[nodiscard]] Result<ExecutionResult> result();
    /// Waits until @p text has come on standard output; false if the run ended without it.
    [[nodiscard]] bool waitForOutput(const QByteArray& text);
    /// Waits until the sandbox is there.
    [[nodiscard]] bool waitForStart();
    void drop() { m_run.reset(); }

    QByteArray standardOutput;
    QByteArray standardError;
    QString containerId; ///< Empty where the engine does not tell.
    bool isStarted = false;
    int outputSignals = 0;
    int signalCount = 0; ///< Of every kind.

private:
    std::unique_ptr<Run> m_run;
    std::optional<Result<ExecutionResult>> m_result;
};

/// A DockerEngine on the machine's own Docker with a state directory of its own. Its destructor
/// shuts it down.
class EngineFixture {
public:
    EngineFixture();
    virtual ~EngineFixture();
    Q_DISABLE_COPY_MOVE(EngineFixture)

    /// What the test talks to.
    [[nodiscard]] virtual Engine& engine() { return *m_engine; }
    [[nodiscard]] DockerEngine& dockerEngine() { return *m_engine; }
    [[nodiscard]] docker::Client& client() { return *m_client; }
    [[nodiscard]] Result<ExecutionResult> run(
        Runtime runtime, const QByteArray& code, const ExecutionOptions& options = {});
    [[nodiscard]] Result<ExecutionResult> run(const ExecutionRequest& request,
        const ExecutionOptions& options = {}, const QString& session = {});
    [[nodiscard]] std::unique_ptr<WatchedRun> start(const ExecutionRequest& request,
        const ExecutionOptions& options = {}, const QString& session = {});
    /// The containers of this process, by `isol8.kind`.
    [[nodiscard]] QStringList containers(const QString& kind);
    /// True once Docker knows no container of this process but those labelled as sessions or kept.
    [[nodiscard]] bool isNothingLeft();
    /// Shuts the engine down and makes a new one; sessions stay.
    virtual void restart();
    /// The same with a pool; none: without one.
    void restartWithPool(const std::optional<PoolLimits>& limits);

protected:
    std::shared_ptr<docker::Client> m_client;
    std::shared_ptr<DockerEngine> m_engine;

private:
    void makeEngine();

    QTemporaryDir m_state;
    std::optional<PoolLimits> m_pool;
};

[[nodiscard]] ExecutionRequest requestOf(Runtime runtime, const QByteArray& code);
/// A name that nobody else on this Docker uses.
[[nodiscard]] QString sessionNamed(const QString& name);
/// A file below tests/data.
[[nodiscard]] QByteArray testData(const QString& path);

} // namespace isol8::tests
