// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "engine/core/settings.h"
#include "engine/core/task.h"

#include <memory>

namespace isol8 {
class DockerEngine;
namespace docker {
class Client;
}
} // namespace isol8

// What several commands begin with. Each says on the console what went wrong.
namespace isol8::cli {

/// The settings of this directory and user, their warnings said.
[[nodiscard]] std::optional<LoadedSettings> settingsFor(
    Console& console, ConfigTrust trust = ConfigTrust::Required);

[[nodiscard]] std::shared_ptr<docker::Client> dockerClient(Console& console);
[[nodiscard]] std::shared_ptr<DockerEngine> dockerEngine(
    Console& console, const Settings& settings = {});

/// For one run: with the spare container of an earlier command, where the settings allow that.
[[nodiscard]] std::shared_ptr<DockerEngine> engineForOneRun(
    Console& console, const Settings& settings);

/// True if Docker answers; else how to get it has been said.
[[nodiscard]] QCoro::Task<bool> checkDocker(
    std::shared_ptr<docker::Client> client, Console* console);

} // namespace isol8::cli
