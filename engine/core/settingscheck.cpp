// SPDX-License-Identifier: MIT
#include "engine/core/hostname.h"
#include "engine/core/hostpattern.h"
#include "engine/core/names.h"
#include "engine/core/settingstable.h"
#include "engine/core/units.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QLocale>

#include <cmath>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

bool isWholeBetween(const QJsonValue& value, double min, double max)
{
    const double number = value.toDouble(-1);
    return value.isDouble() && number >= min && number <= max && number == std::floor(number);
}

template <typename Accepts> bool isArrayOf(const QJsonValue& value, Accepts accepts)
{
    return value.isArray() && std::ranges::all_of(value.toArray(), accepts);
}

bool isText(const QJsonValue& value)
{
    return value.isString() && !value.toString().contains(QChar(u'\0'));
}

bool isImage(const QJsonValue& value)
{
    const QJsonObject object = value.toObject();
    const auto packages = object[u"installPackages"];
    const auto script = object[u"setupScript"];
    static const QStringList known { u"tag"_s, u"runtime"_s, u"installPackages"_s,
        u"setupScript"_s };
    return value.isObject() && isText(object[u"tag"]) && !object[u"tag"].toString().isEmpty()
        && runtimeFromName(object[u"runtime"].toString())
        && (packages.isUndefined() || isArrayOf(packages, isText))
        && (script.isUndefined() || isText(script))
        && std::ranges::all_of(
            object.keys(), [](const QString& name) { return known.contains(name); });
}

bool isAllowed(const SettingKey& key, const QJsonValue& value)
{
    switch (key.type) {
    case SettingType::Boolean:
        return value.isBool();
    case SettingType::Integer:
        return isWholeBetween(value, key.min, key.max);
    case SettingType::Number:
        return value.isDouble() && value.toDouble() >= key.min && value.toDouble() <= key.max;
    case SettingType::Size: {
        if (value.isDouble())
            return isWholeBetween(value, key.min, key.max);
        const auto bytes = parseSize(value.toString(), {});
        return value.isString() && bytes && double(*bytes) >= key.min && double(*bytes) <= key.max;
    }
    case SettingType::Text:
        return isText(value);
    case SettingType::Choice:
        return value.isString() && key.choices.contains(value.toString());
    case SettingType::TextList:
        return isArrayOf(value, isText);
    case SettingType::PatternList:
        return isArrayOf(value, [](const QJsonValue& item) {
            return item.isString() && HostPattern::compile(item.toString());
        });
    case SettingType::HostAndPortList:
        return isArrayOf(value, [](const QJsonValue& item) {
            return item.isString() && hostAndPortFromText(item.toString());
        });
    case SettingType::IntegerList:
        return isArrayOf(value,
            [&key](const QJsonValue& item) { return isWholeBetween(item, key.min, key.max); });
    case SettingType::ImageList:
        return isArrayOf(value, isImage);
    }
    return false;
}

} // namespace

QString allowedText(const SettingKey& key)
{
    const auto range = [&key] {
        return u"from %1 to %2"_s.arg(
            QLocale::c().toString(key.min, 'g', 15), QLocale::c().toString(key.max, 'g', 15));
    };
    switch (key.type) {
    case SettingType::Boolean:
        return u"true and false"_s;
    case SettingType::Integer:
        return u"whole numbers "_s + range();
    case SettingType::Number:
        return u"numbers "_s + range();
    case SettingType::Size:
        return u"sizes from %1 to %2, such as \"512m\""_s.arg(
            sizeText(qint64(key.min)), sizeText(qint64(key.max)));
    case SettingType::Text:
        return u"texts without NUL"_s;
    case SettingType::Choice:
        return u'"' + key.choices.join("\", \""_L1) + u'"';
    case SettingType::TextList:
        return u"lists of texts"_s;
    case SettingType::PatternList:
        return u"lists of ECMAScript regular expressions"_s;
    case SettingType::HostAndPortList:
        return u"lists of host:port, such as \"127.0.0.1:8080\""_s;
    case SettingType::IntegerList:
        return u"lists of whole numbers "_s + range();
    case SettingType::ImageList:
        return u"lists of objects with tag, runtime (%1), installPackages (texts) and setupScript (text)"_s
            .arg(runtimeNames().join(u", "_s));
    }
    return {};
}

Result<> checkSetting(const SettingKey& key, const QJsonValue& value)
{
    if (!isAllowed(key, value))
        return failure(Kind::Invalid, u"allowed are "_s + allowedText(key));
    return {};
}

} // namespace isol8
