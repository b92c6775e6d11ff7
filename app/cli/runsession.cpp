// SPDX-License-Identifier: MIT
#include "app/cli/runsession.h"

#include "app/cli/resultmessages.h"
#include "engine/core/executionjson.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// The program's output waits in the sandbox while more than this waits here.
constexpr qint64 maxPendingBytes = 1 << 20;

} // namespace

RunSession::RunSession(Engine& engine, RunPlan plan, RunDisplay display, Console& console)
    : m_console(console)
    , m_plan(std::move(plan))
    , m_display(std::move(display))
    , m_stdout(STDOUT_FILENO)
    , m_stderr(STDERR_FILENO)
    , m_signals({ SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT })
{
    auto& request = m_plan.request;
    if (request.hasTerminal) {
        const auto size = terminalSize();
        request.terminalRows = size.rows;
        request.terminalColumns = size.columns;
        if (request.isStdinLive)
            m_rawTerminal = std::make_unique<RawTerminal>();
    }
    if (m_display.outDescriptor != -1)
        m_out = std::make_unique<FdWriter>(m_display.outDescriptor);
    for (auto* writer : { &m_stdout, &m_stderr, m_out.get() }) {
        if (!writer)
            continue;
        connect(writer, &FdWriter::progressed, this, &RunSession::balanceOutput);
        connect(writer, &FdWriter::failed, this,
            [this, writer](int errorNumber) { handleWriteFailure(writer, errorNumber); });
    }
    connect(&m_signals, &SignalWatcher::received, this, &RunSession::handleSignal);

    m_run = engine.start(request, m_plan.options, m_plan.sessionId);
    connect(m_run.get(), &Run::started, this, [this](const QString& containerId) {
        if (!containerId.isEmpty())
            m_console.debug(u"Container "_s + containerId.left(12));
    });
    connect(
        m_run.get(), &Run::outputReceived, this, [this](Channel channel, const QByteArray& bytes) {
            if (m_display.isStreamed)
                showOutput(channel, bytes);
        });
    // Queued: the end must not destroy the run within its own signal.
    connect(m_run.get(), &Run::finished, this, &RunSession::handleEnd, Qt::QueuedConnection);
    if (request.isStdinLive)
        m_stdin = std::make_unique<StdinForwarder>(STDIN_FILENO, m_run.get());
}

RunSession::~RunSession()
{
    m_stdin.reset();
    m_run.reset();
}

void RunSession::showOutput(Channel channel, const QByteArray& bytes)
{
    if (channel == Channel::Stdout) {
        if (m_out)
            m_out->write(bytes);
        if (!m_display.isJson)
            m_stdout.write(bytes);
    } else if (!m_display.isJson) {
        m_stderr.write(bytes);
    }
    balanceOutput();
}

void RunSession::balanceOutput()
{
    const auto pending = std::max(
        { m_stdout.pendingBytes(), m_stderr.pendingBytes(), m_out ? m_out->pendingBytes() : 0 });
    const bool mustPause = pending > (m_isPaused ? maxPendingBytes / 4 : maxPendingBytes);
    if (mustPause != m_isPaused) {
        m_isPaused = mustPause;
        if (!m_result)
            m_run->setOutputPaused(mustPause);
    }
    finishWhenWritten();
}

void RunSession::end(int exitCode)
{
    if (!m_exitCode)
        m_exitCode = exitCode;
}

void RunSession::handleSignal(int number)
{
    if (number == SIGWINCH) {
        const auto size = terminalSize();
        if (m_plan.request.hasTerminal && !m_result)
            m_run->resizeTerminal(size.rows, size.columns);
        return;
    }
    if (number == SIGCONT) {
        if (m_rawTerminal)
            m_rawTerminal = std::make_unique<RawTerminal>();
        if (m_stdin)
            m_stdin->resume();
        return;
    }
    if (m_isConcluded)
        std::_Exit(128 + number); // What is left of the sandbox ends with its connection.
    if (m_result) {
        // Only output is still under way, and nobody takes it.
        end(128 + number);
        conclude();
        return;
    }
    if (number == SIGINT && ++m_interrupts == 1) {
        if (::isatty(STDERR_FILENO))
            m_console.info(u"Interrupt passed on to the program; once more kills it"_s);
        m_run->sendSignal(SIGINT);
        return;
    }
    end(128 + number);
    m_run->cancel();
}

void RunSession::handleWriteFailure(const FdWriter* writer, int errorNumber)
{
    if (writer == &m_stderr) {
        // The program goes on without anybody listening to its complaints.
        finishWhenWritten();
        return;
    }
    if (writer == &m_stdout && errorNumber == EPIPE) {
        end(128 + SIGPIPE);
    } else {
        m_console.error(u"Cannot write to %1: %2"_s.arg(
            writer == &m_stdout ? u"standard output"_s : u"'%1'"_s.arg(m_display.outPath),
            QString::fromLocal8Bit(std::strerror(errorNumber))));
        end(1);
    }
    if (!m_result)
        m_run->cancel();
    finishWhenWritten();
}

void RunSession::handleEnd(const Result<ExecutionResult>& result)
{
    m_stdin.reset();
    m_result = result;
    m_rawTerminal.reset();
    if (result && !m_display.isStreamed) {
        showOutput(Channel::Stdout, result->standardOutput);
        showOutput(Channel::Stderr, result->standardError);
    }
    if (result && m_display.isJson)
        m_stdout.write(QJsonDocument(toJson(*result)).toJson(QJsonDocument::Indented));
    finishWhenWritten();
}

void RunSession::finishWhenWritten()
{
    if (!m_result)
        return;
    for (const auto* writer : { &m_stdout, &m_stderr, m_out.get() }) {
        if (writer && writer->pendingBytes() > 0)
            return;
    }
    // Queued: a failure that is known by now is signalled first.
    QMetaObject::invokeMethod(this, &RunSession::conclude, Qt::QueuedConnection);
}

void RunSession::conclude()
{
    if (std::exchange(m_isConcluded, true))
        return;
    if (!*m_result) {
        const auto& failure = m_result->error();
        if (failure.kind != Kind::Cancelled)
            m_console.error(failure);
        end(failure.kind == Kind::Cancelled && m_interrupts > 0 ? 128 + SIGINT : 1);
    } else {
        saveFiles();
        describeResult(**m_result, m_plan.options, m_console);
        end((*m_result)->exitCode);
    }
    Q_EMIT finished(*m_exitCode);
}

void RunSession::saveFiles()
{
    const auto& result = **m_result;
    const int failedCode = result.exitCode != 0 ? result.exitCode : 1;
    for (const auto& missing : result.missingFiles) {
        m_console.error(u"--get "_s + missing);
        end(failedCode);
    }
    for (const auto& file : m_plan.fetchedFiles) {
        const auto content = result.files.constFind(file.path);
        if (content == result.files.constEnd())
            continue;
        auto path = file.localPath;
        if (QFileInfo(path).isDir())
            path = QDir(path).filePath(file.path.section(u'/', -1));
        QSaveFile local(path);
        if (local.open(QIODevice::WriteOnly) && local.write(*content) == content->size()
            && local.commit())
            continue;
        m_console.error(u"Cannot write '%1': %2"_s.arg(path, local.errorString()));
        end(failedCode);
    }
}

} // namespace isol8::cli
