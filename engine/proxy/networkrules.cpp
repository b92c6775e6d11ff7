// SPDX-License-Identifier: MIT
#include "engine/proxy/networkrules.h"

#include <algorithm>

#include <ctime>

namespace isol8::proxy {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int rememberedNames = 500;

/// Patterns run on the event loop, which all runs share: at once they may take this much of it …
constexpr auto matchingTime = 200ms;
/// … and in the long run this part.
constexpr int matchingShare = 20;

std::chrono::nanoseconds processorTime()
{
    timespec now {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Result<QList<HostPattern>> compiled(const QStringList& texts)
{
    QList<HostPattern> patterns;
    for (const auto& text : texts) {
        auto pattern = HostPattern::compile(text);
        if (!pattern)
            return std::unexpected(pattern.error());
        patterns.append(*pattern);
    }
    return patterns;
}

NetworkRules::Verdict refused(Refusal refusal)
{
    const QString rule = refusal.rule;
    return { rule, std::move(refusal) };
}

NetworkRules::Verdict tooSlow(const QString& host)
{
    return refused({ u"slow-pattern"_s,
        u"%1 could not be judged, since matching the patterns takes too long"_s.arg(host),
        u"simpler patterns"_s });
}

/// The text of the first pattern that matches; empty: none does. Undecided ones count as @p
/// whenUndecided.
QString firstMatch(
    const QList<HostPattern>& patterns, const QString& host, HostPattern::Match whenUndecided)
{
    const auto found = std::ranges::find_if(patterns, [&](const HostPattern& pattern) {
        const auto match = pattern.search(host);
        return (match == HostPattern::Match::Undecided ? whenUndecided : match)
            == HostPattern::Match::Yes;
    });
    return found == patterns.end() ? QString() : found->text();
}

Refusal portRefusal(const HostAndPort& target)
{
    return { u"port"_s, u"port %1 of %2 is not open"_s.arg(target.port).arg(target.host.text),
        u"network.ports"_s };
}

} // namespace

Result<NetworkRules> NetworkRules::create(
    const NetworkFilter& filter, AddressPolicy::LocalAddresses localAddresses)
{
    NetworkRules rules;
    for (const auto& [target, texts] : { std::pair(&rules.m_deny, filter.deny),
             std::pair(&rules.m_operatorAllow, filter.operatorAllow),
             std::pair(&rules.m_allow, filter.allow) }) {
        auto patterns = compiled(texts);
        if (!patterns)
            return std::unexpected(patterns.error());
        *target = std::move(*patterns);
    }
    auto addresses = AddressPolicy::create(
        filter.isPrivateAllowed, filter.allowAddresses, std::move(localAddresses));
    if (!addresses)
        return std::unexpected(addresses.error());
    rules.m_addresses = std::move(*addresses);
    rules.m_ports = filter.ports;
    rules.m_known = std::make_unique<QCache<QString, Verdict>>(rememberedNames);
    return rules;
}

NetworkRules::Verdict NetworkRules::judge(const HostAndPort& target)
{
    auto verdict = judgeName(target.host.text);
    if (verdict.refusal)
        return verdict;
    if (auto refusal = refusePort(target))
        return refused(std::move(*refusal));
    if (auto refusal = m_addresses.refuseHost(target))
        return refused(std::move(*refusal));
    return verdict;
}

std::optional<Refusal> NetworkRules::refuseAddress(
    const HostAndPort& target, const QHostAddress& address) const
{
    if (auto refusal = m_addresses.refuseAddress(target, address))
        return refusal;
    // The port of an exception is open for what the exception names only.
    if (m_ports.contains(target.port) || m_addresses.isException(target, address))
        return std::nullopt;
    return portRefusal(target);
}

NetworkRules::Verdict NetworkRules::judgeName(const QString& host)
{
    if (const auto* known = m_known->object(host))
        return *known;
    const auto age = std::chrono::steady_clock::now() - m_created;
    if (m_timeTaken > matchingTime + age / matchingShare)
        return tooSlow(host);
    const auto before = processorTime();
    const auto verdict = judgeByPatterns(host);
    m_timeTaken += processorTime() - before;
    m_known->insert(host, new Verdict(verdict));
    return verdict;
}

NetworkRules::Verdict NetworkRules::judgeByPatterns(const QString& host) const
{
    using Match = HostPattern::Match;
    if (const auto pattern = firstMatch(m_deny, host, Match::Yes); !pattern.isEmpty())
        return refused({ pattern, u"%1 is refused by the pattern %2"_s.arg(host, pattern),
            u"removing it from --deny, --deny-host or network.blacklist"_s });
    auto rule = u"any-host"_s;
    if (!m_operatorAllow.isEmpty()) {
        rule = firstMatch(m_operatorAllow, host, Match::No);
        if (rule.isEmpty())
            return refused({ u"not-allowed-by-operator"_s,
                u"%1 is not among the hosts that the operator of the server allows"_s.arg(host),
                u"the server's network.whitelist"_s });
    }
    if (!m_allow.isEmpty()) {
        rule = firstMatch(m_allow, host, Match::No);
        if (rule.isEmpty())
            return refused({ u"not-allowed"_s, u"%1 is not among the allowed hosts"_s.arg(host),
                u"--allow-host '%1'"_s.arg(host) });
    }
    return { rule, std::nullopt };
}

std::optional<Refusal> NetworkRules::refusePort(const HostAndPort& target) const
{
    if (m_ports.contains(target.port) || m_addresses.hasExceptionFor(target.port))
        return std::nullopt;
    return portRefusal(target);
}

} // namespace isol8::proxy
