// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/hostpattern.h"
#include "engine/core/settings.h"
#include "engine/proxy/addresspolicy.h"

#include <QUrl>

namespace isol8 {

/// What the configuration says about code from URLs.
struct SourcePolicy {
    Settings::RemoteCode remoteCode;
    bool isPrivateAllowed = false; ///< network.allowPrivate
    QStringList allowAddresses; ///< network.allowAddresses
    QList<int> ports { 80, 443 }; ///< network.ports
    QString caBundlePath; ///< network.caBundle

    [[nodiscard]] static SourcePolicy of(const Settings& settings);
};

/// A URL that may be asked for, in its one spelling.
struct SourceTarget {
    QUrl url; ///< Without fragment; its host is @c host.
    HostAndPort host;

    [[nodiscard]] bool isEncrypted() const { return url.scheme() == QLatin1StringView("https"); }
};

/// A SourcePolicy, ready to judge: first a URL, then every address that its host has. Each redirect
/// is judged like the first URL. Refusals are Kind::Denied and name the setting that decided;
/// Kind::Invalid is what cannot be fetched at all.
class SourceRules {
public:
    [[nodiscard]] static Result<SourceRules> create(
        const SourcePolicy& policy, proxy::AddressPolicy::LocalAddresses localAddresses = {});

    /// @p isInsecureAllowed adds `http` to the schemes.
    [[nodiscard]] Result<SourceTarget> judge(const QString& url, bool isInsecureAllowed) const;
    [[nodiscard]] Result<> checkAddress(
        const SourceTarget& target, const QHostAddress& address) const;

private:
    SourceRules() = default;
    [[nodiscard]] Result<> checkHost(const HostAndPort& host) const;

    SourcePolicy m_policy;
    QList<HostPattern> m_allowed;
    QList<HostPattern> m_blocked;
    proxy::AddressPolicy m_addresses;
};

/// @p url for a sentence: without what may hold a secret (user, query, fragment).
[[nodiscard]] QString shownUrl(const QUrl& url);

} // namespace isol8
