// SPDX-License-Identifier: MIT
#pragma once

#include "engine/images/imagetypes.h"
#include "ui/history/historystore.h"
#include "ui/run/runsettingsstore.h"
#include "ui/settings/uisettings.h"
#include "ui/start/startcheck.h"
#include "ui/targets/keystore.h"
#include "ui/targets/target.h"
#include "ui/targets/targetstore.h"

#include <KSyntaxHighlighting/Repository>

namespace isol8::ui {

/// Where a user's files are.
struct Places {
    QString configDirectory; ///< Settings, saved servers.
    QString dataDirectory; ///< History, what a crash shall not lose.
    QString home; ///< For the configuration file of the engine.

    [[nodiscard]] static Places ofUser();
};

/// What a window works with beside its own files; tests bring their own.
struct Surroundings {
    EngineFactory engines = realEngines();
    DockerClientFactory dockerClients = realDockerClients();
    KeyStore::Backend keys = KeyStore::Backend::Desktop;
};

/// What the windows share. Made by the module's main or a test, outlives every window.
class Services {
public:
    explicit Services(const Places& places, const Surroundings& surroundings = {});
    Q_DISABLE_COPY_MOVE(Services)

    /// Reads the engine's configuration file anew.
    void readConfiguration();
    [[nodiscard]] ImageSettings imageSettings() const { return m_imageSettings; }

    const Places places;
    const EngineFactory engines;
    const DockerClientFactory dockerClients;
    SettingsStore settings;
    RunSettingsStore runSettings;
    HistoryStore history;
    TargetStore targets;
    KeyStore keys;
    KSyntaxHighlighting::Repository languages;

private:
    ImageSettings m_imageSettings;
};

} // namespace isol8::ui
