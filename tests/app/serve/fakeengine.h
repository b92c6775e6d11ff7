// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"

#include <QPointer>

#include <map>
#include <vector>

namespace isol8::tests {

/// A run that does what the test says.
class FakeRun : public Run {
    Q_OBJECT

public:
    FakeRun(ExecutionRequest theRequest, ExecutionOptions theOptions, QString theSessionId);

    void writeStdin(const QByteArray& bytes) override { stdinBytes += bytes; }
    void closeStdin() override { isStdinClosed = true; }
    [[nodiscard]] qint64 pendingStdinBytes() const override { return pendingBytes; }
    void sendSignal(int number) override { signalNumbers << number; }
    void resizeTerminal(int rows, int columns) override { size = { columns, rows }; }
    void setOutputPaused(bool paused) override { isPaused = paused; }
    /// Ends with EndReason::Cancelled on the next turn of the event loop.
    void cancel() override;

    void begin() { Q_EMIT started(QStringLiteral("container")); }
    void give(
        const QByteArray& bytes, Channel channel = Channel::Stdout, Phase phase = Phase::Code);
    /// Ends well, with this exit code and what was given out.
    void end(int exitCode = 0);
    void fail(const Error& error);

    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId;
    ExecutionResult result;
    QByteArray stdinBytes;
    QList<int> signalNumbers;
    QPair<int, int> size;
    qint64 pendingBytes = 0;
    bool isStdinClosed = false;
    bool isPaused = false;
    bool isCancelled = false;
};

/// An Engine without Docker. A run waits for the test, or ends at once when there is a script.
class FakeEngine : public Engine {
public:
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

    std::function<void(FakeRun& run)> script; ///< What every new run does at once.
    std::vector<QPointer<FakeRun>> runs; ///< In the order of their start.
    int startCount = 0;
    std::map<QString, std::map<QString, QByteArray>> files; ///< Of each session.
    bool areTransfersHeld = false; ///< They end only when they are cancelled.
    std::shared_ptr<int> heldTransfers = std::make_shared<int>(0);
    bool isShutDown = false;
};

} // namespace isol8::tests
