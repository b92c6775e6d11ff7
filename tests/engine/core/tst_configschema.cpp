// SPDX-License-Identifier: MIT
#include "engine/core/names.h"
#include "engine/core/settingstable.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

/// Keeps resources/config.schema.json the same as the table of settings. After a change of the
/// table, `ISOL8_UPDATE_SCHEMA=1 tst_configschema` writes the file anew.
class TestConfigSchema : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void schemaIsWhatTheTableSays();
    void hasEveryKeyOf020();
    void everyKeyIsDescribed();
    void defaultsAreAllowed();
};

namespace {

const QString schemaPath = QStringLiteral(ISOL8_TEST_DATA "/../../resources/config.schema.json");

QJsonObject range(const QString& type, const SettingKey& key)
{
    return { { u"type"_s, type }, { u"minimum"_s, key.min }, { u"maximum"_s, key.max } };
}

QJsonObject listOf(const QJsonObject& items)
{
    return { { u"type"_s, u"array"_s }, { u"items"_s, items } };
}

QJsonObject typed(const QString& type)
{
    return { { u"type"_s, type } };
}

QJsonObject imageSchema()
{
    return { { u"type"_s, u"object"_s }, { u"additionalProperties"_s, false },
        { u"required"_s, QJsonArray { u"tag"_s, u"runtime"_s } },
        { u"properties"_s,
            QJsonObject {
                { u"tag"_s, QJsonObject { { u"type"_s, u"string"_s }, { u"minLength"_s, 1 } } },
                { u"runtime"_s,
                    QJsonObject { { u"enum"_s, QJsonArray::fromStringList(runtimeNames()) } } },
                { u"installPackages"_s, listOf(typed(u"string"_s)) },
                { u"setupScript"_s, typed(u"string"_s) } } } };
}

QJsonObject valueSchema(const SettingKey& key)
{
    switch (key.type) {
    case SettingType::Boolean:
        return typed(u"boolean"_s);
    case SettingType::Integer:
        return range(u"integer"_s, key);
    case SettingType::Number:
        return range(u"number"_s, key);
    case SettingType::Size:
        return { { u"anyOf"_s,
            QJsonArray { QJsonObject { { u"type"_s, u"string"_s },
                             { u"pattern"_s, u"^[0-9]+([bB]|[kKmMgGtT]([iI]?[bB])?)?$"_s } },
                range(u"integer"_s, key) } } };
    case SettingType::Text:
        return typed(u"string"_s);
    case SettingType::Choice:
        return { { u"enum"_s, QJsonArray::fromStringList(key.choices) } };
    case SettingType::TextList:
    case SettingType::HostAndPortList:
        return listOf(typed(u"string"_s));
    case SettingType::PatternList:
        return listOf({ { u"type"_s, u"string"_s }, { u"format"_s, u"regex"_s } });
    case SettingType::IntegerList:
        return listOf(range(u"integer"_s, key));
    case SettingType::ImageList:
        return listOf(imageSchema());
    }
    return {};
}

void insert(QJsonObject& group, const QStringList& names, const QJsonObject& schema)
{
    QJsonObject properties = group[u"properties"].toObject();
    if (names.size() == 1) {
        properties.insert(names.first(), schema);
    } else {
        QJsonObject child = properties[names.first()].toObject();
        if (child.isEmpty())
            child = { { u"type"_s, u"object"_s }, { u"additionalProperties"_s, false } };
        insert(child, names.sliced(1), schema);
        properties.insert(names.first(), child);
    }
    group.insert(u"properties"_s, properties);
}

QJsonObject schemaOfTable()
{
    QJsonObject schema { { u"$schema"_s, u"https://json-schema.org/draft/2020-12/schema"_s },
        { u"title"_s, u"isol8 configuration"_s }, { u"type"_s, u"object"_s },
        { u"additionalProperties"_s, false } };
    insert(schema, { u"$schema"_s }, typed(u"string"_s));
    const Settings defaults;
    for (const SettingKey& key : settingKeys()) {
        QJsonObject one = valueSchema(key);
        one.insert(u"description"_s, key.description);
        one.insert(u"default"_s, key.read(defaults));
        insert(schema, key.path.split(u'.'), one);
    }
    // A bare number stands for both parts.
    QJsonObject properties = schema[u"properties"].toObject();
    const QJsonObject parts = properties[u"poolSize"].toObject();
    const QJsonObject clean = parts[u"properties"][u"clean"].toObject();
    properties.insert(u"poolSize"_s,
        QJsonObject { { u"anyOf"_s,
            QJsonArray { parts,
                QJsonObject { { u"type"_s, u"integer"_s }, { u"minimum"_s, clean[u"minimum"] },
                    { u"maximum"_s, clean[u"maximum"] } } } } });
    schema.insert(u"properties"_s, properties);
    return schema;
}

} // namespace

