// SPDX-License-Identifier: MIT
#include "app/serve/service.h"

namespace isol8::serve {

namespace {

RunQueue::Limits queueLimits(const Settings& settings)
{
    return { settings.maxConcurrent, settings.serve.maxConcurrentPerTenant, settings.serve.maxQueue,
        settings.serve.queueTimeout };
}

} // namespace

Service::Service(
    Settings theSettings, Backend theBackend, std::shared_ptr<Authenticator> theAuthenticator)
    : settings(std::move(theSettings))
    , backend(std::move(theBackend))
    , authenticator(std::move(theAuthenticator))
    , queue(queueLimits(settings))
    , sessions({ settings.serve.maxSessions, settings.serve.maxQueue })
    , executions(settings.serve.keepResults)
{
    metrics.addGauge("isol8_running", "Executions that run.", [this] { return queue.running(); });
    metrics.addGauge("isol8_queue_depth", "Executions that wait for a place.",
        [this] { return queue.waiting(); });
    metrics.addGauge("isol8_sessions", "Sessions.", [this] { return sessions.count(); });
}

} // namespace isol8::serve
