// SPDX-License-Identifier: MIT
#include "ui/run/runsentences.h"

#include "engine/core/escape.h"

#include <QCoreApplication>
#include <QLocale>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("RunSentences", text);
}

QString ending(const ExecutionResult& result, const ExecutionOptions& options)
{
    switch (result.ending.reason) {
    case EndReason::Exited:
        return result.exitCode == 0 ? tr("Finished")
                                    : tr("Ended with exit code %1").arg(result.exitCode);
    case EndReason::Signal:
        return tr("Ended by the signal %1").arg(printable(result.signal));
    case EndReason::Timeout:
        return tr("Timed out: it was ended at its limit of %1").arg(timeText(options.timeout));
    case EndReason::OutOfMemory:
        return tr("Out of memory: it needed more than %1").arg(bytesText(options.memoryLimitBytes));
    case EndReason::Pids:
        return tr("It needed more than %1 processes").arg(options.pidsLimit);
    case EndReason::Disk:
        return tr("The sandbox's file system is full");
    case EndReason::OutputLimit:
        return tr("It printed more than %1").arg(bytesText(options.maxOutputBytes));
    case EndReason::Cancelled:
        return tr("Stopped");
    case EndReason::SetupFailed:
        return tr("The set-up script failed with exit code %1; the program was not run")
            .arg(result.exitCode);
    case EndReason::InstallFailed:
        return tr("Installing packages failed with exit code %1; the program was not run")
            .arg(result.exitCode);
    case EndReason::EngineLost:
        return tr("The connection to the sandbox was lost");
    }
    return {};
}

} // namespace

QString timeText(std::chrono::microseconds duration)
{
    using namespace std::chrono;
    const QLocale locale;
    const auto milliseconds = duration_cast<std::chrono::milliseconds>(duration).count();
    if (milliseconds < 1000)
        return tr("%1 ms").arg(locale.toString(qlonglong(milliseconds)));
    if (milliseconds < 60'000)
        return tr("%1 s").arg(
            locale.toString(double(milliseconds) / 1000, 'g', milliseconds < 10'000 ? 3 : 4));
    const auto seconds = milliseconds / 1000;
    if (seconds < 3600)
        return seconds % 60 == 0 ? tr("%1 min").arg(seconds / 60)
                                 : tr("%1 min %2 s").arg(seconds / 60).arg(seconds % 60);
    return tr("%1 h %2 min").arg(seconds / 3600).arg(seconds / 60 % 60);
}

QString bytesText(qint64 bytes)
{
    qint64 unit = 1;
    while (bytes / unit >= 1024)
        unit *= 1024;
    return QLocale().formattedDataSize(bytes, bytes % unit == 0 ? 0 : 1);
}

EndSentence endSentence(const Result<ExecutionResult>& result, const ExecutionOptions& options)
{
    if (!result)
        return { failureSentence(result.error()),
            result.error().kind == Kind::Cancelled ? Outcome::Good : Outcome::Bad };
    QStringList parts { ending(*result, options) };
    parts << timeText(result->duration);
    if (result->cpuTime.count() > 0)
        parts << tr("CPU %1").arg(timeText(result->cpuTime));
    if (result->peakMemoryBytes > 0)
        parts << tr("memory up to %1").arg(bytesText(result->peakMemoryBytes));
    const bool isGood = (result->ending.reason == EndReason::Exited && result->exitCode == 0)
        || result->ending.reason == EndReason::Cancelled;
    return { parts.join(u"  ·  "_s), isGood ? Outcome::Good : Outcome::Bad };
}

QStringList endNotes(const ExecutionResult& result, const ExecutionOptions& options)
{
    QStringList notes;
    if (result.isTruncated)
        notes << tr("The output was cut after %1 of a stream; the limit is in the run options")
                     .arg(bytesText(options.maxOutputBytes));
    for (const auto& violation : result.violations)
        notes << printable(violation.detail);
    for (const auto& missing : result.missingFiles)
        notes << printable(missing);
    return notes;
}

QString failureSentence(const Error& error)
{
    const auto what = printable(error.message);
    switch (error.kind) {
    case Kind::Cancelled:
        return tr("Stopped before it began");
    case Kind::Unreachable:
        return tr("Not reachable: %1").arg(what);
    case Kind::Denied:
        return tr("Not allowed: %1").arg(what);
    case Kind::Timeout:
        return tr("No answer in time: %1").arg(what);
    default:
        return what.left(1).toUpper() + what.mid(1);
    }
}

} // namespace isol8::ui
