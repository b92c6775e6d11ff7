// SPDX-License-Identifier: MIT
#include "app/cli/runplan.h"

#include "app/cli/networkplan.h"
#include "app/cli/sourceplan.h"
#include "engine/core/names.h"
#include "engine/core/runtimedefaults.h"
#include "engine/core/units.h"
#include "engine/core/validation.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Error> invalid(const QString& message)
{
    return failure(Kind::Invalid, message);
}

/// Replaces @p target by the parsed text of a flag that was given.
template <typename Target, typename Parse>
Result<> take(const std::optional<QString>& typed, Target& target, Parse parse)
{
    if (!typed)
        return {};
    auto value = parse(*typed);
    if (!value)
        return std::unexpected(value.error());
    target = Target(*value);
    return {};
}

Result<> planLimits(const RunOptions& options, RunPlan& plan)
{
    auto& limits = plan.options;
    if (options.runtime == u"agent"_s) // Never detected.
        applyRuntimeDefaults(limits, Runtime::Agent);
    const auto size = [](const QString& what) {
        return [what](const QString& text) { return parseSize(text, what); };
    };
    const auto duration = [](const QString& text) { return parseDuration(text, u"--timeout"_s); };
    const auto cpu = [](const QString& text) { return parseCpu(text, u"--cpu"_s); };
    const auto pids
        = [](const QString& text) { return parseCount(text, u"--pids-limit"_s, minPids, maxPids); };
    for (const auto& taken : {
             take(options.timeout, limits.timeout, duration),
             take(options.memory, limits.memoryLimitBytes, size(u"--memory"_s)),
             take(options.cpu, limits.cpuLimit, cpu),
             take(options.pidsLimit, limits.pidsLimit, pids),
             take(options.maxOutput, limits.maxOutputBytes, size(u"--max-output"_s)),
             take(options.sandboxSize, limits.sandboxSizeBytes, size(u"--sandbox-size"_s)),
             take(options.tmpSize, limits.tmpSizeBytes, size(u"--tmp-size"_s)),
         }) {
        if (!taken)
            return taken;
    }
    return {};
}

Result<> planEnvironment(const RunOptions& options, RunPlan& plan)
{
    for (const auto& typed : options.environment) {
        const auto mark = typed.indexOf(u'=');
        if (mark < 0)
            return invalid(u"--env needs KEY=VALUE, not '%1'"_s.arg(typed));
        const auto name = typed.left(mark);
        if (auto checked = checkEnvironmentName(name, u"--env"_s); !checked)
            return checked;
        plan.request.environment.insert(name, typed.mid(mark + 1));
    }
    return {};
}

Result<QString> planSetup(const QStringList& typed, const Surroundings& surroundings)
{
    QStringList scripts;
    for (const auto& each : typed) {
        if (each.trimmed().isEmpty())
            return invalid(u"--setup is empty"_s);
        const auto content = each.contains(u'\n') || each.contains(QChar::Null)
            ? Result<QByteArray>(failure(Kind::NotFound, {}))
            : surroundings.readFile(each);
        if (content)
            scripts << QString::fromUtf8(*content);
        else if (content.error().kind == Kind::NotFound || each.contains(u' '))
            scripts << each;
        else
            return std::unexpected(content.error().within(u"--setup"_s));
    }
    return scripts.join(u'\n');
}

Result<QList<FetchedFile>> planFetches(const QStringList& typed)
{
    QList<FetchedFile> files;
    for (const auto& each : typed) {
        const auto mark = each.indexOf(u':');
        FetchedFile file { each.left(mark), mark < 0 ? QString() : each.mid(mark + 1) };
        const auto path = sandboxPath(file.path);
        if (!path)
            return std::unexpected(path.error().within(u"--get"_s));
        if (mark >= 0 && file.localPath.isEmpty())
            return invalid(u"--get '%1' names no local file after the colon"_s.arg(each));
        if (file.localPath.isEmpty())
            file.localPath = path->section(u'/', -1);
        files << file;
    }
    return files;
}

} // namespace

Result<QMap<QString, QString>> planSecrets(
    const QStringList& typed, const Surroundings& surroundings)
{
    QMap<QString, QString> secrets;
    for (const auto& each : typed) {
        const auto mark = each.indexOf(u'=');
        const auto name = each.left(mark);
        if (auto checked = checkEnvironmentName(name, u"--secret"_s); !checked)
            return std::unexpected(checked.error());
        if (mark >= 0) {
            secrets.insert(name, each.mid(mark + 1));
            continue;
        }
        const auto value = surroundings.variable(name);
        if (!value)
            return invalid(
                u"--secret %1: isol8's environment has no variable of that name"_s.arg(name));
        secrets.insert(name, *value);
    }
    return secrets;
}

Result<RunPlan> planRun(
    const RunOptions& options, const Settings& settings, const Surroundings& surroundings)
{
    RunPlan plan;
    plan.options = defaultOptions(settings);
    auto& request = plan.request;

    auto secrets = planSecrets(options.secrets, surroundings);
    if (!secrets)
        return std::unexpected(secrets.error());
    plan.options.secrets = *secrets;

    // Values first, sources last: reading standard input can take a person's time.
    request.workingDirectory = options.workingDirectory.value_or(request.workingDirectory);
    if (auto directory = sandboxDirectory(request.workingDirectory); !directory)
        return std::unexpected(directory.error().within(u"--workdir"_s));
    if (options.sessionId) {
        if (auto checked = checkSessionId(*options.sessionId); !checked)
            return std::unexpected(checked.error().within(u"--session-id"_s));
        plan.sessionId = *options.sessionId;
    }
    if (options.filesDirectory) {
        if (!surroundings.isDirectory(*options.filesDirectory))
            return failure(
                Kind::NotFound, u"--files: no such directory: "_s + *options.filesDirectory);
        request.filesDirectory = *options.filesDirectory;
    }
    if (options.image && options.image->isEmpty())
        return invalid(u"--image is empty"_s);

    auto files = planFetches(options.get);
    if (!files)
        return std::unexpected(files.error());
    plan.fetchedFiles = *files;
    for (const auto& file : plan.fetchedFiles)
        request.outputPaths << file.path;
    if (auto planned = planEnvironment(options, plan); !planned)
        return std::unexpected(planned.error());
    if (auto planned = planNetwork(options, plan.options, plan.warnings); !planned)
        return std::unexpected(planned.error());
    request.installPackages = options.install;
    if (options.runtime == u"agent"_s && plan.options.network == NetworkMode::None)
        return invalid(
            u"The agent runtime needs a network: --net filtered with at least one --allow, or --net host"_s);
    if (auto planned = planLimits(options, plan); !planned)
        return std::unexpected(planned.error());

    plan.options.mode
        = options.persistent || options.sessionId ? Mode::Persistent : Mode::Ephemeral;
    plan.options.isKept = options.persist;
    plan.options.image = options.image.value_or(plan.options.image);
    if (options.writable)
        plan.options.isRootReadOnly = false;
    request.hasTerminal = options.tty;
    request.arguments = options.arguments;
    request.agentFlags = options.agentFlags.value_or(QString());
    request.stdinData = options.stdinData;

    auto setup = planSetup(options.setup, surroundings);
    if (!setup)
        return std::unexpected(setup.error());
    request.setupScript = *setup;
    if (auto planned = planSource(options, surroundings, plan); !planned)
        return std::unexpected(planned.error());
    if (auto valid = validate(request, plan.options); !valid)
        return std::unexpected(valid.error());
    return plan;
}

} // namespace isol8::cli
