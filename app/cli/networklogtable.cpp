// SPDX-License-Identifier: MIT
#include "app/cli/networklogtable.h"

#include "engine/core/units.h"

#include <algorithm>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxColumnWidth = 60;

QString destination(const NetworkLogEntry& entry)
{
    return entry.host + entry.path.value_or(QString());
}

QString milliseconds(std::chrono::microseconds duration)
{
    return u"%1 ms"_s.arg(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(), 7);
}

qsizetype widest(const QStringList& texts)
{
    qsizetype width = 0;
    for (const auto& text : texts)
        width = std::max(width, text.size());
    return std::min(width, maxColumnWidth);
}

} // namespace

QStringList networkLogLines(const ExecutionResult& result)
{
    const auto& log = result.networkLogs;
    const auto refused = std::ranges::count(log, false, &NetworkLogEntry::isAllowed);
    QStringList lines { u"Network: %1, %2 refused; %3 in, %4 out"_s
            .arg(log.size() == 1 ? u"1 request"_s : u"%1 requests"_s.arg(log.size()))
            .arg(refused)
            .arg(formatSize(result.networkBytesIn), formatSize(result.networkBytesOut)) };
    QStringList methods;
    QStringList destinations;
    for (const auto& entry : log) {
        methods << entry.method;
        destinations << destination(entry);
    }
    const auto methodWidth = widest(methods);
    const auto destinationWidth = widest(destinations);
    for (qsizetype i = 0; i < log.size(); ++i)
        lines << u"  %1 %2 %3 %4  %5"_s.arg(log[i].isAllowed ? u"ALLOW"_s : u"BLOCK"_s,
            methods[i].leftJustified(methodWidth), destinations[i].leftJustified(destinationWidth),
            milliseconds(log[i].duration), log[i].rule);
    return lines;
}

} // namespace isol8::cli
