// SPDX-License-Identifier: MIT
#include "app/serve/executiondriver.h"

#include "app/serve/answer.h"
#include "app/serve/coroutinetimer.h"
#include "engine/core/completion.h"

#include <QElapsedTimer>
#include <QUuid>

#include <array>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// What the end of a run says about its session. A sandbox usually outlives a cancel and a
/// time-out; where it did not, the engine says so to whoever asks for the session next.
void noteSession(SessionTable::Lease& lease, const ExecutionRequest& request,
    const Result<ExecutionResult>& result)
{
    if (result && result->ending.reason != EndReason::EngineLost)
        return lease.confirm(request.runtime);
    constexpr std::array withoutEffect { Kind::Invalid, Kind::Conflict, Kind::Cancelled };
    if (result || !std::ranges::contains(withoutEffect, result.error().kind))
        lease.forget();
}

} // namespace

/// The coroutines behind perform(), with access to what they work on.
struct ExecutionDriver::Steps {
    using Driver = std::shared_ptr<ExecutionDriver>;

    struct Place {
        std::shared_ptr<SessionTable::Lease> lease; ///< Null without a session.
        Ticket ticket;
    };

    /// Waits for the session first: who waits for it must not keep others from running.
    static Task<Place> waitForPlace(Driver driver)
    {
        const auto service = driver->m_service;
        const auto limit = driver->m_call.request.timeout.value_or(driver->m_call.options.timeout);
        const auto isLate = std::make_shared<bool>(false);
        const CoroutineTimer timer(new QTimer);
        timer->setSingleShot(true);
        connect(timer.get(), &QTimer::timeout, timer.get(), [isLate, cancel = driver->m_cancel] {
            *isLate = true;
            cancel.cancel();
        });
        timer->start(limit);

        Place place;
        if (!driver->m_call.sessionId.isEmpty()) {
            auto lease = co_await service->sessions.acquire(
                SessionTable::engineId(driver->m_principal.tenant, driver->m_call.sessionId),
                driver->m_call.request.runtime, driver->m_cancel);
            if (!lease)
                co_return std::unexpected(waitFailure(lease.error(), *isLate));
            place.lease = *lease;
        }
        auto ticket = co_await service->queue.admit(driver->m_principal.tenant, driver->m_cancel);
        if (!ticket)
            co_return std::unexpected(waitFailure(ticket.error(), *isLate));
        place.ticket = std::move(*ticket);
        co_return place;
    }

    static Error waitFailure(const Error& error, bool isLate)
    {
        return isLate ? Error { Kind::Timeout,
            u"the time limit passed while the execution waited for its turn"_s }
                      : error;
    }

    static Task<ExecutionResult> run(Driver driver, QString engineSession)
    {
        const Completion<ExecutionResult> ended;
        driver->begin(engineSession);
        // Queued: the run must not be destroyed from within its own signal.
        connect(
            driver->m_run.get(), &Run::finished, driver.get(),
            [ended](const Result<ExecutionResult>& result) { ended.deliver(result); },
            Qt::QueuedConnection);
        const auto registration
            = driver->m_cancel.onCancel([run = driver->m_run.get()] { run->cancel(); });
        auto result = co_await ended.wait();
        driver->m_run.reset();
        if (!result) {
            auto error = engineFailure(result.error());
            // An image that nobody asked for by name is the operator's to make.
            if (error.kind == Kind::NotFound && driver->m_call.options.image.isEmpty())
                error.httpStatus = 500;
            // The engine's name of the session says more than its client knows.
            if (!engineSession.isEmpty())
                error.message.replace(engineSession, driver->m_call.sessionId);
            co_return std::unexpected(error);
        }
        co_return result;
    }

    static Task<ExecutionResult> perform(Driver driver)
    {
        const auto service = driver->m_service;
        if (service->draining.isCancelled())
            co_return std::unexpected(shuttingDown());
        service->executions.add(
            driver->m_id, driver->m_principal.tenant, driver->m_call.request, driver->m_cancel);
        QElapsedTimer waited;
        waited.start();
        auto place = co_await waitForPlace(driver);
        if (!place) {
            service->executions.setFinished(driver->m_id, std::unexpected(place.error()));
            service->metrics.noteFailure(driver->m_call.request.runtime, place.error());
            co_return std::unexpected(place.error());
        }
        const auto queueTime
            = std::chrono::duration_cast<std::chrono::microseconds>(waited.durationElapsed());
        service->executions.setRunning(driver->m_id);
        const auto& sessionId = driver->m_call.sessionId;
        auto result = co_await run(driver,
            sessionId.isEmpty() ? QString()
                                : SessionTable::engineId(driver->m_principal.tenant, sessionId));
        if (place->lease)
            noteSession(*place->lease, driver->m_call.request, result);
        if (result) {
            result->executionId = driver->m_id;
            result->phases.queue = queueTime;
        }
        service->executions.setFinished(driver->m_id, result);
        if (result)
            service->metrics.noteRun(*result);
        else
            service->metrics.noteFailure(driver->m_call.request.runtime, result.error());
        co_return result;
    }
};

ExecutionDriver::ExecutionDriver(
    std::shared_ptr<Service> service, Principal principal, ExecuteCall call)
    : m_service(std::move(service))
    , m_principal(std::move(principal))
    , m_call(std::move(call))
    , m_id(QUuid::createUuid().toString(QUuid::WithoutBraces))
{
    m_call.request.executionId = m_id;
    m_call.request.tenant = m_principal.tenant;
}

ExecutionDriver::~ExecutionDriver() = default;

Task<ExecutionResult> ExecutionDriver::perform(std::shared_ptr<ExecutionDriver> driver)
{
    return Steps::perform(std::move(driver));
}

void ExecutionDriver::begin(const QString& engineSession)
{
    m_run = m_service->backend.engine->start(m_call.request, m_call.options, engineSession);
    connect(m_run.get(), &Run::started, this, &ExecutionDriver::started);
    connect(m_run.get(), &Run::outputReceived, this, &ExecutionDriver::outputReceived);
    m_run->setOutputPaused(m_isOutputPaused);
    if (!m_earlyStdin.isEmpty())
        m_run->writeStdin(std::exchange(m_earlyStdin, {}));
    if (m_isStdinClosed)
        m_run->closeStdin();
}

void ExecutionDriver::cancel()
{
    m_cancel.cancel();
}

void ExecutionDriver::writeStdin(const QByteArray& bytes)
{
    if (m_isStdinClosed)
        return;
    if (m_run)
        m_run->writeStdin(bytes);
    else
        m_earlyStdin += bytes;
}

void ExecutionDriver::closeStdin()
{
    m_isStdinClosed = true;
    if (m_run)
        m_run->closeStdin();
}

qint64 ExecutionDriver::pendingStdinBytes() const
{
    return m_run ? m_run->pendingStdinBytes() : m_earlyStdin.size();
}

void ExecutionDriver::sendSignal(int number)
{
    if (m_run)
        m_run->sendSignal(number);
    else
        cancel(); // No program to decide for itself yet.
}

void ExecutionDriver::resizeTerminal(int rows, int columns)
{
    m_call.request.terminalRows = rows;
    m_call.request.terminalColumns = columns;
    if (m_run)
        m_run->resizeTerminal(rows, columns);
}

void ExecutionDriver::setOutputPaused(bool isPaused)
{
    m_isOutputPaused = isPaused;
    if (m_run)
        m_run->setOutputPaused(isPaused);
}

} // namespace isol8::serve
