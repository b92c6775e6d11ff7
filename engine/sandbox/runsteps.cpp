// SPDX-License-Identifier: MIT
#include "engine/sandbox/runsteps.h"

#include "engine/core/logging.h"
#include "engine/core/names.h"
#include "engine/core/validation.h"
#include "engine/files/directoryreader.h"
#include "engine/images/host.h"
#include "engine/sandbox/installstep.h"
#include "engine/sandbox/networkenvironment.h"
#include "engine/sandbox/program.h"
#include "engine/sandbox/resolvesource.h"
#include "engine/sandbox/runprogram.h"
#include "engine/sandbox/runresult.h"
#include "engine/sandbox/sandboxsource.h"

#include <QElapsedTimer>

#include <deque>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using Context = std::shared_ptr<RunContext>;

constexpr qint64 maxOutputFileBytes = 64LL << 20;
constexpr int fileMode = 0644;

std::chrono::microseconds elapsed(const QElapsedTimer& timer)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(timer.durationElapsed());
}

GuestRunSpec specOf(
    const Context& context, QByteArrayList arguments, const QStringList& imageEnvironment)
{
    return runSpecOf(context->request, context->options, std::move(arguments), imageEnvironment);
}

Task<> putFile(
    Context context, std::shared_ptr<Sandbox> sandbox, QString path, QByteArray content, int mode)
{
    const auto put = co_await sandbox->guest().putFile(
        path.toUtf8(), std::move(content), mode, context->steps);
    if (!put)
        co_return std::unexpected(put.error().within(u"putting %1 into the sandbox"_s.arg(path)));
    co_return {};
}

/// Files on their way into a sandbox. Of many, as many at once as the guest takes, so that it never
/// waits for the next one; few go one by one, since each more at once is a process more there.
/// Whoever has this awaits finish().
class Puts {
public:
    explicit Puts(qsizetype files)
        : m_most(files < manyFiles ? 1 : guest::maxFileOperations)
    {
    }
    /// Waits until there is room for one more; the failure of an earlier one.
    Task<> makeRoom()
    {
        if (m_underway.size() < m_most)
            co_return {};
        const auto earliest = std::move(m_underway.front());
        m_underway.pop_front();
        co_return co_await earliest;
    }
    void add(Task<> put) { m_underway.push_back(std::move(put)); }
    /// Waits for all; @p result, or else the first failure.
    Task<> finish(Result<> result)
    {
        for (const auto& put : m_underway) {
            const auto done = co_await put;
            if (result && !done)
                result = done;
        }
        co_return result;
    }

private:
    static constexpr qsizetype manyFiles = 16;
    const std::size_t m_most;
    std::deque<Task<>> m_underway;
};

Task<> putAll(Context context, std::shared_ptr<Sandbox> sandbox, QMap<QString, QByteArray> files)
{
    Puts puts(files.size());
    Result<> result;
    for (auto it = files.cbegin(); it != files.cend() && result; ++it) {
        const auto path = sandboxPath(it.key());
        result = path ? co_await puts.makeRoom() : std::unexpected(path.error());
        if (result)
            puts.add(putFile(context, sandbox, *path, it.value(), fileMode));
    }
    co_return co_await puts.finish(result);
}

Task<> makeDirectories(
    Context context, std::shared_ptr<Sandbox> sandbox, QList<DirectoryEntry> entries)
{
    for (const auto& entry : entries) {
        if (!entry.isDirectory)
            continue;
        const auto made = co_await sandbox->guest().makeDirectory(
            "/sandbox/" + entry.path.toUtf8(), entry.mode, context->steps);
        if (!made && made.error().kind != Kind::Conflict)
            co_return std::unexpected(
                made.error().within(u"putting %1 into the sandbox"_s.arg(entry.path)));
    }
    co_return {};
}

Task<> putDirectory(Context context, std::shared_ptr<Sandbox> sandbox)
{
    const auto listing = readDirectory(context->request.filesDirectory);
    if (!listing)
        co_return std::unexpected(listing.error());
    // First, so that each gets its own mode: a file's folders are made with it where they lack.
    auto result = co_await makeDirectories(context, sandbox, listing->entries);
    Puts puts(listing->entries.size());
    for (const auto& entry : listing->entries) {
        if (entry.isDirectory || !result)
            continue;
        auto content = readEntry(entry);
        result = content ? co_await puts.makeRoom() : std::unexpected(content.error());
        if (result)
            puts.add(putFile(
                context, sandbox, u"/sandbox/"_s + entry.path, std::move(*content), entry.mode));
    }
    co_return co_await puts.finish(result);
}

