// SPDX-License-Identifier: MIT
#include "app/cli/servesession.h"

#include "app/cli/dockerage.h"
#include "app/cli/servelistening.h"
#include "app/cli/signals.h"
#include "app/serve/dockerbackend.h"
#include "app/serve/keystore.h"
#include "app/serve/poolmetrics.h"
#include "engine/core/completion.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/sandbox/dockerengine.h"

#include <QDir>
#include <QLockFile>

#include <csignal>

#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// What ending takes beside `serve.drainMs`.
constexpr auto endingMargin = 60s;

Task<std::shared_ptr<serve::Service>> makeService(ServeSession session)
{
    auto endpoint = docker::resolveEndpoint();
    if (!endpoint)
        co_return std::unexpected(endpoint.error());
    std::shared_ptr<serve::KeyStore> store;
    if (session.keyDatabase) {
        const auto opened = co_await serve::KeyStore::open(*session.keyDatabase);
        if (!opened)
            co_return std::unexpected(opened.error().within(u"--auth-db"_s));
        store = *opened;
        store->removeExpiredEvery(session.settings.auth.cleanupInterval);
    }
    auto chosen = engineSettings(session.settings);
    chosen.sessionLinger
        = std::chrono::ceil<std::chrono::seconds>(session.settings.serve.sessionGrace);
    chosen.pool = poolLimits(session.settings);
    const auto engine = std::make_shared<DockerEngine>(*endpoint, std::move(chosen));
    engine->keepWarm({ Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash },
        defaultOptions(session.settings));
    const auto client = std::make_shared<docker::Client>(*endpoint);
    const auto images = std::make_shared<ImageBuilder>(client, ImageSettings {});
    auto service = std::make_shared<serve::Service>(session.settings,
        serve::dockerBackend(engine, client, images),
        std::make_shared<serve::Authenticator>(session.plan.masterKey, store));
    service->keyStore = store;
    serve::addPoolMetrics(service->metrics, [engine] { return engine->poolFigures(); });
    if (const auto opened = service->accessLog.open(session.settings.serve.accessLog); !opened)
        co_return std::unexpected(opened.error());
    co_return service;
}

/// Says what is known against the Docker that everything here relies on.
Task<> warnOfAge(Console* console)
{
    const auto endpoint = docker::resolveEndpoint();
    if (!endpoint)
        co_return std::unexpected(endpoint.error());
    const auto client = std::make_shared<docker::Client>(*endpoint);
    const auto version = co_await client->version();
    if (!version)
        co_return std::unexpected(version.error());
    for (const auto& warning : dockerAgeWarnings(*version))
        console->warn(warning);
    co_return {};
}

/// Held by the first of this user's servers, the one that takes up old sessions; null for others.
std::unique_ptr<QLockFile> firstServerLock()
{
    const auto directory = QDir::homePath() + u"/.isol8"_s;
    QDir().mkpath(directory);
    auto lock = std::make_unique<QLockFile>(directory + u"/serve.lock"_s);
    lock->setStaleLockTime(0); // Of a process that lives it never gets old.
    return lock->tryLock(0) ? std::move(lock) : nullptr;
}

/// What SIGHUP asks for.
void reload(serve::Server& server, serve::Service& service, const std::optional<Settings>& settings,
    Console& console)
{
    if (!settings) {
        console.warn(u"The configuration stays as it was"_s);
        // Whoever renames the log's file asks for a new one in the same way.
        if (const auto opened = service.accessLog.open(service.settings.serve.accessLog); !opened)
            console.error(opened.error());
        return;
    }
    const auto change = server.reconfigure(*settings);
    if (!change) {
        console.error(change.error());
        console.warn(u"The configuration stays as it was"_s);
        return;
    }
    console.info(change->changed.isEmpty()
            ? u"Read the configuration anew: nothing has changed"_s
            : u"Read the configuration anew; changed: %1"_s.arg(change->changed.join(u", "_s)));
    if (!change->needRestart.isEmpty())
        console.warn(
            u"These keys count only at the next start: "_s + change->needRestart.join(u", "_s));
}

} // namespace

QCoro::Task<int> serveUntilInterrupted(
    ServeSession session, std::shared_ptr<serve::ServiceManager> manager, Console* console)
{
    const Completion<> interrupted;
    const CancelToken hurry;
    const auto hangUp = std::make_shared<std::function<void()>>();
    const bool hasTerminal = ::isatty(STDERR_FILENO) == 1;
    // Deleted later: this coroutine goes on, and may end, within its signal.
    const std::unique_ptr<SignalWatcher, QScopedPointerDeleteLater> signalWatcher(
        new SignalWatcher({ SIGINT, SIGTERM, SIGHUP }));
    QObject::connect(signalWatcher.get(), &SignalWatcher::received, signalWatcher.get(),
        [interrupted, hurry, hangUp, hasTerminal](int number) {
            // At the end of its terminal a server has lost its user.
            const bool isReload
                = number == SIGHUP && (!hasTerminal || ::isatty(STDERR_FILENO) == 1);
            if (isReload) {
                if (*hangUp)
                    (*hangUp)();
                return;
            }
            if (interrupted.isDelivered())
                hurry.cancel();
            interrupted.deliver({});
        });
    const auto service = co_await makeService(session);
    if (!service) {
        console->error(service.error());
        co_return 1;
    }
    const auto server = std::make_shared<serve::Server>(*service);
    std::unique_ptr<QLockFile> lock;
    const auto url = manager->sockets().isEmpty()
        ? listenAt(*server, session.plan.address, *console)
        : listenOnPassed(*server, manager->sockets(), session.plan.address.tls, *console);
    if (url) {
        const auto status = u"Listening on "_s + *url;
        *hangUp
            = [server, service = *service, read = session.readSettings, manager, console, status] {
                  manager->reloading();
                  reload(*server, *service, read(), *console);
                  manager->ready(status);
              };
        manager->ready(status);
        (void)warnOfAge(console);
        lock = firstServerLock();
        if (lock) {
            if (const auto adopted = co_await server->adoptSessions(); !adopted)
                console->warn(u"No code can run yet: "_s + adopted.error().message);
        }
        (void)co_await interrupted.wait();
        *hangUp = nullptr;
        console->info(u"Ending: waiting for what runs; interrupt once more to cancel it"_s);
        manager->stopping(u"Waiting for what runs"_s,
            (*service)->settings.serve.drain + std::chrono::milliseconds(endingMargin));
    }
    const auto ended = co_await server->shutdown(hurry);
    if (!ended)
        console->error(ended.error());
    co_return url&& ended ? 0 : 1;
}

} // namespace isol8::cli
