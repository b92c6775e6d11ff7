// SPDX-License-Identifier: MIT
#include "engine/sandbox/runprogram.h"

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

void passOnOutput(const Context& context, GuestRun& program, const ProgramFrame& frame)
{
    auto output = frame.output;
    if (!output)
        output = [output = &context->output, phase = frame.phase](Channel channel,
                     const QByteArray& bytes) { output->add(channel, bytes, phase); };
    QObject::connect(&program, &GuestRun::outputReceived, &context->output, std::move(output));
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

void connectNetwork(GuestRun& program, proxy::FilteredNetwork& network)
{
    QObject::connect(
        &program, &GuestRun::connectionOpened, &network, [run = &program, to = &network] {
            while (auto connection = run->takeConnection())
                to->accept(std::move(connection));
        });
}

} // namespace

Task<guest::RunReport> runProgram(
    Context context, std::shared_ptr<Sandbox> sandbox, GuestRunSpec spec, ProgramFrame frame)
{
    const milliseconds remaining(context->deadline.remainingTime());
    if (remaining.count() <= 0)
        co_return guest::RunReport { .outcome = guest::Outcome::TimedOut };
    spec.timeout = remaining;
    spec.areConnectionsCarried = frame.network != nullptr;

    const Completion<guest::RunReport> ended;
    const auto program = sandbox->guest().startRun(spec);
    // Queued: the program object must not be destroyed from within its own signal.
    QObject::connect(
        program.get(), &GuestRun::finished, &context->output,
        [ended](const Result<guest::RunReport>& report) { ended.deliver(report); },
        Qt::QueuedConnection);
    passOnOutput(context, *program, frame);
    if (frame.network)
        connectNetwork(*program, *frame.network);
    if (context->view && frame.phase == Phase::Code)
        QObject::connect(
            program.get(), &GuestRun::usageReported, context->view.data(), &Run::usageReported);
    if (frame.phase == Phase::Code)
        feedStdin(context, *program);
    program->setOutputPaused(context->isOutputPaused);
    context->program = program.get();
    context->phase = frame.phase;

    QTimer watchdog;
    watchdog.setSingleShot(true);
    QObject::connect(&watchdog, &QTimer::timeout, &watchdog, [context, ended] {
        context->isDeadlinePassed = !context->isCancelled;
        ended.fail({ Kind::Timeout, u"the sandbox did not end the program in time"_s });
    });
    watchdog.start(remaining + deadlineGrace);
    const auto linked = context->steps.onCancel([&] {
        // What is still in its pipes would keep the guest from telling of the end.
        program->setOutputPaused(false);
        program->kill();
        watchdog.start(killGrace);
    });

    auto report = co_await ended.wait();
    context->engine->runsAhead += program->wasAhead() ? 1 : 0;
    context->program = nullptr;
    context->output.finishPhase();
    co_return report;
}

} // namespace isol8
