// SPDX-License-Identifier: MIT
#include "app/serve/service.h"

#include "app/serve/keystore.h"

namespace isol8::serve {

namespace {

RunQueue::Limits queueLimits(const Settings& settings)
{
    return { settings.maxConcurrent, settings.serve.maxConcurrentPerTenant, settings.serve.maxQueue,
        settings.serve.queueTimeout };
}

SessionTable::Limits sessionLimits(const Settings& settings)
{
    return { settings.serve.maxSessions, settings.serve.maxQueue };
}

} // namespace

Service::Service(
    Settings theSettings, Backend theBackend, std::shared_ptr<Authenticator> theAuthenticator)
    : settings(std::move(theSettings))
    , backend(std::move(theBackend))
    , authenticator(std::move(theAuthenticator))
    , queue(queueLimits(settings))
    , sessions(sessionLimits(settings))
    , executions(settings.serve.keepResults)
{
    metrics.addGauge("isol8_running", "Executions that run.", [this] { return queue.running(); });
    metrics.addGauge("isol8_queue_depth", "Executions that wait for a place.",
        [this] { return queue.waiting(); });
    metrics.addGauge("isol8_sessions", "Sessions.", [this] { return sessions.count(); });
    metrics.addGauge(
        "isol8_http_requests_active", "Requests under way.", [this] { return requests.count(); });
}

void Service::apply(const Settings& theSettings)
{
    settings = theSettings;
    queue.setLimits(queueLimits(settings));
    sessions.setLimits(sessionLimits(settings));
    executions.setKeepResults(settings.serve.keepResults);
    if (keyStore)
        keyStore->removeExpiredEvery(settings.auth.cleanupInterval);
}

} // namespace isol8::serve
