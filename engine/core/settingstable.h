// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/settings.h"

#include <QJsonValue>

#include <functional>

namespace isol8 {

/// What the value of a configuration key looks like in JSON.
enum class SettingType {
    Boolean,
    Integer, ///< min to max.
    Number, ///< min to max.
    Size, ///< A text such as "512m" or a number of bytes; min to max bytes.
    Text,
    Choice, ///< One of choices.
    TextList,
    PatternList, ///< ECMAScript regular expressions for hosts, which must compile.
    HostAndPortList, ///< `host:port`.
    IntegerList, ///< Each min to max.
    ImageList, ///< Of prebuiltImages.
};

/// One key of config.md: the single place that knows its type, range, default, trust and meaning.
/// The loader, `config --json` and the test of config.schema.json go by it.
struct SettingKey {
    QString path; ///< For example `defaults.timeoutMs`.
    SettingType type = SettingType::Text;
    double min = 0;
    double max = 0;
    QStringList choices;
    QString description;
    bool needsTrust = false;
    /// Values that need trust where others of the key do not; empty: all.
    QStringList untrustedChoices;
    /// The value in @p settings as JSON.
    std::function<QJsonValue(const Settings& settings)> read;
    /// Sets a value that has been checked against type and range.
    std::function<void(Settings& settings, const QJsonValue& value)> write;
};

[[nodiscard]] const QList<SettingKey>& settingKeys();

/// Checks @p value against @p key; the error says what is allowed, without key and value.
[[nodiscard]] Result<> checkSetting(const SettingKey& key, const QJsonValue& value);

/// What @p key allows, for people: `whole numbers from 1 to 1000`.
[[nodiscard]] QString allowedText(const SettingKey& key);

} // namespace isol8
