// SPDX-License-Identifier: MIT
#include "engine/core/settings.h"
#include "engine/remote/remoteengine.h"
#include "engine/sandbox/dockerengine.h"
#include "ui/targets/target.h"

#include <QDir>

namespace isol8::ui {

using namespace Qt::StringLiterals;

EngineFactory realEngines()
{
    return [](const Target& target, const QString& key) -> Result<std::shared_ptr<Engine>> {
        if (target.isLocal()) {
            auto endpoint = docker::resolveEndpoint();
            if (!endpoint)
                return std::unexpected(endpoint.error());
            // As the command line does: auditing and code from URLs follow the configuration.
            const auto loaded = loadSettings(QDir::homePath() + u"/.isol8"_s, QDir::homePath());
            if (!loaded)
                return std::unexpected(loaded.error());
            return std::make_shared<DockerEngine>(
                std::move(*endpoint), engineSettings(loaded->settings));
        }
        const auto address = remote::parseServerAddress(target.address);
        if (!address)
            return std::unexpected(address.error());
        if (const auto valid = remote::checkApiKey(key); !valid)
            return std::unexpected(valid.error());
        return std::make_shared<RemoteEngine>(*address, key);
    };
}

} // namespace isol8::ui
