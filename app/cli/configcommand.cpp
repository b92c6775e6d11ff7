// SPDX-License-Identifier: MIT
#include "app/cli/configcommand.h"

#include "app/cli/context.h"
#include "engine/core/escape.h"
#include "engine/core/trust.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QString projectFile()
{
    return QDir::current().filePath(u"isol8.config.json"_s);
}

QString shown(const QJsonValue& value)
{
    const auto text = QJsonDocument(QJsonArray { value }).toJson(QJsonDocument::Compact);
    return printable(QString::fromUtf8(text).sliced(1).chopped(1));
}

void printTree(const QString& prefix, const QJsonObject& object, Console& console)
{
    for (auto it = object.constBegin(); it != object.constEnd(); ++it) {
        const auto key = prefix + it.key();
        if (it->isObject() && !it->toObject().isEmpty())
            printTree(key + u'.', it->toObject(), console);
        else
            console.print(printable(key) + u" = "_s + shown(*it));
    }
}

} // namespace

void ConfigCommand::define(OptionSet& options)
{
    options.flag("--json", m_isJson, "Print the resolved configuration as JSON (default: off)");
    options.optionalValue("--validate", m_validated,
        { "Only check a file; default: the one that would be used", "FILE" });
    options.flag("--trust", m_isTrusted,
        "Let ./isol8.config.json, as it is now, set keys that weaken the sandbox (default: off)");
}

int ConfigCommand::validate(Console& console) const
{
    const auto loaded = m_validated->isEmpty()
        ? loadSettings(QDir::currentPath(), QDir::homePath(), ConfigTrust::Given)
        : loadSettingsFile(*m_validated);
    if (!loaded) {
        console.error(loaded.error());
        return 1;
    }
    for (const auto& warning : loaded->warnings)
        console.warn(warning);
    if (loaded->path.isEmpty())
        console.info(u"No configuration file; the defaults are used"_s);
    else
        console.ok(u"%1 is valid"_s.arg(loaded->path));
    return 0;
}

int ConfigCommand::trust(Console& console) const
{
    const auto path = projectFile();
    // Only what can be read in full deserves an answer.
    if (const auto loaded = loadSettingsFile(path); !loaded) {
        console.error(loaded.error());
        return 1;
    }
    const auto before = loadSettings(QDir::currentPath(), QDir::homePath());
    if (const auto trusted = TrustStore(QDir::homePath()).trust(path); !trusted) {
        console.error(trusted.error());
        return 1;
    }
    console.ok(u"%1 is trusted as it is now; a change ends that"_s.arg(path));
    if (before && !before->ignoredKeys.isEmpty())
        console.info(
            u"What it says of %1 counts from now on"_s.arg(before->ignoredKeys.join(u", "_s)));
    return 0;
}

int ConfigCommand::run(Console& console)
{
    if (m_isTrusted)
        return trust(console);
    if (m_validated)
        return validate(console);
    const auto loaded = loadSettings(QDir::currentPath(), QDir::homePath());
    if (!loaded) {
        console.error(loaded.error());
        return 1;
    }
    for (const auto& warning : loaded->warnings)
        console.warn(warning);
    const auto source = loaded->path.isEmpty() ? u"no file, the defaults"_s : loaded->path;
    if (m_isJson) {
        console.info(u"Configuration: "_s + source);
        console.printBytes(QJsonDocument(toJson(loaded->settings)).toJson());
        return 0;
    }
    console.print(u"# "_s + printable(source)
        + (loaded->isTrusted ? QString() : u" (not trusted: `isol8 config --trust`)"_s));
    printTree({}, toJson(loaded->settings), console);
    return 0;
}

} // namespace isol8::cli
