// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "app/cli/credentials.h"
#include "app/cli/surroundings.h"
#include "engine/remote/remoteengine.h"

namespace isol8::cli {

/// The server of `--host` and the key for it.
struct Target {
    remote::ServerAddress address;
    QString key;

    bool operator==(const Target&) const = default;
};

/// The key of `--key`, else of `ISOL8_API_KEY`, else the stored token of exactly this server. An
/// empty one counts as none, and an empty `--key` ends the search. No error contains a key.
[[nodiscard]] Result<Target> resolveTarget(const QString& host, const std::optional<QString>& key,
    const Surroundings& surroundings, const CredentialStore& credentials);

/// resolveTarget() with this process's surroundings. Says on the console what went wrong, and what
/// is risky about the server.
[[nodiscard]] std::optional<Target> targetFor(
    const QString& host, const std::optional<QString>& key, Console& console);
[[nodiscard]] std::shared_ptr<RemoteEngine> remoteEngine(const Target& target);

} // namespace isol8::cli
