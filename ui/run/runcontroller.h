// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "ui/run/runjob.h"

#include <QElapsedTimer>

#include <memory>

namespace isol8::ui {

/// The window's run: one at a time. It keeps the engine alive for as long as the run needs it.
class RunController : public QObject {
    Q_OBJECT

public:
    explicit RunController(QObject* parent);
    ~RunController() override;

    [[nodiscard]] bool isRunning() const { return m_run != nullptr; }
    [[nodiscard]] const RunJob& job() const { return m_job; } ///< The last one.
    [[nodiscard]] std::chrono::milliseconds elapsed() const;

    /// Ignored while another runs.
    void start(std::shared_ptr<Engine> engine, const RunJob& job);
    void stop();
    void interrupt(); ///< SIGINT.
    void writeStdin(const QByteArray& bytes);
    void closeStdin();

Q_SIGNALS:
    void started(const isol8::ui::RunJob& job);
    void outputReceived(isol8::Channel channel, const QByteArray& bytes);
    void usageReported(const isol8::RunUsage& usage);
    void finished(const isol8::Result<isol8::ExecutionResult>& result);

private:
    std::shared_ptr<Engine> m_engine;
    std::unique_ptr<Run> m_run;
    RunJob m_job;
    QElapsedTimer m_clock;
};

} // namespace isol8::ui
