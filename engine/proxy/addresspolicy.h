// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/hostname.h"

#include <functional>
#include <optional>

namespace isol8::proxy {

/// Why something was refused, for the network log and for the user.
struct Refusal {
    QString rule; ///< As NetworkLogEntry::rule: a pattern or the name of a built-in rule.
    QString reason; ///< A clause: "10.0.0.1 is a private address".
    QString allowWith; ///< The option that would allow it.

    bool operator==(const Refusal&) const = default;
};

/// What a special address is ("a private address"); empty: an ordinary public one. An IPv4 address
/// embedded in an IPv6 one decides where gateways translate it. The documentation networks are
/// nobody's and count as public.
[[nodiscard]] QString specialAddress(const QHostAddress& address);

/// Which addresses programs may reach: public ones that are not this machine's own, and exceptions.
/// Used in two steps: a host before it is resolved, then every address it resolved to. A value.
class AddressPolicy {
public:
    /// The addresses of this machine's interfaces, asked anew each time.
    using LocalAddresses = std::function<QList<QHostAddress>()>;

    /// Public addresses only.
    AddressPolicy();
    /// @p exceptions are `host:port` (network.allowAddresses); Kind::Invalid, quoting it, for a bad
    /// one. @p isPrivateAllowed lifts every refusal.
    [[nodiscard]] static Result<AddressPolicy> create(
        bool isPrivateAllowed, const QStringList& exceptions, LocalAddresses localAddresses = {});

    /// Hosts that are refused by name, whatever they resolve to: this machine and metadata
    /// services.
    [[nodiscard]] std::optional<Refusal> refuseHost(const HostAndPort& host) const;
    /// @p address is what @p host resolved to, or is itself.
    [[nodiscard]] std::optional<Refusal> refuseAddress(
        const HostAndPort& host, const QHostAddress& address) const;

    /// An exception names this host, or this address, with this port.
    [[nodiscard]] bool isException(const HostAndPort& host, const QHostAddress& address) const;
    /// Some exception names this port.
    [[nodiscard]] bool hasExceptionFor(quint16 port) const;

private:
    bool m_isPrivateAllowed = false;
    QList<HostAndPort> m_exceptions;
    LocalAddresses m_localAddresses;
};

} // namespace isol8::proxy
