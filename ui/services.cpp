// SPDX-License-Identifier: MIT
#include "ui/services.h"

#include "engine/core/settings.h"

#include <QDir>
#include <QStandardPaths>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// The window's own scroll-back is bounded: a program need not be cut as early as in a log.
constexpr qint64 leastOutputBytes = 64LL << 20;

QString privateDirectory(const QString& path)
{
    QDir().mkpath(path);
    QFile::setPermissions(
        path, QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ExeOwner);
    return path;
}

} // namespace

Places Places::ofUser()
{
    const auto below = [](QStandardPaths::StandardLocation location) {
        return QStandardPaths::writableLocation(location) + u"/isol8"_s;
    };
    return { below(QStandardPaths::GenericConfigLocation),
        below(QStandardPaths::GenericDataLocation), QDir::homePath() };
}

Services::Services(const Places& thePlaces, const Surroundings& surroundings)
    : places(thePlaces)
    , engines(surroundings.engines)
    , dockerClients(surroundings.dockerClients)
    , settings(privateDirectory(thePlaces.configDirectory) + u"/window.ini"_s)
    , runSettings(thePlaces.configDirectory + u"/run-options.json"_s)
    , history(privateDirectory(thePlaces.dataDirectory) + u"/history.sqlite"_s)
    , targets(thePlaces.configDirectory + u"/servers.json"_s)
    , keys(thePlaces.configDirectory + u"/keys.json"_s, surroundings.keys)
{
    const auto setLimit
        = [this] { history.setLimit(qint64(settings.values().historyMegabytes) << 20); };
    setLimit();
    QObject::connect(&settings, &SettingsStore::changed, &history, setLimit);
    readConfiguration();
}

void Services::readConfiguration()
{
    ExecutionOptions defaults;
    m_imageSettings = {};
    m_imageSettings.stateDirectory = places.home + u"/.isol8"_s;
    if (const auto loaded = loadSettings(places.home + u"/.isol8"_s, places.home)) {
        defaults = defaultOptions(loaded->settings);
        m_imageSettings.caBundlePath = loaded->settings.network.caBundle;
        m_imageSettings.registries = loaded->settings.registries;
    }
    defaults.maxOutputBytes = std::max(defaults.maxOutputBytes, leastOutputBytes);
    runSettings.setDefaults(defaults);
}

} // namespace isol8::ui
