// SPDX-License-Identifier: MIT
#include "engine/sandbox/dockerrun.h"

#include "engine/core/names.h"
#include "engine/core/validation.h"
#include "engine/sandbox/runresult.h"
#include "engine/sandbox/runsteps.h"

#include <QTimer>
#include <QUuid>

namespace isol8 {

namespace {

constexpr int lastSignal = 64; // Of Linux.

/// What the audit log is to have is kept even if the caller does not ask for it.
qint64 keptOutputBytes(const EngineState& engine, const ExecutionRequest& request)
{
    const auto& audit = engine->settings.audit;
    const bool isNoted = audit.enabled && audit.includeOutput;
    return isNoted ? std::numeric_limits<qint64>::max()
                   : request.keptOutputBytes.value_or(std::numeric_limits<qint64>::max());
}

} // namespace

RunContext::RunContext(EngineState engineState, ExecutionRequest theRequest,
    ExecutionOptions theOptions, QString theSessionId)
    : engine(std::move(engineState))
    , request(std::move(theRequest))
    , options(std::move(theOptions))
    , sessionId(std::move(theSessionId))
    , secrets(options.secrets)
    , output(secrets, options.maxOutputBytes, keptOutputBytes(engine, request))
    , installOutput(secrets, options.maxOutputBytes)
    , timeLimit(request.timeout.value_or(options.timeout))
    , rows(request.terminalRows)
    , columns(request.terminalColumns)
{
    result.executionId = request.executionId.isEmpty()
        ? QUuid::createUuid().toString(QUuid::WithoutBraces)
        : request.executionId;
    result.runtime = request.runtime;
    result.timestamp = QDateTime::currentDateTimeUtc();
}

void RunContext::cancel()
{
    isCancelled = true;
    steps.cancel();
}

Result<std::unique_ptr<proxy::FilteredNetwork>> RunContext::makeNetwork(
    const NetworkFilter& filter) const
{
    proxy::FilteredNetworkSettings settings;
    settings.isLogged = options.isNetworkLogged;
    return proxy::FilteredNetwork::create(filter, std::move(settings));
}

namespace {

/// A valid request becomes a run, and a run gets its line in the audit log before its result is
/// told.
Task<ExecutionResult> performAudited(std::shared_ptr<RunContext> context)
{
    if (const auto valid = validate(context->request, context->options); !valid)
        co_return std::unexpected(valid.error());
    if (!context->sessionId.isEmpty()) {
        if (const auto valid = checkSessionId(context->sessionId); !valid)
            co_return std::unexpected(valid.error());
    }
    auto& audit = context->engine->audit;
    if (const auto admitted = co_await audit.admit(context->steps); !admitted)
        co_return std::unexpected(admitted.error());
    QElapsedTimer timer;
    timer.start();
    auto result = co_await performRun(context);
    if (!audit.isEnabled())
        co_return result;
    AuditedRun run { context->request, result.value_or(context->result), {} };
    if (!result) {
        run.error = result.error();
        run.result.duration
            = std::chrono::duration_cast<std::chrono::microseconds>(timer.durationElapsed());
    }
    // A failure is told by the log itself; the run took place all the same.
    (void)co_await audit.note(std::move(run), context->secrets);
    co_return result;
}

Task<> perform(std::shared_ptr<RunContext> context)
{
    const auto engine = context->engine;
    const CancelToken byEngine;
    const auto registration = byEngine.onCancel([context] { context->cancel(); });
    const auto activity = engine->begin(byEngine);
    auto result = co_await performAudited(context);
    if (result)
        maskSentences(*result, context->secrets);
    else
        result.error().message = context->secrets.masked(result.error().message);
    if (context->view)
        Q_EMIT context->view->finished(result);
    engine->end(activity);
    co_return {};
}

} // namespace

DockerRun::DockerRun(std::shared_ptr<RunContext> context)
    : m_context(std::move(context))
{
    m_context->view = this;
    connect(&m_context->output, &RunOutput::ready, this, &Run::outputReceived);
    connect(&m_context->installOutput, &RunOutput::ready, this, &Run::outputReceived);
    QTimer::singleShot(0, this, [context = m_context] { (void)perform(context); });
}

DockerRun::~DockerRun()
{
    m_context->view = nullptr;
    m_context->cancel();
}

bool DockerRun::hasProgram() const
{
    return m_context->program && m_context->phase == Phase::Code;
}

void DockerRun::writeStdin(const QByteArray& bytes)
{
    if (m_context->isStdinClosed)
        return;
    if (hasProgram())
        m_context->program->writeStdin(bytes);
    else
        m_context->earlyStdin += bytes;
}

void DockerRun::closeStdin()
{
    if (std::exchange(m_context->isStdinClosed, true))
        return;
    if (hasProgram())
        m_context->program->closeStdin();
}

qint64 DockerRun::pendingStdinBytes() const
{
    return hasProgram() ? m_context->program->pendingStdinBytes() : m_context->earlyStdin.size();
}

void DockerRun::sendSignal(int number)
{
    if (number < 1 || number > lastSignal)
        return;
    if (hasProgram())
        m_context->program->sendSignal(number);
    else
        cancel(); // No program to decide for itself yet.
}

void DockerRun::resizeTerminal(int rows, int columns)
{
    m_context->rows = rows;
    m_context->columns = columns;
    if (hasProgram())
        m_context->program->resizeTerminal(rows, columns);
}

void DockerRun::setOutputPaused(bool isPaused)
{
    m_context->isOutputPaused = isPaused;
    if (m_context->program)
        m_context->program->setOutputPaused(isPaused);
}

void DockerRun::cancel()
{
    m_context->cancel();
}

} // namespace isol8
