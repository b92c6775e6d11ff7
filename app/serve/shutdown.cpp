// SPDX-License-Identifier: MIT
#include "app/serve/shutdown.h"

#include "app/serve/answer.h"
#include "app/serve/coroutinetimer.h"
#include "engine/core/logging.h"

namespace isol8::serve {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// What cancelled executions may take.
constexpr auto cancelLimit = 10s;

/// Only this server's own: others may use the same Docker.
Task<> endSessions(std::shared_ptr<Service> service)
{
    Result<> ended;
    for (const auto& id : service->sessions.engineIds()) {
        const auto stopped = co_await service->backend.engine->stopSession(id);
        if (!stopped)
            ended = std::unexpected(stopped.error());
    }
    co_return ended;
}

} // namespace

Task<> waitAtMost(Completion<> completion, std::chrono::milliseconds limit, CancelToken hurry)
{
    const CoroutineTimer timer(new QTimer);
    timer->setSingleShot(true);
    QObject::connect(
        timer.get(), &QTimer::timeout, timer.get(), [completion] { completion.deliver({}); });
    timer->start(limit);
    const auto registration = hurry.onCancel([completion] { completion.deliver({}); });
    co_return co_await completion.wait();
}

Task<> shutDown(std::shared_ptr<Service> service, CancelToken hurry)
{
    service->draining.cancel();
    service->queue.close(shuttingDown());
    service->sessions.close(shuttingDown());
    const Completion<> drained;
    service->requests.whenNone(drained);
    (void)co_await waitAtMost(drained, service->settings.serve.drain, hurry);

    service->cancelReason = u"the server is shutting down"_s;
    service->executions.cancelAll();
    // A run that ends gives its session back, so the sessions end after the runs.
    const Completion<> cancelled;
    service->executions.whenNoneIsActive(cancelled);
    (void)co_await waitAtMost(cancelled, cancelLimit);
    if (!service->settings.serve.keepSessions) {
        if (const auto ended = co_await endSessions(service); !ended)
            qCWarning(logServe) << "sessions were not ended:" << ended.error().message;
    }
    co_return co_await service->backend.engine->shutdown();
}

} // namespace isol8::serve
