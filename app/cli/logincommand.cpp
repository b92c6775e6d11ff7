// SPDX-License-Identifier: MIT
#include "app/cli/logincommand.h"

#include "app/cli/target.h"
#include "engine/core/units.h"

#include <QDir>
#include <QSysInfo>

namespace isol8::cli {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds usualTimeToLive = 24h;
constexpr std::chrono::milliseconds longestTimeToLive = std::chrono::days(3650);

QCoro::Task<int> logIn(
    Target target, QString name, std::chrono::milliseconds timeToLive, Console* console)
{
    const auto engine = remoteEngine(target);
    const auto login = co_await engine->logIn(name, timeToLive);
    if (!login) {
        console->error(login.error());
        co_return 1;
    }
    const CredentialStore store(QDir::homePath());
    const auto saved
        = store.save(target.address.origin(), { login->token, login->keyId, login->expires });
    if (!saved) {
        console->error(saved.error());
        co_return 1;
    }
    const auto until = login->expires.isValid()
        ? u" until "_s + login->expires.toLocalTime().toString(Qt::ISODate)
        : QString();
    console->ok(u"Logged in to %1%2"_s.arg(target.address.toString(), until));
    co_return 0;
}

} // namespace

void LoginCommand::define(OptionSet& options)
{
    options.value("--host", m_host, { "The server", "URL" });
    options.value("--key", m_key, { "Its master API key", "KEY", "$ISOL8_API_KEY" });
    options.value("--name", m_name, { "Name of the token", "NAME", "this machine's name" });
    options.value("--ttl", m_timeToLive, { "How long it is valid: 30m, 24h", "TIME", "24h" });
}

int LoginCommand::run(Console& console)
{
    auto timeToLive = usualTimeToLive;
    if (m_timeToLive) {
        const auto time = parseDuration(*m_timeToLive, u"--ttl"_s, longestTimeToLive);
        if (!time) {
            console.error(time.error());
            return 1;
        }
        timeToLive = *time;
    }
    if (!m_host) {
        console.error(u"--host is missing: which server?"_s);
        return 1;
    }
    // A stored token cannot make another one, and a file that is refused should be known first.
    const CredentialStore store(QDir::homePath());
    if (const auto readable = store.all(); !readable) {
        console.error(readable.error());
        return 1;
    }
    const auto key = m_key ? m_key : realSurroundings().variable(u"ISOL8_API_KEY"_s);
    if (key.value_or(QString()).isEmpty()) {
        console.error(u"API key required: give --key or set ISOL8_API_KEY"_s);
        return 1;
    }
    const auto target = targetFor(*m_host, key, console);
    if (!target)
        return 1;
    const auto name = m_name.value_or(QSysInfo::machineHostName());
    return runEventLoop(logIn(*target, name, timeToLive, &console));
}

} // namespace isol8::cli
