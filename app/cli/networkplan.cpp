// SPDX-License-Identifier: MIT
#include "app/cli/networkplan.h"

#include "engine/core/hostpattern.h"
#include "engine/core/names.h"

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// What `--allow` and `--allow-host`, or the two of `--deny`, mean together.
Result<QStringList> patternsOf(
    const QStringList& patterns, const QStringList& globs, const QString& flag)
{
    QStringList all;
    for (const auto& pattern : patterns) {
        if (const auto compiled = HostPattern::compile(pattern); !compiled)
            return std::unexpected(compiled.error().within(flag));
        all << pattern;
    }
    for (const auto& glob : globs) {
        const auto pattern = patternFromGlob(glob);
        if (!pattern)
            return std::unexpected(pattern.error().within(flag + u"-host"_s));
        all << *pattern;
    }
    return all;
}

Result<> planMode(const RunOptions& options, ExecutionOptions& plan)
{
    if (!options.network) {
        if (!options.install.isEmpty())
            plan.network = NetworkMode::Filtered;
        return {};
    }
    const auto mode = networkModeFromName(*options.network);
    if (!mode)
        return failure(Kind::Invalid,
            u"--net '%1' is unknown; it is none, host or filtered"_s.arg(*options.network));
    plan.network = *mode;
    return {};
}

} // namespace

Result<> planNetwork(const RunOptions& options, ExecutionOptions& plan, QStringList& warnings)
{
    if (auto planned = planMode(options, plan); !planned)
        return planned;
    const auto allow = patternsOf(options.allow, options.allowHost, u"--allow"_s);
    if (!allow)
        return std::unexpected(allow.error());
    const auto deny = patternsOf(options.deny, options.denyHost, u"--deny"_s);
    if (!deny)
        return std::unexpected(deny.error());
    const bool isFiltered = plan.network == NetworkMode::Filtered;
    if (!isFiltered && (!allow->isEmpty() || !deny->isEmpty() || options.logNetwork))
        return failure(Kind::Invalid,
            u"--allow, --deny, --allow-host, --deny-host and --log-network need --net filtered"_s);
    if (!allow->isEmpty())
        plan.networkFilter.allow = *allow;
    if (!deny->isEmpty())
        plan.networkFilter.deny = *deny;
    plan.isNetworkLogged = options.logNetwork;
    if (plan.network == NetworkMode::Host && !options.host)
        warnings
            << u"The program has this machine's whole network (host), local services included"_s;
    return {};
}

} // namespace isol8::cli
