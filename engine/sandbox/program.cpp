// SPDX-License-Identifier: MIT
#include "engine/sandbox/program.h"

#include "engine/sandbox/agent.h"
#include "engine/sandbox/installrecipe.h"
#include "engine/sandbox/networkenvironment.h"

#include <QMap>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;

struct Launcher {
    const char* extension;
    QByteArrayList command; ///< Before the file.
};

Launcher launcherOf(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return { ".py", { "python3" } };
    case Runtime::Node:
        return { ".mjs", { "node" } };
    case Runtime::Bun:
        return { ".ts", { "bun", "run" } };
    case Runtime::Deno:
        // The container is the boundary, so Deno's own permissions are all given.
        return { ".mts", { "deno", "run", "--allow-all", "--no-prompt" } };
    case Runtime::Bash:
        return { ".sh", { "bash" } };
    case Runtime::Agent: // Has no file.
        break;
    }
    return {};
}

} // namespace

Program programOf(const ExecutionRequest& request)
{
    Program program;
    if (!request.command.isEmpty()) {
        program.arguments = { "bash", "-c", request.command.toUtf8(), "bash" };
    } else if (request.runtime == Runtime::Agent) {
        program.arguments = agentCommand(request);
    } else {
        const auto launcher = launcherOf(request.runtime);
        const auto extension = request.fileExtension.isEmpty() ? QByteArray(launcher.extension)
                                                               : request.fileExtension.toUtf8();
        program.path = "/sandbox/main" + extension;
        program.code = request.code;
        program.arguments = launcher.command;
        program.arguments << program.path;
    }
    for (const auto& argument : request.arguments)
        program.arguments << argument.toUtf8();
    return program;
}

QByteArrayList environmentOf(const ExecutionRequest& request, const ExecutionOptions& options,
    const QStringList& imageEnvironment)
{
    QMap<QString, QString> all;
    for (const auto& entry : imageEnvironment)
        all.insert(entry.section(u'=', 0, 0), entry.section(u'=', 1));

    const auto path
        = all.value(u"PATH"_s, u"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"_s);
    all.insert(u"PATH"_s, u"/sandbox/.local/bin:/sandbox/.npm-global/bin:"_s + path);
    all.insert(u"HOME"_s, u"/sandbox"_s);
    all.insert(u"USER"_s, u"sandbox"_s);
    all.insert(u"LOGNAME"_s, u"sandbox"_s);
    if (!all.contains(u"LANG"_s))
        all.insert(u"LANG"_s, u"C.UTF-8"_s);
    if (request.hasTerminal)
        all.insert(u"TERM"_s, u"xterm-256color"_s);
    // Output is watched live, so it is not kept back in the interpreter.
    all.insert(u"PYTHONUNBUFFERED"_s, u"1"_s);
    const bool isSession = options.mode == Mode::Persistent;
    if (!all.contains(u"DENO_DIR"_s)) // An image with baked packages has its own.
        all.insert(u"DENO_DIR"_s, isSession ? u"/sandbox/.deno"_s : u"/tmp/.deno"_s);
    all.insert(u"DENO_NO_UPDATE_CHECK"_s, u"1"_s);
    // What an earlier run of a session has installed is still there.
    if (!request.installPackages.isEmpty() || (isSession && request.runtime != Runtime::Deno))
        all.insert(installrecipe::environmentAfter(request.runtime, all));
    if (options.network == NetworkMode::Filtered)
        all.insert(proxyEnvironment(options.networkFilter));
    if (needsBundle(options))
        all.insert(trustEnvironment());

    all.insert(request.environment);
    all.insert(options.secrets);

    QByteArrayList list;
    list.reserve(all.size());
    for (auto it = all.cbegin(); it != all.cend(); ++it)
        list << (it.key() + u'=' + it.value()).toUtf8();
    return list;
}

QByteArrayList withVariables(QByteArrayList environment, const QMap<QString, QString>& variables)
{
    for (auto it = variables.cbegin(); it != variables.cend(); ++it) {
        const auto start = it.key().toUtf8() + '=';
        environment.removeIf([&start](const auto& each) { return each.startsWith(start); });
        environment << start + it.value().toUtf8();
    }
    return environment;
}

GuestRunSpec runSpecOf(const ExecutionRequest& request, const ExecutionOptions& options,
    QByteArrayList arguments, const QStringList& imageEnvironment)
{
    GuestRunSpec spec;
    spec.arguments = std::move(arguments);
    spec.environment = environmentOf(request, options, imageEnvironment);
    spec.workingDirectory = request.workingDirectory.toUtf8();
    spec.isUsageReported = request.isUsageReported;
    spec.mayTrace = options.seccomp != SeccompMode::Strict;
    spec.areConnectionsCarried = options.network == NetworkMode::Filtered;
    return spec;
}

std::optional<ExecutionRequest> likelyAfter(const ExecutionRequest& request)
{
    if (!request.command.isEmpty() || request.hasTerminal || request.runtime == Runtime::Agent)
        return std::nullopt;
    ExecutionRequest likely;
    likely.runtime = request.runtime;
    likely.fileExtension = request.fileExtension;
    likely.isStdinLive = request.stdinData || request.isStdinLive;
    likely.isUsageReported = request.isUsageReported;
    return likely;
}

Ahead aheadOf(
    const ExecutionRequest& request, ExecutionOptions options, const QStringList& imageEnvironment)
{
    options.secrets.clear();
    const auto program = programOf(request);
    Ahead ahead { runSpecOf(request, options, program.arguments, imageEnvironment), program.path };
    ahead.spec.isStdinOpen = request.isStdinLive;
    // One thread, and nothing kept of its own process id: that cannot be said of the others.
    ahead.isCopyable = request.runtime == Runtime::Python;
    ahead.spec.areConnectionsCarried = options.network == NetworkMode::Filtered;
    return ahead;
}

} // namespace isol8
