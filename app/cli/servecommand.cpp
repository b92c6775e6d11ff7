// SPDX-License-Identifier: MIT
#include "app/cli/servecommand.h"

#include "app/cli/context.h"
#include "app/cli/servesession.h"

#include <QDir>
#include <QTimer>

#include <malloc.h>
#include <sys/resource.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qsizetype shortestGoodKey = 16;

/// Connections need more descriptors than the usual 1,024, which is kept low for programs that use
/// select(2).
void raiseDescriptorLimit()
{
    constexpr rlim_t enough = 65'536;
    rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= enough)
        return;
    limit.rlim_cur = std::min(limit.rlim_max, enough);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// An idle server shall be small. One heap for all threads, as only one of them is ever busy; and
/// what a busy time leaves free in it goes back to the system.
class Heap {
public:
    Heap()
    {
#ifdef __GLIBC__
        ::mallopt(M_ARENA_MAX, 1);
        m_trimming.callOnTimeout([] { ::malloc_trim(0); });
        m_trimming.start(10s);
#endif
    }

private:
    QTimer m_trimming;
};

QString keyDatabaseLocation(const QString& given, const Settings& settings)
{
    if (!given.isEmpty())
        return given;
    if (!settings.auth.connectionString.isEmpty())
        return settings.auth.connectionString;
    QDir().mkpath(QDir::homePath() + u"/.isol8"_s);
    return QDir::homePath() + u"/.isol8/auth.db"_s;
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
    options.value("--access-log", m_accessLog,
        { "A line of JSON for each request; - for standard output", "FILE", "serve.accessLog" });
    options.flag("--update", m_isUpdate, "Accepted; the server is part of this binary");
    options.flag("--debug", m_isDebug, "Say what the server does (default: off)");
}

int ServeCommand::run(Console& console)
{
    const Heap heap;
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
    if (plan->masterKey.size() < shortestGoodKey)
        console.warn(
            u"The API key is short enough to be guessed; `openssl rand -hex 32` makes one"_s);
    const auto manager = std::make_shared<serve::ServiceManager>();
    if (!manager->sockets().isEmpty() && (m_port || m_bind))
        console.warn(u"The service manager passes sockets in; --port and --bind do not count"_s);
    const auto readSettings = [&console, accessLog = m_accessLog]() -> std::optional<Settings> {
        auto loaded = settingsFor(console, ConfigTrust::Given);
        if (!loaded)
            return std::nullopt;
        if (accessLog)
            loaded->settings.serve.accessLog = *accessLog;
        return loaded->settings;
    };
    const auto settings = readSettings();
    if (!settings)
        return 1;
    raiseDescriptorLimit();
    ServeSession session { std::move(*plan), *settings, std::nullopt, readSettings };
    if (m_authDatabase || settings->auth.enabled)
        session.keyDatabase = keyDatabaseLocation(m_authDatabase.value_or(QString()), *settings);
    return runEventLoop(serveUntilInterrupted(std::move(session), manager, &console));
}

} // namespace isol8::cli
