// SPDX-License-Identifier: MIT
#include "app/cli/resultmessages.h"

#include "app/cli/networklogtable.h"
#include "engine/core/units.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

QString endSentence(const ExecutionResult& result, const ExecutionOptions& options)
{
    switch (result.ending.reason) {
    case EndReason::Exited:
    case EndReason::Cancelled:
        return {};
    case EndReason::Signal:
        return u"The program was ended by %1"_s.arg(result.signal);
    case EndReason::Timeout:
        return u"EXECUTION TIMED OUT after %1 ms; --timeout sets the limit"_s.arg(
            options.timeout.count());
    case EndReason::OutOfMemory:
        return u"OUT OF MEMORY: the program needed more than %1; --memory sets the limit"_s.arg(
            formatSize(options.memoryLimitBytes));
    case EndReason::Pids:
        return u"The program needed more than %1 processes or threads; --pids-limit sets the limit"_s
            .arg(options.pidsLimit);
    case EndReason::Disk:
        return u"The sandbox's file system is full; --sandbox-size and --tmp-size set its size"_s;
    case EndReason::OutputLimit:
        return u"The program wrote more than %1; --max-output sets the limit"_s.arg(
            formatSize(options.maxOutputBytes));
    case EndReason::SetupFailed:
        return u"The setup script failed with exit code %1; the program was not run"_s.arg(
            result.exitCode);
    case EndReason::InstallFailed:
        return u"Installing packages failed with exit code %1; the program was not run"_s.arg(
            result.exitCode);
    case EndReason::EngineLost:
        return u"The connection to the sandbox was lost"_s;
    }
    return {};
}

} // namespace

void describeResult(
    const ExecutionResult& result, const ExecutionOptions& options, Console& console)
{
    if (result.isTruncated)
        console.warn(
            u"Output was truncated after %1 bytes of a stream; --max-output sets the limit"_s.arg(
                options.maxOutputBytes));
    const auto sentence = endSentence(result, options);
    if (!sentence.isEmpty())
        console.error(sentence);
    if (options.isNetworkLogged) {
        for (const auto& line : networkLogLines(result))
            console.info(line);
    }
    for (const auto& violation : result.violations)
        console.warn(violation.allowWith.isEmpty()
                ? violation.detail
                : violation.detail + u"; "_s + violation.allowWith + u" changes that"_s);
    if (options.isKept && !result.containerId.isEmpty()) {
        console.info(u"Container kept: "_s + result.containerId);
        console.info(u"Enter it with: docker exec -it -u 100:101 %1 /bin/bash"_s.arg(
            result.containerId.left(12)));
    }
    console.debug(
        u"Exit code %1 after %2, %3 of processor time, %4 of memory at most"_s.arg(result.exitCode)
            .arg(formatDuration(
                     std::chrono::duration_cast<std::chrono::milliseconds>(result.duration)),
                formatDuration(
                    std::chrono::duration_cast<std::chrono::milliseconds>(result.cpuTime)),
                formatSize(result.peakMemoryBytes)));
}

} // namespace isol8::cli
