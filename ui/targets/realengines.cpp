// SPDX-License-Identifier: MIT
#include "engine/remote/remoteengine.h"
#include "engine/sandbox/dockerengine.h"
#include "ui/targets/target.h"

namespace isol8::ui {

EngineFactory realEngines()
{
    return [](const Target& target, const QString& key) -> Result<std::shared_ptr<Engine>> {
        if (target.isLocal()) {
            auto endpoint = docker::resolveEndpoint();
            if (!endpoint)
                return std::unexpected(endpoint.error());
            return std::make_shared<DockerEngine>(std::move(*endpoint));
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
