// SPDX-License-Identifier: MIT
#include "app/cli/context.h"

#include "app/cli/dockerage.h"
#include "engine/docker/client.h"
#include "engine/sandbox/dockerengine.h"

#include <QDir>

namespace isol8::cli {

using namespace Qt::StringLiterals;

std::optional<LoadedSettings> settingsFor(Console& console, ConfigTrust trust)
{
    auto loaded = loadSettings(QDir::currentPath(), QDir::homePath(), trust);
    if (!loaded) {
        console.error(loaded.error());
        return std::nullopt;
    }
    if (loaded->settings.debug && !console.isDebug()) {
        console.setDebug(true);
        console.captureLog();
    }
    // A project's file came with the project; that it counts must not go unseen.
    if (!loaded->path.isEmpty() && !loaded->path.startsWith(QDir::homePath() + u"/.isol8/"_s))
        console.info(u"Configuration: "_s + loaded->path);
    else
        console.debug(
            u"Configuration: "_s + (loaded->path.isEmpty() ? u"the defaults"_s : loaded->path));
    for (const auto& warning : loaded->warnings)
        console.warn(warning);
    return std::move(*loaded);
}

std::shared_ptr<docker::Client> dockerClient(Console& console)
{
    auto endpoint = docker::resolveEndpoint();
    if (!endpoint) {
        console.error(endpoint.error());
        return nullptr;
    }
    return std::make_shared<docker::Client>(std::move(*endpoint));
}

namespace {

std::shared_ptr<DockerEngine> makeEngine(Console& console, DockerEngineSettings settings)
{
    auto endpoint = docker::resolveEndpoint();
    if (!endpoint) {
        console.error(endpoint.error());
        return nullptr;
    }
    return std::make_shared<DockerEngine>(std::move(*endpoint), std::move(settings));
}

} // namespace

std::shared_ptr<DockerEngine> dockerEngine(Console& console, const Settings& settings)
{
    return makeEngine(console, engineSettings(settings));
}

std::shared_ptr<DockerEngine> engineForOneRun(Console& console, const Settings& settings)
{
    auto chosen = engineSettings(settings);
    if (settings.cli.spare)
        chosen.spareIdle = settings.cli.spareIdle;
    // Its guest ends when isol8 does, and Docker removes it then.
    chosen.isRemovalAwaited = false;
    return makeEngine(console, std::move(chosen));
}

QCoro::Task<bool> checkDocker(std::shared_ptr<docker::Client> client, Console* console)
{
    const auto version = co_await client->version();
    if (!version) {
        console->error(version.error());
        if (version.error().kind == Kind::Unreachable)
            console->info(
                u"To get Docker: `sudo apt-get install docker.io` on Debian and Ubuntu, "
                "`sudo dnf install moby-engine` on Fedora, else https://docs.docker.com/engine/install/"_s);
        co_return false;
    }
    console->ok(u"Docker %1 (API %2)"_s.arg(version->version, version->apiVersion));
    for (const auto& warning : dockerAgeWarnings(*version))
        console->warn(warning);
    co_return true;
}

} // namespace isol8::cli
