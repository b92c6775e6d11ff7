// SPDX-License-Identifier: MIT
#include "ui/run/runcontroller.h"

#include <csignal>

namespace isol8::ui {

RunController::RunController(QObject* parent)
    : QObject(parent)
{
}

RunController::~RunController() = default;

std::chrono::milliseconds RunController::elapsed() const
{
    return m_clock.isValid()
        ? std::chrono::duration_cast<std::chrono::milliseconds>(m_clock.durationElapsed())
        : std::chrono::milliseconds::zero();
}

void RunController::start(std::shared_ptr<Engine> engine, const RunJob& job)
{
    if (m_run)
        return;
    m_engine = std::move(engine);
    m_job = job;
    m_clock.start();
    m_run = m_engine->start(job.request, job.options, job.sessionId);
    connect(
        m_run.get(), &Run::outputReceived, this, [this](Channel channel, const QByteArray& bytes) {
            Q_EMIT outputReceived(channel, bytes);
        });
    connect(m_run.get(), &Run::usageReported, this, &RunController::usageReported);
    // Queued: the run must not be destroyed from within its own signal.
    connect(
        m_run.get(), &Run::finished, this,
        [this](const Result<ExecutionResult>& result) {
            m_run.reset();
            m_engine.reset();
            Q_EMIT finished(result);
        },
        Qt::QueuedConnection);
    Q_EMIT started(m_job);
}

void RunController::stop()
{
    if (m_run)
        m_run->cancel();
}

void RunController::interrupt()
{
    if (m_run)
        m_run->sendSignal(SIGINT);
}

void RunController::writeStdin(const QByteArray& bytes)
{
    if (m_run)
        m_run->writeStdin(bytes);
}

void RunController::closeStdin()
{
    if (m_run)
        m_run->closeStdin();
}

} // namespace isol8::ui
