// SPDX-License-Identifier: MIT
#include "app/cli/comingcommands.h"

#include "engine/core/units.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

int notYet(Console& console, const char* command)
{
    console.error(u"`isol8 %1` is not part of this build yet"_s.arg(QLatin1StringView(command)));
    return 1;
}

} // namespace

void ServeCommand::define(OptionSet& options)
{
    options.value("-p,--port", m_port, { "Port to listen on", "PORT", "$ISOL8_PORT, $PORT, 3000" });
    options.value("-k,--key", m_key, { "Master API key", "KEY", "$ISOL8_API_KEY" });
    options.value("--bind", m_bind, { "Address to listen on", "ADDRESS", "127.0.0.1" });
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
    if (m_port) {
        if (auto port = parseCount(*m_port, u"--port"_s, 0, 65535); !port) {
            console.error(port.error());
            return 1;
        }
    }
    return notYet(console, name());
}

void LoginCommand::define(OptionSet& options)
{
    options.value("--host", m_host, { "The server", "URL" });
    options.value("--key", m_key, { "Its API key", "KEY", "$ISOL8_API_KEY" });
    options.value("--name", m_name, { "Name of the token", "NAME" });
    options.value("--ttl", m_timeToLive, { "How long it is valid: 30m, 24h", "TIME", "24h" });
}

int LoginCommand::run(Console& console)
{
    if (m_timeToLive) {
        if (auto time = parseDuration(*m_timeToLive, u"--ttl"_s, std::chrono::days(3650)); !time) {
            console.error(time.error());
            return 1;
        }
    }
    return notYet(console, name());
}

void LogoutCommand::define(OptionSet& options)
{
    options.value("--host", m_host, { "The server; default: every one", "URL" });
    options.value("--key", m_key, { "Its API key", "KEY", "$ISOL8_API_KEY" });
}

int LogoutCommand::run(Console& console)
{
    return notYet(console, name());
}

void GuiCommand::define(OptionSet& options)
{
    options.positionals("files", m_files, { "Files to open", "FILE" });
}

int GuiCommand::run(Console& console)
{
    return notYet(console, name());
}

} // namespace isol8::cli
