// SPDX-License-Identifier: MIT
#include "engine/core/jsonreader.h"

#include "engine/core/escape.h"

#include <QJsonDocument>

#include <cmath>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype shownCharacters = 60;

QString shownValue(const QJsonValue& value)
{
    if (value.isObject())
        return u"an object"_s;
    if (value.isArray())
        return u"a list"_s;
    const QByteArray text = QJsonDocument(QJsonArray { value }).toJson(QJsonDocument::Compact);
    const QString inner = QString::fromUtf8(text.sliced(1, text.size() - 2));
    return printable(inner.size() > shownCharacters ? inner.first(shownCharacters) + u'…' : inner);
}

} // namespace

JsonReader::JsonReader(const QJsonObject& object, const QString& path, Kind kind)
    : m_object(object)
    , m_path(path)
    , m_kind(kind)
{
}

bool JsonReader::has(const QString& key) const
{
    const QJsonValue found = m_object[key];
    return !found.isUndefined() && !found.isNull();
}

QJsonValue JsonReader::value(const QString& key) const
{
    return has(key) ? m_object[key] : QJsonValue(QJsonValue::Undefined);
}

QString JsonReader::pathOf(const QString& key) const
{
    const QString shown = printable(key.left(shownCharacters));
    return m_path.isEmpty() ? shown : m_path + u'.' + shown;
}

void JsonReader::fail(const Error& error)
{
    if (!m_error)
        m_error = error;
}

void JsonReader::refuse(const QString& key, const QString& allowed)
{
    fail({ m_kind,
        u"%1: invalid value %2: allowed are %3"_s.arg(
            pathOf(key), shownValue(m_object[key]), allowed) });
}

void JsonReader::require(const QString& key)
{
    if (!has(key))
        fail({ m_kind, pathOf(key) + u" is missing"_s });
}

template <typename IsType>
std::optional<QJsonValue> JsonReader::typed(
    const QString& key, IsType isType, const QString& allowed)
{
    if (m_error || !has(key))
        return std::nullopt;
    const QJsonValue found = m_object[key];
    if (isType(found))
        return found;
    refuse(key, allowed);
    return std::nullopt;
}

void JsonReader::read(const QString& key, QString& target)
{
    if (const auto found = typed(key, std::mem_fn(&QJsonValue::isString), u"texts"_s))
        target = found->toString();
}

void JsonReader::read(const QString& key, bool& target)
{
    if (const auto found = typed(key, std::mem_fn(&QJsonValue::isBool), u"true and false"_s))
        target = found->toBool();
}

void JsonReader::read(const QString& key, double& target)
{
    if (const auto found = typed(key, std::mem_fn(&QJsonValue::isDouble), u"numbers"_s))
        target = found->toDouble();
}

void JsonReader::read(const QString& key, QJsonObject& target)
{
    if (const auto found = typed(key, std::mem_fn(&QJsonValue::isObject), u"objects"_s))
        target = found->toObject();
}

void JsonReader::read(const QString& key, QStringList& target)
{
    const auto isTexts = [](const QJsonValue& found) {
        return found.isArray() && std::ranges::all_of(found.toArray(), [](const QJsonValue& item) {
            return item.isString();
        });
    };
    const auto found = typed(key, isTexts, u"lists of texts"_s);
    if (!found)
        return;
    target.clear();
    for (const QJsonValue& item : found->toArray())
        target.append(item.toString());
}

void JsonReader::read(const QString& key, QMap<QString, QString>& target)
{
    const auto found = typed(key, std::mem_fn(&QJsonValue::isObject), u"objects of texts"_s);
    if (!found)
        return;
    const QJsonObject members = found->toObject();
    QMap<QString, QString> texts;
    for (const QString& name : members.keys()) {
        // The value is not shown: these are environments and secrets.
        if (!members[name].isString())
            fail({ m_kind,
                u"%1.%2 is not a text"_s.arg(pathOf(key), printable(name.left(shownCharacters))) });
        texts.insert(name, members[name].toString());
    }
    target = texts;
}

void JsonReader::readWhole(const QString& key, qint64& target, qint64 min, qint64 max)
{
    const auto isWhole = [min, max](const QJsonValue& found) {
        const double number = found.toDouble(NAN);
        return found.isDouble() && number >= double(min) && number <= double(max)
            && number == std::floor(number);
    };
    if (const auto found = typed(key, isWhole, u"whole numbers from %1 to %2"_s.arg(min).arg(max)))
        target = found->toInteger();
}

void JsonReader::readWhole(const QString& key, int& target, int min, int max)
{
    qint64 value = target;
    readWhole(key, value, min, max);
    target = int(value);
}

} // namespace isol8
