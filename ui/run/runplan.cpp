// SPDX-License-Identifier: MIT
#include "ui/run/runplan.h"

#include "engine/core/names.h"
#include "engine/core/validation.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// The window shows output as it comes; the result needs only what tells how it ended.
constexpr qint64 keptOutputBytes = 64 << 10;

QString extensionOf(const QString& fileName)
{
    const auto suffix = QFileInfo(fileName).suffix();
    return suffix.isEmpty() ? QString() : u'.' + suffix.toLower();
}

} // namespace

std::optional<Runtime> runtimeOf(const RunSettings& settings, const QString& fileName)
{
    return settings.runtime ? settings.runtime : runtimeForExtension(extensionOf(fileName));
}

Result<RunJob> planRun(
    const RunSource& source, const RunSettings& settings, const QString& sessionId)
{
    const auto runtime = runtimeOf(settings, source.fileName);
    if (!runtime)
        return failure(Kind::Invalid,
            QCoreApplication::translate("RunPlan",
                "The name “%1” does not tell what to run it with: choose a runtime in the toolbar")
                .arg(source.fileName));
    RunJob job;
    job.title = source.fileName;
    job.sourcePath = source.path;
    job.sessionId = sessionId;
    job.settings = settings;
    job.options = settings.options;
    job.options.mode = sessionId.isEmpty() ? Mode::Ephemeral : Mode::Persistent;
    auto& request = job.request;
    request.runtime = *runtime;
    request.code = source.code;
    if (const auto extension = extensionOf(source.fileName);
        runtimeForExtension(extension) == runtime)
        request.fileExtension = extension;
    request.arguments = settings.arguments;
    request.environment = settings.environment;
    request.installPackages = settings.packages;
    request.setupScript = settings.setupScript;
    request.workingDirectory = settings.workingDirectory;
    if (settings.stdinText)
        request.stdinData = settings.stdinText->toUtf8();
    request.isStdinLive = !settings.stdinText;
    request.isUsageReported = true;
    request.keptOutputBytes = keptOutputBytes;
    if (const auto valid = validate(request, job.options); !valid)
        return std::unexpected(valid.error());
    return job;
}

} // namespace isol8::ui
