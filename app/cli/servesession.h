// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "app/cli/serveplan.h"
#include "app/serve/servicemanager.h"
#include "engine/core/settings.h"

#include <QCoroTask>

namespace isol8::cli {

/// Everything that a server is made from.
struct ServeSession {
    ServePlan plan;
    Settings settings; ///< With what the flags say.
    std::optional<QString> keyDatabase; ///< None: the master key alone counts.
    /// Reads the settings anew, says what is wrong with them and warns.
    std::function<std::optional<Settings>()> readSettings;
};

/// Serves until SIGINT or SIGTERM; reads the settings anew at SIGHUP. Gives the exit code.
[[nodiscard]] QCoro::Task<int> serveUntilInterrupted(
    ServeSession session, std::shared_ptr<serve::ServiceManager> manager, Console* console);

} // namespace isol8::cli
