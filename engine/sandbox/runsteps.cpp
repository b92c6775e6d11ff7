// SPDX-License-Identifier: MIT
#include "engine/sandbox/runsteps.h"

#include "engine/core/logging.h"
#include "engine/core/names.h"
#include "engine/core/validation.h"
#include "engine/files/directoryreader.h"
#include "engine/sandbox/program.h"
#include "engine/sandbox/runresult.h"
#include "engine/sandbox/sandboxsource.h"

#include <QElapsedTimer>
#include <QTimer>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using Context = std::shared_ptr<RunContext>;
using std::chrono::milliseconds;

/// The guest keeps the time limit; if it has not answered this long after, the sandbox is frozen or
/// lost.
constexpr milliseconds deadlineGrace { 1500 };
/// What an ordered end of the program may take before the container is destroyed instead.
constexpr milliseconds killGrace { 2000 };
constexpr qint64 maxOutputFileBytes = 64LL << 20;
constexpr int fileMode = 0644;

std::chrono::microseconds elapsed(const QElapsedTimer& timer)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(timer.durationElapsed());
}

void passOnOutput(const Context& context, GuestRun& program, Phase phase)
{
    QObject::connect(&program, &GuestRun::outputReceived, &context->output,
        [output = &context->output, phase](
            Channel channel, const QByteArray& bytes) { output->add(channel, bytes, phase); });
}

void feedStdin(const Context& context, GuestRun& program)
{
    const auto& request = context->request;
    if (request.stdinData) {
        program.writeStdin(*request.stdinData);
        program.closeStdin();
        return;
    }
    if (!request.isStdinLive)
        return;
    QObject::connect(&program, &GuestRun::stdinAccepted, &context->output,
        [view = context->view](qint64 pendingBytes) {
            if (view)
                Q_EMIT view->stdinAccepted(pendingBytes);
        });
    program.writeStdin(std::exchange(context->earlyStdin, {}));
    if (context->isStdinClosed)
        program.closeStdin();
}

/// Runs one program to its end. The deadline is the guest's to keep; this side only watches over
/// it.
Task<guest::RunReport> runProgram(
    Context context, std::shared_ptr<Sandbox> sandbox, GuestRunSpec spec, Phase phase)
{
    const milliseconds remaining(context->deadline.remainingTime());
    if (remaining.count() <= 0)
        co_return guest::RunReport { .outcome = guest::Outcome::TimedOut };
    spec.timeout = remaining;

    const Completion<guest::RunReport> ended;
    const auto program = sandbox->guest().startRun(spec);
    // Queued: the program object must not be destroyed from within its own signal.
    QObject::connect(
        program.get(), &GuestRun::finished, &context->output,
        [ended](const Result<guest::RunReport>& report) { ended.deliver(report); },
        Qt::QueuedConnection);
    passOnOutput(context, *program, phase);
    if (context->view && phase == Phase::Code)
        QObject::connect(
            program.get(), &GuestRun::usageReported, context->view.data(), &Run::usageReported);
    if (phase == Phase::Code)
        feedStdin(context, *program);
    program->setOutputPaused(context->isOutputPaused);
    context->program = program.get();
    context->phase = phase;

    QTimer watchdog;
    watchdog.setSingleShot(true);
    QObject::connect(&watchdog, &QTimer::timeout, &watchdog, [context, ended] {
        context->isDeadlinePassed = !context->isCancelled;
        ended.fail({ Kind::Timeout, u"the sandbox did not end the program in time"_s });
    });
    watchdog.start(remaining + deadlineGrace);
    const auto linked = context->steps.onCancel([&] {
        program->kill();
        watchdog.start(killGrace);
    });

    auto report = co_await ended.wait();
    context->program = nullptr;
    context->output.finishPhase();
    co_return report;
}

GuestRunSpec specOf(
    const Context& context, QByteArrayList arguments, const QStringList& imageEnvironment)
{
    GuestRunSpec spec;
    spec.arguments = std::move(arguments);
    spec.environment = environmentOf(context->request, context->options, imageEnvironment);
    spec.workingDirectory = context->request.workingDirectory.toUtf8();
    spec.isUsageReported = context->request.isUsageReported;
    return spec;
}

Task<> putAll(Context context, std::shared_ptr<Sandbox> sandbox, QMap<QString, QByteArray> files)
{
    for (auto it = files.cbegin(); it != files.cend(); ++it) {
        const auto path = sandboxPath(it.key());
        if (!path)
            co_return std::unexpected(path.error());
        const auto put = co_await sandbox->guest().putFile(
            path->toUtf8(), it.value(), fileMode, context->steps);
        if (!put)
            co_return std::unexpected(
                put.error().within(u"putting %1 into the sandbox"_s.arg(*path)));
    }
    co_return {};
}

Task<> putDirectory(Context context, std::shared_ptr<Sandbox> sandbox)
{
    const auto listing = readDirectory(context->request.filesDirectory);
    if (!listing)
        co_return std::unexpected(listing.error());
    for (const auto& entry : listing->entries) {
        const auto path = "/sandbox/" + entry.path.toUtf8();
        Result<> put;
        if (entry.isDirectory) {
            put = co_await sandbox->guest().makeDirectory(path, entry.mode, context->steps);
        } else {
            auto content = readEntry(entry);
            if (!content)
                co_return std::unexpected(content.error());
            put = co_await sandbox->guest().putFile(
                path, std::move(*content), entry.mode, context->steps);
        }
        if (!put && !(entry.isDirectory && put.error().kind == Kind::Conflict))
            co_return std::unexpected(
                put.error().within(u"putting %1 into the sandbox"_s.arg(entry.path)));
    }
    co_return {};
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
    const auto report = co_await runProgram(context, acquired.sandbox, spec, Phase::Setup);
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
    if (!program.path.isEmpty()) {
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
    const auto report = co_await runProgram(context, acquired.sandbox, spec, Phase::Code);
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

/// Everything that happens inside the acquired sandbox.
Task<> runInside(Context context, AcquiredSandbox acquired)
{
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

/// Not awaited by the run: what is left of the sandbox is cleared away beside it, and shutdown()
/// waits.
Task<> clearAway(EngineState engine, AcquiredSandbox acquired, bool isBroken)
{
    const auto activity = engine->begin({});
    const auto id = acquired.sandbox->containerId();
    const auto given = co_await giveBack(std::move(acquired), isBroken);
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
    auto acquired = co_await acquireSandbox(context->engine,
        { context->request.runtime, context->options, context->sessionId, result.executionId },
        context->steps);
    if (!acquired)
        co_return std::unexpected(acquired.error());
    result.phases.acquire = elapsed(total);
    result.containerId = acquired->sandbox->containerId();
    result.imageDigest = acquired->imageId;
    if (context->view)
        Q_EMIT context->view->started(result.containerId);

    context->deadline = QDeadlineTimer(context->request.timeout.value_or(context->options.timeout));
    const auto ran = co_await runInside(context, *acquired);
    context->output.finish();
    const bool isBroken = !ran || context->isCancelled || context->isDeadlinePassed
        || !acquired->sandbox->guest().isOpen();
    (void)clearAway(context->engine, std::move(*acquired), isBroken);

    const bool isAnswered = isAnsweredByResult(context);
    if (!ran && !isAnswered)
        co_return std::unexpected(ran.error());
    result.standardOutput = context->output.kept(Channel::Stdout);
    result.standardError = context->output.kept(Channel::Stderr);
    result.isTruncated = context->output.isTruncated();
    result.duration = elapsed(total);
    addHints(result);
    co_return result;
}

} // namespace isol8
