// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "engine/core/executionjson.h"
#include "engine/output/utf8.h"
#include "engine/remote/eventstream.h"

#include <QElapsedTimer>
#include <QTimer>

#include <deque>
#include <optional>

namespace isol8::remote {

/// The Run of a RemoteEngine: one stream of events, over WebSocket or else SSE, and after its exit
/// the result as the server knows it, or as it follows from the events.
class RemoteRun final : public Run {
    Q_OBJECT

public:
    /// Begins on the next turn of the event loop.
    RemoteRun(std::shared_ptr<Connection> connection, ExecutionRequest request,
        ExecutionOptions options, QString sessionId);
    ~RemoteRun() override;

    void writeStdin(const QByteArray& bytes) override;
    void closeStdin() override;
    [[nodiscard]] qint64 pendingStdinBytes() const override;
    void sendSignal(int number) override;
    void resizeTerminal(int rows, int columns) override;
    void setOutputPaused(bool isPaused) override;
    void cancel() override;

private:
    void begin();
    void openStream(std::unique_ptr<EventStream> stream);
    void handleOpened();
    void sendStdin();
    void receive(const QByteArray& json);
    void handleStreamEnd(const Error& reason);
    void drain();
    void take(const StreamEvent& event);
    void takeOutput(const StreamEvent& event);
    void takeExit(const StreamEvent& event);
    void handleLimit();
    void complete(const QString& executionId);
    void finish(const Result<ExecutionResult>& result);
    void finishLater(const Result<ExecutionResult>& result);

    std::shared_ptr<Connection> m_connection;
    ExecutionRequest m_request;
    ExecutionOptions m_options;
    QString m_sessionId;
    QJsonObject m_execution;
    std::unique_ptr<EventStream> m_stream;
    QTimer m_limit;
    CancelToken m_cancel; ///< Of the calls after the exit.
    CancelToken::Registration m_closing;

    // Input that has not been sent yet.
    QByteArray m_stdin;
    Utf8Decoder m_stdinDecoder;
    bool m_isStdinClosed = false;

    // Events that wait while output is paused, and the stream's end after them.
    std::deque<QByteArray> m_waiting;
    std::optional<Error> m_streamEnd;

    ExecutionResult m_result; ///< As far as the events tell.
    QElapsedTimer m_sinceBegin;
    bool m_isOutputWhole = true; ///< All of it was kept in the result.
    std::optional<Error> m_failure; ///< The last `error` event.
    bool m_isWebSocket = true;
    bool m_isOpen = false;
    bool m_isStarted = false;
    bool m_isPaused = false;
    bool m_isCompleting = false; ///< The exit has come.
    bool m_isFinished = false;
};

} // namespace isol8::remote
