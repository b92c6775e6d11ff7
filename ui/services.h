// SPDX-License-Identifier: MIT
#pragma once

#include "ui/history/historystore.h"
#include "ui/run/runsettingsstore.h"
#include "ui/settings/uisettings.h"
#include "ui/targets/target.h"

#include <KSyntaxHighlighting/Repository>

namespace isol8::ui {

/// Where a user's files are.
struct Places {
    QString configDirectory; ///< Settings, saved servers.
    QString dataDirectory; ///< History, what a crash shall not lose.
    QString home; ///< For the configuration file of the engine.

    [[nodiscard]] static Places ofUser();
};

/// What the windows share. Made by runGui() or a test, outlives every window.
class Services {
public:
    explicit Services(const Places& places, EngineFactory engines = realEngines());
    Q_DISABLE_COPY_MOVE(Services)

    const Places places;
    const EngineFactory engines;
    SettingsStore settings;
    RunSettingsStore runSettings;
    HistoryStore history;
    KSyntaxHighlighting::Repository languages;
};

} // namespace isol8::ui
