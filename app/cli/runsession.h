// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "app/cli/fdwriter.h"
#include "app/cli/runplan.h"
#include "app/cli/signals.h"
#include "app/cli/stdinforwarder.h"
#include "app/cli/terminal.h"
#include "engine/core/engine.h"

#include <QPointer>

namespace isol8::cli {

/// How a run is shown.
struct RunDisplay {
    bool isStreamed = true; ///< Output as it comes; else at the end.
    bool isJson = false; ///< The whole result as JSON instead of the output.
    int outDescriptor = -1; ///< Gets standard output too; -1: none. Not owned.
    QString outPath; ///< Its name, for messages.
};

/// Shows one run on this process's descriptors and passes input and signals on to it. Signals
/// finished() once, when everything is written; then the process may end.
class RunSession : public QObject {
    Q_OBJECT

public:
    RunSession(Engine& engine, RunPlan plan, RunDisplay display, Console& console);
    ~RunSession() override;

Q_SIGNALS:
    void finished(int exitCode);

private:
    void showOutput(Channel channel, const QByteArray& bytes);
    void balanceOutput();
    void handleSignal(int number);
    void handleWriteFailure(const FdWriter* writer, int errorNumber);
    void handleEnd(const Result<ExecutionResult>& result);
    void finishWhenWritten();
    void conclude();
    void saveFiles();
    void end(int exitCode); ///< Decides the exit code, unless that is decided already.

    Console& m_console;
    RunPlan m_plan;
    RunDisplay m_display;
    FdWriter m_stdout;
    FdWriter m_stderr;
    std::unique_ptr<FdWriter> m_out;
    SignalWatcher m_signals;
    std::unique_ptr<RawTerminal> m_rawTerminal;
    std::unique_ptr<Run> m_run;
    std::unique_ptr<StdinForwarder> m_stdin;
    std::optional<Result<ExecutionResult>> m_result;
    std::optional<int> m_exitCode; ///< Decided by something else than the program's end.
    int m_interrupts = 0;
    bool m_isPaused = false;
    bool m_isConcluded = false;
};

} // namespace isol8::cli
