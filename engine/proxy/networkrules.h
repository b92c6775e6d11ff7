// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/hostpattern.h"
#include "engine/proxy/addresspolicy.h"

#include <QCache>

#include <chrono>
#include <memory>

namespace isol8::proxy {

/// The rules of a NetworkFilter, ready for use: deny patterns first, then the operator's allow
/// patterns, then the user's, then ports and hosts refused by name. What names resolve to is judged
/// afterwards, by addresses().
class NetworkRules {
public:
    /// Kind::Invalid, quoting it, when a pattern or an exception cannot be used.
    [[nodiscard]] static Result<NetworkRules> create(
        const NetworkFilter& filter, AddressPolicy::LocalAddresses localAddresses = {});

    struct Verdict {
        QString rule; ///< What decided: a pattern, or the name of a built-in rule.
        std::optional<Refusal> refusal; ///< None: allowed.
    };
    /// Not const: verdicts on names are remembered, and the time that patterns take is counted.
    [[nodiscard]] Verdict judge(const HostAndPort& target);
    /// An address that @p target resolved to, or is.
    [[nodiscard]] std::optional<Refusal> refuseAddress(
        const HostAndPort& target, const QHostAddress& address) const;

private:
    NetworkRules() = default;
    [[nodiscard]] Verdict judgeByPatterns(const QString& host) const;
    [[nodiscard]] Verdict judgeName(const QString& host);
    [[nodiscard]] std::optional<Refusal> refusePort(const HostAndPort& target) const;

    QList<HostPattern> m_deny;
    QList<HostPattern> m_operatorAllow;
    QList<HostPattern> m_allow;
    QList<int> m_ports;
    AddressPolicy m_addresses;

    std::unique_ptr<QCache<QString, Verdict>> m_known;
    std::chrono::steady_clock::time_point m_created = std::chrono::steady_clock::now();
    std::chrono::nanoseconds m_timeTaken {}; ///< By patterns.
};

} // namespace isol8::proxy
