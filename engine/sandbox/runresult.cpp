// SPDX-License-Identifier: MIT
#include "engine/sandbox/runresult.h"

#include "engine/core/names.h"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace isol8 {

namespace {

using namespace Qt::StringLiterals;
using guest::Outcome;

constexpr int killedExitCode = 128 + SIGKILL;

void applyEnd(ExecutionResult& result, const guest::RunReport& report)
{
    switch (report.outcome) {
    case Outcome::NotStarted:
        break;
    case Outcome::Exited:
        result.exitCode = static_cast<int>(report.value & 0xff);
        result.ending.reason = EndReason::Exited;
        break;
    case Outcome::Signalled:
        result.exitCode = 128 + static_cast<int>(report.value & 0x7f);
        result.signal = signalName(static_cast<int>(report.value & 0x7f));
        result.ending.reason = EndReason::Signal;
        break;
    case Outcome::TimedOut:
        endForcibly(result, EndReason::Timeout);
        break;
    case Outcome::Killed:
        endForcibly(result, EndReason::Cancelled);
        break;
    }
}

} // namespace

void endForcibly(ExecutionResult& result, EndReason reason)
{
    result.exitCode = killedExitCode;
    result.signal = signalName(SIGKILL);
    result.ending.reason = reason;
    result.isTimedOut = reason == EndReason::Timeout;
}

void applyReport(
    ExecutionResult& result, const guest::RunReport& report, const ExecutionOptions& options)
{
    applyEnd(result, report);
    result.cpuTime
        += std::chrono::microseconds(report.userMicroseconds + report.systemMicroseconds);
    result.peakMemoryBytes
        = std::max(result.peakMemoryBytes, static_cast<qint64>(report.peakMemoryBytes));

    const bool isKilled = report.outcome == Outcome::Signalled && report.value == SIGKILL;
    const bool saysKilled = report.outcome == Outcome::Exited && report.value == killedExitCode;
    result.isOutOfMemory = report.oomKills > 0;
    if (result.isOutOfMemory && (isKilled || saysKilled)) {
        result.signal = signalName(SIGKILL);
        result.ending = { EndReason::OutOfMemory, u"memoryLimit"_s,
            QString::number(options.memoryLimitBytes) };
    }
    if (result.ending.reason == EndReason::Timeout)
        result.ending.limit = u"timeoutMs"_s;
    if (report.pidsRefused > 0)
        result.violations.append({ u"pids"_s,
            u"%1 processes or threads were refused at the limit of %2"_s.arg(report.pidsRefused)
                .arg(options.pidsLimit),
            u"--pids-limit"_s });
}

void addHints(ExecutionResult& result)
{
    if (result.exitCode == 0)
        return;
    if (result.standardError.contains("No space left on device"))
        result.violations.append({ u"disk"_s, u"a file system of the sandbox is full"_s,
            u"--sandbox-size or --tmp-size"_s });
    if (result.standardError.contains("Read-only file system"))
        result.violations.append(
            { u"read-only"_s, u"only /sandbox and /tmp can be written"_s, u"--writable"_s });
}

void maskSentences(ExecutionResult& result, const SecretSet& secrets)
{
    if (secrets.isEmpty())
        return;
    const auto mask = [&secrets](QString& text) { text = secrets.masked(text); };
    std::ranges::for_each(result.missingFiles, mask);
    for (Violation& violation : result.violations) {
        mask(violation.detail);
        mask(violation.allowWith);
    }
    for (NetworkLogEntry& entry : result.networkLogs) {
        mask(entry.method);
        mask(entry.host);
        mask(entry.rule);
        if (entry.path)
            mask(*entry.path);
    }
}

Error notStarted(const guest::RunReport& report, const QByteArray& command, const QString& image)
{
    const auto name = QString::fromUtf8(command);
    const auto where = image.isEmpty() ? u"the sandbox"_s : u"the image %1"_s.arg(image);
    if (report.value & guest::workingDirectoryFlag) {
        const auto number = static_cast<int>(report.value & ~guest::workingDirectoryFlag);
        return { number == EACCES ? Kind::Denied : Kind::NotFound,
            u"the working directory cannot be entered: %1"_s.arg(
                QString::fromLocal8Bit(std::strerror(number))) };
    }
    if (report.value & guest::listenerFlag)
        return { Kind::Conflict,
            u"port %1 of the sandbox, where its proxy listens, is still in use"_s.arg(
                guest::carriedPort) };
    switch (report.value) {
    case ENOENT:
        return { Kind::NotFound, u"%1 has no program %2"_s.arg(where, name) };
    case EACCES:
        return { Kind::Denied, u"%1 in %2 may not be executed"_s.arg(name, where) };
    case E2BIG:
        return { Kind::Limit, u"arguments and environment are too large together"_s };
    default:
        return { Kind::Internal,
            u"%1 could not be started in %2: %3"_s.arg(name, where,
                QString::fromLocal8Bit(std::strerror(static_cast<int>(report.value)))) };
    }
}

} // namespace isol8
