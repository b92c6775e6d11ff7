// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"

#include <QObject>

#include <functional>
#include <memory>

namespace isol8 {

/// A run that goes on. Owned by whoever called Engine::start(); destroying it cancels it.
/// Signals come on the event loop only, never from within a call to this object.
class Run : public QObject {
    Q_OBJECT

public:
    /// Bytes for the program's standard input; kept until the program takes them. Ignored after
    /// closeStdin() and after the end.
    virtual void writeStdin(const QByteArray& bytes) = 0;
    virtual void closeStdin() = 0;
    /// Bytes of standard input that have not been passed on yet.
    [[nodiscard]] virtual qint64 pendingStdinBytes() const = 0;

    /// Sends a Linux signal number to the program (not to setup or install).
    virtual void sendSignal(int number) = 0;
    virtual void resizeTerminal(int rows, int columns) = 0;

    /// While paused the program's output waits in the sandbox, and memory here stays flat.
    virtual void setOutputPaused(bool isPaused) = 0;

    /// Kills the program and ends the run with EndReason::Cancelled.
    virtual void cancel() = 0;

Q_SIGNALS:
    void started(const QString& containerId);
    /// Masked, bounded bytes; a chunk may end within a UTF-8 character.
    void outputReceived(isol8::Channel channel, const QByteArray& bytes, isol8::Phase phase);
    /// A few times a second, if the request asked for it and the engine can tell.
    void usageReported(const isol8::RunUsage& usage);
    /// The program took standard input; more may be written.
    void stdinAccepted(qint64 pendingBytes);
    /// The last signal. An Error says that isol8 could not do its part; how the program ended is in
    /// the result.
    void finished(const isol8::Result<isol8::ExecutionResult>& result);

protected:
    using QObject::QObject;
};

/// How a file's transfer is watched and ended early.
struct Transfer {
    CancelToken cancel;
    /// Called on the event loop with the bytes that went over and their number in all.
    std::function<void(qint64 doneBytes, qint64 totalBytes)> progress;
};

/// Runs untrusted code somewhere: in the local Docker (DockerEngine) or on a server. The command
/// line, the server and the window know only this interface.
class Engine {
public:
    virtual ~Engine() = default;

    /// Starts @p request in a sandbox as @p options say. @p sessionId names a session that is made
    /// when it does not exist; empty: a sandbox for this run alone. Invalid values end the run with
    /// Kind::Invalid before Docker is asked.
    [[nodiscard]] virtual std::unique_ptr<Run> start(
        ExecutionRequest request, ExecutionOptions options, QString sessionId)
        = 0;

    [[nodiscard]] virtual Task<QList<SessionInfo>> sessions() = 0;
    /// True if there was such a session.
    [[nodiscard]] virtual Task<bool> stopSession(QString sessionId) = 0;

    // Files of a session, paths below `/sandbox` or relative to it.
    [[nodiscard]] virtual Task<> putFile(
        QString sessionId, QString path, QByteArray content, Transfer transfer = {})
        = 0;
    [[nodiscard]] virtual Task<QByteArray> fetchFile(
        QString sessionId, QString path, Transfer transfer = {})
        = 0;
    [[nodiscard]] virtual Task<QList<FileEntry>> listFiles(QString sessionId, QString path) = 0;
    [[nodiscard]] virtual Task<> removeFile(QString sessionId, QString path) = 0;
    /// With its parents; one that exists already is fine.
    [[nodiscard]] virtual Task<> makeDirectory(QString sessionId, QString path) = 0;
    /// A file that is at @p to already is replaced.
    [[nodiscard]] virtual Task<> renameFile(QString sessionId, QString from, QString to) = 0;

    /// Cancels every run, waits until their containers are gone, then closes the transport.
    [[nodiscard]] virtual Task<> shutdown() = 0;
};

} // namespace isol8
