// SPDX-License-Identifier: MIT
#include "app/cli/target.h"

#include <QDir>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

Result<QString> keyFor(const remote::ServerAddress& address, const std::optional<QString>& typed,
    const Surroundings& surroundings, const CredentialStore& credentials)
{
    const auto variable = surroundings.variable(u"ISOL8_API_KEY"_s).value_or(QString());
    if (typed)
        return *typed;
    if (!variable.isEmpty())
        return variable;
    const auto stored = credentials.find(address.origin(), QDateTime::currentDateTimeUtc());
    if (!stored)
        return std::unexpected(stored.error());
    return stored->value_or(Credential()).token;
}

} // namespace

Result<Target> resolveTarget(const QString& host, const std::optional<QString>& key,
    const Surroundings& surroundings, const CredentialStore& credentials)
{
    const auto address = remote::parseServerAddress(host);
    if (!address)
        return std::unexpected(address.error().within(u"--host"_s));
    const auto found = keyFor(*address, key, surroundings, credentials);
    if (!found)
        return std::unexpected(found.error());
    if (found->isEmpty())
        return failure(Kind::Invalid,
            u"API key required: give --key, set ISOL8_API_KEY, or run `isol8 login --host %1`"_s
                .arg(address->toString()));
    if (auto valid = remote::checkApiKey(*found); !valid)
        return std::unexpected(valid.error());
    return Target { *address, *found };
}

std::optional<Target> targetFor(
    const QString& host, const std::optional<QString>& key, Console& console)
{
    auto target = resolveTarget(host, key, realSurroundings(), CredentialStore(QDir::homePath()));
    if (!target) {
        console.error(target.error());
        return std::nullopt;
    }
    if (!target->address.isPrivate())
        console.warn(u"%1 is not encrypted: others on the way can read the key and the code"_s.arg(
            target->address.toString()));
    return std::move(*target);
}

std::shared_ptr<RemoteEngine> remoteEngine(const Target& target)
{
    return std::make_shared<RemoteEngine>(target.address, target.key);
}

} // namespace isol8::cli
