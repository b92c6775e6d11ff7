// SPDX-License-Identifier: MIT
#include "app/cli/servecommand.h"

#include "app/cli/context.h"
#include "app/cli/serveplan.h"
#include "app/cli/signals.h"
#include "app/serve/dockerbackend.h"
#include "app/serve/keystore.h"
#include "app/serve/server.h"
#include "engine/core/completion.h"
#include "engine/core/units.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/sandbox/dockerengine.h"

#include <QDir>
#include <QLockFile>

#include <csignal>

#include <sys/resource.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// Everything that the server is made from.
struct Preparation {
    ServePlan plan;
    Settings settings;
    std::optional<QString> keyDatabase; ///< None: the master key alone counts.
};

Task<std::shared_ptr<serve::Service>> makeService(Preparation preparation, Console* console)
{
    auto endpoint = docker::resolveEndpoint();
    if (!endpoint)
        co_return std::unexpected(endpoint.error());
    std::shared_ptr<serve::KeyStore> store;
    if (preparation.keyDatabase) {
        const auto opened = co_await serve::KeyStore::open(*preparation.keyDatabase);
        if (!opened)
            co_return std::unexpected(opened.error().within(u"--auth-db"_s));
        store = *opened;
        store->removeExpiredEvery(preparation.settings.auth.cleanupInterval);
    }
    DockerEngineSettings engineSettings;
    engineSettings.sessionLinger
        = std::chrono::ceil<std::chrono::seconds>(preparation.settings.cleanup.maxContainerAge);
    const auto engine = std::make_shared<DockerEngine>(*endpoint, engineSettings);
    const auto client = std::make_shared<docker::Client>(*endpoint);
    const auto images = std::make_shared<ImageBuilder>(client, ImageSettings {});
    const auto version = co_await client->version();
    if (!version)
        console->warn(u"No code can run yet: "_s + version.error().message);
    auto service = std::make_shared<serve::Service>(preparation.settings,
        serve::dockerBackend(engine, client, images),
        std::make_shared<serve::Authenticator>(preparation.plan.masterKey, store));
    service->keyStore = store;
    co_return service;
}

/// What to do about a port that is in use: another one, 0 for any free one, none for the end.
std::optional<quint16> choosePort(quint16 busy, Console& console)
{
    if (!console.canAsk()) {
        console.warn(u"Port %1 is in use; taking a free one"_s.arg(busy));
        return quint16(0);
    }
    while (
        const auto answer = console.ask(
            u"Port %1 is in use. Another port's number, [f] any free one, [e] exit:"_s.arg(busy))) {
        if (answer->toLower() == "f"_L1)
            return quint16(0);
        if (answer->toLower() == "e"_L1)
            break;
        if (const auto port = parseCount(*answer, u"port"_s, 1, 65'535))
            return quint16(*port);
    }
    return std::nullopt;
}

/// Listens as planned, or on another port if the user agrees. True when it listens.
bool startListening(serve::Server& server, http::ListenAddress address, Console& console)
{
    for (;;) {
        const auto listening = server.listen(address);
        if (listening)
            break;
        const bool isBusy = listening.error().kind == Kind::Conflict && address.localPath.isEmpty()
            && address.port != 0;
        if (!isBusy) {
            console.error(listening.error());
            return false;
        }
        const auto other = choosePort(address.port, console);
        if (!other)
            return false;
        address.port = *other;
    }
    if (address.localPath.isEmpty() && !isLoopback(address) && !address.tls)
        console.warn(u"Keys and code travel unencrypted; use --tls-cert and --tls-key, or a proxy "
                     "that encrypts"_s);
    console.info(u"isol8 server v%1 listening on %2"_s.arg(
        QStringLiteral(ISOL8_VERSION), serverUrl(address, server.port())));
    return true;
}

/// Each connection and each sandbox takes a descriptor, and the usual limit of 1,024 would be
/// reached before ours.
void raiseDescriptorLimit()
{
    rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
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

QCoro::Task<int> perform(Preparation preparation, Console* console)
{
    const Completion<> interrupted;
    const CancelToken hurry;
    // Deleted later: this coroutine goes on, and may end, within its signal.
    const std::unique_ptr<SignalWatcher, QScopedPointerDeleteLater> signalWatcher(
        new SignalWatcher({ SIGINT, SIGTERM }));
    QObject::connect(
        signalWatcher.get(), &SignalWatcher::received, signalWatcher.get(), [interrupted, hurry] {
            if (interrupted.isDelivered())
                hurry.cancel();
            interrupted.deliver({});
        });
    const auto service = co_await makeService(preparation, console);
    if (!service) {
        console->error(service.error());
        co_return 1;
    }
    const auto server = std::make_unique<serve::Server>(*service);
    const auto lock = firstServerLock();
    if (lock) {
        if (const auto adopted = co_await server->adoptSessions(); !adopted)
            console->debug(u"Sessions of an earlier server: "_s + adopted.error().message);
    }
    int code = 0;
    if (startListening(*server, preparation.plan.address, *console)) {
        (void)co_await interrupted.wait();
        console->info(u"Ending: waiting for what runs; interrupt once more to cancel it"_s);
    } else {
        code = 1;
    }
    const auto ended = co_await server->shutdown(hurry);
    if (!ended) {
        console->error(ended.error());
        code = 1;
    }
    co_return code;
}

} // namespace

void ServeCommand::define(OptionSet& options)
{
    options.value("-p,--port", m_port,
        { "Port to listen on; 0: any free one", "PORT", "$ISOL8_PORT, $PORT, 3000" });
    options.value("-k,--key", m_key, { "Master API key", "KEY", "$ISOL8_API_KEY" });
    options.value("--bind", m_bind,
        { "IP address to listen on, or unix:/path; 0.0.0.0 for other machines", "ADDRESS",
            "127.0.0.1" });
    options.value("--tls-cert", m_tlsCertificate, { "Certificate (PEM) for HTTPS", "FILE" });
    options.value("--tls-key", m_tlsKey, { "Its private key (PEM)", "FILE" });
    options.optionalValue("--auth-db", m_authDatabase,
        { "Keys in a file, postgres:// or mysql:// database; default: the configured one",
            "DATABASE" });
    options.flag("--update", m_isUpdate, "Accepted; the server is part of this binary");
    options.flag("--debug", m_isDebug, "Say what the server does (default: off)");
}

int ServeCommand::run(Console& console)
{
    if (m_isUpdate)
        console.info(u"The server is part of this binary; there is nothing to update"_s);
    if (m_isDebug) {
        console.setDebug(true);
        console.captureLog();
    }
    auto plan
        = planServe({ m_port, m_key, m_bind, m_tlsCertificate, m_tlsKey }, realSurroundings());
    if (!plan) {
        console.error(plan.error());
        return 1;
    }
    const auto loaded = settingsFor(console, ConfigTrust::Given);
    if (!loaded)
        return 1;
    Preparation preparation { std::move(*plan), loaded->settings, std::nullopt };
    if (m_authDatabase || loaded->settings.auth.enabled) {
        auto location = m_authDatabase.value_or(QString());
        if (location.isEmpty())
            location = loaded->settings.auth.connectionString;
        if (location.isEmpty()) {
            QDir().mkpath(QDir::homePath() + u"/.isol8"_s);
            location = QDir::homePath() + u"/.isol8/auth.db"_s;
        }
        preparation.keyDatabase = location;
    }
    raiseDescriptorLimit();
    return runEventLoop(perform(std::move(preparation), &console));
}

} // namespace isol8::cli