void TestConfigSchema::schemaIsWhatTheTableSays()
{
    const QByteArray expected = QJsonDocument(schemaOfTable()).toJson();
    if (qEnvironmentVariableIsSet("ISOL8_UPDATE_SCHEMA")) {
        QFile file(schemaPath);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(expected);
    }
    QFile file(schemaPath);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(QJsonDocument::fromJson(file.readAll()).object(), schemaOfTable());
}

/// Files written for isol8 0.20 must go on working without a warning.
void TestConfigSchema::hasEveryKeyOf020()
{
    const QMap<QString, QString> groups {
        { u"defaults"_s,
            u"timeoutMs memoryLimit cpuLimit network sandboxSize tmpSize readonlyRootFs"_s },
        { u"network"_s, u"whitelist blacklist"_s },
        { u"cleanup"_s, u"autoPrune maxContainerAgeMs"_s },
        { u"poolSize"_s, u"clean dirty"_s },
        { u"security"_s, u"seccomp customProfilePath"_s },
        { u"remoteCode"_s,
            u"enabled allowedSchemes allowedHosts blockedHosts maxCodeSize fetchTimeoutMs requireHash enableCache cacheTtl"_s },
        { u"audit"_s,
            u"enabled destination logDir postLogScript trackResources retentionDays includeCode includeOutput"_s },
        { u"auth"_s, u"enabled connectionString defaultTtlMs cleanupIntervalMs"_s },
        { u"dependencies"_s, u"python node bun deno bash"_s },
    };
    QStringList paths { u"maxConcurrent"_s, u"debug"_s, u"poolStrategy"_s, u"prebuiltImages"_s };
    for (const auto& [group, names] : groups.asKeyValueRange()) {
        for (const QString& name : names.split(u' '))
            paths.append(group + u'.' + name);
    }
    for (const QString& path : paths)
        QVERIFY2(std::ranges::contains(settingKeys(), path, &SettingKey::path), qPrintable(path));
}

void TestConfigSchema::everyKeyIsDescribed()
{
    QSet<QString> paths;
    for (const SettingKey& key : settingKeys()) {
        QVERIFY2(key.description.endsWith(u'.'), qPrintable(key.path));
        QVERIFY2(key.read && key.write, qPrintable(key.path));
        QVERIFY2(!paths.contains(key.path), qPrintable(key.path));
        paths.insert(key.path);
    }
}

void TestConfigSchema::defaultsAreAllowed()
{
    const Settings defaults;
    for (const SettingKey& key : settingKeys()) {
        const auto checked = checkSetting(key, key.read(defaults));
        QVERIFY2(checked, qPrintable(key.path));
        QVERIFY2(!checkSetting(key, QJsonValue()), qPrintable(key.path));
        Settings changed;
        key.write(changed, key.read(defaults));
        QVERIFY2(changed == defaults, qPrintable(key.path));
    }
}

QTEST_GUILESS_MAIN(TestConfigSchema)
#include "tst_configschema.moc"
