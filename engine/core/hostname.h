// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QHostAddress>

/// Hosts as isol8 judges, resolves, matches and logs them: one spelling for each, so that no two
/// parts can understand the same text differently.
namespace isol8 {

/// A DNS name (lower case, A-labels, no trailing dot, letters, digits and hyphens only) or an
/// address. Made by hostNameFromText() alone.
struct HostName {
    QString text; ///< For an address as inet_ntop(3) writes it, without brackets.
    QHostAddress address; ///< Null for a DNS name. IPv4 mapped into IPv6 is given as IPv4.

    [[nodiscard]] bool isAddress() const { return !address.isNull(); }
    /// As it stands in a URL: an IPv6 address in brackets.
    [[nodiscard]] QString inUrl() const;

    bool operator==(const HostName&) const = default;
};

struct HostAndPort {
    HostName host;
    quint16 port = 0; ///< Not 0.

    /// `host:port`.
    [[nodiscard]] QString toString() const;

    bool operator==(const HostAndPort&) const = default;
};

/// The one host that @p text means. Names are mapped as browsers do (IDNA); one trailing dot is
/// dropped; every spelling of inet_aton(3) (`127.1`, `0x7f000001`) and IPv6 in brackets become
/// addresses. Kind::Invalid, as a sentence about the host, for whatever else: escapes, user names,
/// ports, empty or too long labels, numbers that are no address.
[[nodiscard]] Result<HostName> hostNameFromText(const QString& text);

/// `host:port`, or a host alone where there is a @p defaultPort (not 0). A port is 1 to 65535
/// without leading zeros.
[[nodiscard]] Result<HostAndPort> hostAndPortFromText(const QString& text, quint16 defaultPort = 0);

} // namespace isol8