Task<> injectFiles(Context context, std::shared_ptr<Sandbox> sandbox)
{
    if (!context->request.filesDirectory.isEmpty()) {
        const auto put = co_await putDirectory(context, sandbox);
        if (!put)
            co_return put;
    }
    const auto put = co_await putAll(context, sandbox, context->request.files);
    if (!put)
        co_return put;
    if (context->request.workingDirectory != "/sandbox"_L1) {
        const auto made = co_await sandbox->guest().makeDirectory(
            context->request.workingDirectory.toUtf8(), 0755, context->steps);
        if (!made && made.error().kind != Kind::Conflict)
            co_return std::unexpected(made.error().within(u"making the working directory"_s));
    }
    co_return {};
}

/// True if the run may go on to its program.
Task<bool> setUp(Context context, AcquiredSandbox acquired)
{
    if (context->request.setupScript.isEmpty())
        co_return true;
    QElapsedTimer timer;
    timer.start();
    const QByteArray path = "/sandbox/.isol8-setup.sh";
    const auto put = co_await acquired.sandbox->guest().putFile(
        path, context->request.setupScript.toUtf8(), fileMode, context->steps);
    if (!put)
        co_return std::unexpected(
            put.error().within(u"putting the set-up script into the sandbox"_s));
    auto spec = specOf(context, { "bash", path }, acquired.imageEnvironment);
    spec.workingDirectory = "/sandbox";
    const auto report = co_await runProgram(
        context, acquired.sandbox, spec, { Phase::Setup, {}, context->network.get() });
    context->result.phases.setup = elapsed(timer);
    if (!report)
        co_return std::unexpected(report.error());
    applyReport(context->result, *report, context->options);
    if (report->outcome == guest::Outcome::Exited && report->value == 0) {
        (void)co_await acquired.sandbox->guest().removeFile(path, context->steps);
        co_return true;
    }
    if (context->result.ending.reason == EndReason::Exited)
        context->result.ending.reason = EndReason::SetupFailed;
    co_return false;
}

Task<> runCode(Context context, AcquiredSandbox acquired)
{
    QElapsedTimer timer;
    timer.start();
    const auto program = programOf(context->request);
    const bool isSmall = program.code.size() <= qsizetype(guest::fileWindowBytes);
    if (!program.path.isEmpty() && !isSmall) {
        const auto put = co_await acquired.sandbox->guest().putFile(
            program.path, program.code, fileMode, context->steps);
        if (!put)
            co_return std::unexpected(put.error().within(u"putting the code into the sandbox"_s));
    }
    auto spec = specOf(context, program.arguments, acquired.imageEnvironment);
    spec.hasTerminal = context->request.hasTerminal;
    spec.rows = context->rows;
    spec.columns = context->columns;
    spec.isStdinOpen = context->request.stdinData || context->request.isStdinLive;
    if (isSmall) {
        spec.scriptPath = program.path;
        spec.script = program.code;
    }
    const auto report = co_await runProgram(
        context, acquired.sandbox, spec, { Phase::Code, {}, context->network.get() });
    context->result.phases.run = elapsed(timer);
    if (!report)
        co_return std::unexpected(report.error());
    if (report->outcome == guest::Outcome::NotStarted)
        co_return std::unexpected(
            notStarted(*report, program.arguments.constFirst(), context->options.image));
    applyReport(context->result, *report, context->options);
    co_return {};
}

Task<> collectFiles(Context context, std::shared_ptr<Sandbox> sandbox)
{
    for (const auto& wanted : context->request.outputPaths) {
        const auto path = sandboxPath(wanted);
        if (!path)
            co_return std::unexpected(path.error());
        const auto content = co_await sandbox->guest().fetchFile(
            path->toUtf8(), maxOutputFileBytes, context->steps);
        if (content)
            context->result.files.insert(wanted, *content);
        else
            context->result.missingFiles << wanted + u": "_s + content.error().message;
    }
    co_return {};
}

/// What is wrong with the rules or the bundle is said before there is a sandbox.
Task<> prepareNetwork(Context context)
{
    const auto& options = context->options;
    if (options.network == NetworkMode::Filtered) {
        auto network = context->makeNetwork(options.networkFilter);
        if (!network)
            co_return std::unexpected(network.error());
        context->network = std::move(*network);
    }
    if (needsBundle(options)) {
        auto bundle = readCaBundle(options.caBundlePath);
        if (!bundle)
            co_return std::unexpected(bundle.error());
        context->caBundle = std::move(*bundle);
    }
    co_return {};
}

void reportNetwork(RunContext& context)
{
    auto& result = context.result;
    for (auto* network : { &context.installNetwork, &context.network }) {
        if (!*network)
            continue;
        result.networkBytesIn += (*network)->bytesIn();
        result.networkBytesOut += (*network)->bytesOut();
        result.networkLogs += (*network)->log();
        for (const auto& violation : (*network)->violations()) {
            if (!result.violations.contains(violation))
                result.violations << violation;
        }
        network->reset();
    }
}

