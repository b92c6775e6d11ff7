// SPDX-License-Identifier: MIT
#include "engine/core/hostprocess.h"

#include "engine/core/completion.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTimer>

#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype maxOutputBytes = 1 << 20;
constexpr qsizetype maxTailBytes = 64 << 10;
constexpr qsizetype maxLineBytes = 4096;
constexpr std::chrono::seconds graceTime { 10 };

enum class Stop { None, Cancelled, TimedOut };

struct Running {
    QProcess process;
    HostResult result;
    QByteArray partialLine;
    LineHandler line;
    bool hasOwnGroup = false;
    Stop stop = Stop::None;
};

void takeOutput(Running& running)
{
    const auto bytes = running.process.readAllStandardOutput();
    running.result.output += bytes.left(maxOutputBytes - running.result.output.size());
}

void takeErrors(Running& running)
{
    const auto bytes = running.process.readAllStandardError();
    running.result.errorTail = (running.result.errorTail + bytes).right(maxTailBytes);
    if (!running.line)
        return;
    running.partialLine += bytes;
    qsizetype start = 0;
    for (qsizetype end; (end = running.partialLine.indexOf('\n', start)) >= 0; start = end + 1)
        running.line(QString::fromUtf8(running.partialLine.mid(start, end - start)).trimmed());
    running.partialLine.remove(0, start);
    if (running.partialLine.size() > maxLineBytes)
        running.partialLine.clear();
}

void signalProgram(const Running& running, int signal)
{
    const auto pid = static_cast<pid_t>(running.process.processId());
    if (pid > 0)
        ::kill(running.hasOwnGroup ? -pid : pid, signal);
}

/// Asks the program to end, once, and kills it later when it does not.
void stopProgram(Running& running, Stop why, int signal)
{
    if (running.stop != Stop::None)
        return;
    running.stop = why;
    signalProgram(running, signal);
    if (signal != SIGKILL)
        QTimer::singleShot(
            graceTime, &running.process, [&running] { signalProgram(running, SIGKILL); });
}

} // namespace

Task<HostResult> runOnHost(HostCommand command, LineHandler line, CancelToken cancel)
{
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    const auto program = command.program.contains(u'/')
        ? command.program
        : QStandardPaths::findExecutable(command.program);
    if (program.isEmpty())
        co_return failure(
            Kind::NotFound, u"there is no program %1 on this machine"_s.arg(command.program));

    const auto running = std::make_shared<Running>();
    auto* const process = &running->process;
    running->line = line;
    running->hasOwnGroup = command.hasOwnGroup;
    process->setProgram(program);
    process->setArguments(command.arguments);
    process->setProcessEnvironment(command.environment);
    process->setWorkingDirectory(command.workingDirectory);
    process->setStandardInputFile(QProcess::nullDevice());
    process->setChildProcessModifier([parent = ::getpid(), hasOwnGroup = command.hasOwnGroup] {
        if (hasOwnGroup)
            ::setsid();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) // it died before the line above
            ::_exit(127);
    });

    const Completion<> ended;
    const auto deliver = [ended] { ended.deliver({}); };
    auto* const state = running.get();
    QObject::connect(
        process, &QProcess::readyReadStandardOutput, process, [state] { takeOutput(*state); });
    QObject::connect(
        process, &QProcess::readyReadStandardError, process, [state] { takeErrors(*state); });
    QObject::connect(process, &QProcess::finished, process, deliver, Qt::QueuedConnection);
    QObject::connect(
        process, &QProcess::errorOccurred, process,
        [ended](QProcess::ProcessError error) {
            if (error == QProcess::FailedToStart)
                ended.deliver({});
        },
        Qt::QueuedConnection);
    const auto registration = cancel.onCancel(
        [state, signal = command.stopSignal] { stopProgram(*state, Stop::Cancelled, signal); });
    if (command.timeout.count() > 0) {
        QTimer::singleShot(command.timeout, process,
            [state, signal = command.stopSignal] { stopProgram(*state, Stop::TimedOut, signal); });
    }
    process->start(QIODevice::ReadOnly);
    co_await ended.wait();

    takeOutput(*running);
    takeErrors(*running);
    if (running->stop == Stop::Cancelled)
        co_return std::unexpected(cancelled());
    if (running->stop == Stop::TimedOut)
        co_return failure(Kind::Timeout, u"%1 does not answer"_s.arg(command.program));
    if (process->error() == QProcess::FailedToStart) {
        co_return failure(
            Kind::Denied, u"cannot start %1: %2"_s.arg(command.program, process->errorString()));
    }
    const auto isCrash = process->exitStatus() == QProcess::CrashExit;
    running->result.exitCode = isCrash ? 128 + process->exitCode() : process->exitCode();
    co_return running->result;
}

} // namespace isol8
