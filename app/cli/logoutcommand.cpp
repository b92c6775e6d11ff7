// SPDX-License-Identifier: MIT
#include "app/cli/logoutcommand.h"

#include "app/cli/target.h"

#include <QDir>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QCoro::Task<int> revoke(Target target, QString keyId, Console* console)
{
    const auto engine = remoteEngine(target);
    const auto revoked = co_await engine->revokeKey(keyId);
    if (!revoked) {
        console->error(revoked.error().within(u"Revoking the token"_s));
        co_return 1;
    }
    co_return 0;
}

int forgetAll(const CredentialStore& store, Console& console)
{
    const auto cleared = store.clear();
    if (!cleared) {
        console.error(cleared.error());
        return 1;
    }
    if (*cleared)
        console.ok(u"Logged out of every server"_s);
    else
        console.info(u"No token is kept"_s);
    return 0;
}

} // namespace

void LogoutCommand::define(OptionSet& options)
{
    options.value("--host", m_host, { "The server; default: every one", "URL" });
    options.value("--key", m_key, { "Its master API key, to revoke the token there", "KEY" });
}

int LogoutCommand::run(Console& console)
{
    const CredentialStore store(QDir::homePath());
    if (!m_host) {
        if (!m_key)
            return forgetAll(store, console);
        console.error(u"--key belongs to --host: which server?"_s);
        return 1;
    }
    const auto address = remote::parseServerAddress(*m_host);
    if (!address) {
        console.error(address.error().within(u"--host"_s));
        return 1;
    }
    const auto credentials = store.all();
    if (!credentials) {
        console.error(credentials.error());
        return 1;
    }
    const auto credential = credentials->value(address->origin());
    int code = 0;
    if (m_key && !credential.keyId.isEmpty()) {
        const auto target = targetFor(*m_host, m_key, console);
        if (!target)
            return 1;
        code = runEventLoop(revoke(*target, credential.keyId, &console));
    }
    // Forgotten here in any case.
    const auto removed = store.remove(address->origin());
    if (!removed) {
        console.error(removed.error());
        return 1;
    }
    if (*removed)
        console.ok(u"Logged out of %1"_s.arg(address->toString()));
    else
        console.info(u"No token of %1 is kept"_s.arg(address->toString()));
    return code;
}

} // namespace isol8::cli
