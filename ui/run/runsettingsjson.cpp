// SPDX-License-Identifier: MIT
#include "ui/run/runsettingsjson.h"

#include "engine/core/names.h"
#include "engine/core/requestjson.h"

#include <QJsonArray>

namespace isol8::ui {

using namespace Qt::StringLiterals;

QJsonObject toJson(const RunSettings& settings)
{
    auto options = settings.options;
    options.secrets.clear();
    ExecutionRequest request;
    request.arguments = settings.arguments;
    request.environment = settings.environment;
    request.installPackages = settings.packages;
    request.setupScript = settings.setupScript;
    request.workingDirectory = settings.workingDirectory;
    if (settings.stdinText)
        request.stdinData = settings.stdinText->toUtf8();
    auto object = QJsonObject { { u"options"_s, isol8::toJson(options) },
        { u"request"_s, isol8::toJson(request) },
        { u"secrets"_s, QJsonArray::fromStringList(settings.options.secrets.keys()) } };
    if (settings.runtime)
        object.insert(u"runtime"_s, runtimeName(*settings.runtime));
    return object;
}

RunSettings runSettingsFromJson(const QJsonObject& object, const ExecutionOptions& defaults)
{
    RunSettings settings;
    settings.options = defaults;
    settings.runtime = runtimeFromName(object[u"runtime"].toString());
    if (const auto options = optionsFromJson(object[u"options"].toObject(), defaults))
        settings.options = *options;
    settings.options.secrets.clear();
    for (const auto& name : object[u"secrets"].toArray())
        settings.options.secrets.insert(name.toString(), {});
    if (const auto request = requestFromJson(object[u"request"].toObject())) {
        settings.arguments = request->arguments;
        settings.environment = request->environment;
        settings.packages = request->installPackages;
        settings.setupScript = request->setupScript;
        settings.workingDirectory = request->workingDirectory;
        if (request->stdinData)
            settings.stdinText = QString::fromUtf8(*request->stdinData);
    }
    return settings;
}

} // namespace isol8::ui