Task<> putBundle(Context context, std::shared_ptr<Sandbox> sandbox)
{
    if (context->caBundle.isEmpty())
        co_return {};
    const auto put = co_await sandbox->guest().putFile(
        sandboxBundlePath.toUtf8(), context->caBundle, fileMode, context->steps);
    if (!put)
        co_return std::unexpected(put.error().within(u"putting the CA bundle into the sandbox"_s));
    co_return {};
}

/// Everything that happens inside the acquired sandbox.
Task<> runInside(Context context, AcquiredSandbox acquired)
{
    const auto bundled = co_await putBundle(context, acquired.sandbox);
    if (!bundled)
        co_return bundled;
    // Before the run's files are there, which could set up the package manager otherwise.
    const auto installed = co_await installPackages(context, acquired);
    if (!installed)
        co_return std::unexpected(installed.error());
    if (!*installed)
        co_return {};
    const auto injected = co_await injectFiles(context, acquired.sandbox);
    if (!injected)
        co_return injected;
    const auto mayRun = co_await setUp(context, acquired);
    if (!mayRun)
        co_return std::unexpected(mayRun.error());
    if (!*mayRun)
        co_return {};
    const auto ran = co_await runCode(context, acquired);
    if (!ran)
        co_return ran;
    co_return co_await collectFiles(context, acquired.sandbox);
}

/// Turns a step's failure into a result where the run's own end caused it.
bool isAnsweredByResult(const Context& context)
{
    if (context->isCancelled) {
        endForcibly(context->result, EndReason::Cancelled);
        return true;
    }
    if (context->isDeadlinePassed) {
        endForcibly(context->result, EndReason::Timeout);
        return true;
    }
    return false;
}

/// The result of a run that came to its end, by itself or by force; else the error of @p ended.
Result<ExecutionResult> concluded(
    const Context& context, const QElapsedTimer& total, const Result<>& ended)
{
    if (!isAnsweredByResult(context) && !ended)
        return std::unexpected(ended.error());
    auto& result = context->result;
    result.standardOutput = context->output.kept(Channel::Stdout);
    // What was said about an install is of interest when it failed, and then nothing else ran.
    result.standardError = result.ending.reason == EndReason::InstallFailed
        ? context->installOutput.kept(Channel::Stderr)
        : context->output.kept(Channel::Stderr);
    result.isTruncated = context->output.isTruncated();
    result.duration = elapsed(total);
    addHints(result);
    return result;
}

/// Whether the sandbox is as good as before the run. A session's is so after a cancel, too, where
/// the guest has answered it: its files outlive a client that vanishes.
bool isWhole(const Context& context, const Result<>& ran, const AcquiredSandbox& acquired)
{
    if (context->isDeadlinePassed || !acquired.sandbox->guest().isOpen())
        return false;
    if (context->isCancelled)
        return !context->sessionId.isEmpty() && (ran || ran.error().kind == Kind::Cancelled);
    return ran.has_value();
}

/// Not awaited by the run: what is left of the sandbox is cleared away beside it, and shutdown()
/// waits.
Task<> clearAway(EngineState engine, AcquiredSandbox acquired, bool isBroken)
{
    const auto activity = engine->begin({});
    const auto id = acquired.sandbox->containerId();
    const auto given = co_await giveBack(engine, std::move(acquired), isBroken);
    if (!given)
        qCWarning(logSandbox) << "container" << id.left(12)
                              << "was not removed:" << given.error().message;
    engine->end(activity);
    co_return given;
}

} // namespace

Task<ExecutionResult> performRun(Context context)
{
    auto& result = context->result;
    QElapsedTimer total;
    total.start();
    if (const auto resolved = co_await resolveSource(context); !resolved)
        co_return concluded(context, total, resolved);
    if (const auto prepared = co_await prepareNetwork(context); !prepared)
        co_return concluded(context, total, prepared);
    if (const auto prepared = co_await prepareInstall(context); !prepared)
        co_return concluded(context, total, prepared);
    auto acquired = co_await acquireSandbox(context->engine,
        { context->request.runtime, context->options, context->sessionId, result.executionId,
            likelyAfter(context->request), context->request.tenant },
        context->steps);
    if (!acquired)
        co_return std::unexpected(acquired.error());
    result.phases.acquire = elapsed(total);
    result.containerId = acquired->sandbox->containerId();
    result.imageDigest = acquired->imageId;
    if (context->view)
        Q_EMIT context->view->started(result.containerId);

    context->deadline = QDeadlineTimer(context->timeLimit);
    const auto ran = co_await runInside(context, *acquired);
    context->output.finish();
    reportNetwork(*context);
    const bool isBroken = !isWhole(context, ran, *acquired);
    (void)clearAway(context->engine, std::move(*acquired), isBroken);
    co_return concluded(context, total, ran);
}

} // namespace isol8
