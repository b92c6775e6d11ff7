// SPDX-License-Identifier: MIT
#include "ui/run/runsettingsstore.h"

#include "engine/core/smallfile.h"
#include "ui/run/runsettingsjson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxEntries = 300;
constexpr qint64 maxFileBytes = 16LL << 20;
constexpr std::chrono::milliseconds writeDelay { 1000 };

} // namespace

RunSettingsStore::RunSettingsStore(const QString& path)
    : m_path(path)
{
    m_writer.setSingleShot(true);
    m_writer.setInterval(writeDelay);
    connect(&m_writer, &QTimer::timeout, this, &RunSettingsStore::flush);
    read();
}

RunSettingsStore::~RunSettingsStore()
{
    if (m_writer.isActive())
        flush();
}

void RunSettingsStore::read()
{
    const auto bytes = readSmallFile(m_path, maxFileBytes);
    if (!bytes)
        return;
    for (const auto& value : QJsonDocument::fromJson(*bytes).array()) {
        const auto object = value.toObject();
        m_entries.insert(object[u"file"].toString(),
            { runSettingsFromJson(object[u"settings"].toObject(), m_defaults), ++m_clock });
    }
}

RunSettings RunSettingsStore::defaults() const
{
    RunSettings settings;
    settings.options = m_defaults;
    return settings;
}

RunSettings RunSettingsStore::find(const QString& key) const
{
    const auto found = m_entries.constFind(key);
    return found == m_entries.constEnd() ? defaults() : found->settings;
}

void RunSettingsStore::keep(const QString& key, const RunSettings& settings)
{
    m_entries.insert(key, { settings, ++m_clock });
    m_writer.start();
}

void RunSettingsStore::forget(const QString& key)
{
    if (m_entries.remove(key))
        m_writer.start();
}

void RunSettingsStore::flush()
{
    m_writer.stop();
    auto keys = m_entries.keys();
    std::ranges::sort(keys, {}, [this](const QString& key) { return m_entries[key].usedAt; });
    QJsonArray entries;
    for (const auto& key : keys.mid(std::max<qsizetype>(0, keys.size() - maxEntries))) {
        // Texts that are no files are gone with the window.
        if (key.startsWith(u'/'))
            entries << QJsonObject { { u"file"_s, key },
                { u"settings"_s, toJson(m_entries[key].settings) } };
    }
    QSaveFile file(m_path);
    if (!file.open(QIODevice::WriteOnly))
        return;
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.write(QJsonDocument(entries).toJson(QJsonDocument::Compact));
    file.commit();
}

} // namespace isol8::ui
