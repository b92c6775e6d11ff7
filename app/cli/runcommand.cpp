// SPDX-License-Identifier: MIT
#include "app/cli/runcommand.h"

#include "app/cli/context.h"
#include "app/cli/runplan.h"
#include "app/cli/runsession.h"
#include "app/cli/sparemaker.h"
#include "app/cli/target.h"
#include "engine/core/completion.h"
#include "engine/sandbox/dockerengine.h"

#include <QFile>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// What is shown as it comes need not be kept, but for what the hints at the end are found in: all
/// of it with the usual --max-output.
constexpr qint64 keptWhenShown = 1 << 20;

QCoro::Task<int> perform(
    std::shared_ptr<Engine> engine, RunPlan plan, RunDisplay display, Console* console)
{
    const Completion<int> ended;
    RunSession session(*engine, std::move(plan), std::move(display), *console);
    QObject::connect(
        &session, &RunSession::finished, &session, [ended](int code) { ended.deliver(code); },
        Qt::QueuedConnection);
    const auto code = co_await ended.wait();
    const auto closed = co_await engine->shutdown();
    if (!closed)
        console->warn(closed.error().message);
    co_return code.value_or(1);
}

/// Without waiting for the reader of a FIFO, and before anything is started in vain.
std::optional<int> openOut(const QString& path, Console& console)
{
    const int descriptor = ::open(QFile::encodeName(path).constData(),
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (descriptor >= 0)
        return descriptor;
    console.error(
        u"--out: cannot write '%1': %2"_s.arg(path, QString::fromLocal8Bit(std::strerror(errno))));
    return std::nullopt;
}

bool isFolder(int descriptor)
{
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

} // namespace

RunCommand::RunCommand(const QStringList& programArguments)
{
    m_options.arguments = programArguments;
}

void RunCommand::define(OptionSet& options)
{
    defineRunOptions(options, m_options);
}

int RunCommand::run(Console& console)
{
    if (m_options.debug) {
        console.setDebug(true);
        console.captureLog();
    }
    const auto surroundings = realSurroundings();
    const auto secrets = planSecrets(m_options.secrets, surroundings);
    if (secrets)
        console.setSecrets(SecretSet(*secrets));
    std::optional<Target> target;
    if (m_options.host) {
        target = targetFor(*m_options.host, m_options.key, console);
        if (!target)
            return 1;
    } else if (m_options.key) {
        console.error(u"--key belongs to --host: which server?"_s);
        return 1;
    }
    const auto loaded = settingsFor(console);
    if (!loaded)
        return 1;
    auto plan = planRun(m_options, loaded->settings, surroundings);
    if (!plan) {
        console.error(plan.error());
        return 1;
    }
    if (plan->request.isStdinLive && isFolder(STDIN_FILENO)) {
        console.error(u"Standard input is a directory"_s);
        return 1;
    }
    for (const auto& warning : plan->warnings)
        console.warn(warning);
    for (const auto& name : SecretSet(plan->options.secrets).unmaskedNames())
        console.warn(u"The secret %1 is too short to be masked in the output"_s.arg(name));

    std::shared_ptr<DockerEngine> docker;
    std::shared_ptr<Engine> engine;
    if (target)
        engine = remoteEngine(*target);
    else
        engine = docker = engineForOneRun(console, loaded->settings);
    if (!engine)
        return 1;
    RunDisplay display;
    display.isJson = m_options.json;
    display.isStreamed = !m_options.json && !m_options.noStream;
    if (display.isStreamed)
        plan->request.keptOutputBytes = keptWhenShown;
    if (m_options.out) {
        const auto descriptor = openOut(*m_options.out, console);
        if (!descriptor)
            return 1;
        display.outDescriptor = *descriptor;
        display.outPath = *m_options.out;
    }
    const int code = runEventLoop(perform(engine, std::move(*plan), display, &console));
    if (display.outDescriptor != -1 && ::close(display.outDescriptor) != 0) {
        console.error(u"Cannot write to '%1': %2"_s.arg(
            display.outPath, QString::fromLocal8Bit(std::strerror(errno))));
        return code != 0 ? code : 1;
    }
    if (const auto order = docker ? docker->nextSpare() : QByteArray(); !order.isEmpty())
        startSpareMaker(order);
    return code;
}

} // namespace isol8::cli
