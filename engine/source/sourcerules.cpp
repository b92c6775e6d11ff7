// SPDX-License-Identifier: MIT
#include "engine/source/sourcerules.h"

#include "engine/core/escape.h"

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qsizetype maxUrlLength = 8192;

Result<QList<HostPattern>> compiled(const QStringList& texts, const QString& key)
{
    QList<HostPattern> patterns;
    for (const QString& text : texts) {
        auto pattern = HostPattern::compile(text);
        if (!pattern)
            return std::unexpected(pattern.error().within(key));
        patterns.append(std::move(*pattern));
    }
    return patterns;
}

std::unexpected<Error> denied(const QString& what, const QString& setting)
{
    return failure(Kind::Denied, u"%1 (%2)"_s.arg(what, setting));
}

std::unexpected<Error> denied(const proxy::Refusal& refusal)
{
    return failure(Kind::Denied, u"%1; %2 would allow it"_s.arg(refusal.reason, refusal.allowWith));
}

/// Where a search was given up, the answer is the one that refuses.
bool isBlocked(const HostPattern& pattern, const QString& host)
{
    return pattern.search(host) != HostPattern::Match::No;
}

bool isAllowed(const HostPattern& pattern, const QString& host)
{
    return pattern.search(host) == HostPattern::Match::Yes;
}

} // namespace

SourcePolicy SourcePolicy::of(const Settings& settings)
{
    return { settings.remoteCode, settings.network.allowPrivate, settings.network.allowAddresses,
        settings.network.ports, settings.network.caBundle };
}

Result<SourceRules> SourceRules::create(
    const SourcePolicy& policy, proxy::AddressPolicy::LocalAddresses localAddresses)
{
    SourceRules rules;
    rules.m_policy = policy;
    auto allowed = compiled(policy.remoteCode.allowedHosts, u"remoteCode.allowedHosts"_s);
    auto blocked = compiled(policy.remoteCode.blockedHosts, u"remoteCode.blockedHosts"_s);
    auto addresses = proxy::AddressPolicy::create(
        policy.isPrivateAllowed, policy.allowAddresses, std::move(localAddresses));
    if (!allowed || !blocked || !addresses)
        return std::unexpected(!allowed ? allowed.error()
                : !blocked              ? blocked.error()
                                        : addresses.error());
    rules.m_allowed = std::move(*allowed);
    rules.m_blocked = std::move(*blocked);
    rules.m_addresses = std::move(*addresses);
    return rules;
}

Result<SourceTarget> SourceRules::judge(const QString& text, bool isInsecureAllowed) const
{
    const QUrl url(text, QUrl::StrictMode);
    if (text.size() > maxUrlLength || !url.isValid() || url.isRelative() || url.host().isEmpty())
        return failure(Kind::Invalid, u"code comes from absolute URLs with a host only"_s);
    if (!url.userInfo().isEmpty())
        return failure(
            Kind::Invalid, u"%1: a URL with a user name or password in it"_s.arg(shownUrl(url)));
    if (url.scheme() != "https"_L1 && url.scheme() != "http"_L1)
        return failure(
            Kind::Invalid, u"%1: code comes by https and http only"_s.arg(shownUrl(url)));
    const bool isSchemeAllowed = m_policy.remoteCode.allowedSchemes.contains(url.scheme())
        || (isInsecureAllowed && url.scheme() == "http"_L1);
    if (!isSchemeAllowed)
        return denied(u"%1: %2 is not allowed; anybody on the way could change the code"_s.arg(
                          shownUrl(url), url.scheme()),
            u"remoteCode.allowedSchemes, --allow-insecure-code-url"_s);

    const auto host = hostNameFromText(url.host());
    if (!host)
        return std::unexpected(host.error().within(shownUrl(url)));
    SourceTarget target;
    const int port = url.port(url.scheme() == "https"_L1 ? 443 : 80);
    if (port < 1)
        return failure(Kind::Invalid, u"%1: port 0 is none"_s.arg(shownUrl(url)));
    target.host = { *host, quint16(port) };
    target.url = url.adjusted(QUrl::RemoveFragment);
    target.url.setHost(host->text);
    if (target.url.path().isEmpty())
        target.url.setPath(u"/"_s);
    if (const auto checked = checkHost(target.host); !checked)
        return std::unexpected(checked.error().within(shownUrl(url)));
    return target;
}

Result<> SourceRules::checkHost(const HostAndPort& host) const
{
    const QString& name = host.host.text;
    if (std::ranges::any_of(m_blocked, [&](const auto& each) { return isBlocked(each, name); }))
        return denied(u"code may not come from %1"_s.arg(name), u"remoteCode.blockedHosts"_s);
    const bool isListed = m_allowed.isEmpty()
        || std::ranges::any_of(m_allowed, [&](const auto& each) { return isAllowed(each, name); });
    if (!isListed)
        return denied(u"code may not come from %1"_s.arg(name), u"remoteCode.allowedHosts"_s);
    if (!m_policy.ports.contains(host.port) && !m_addresses.hasExceptionFor(host.port)
        && !m_policy.isPrivateAllowed)
        return denied(u"code may not come from port %1"_s.arg(host.port), u"network.ports"_s);
    if (const auto refusal = m_addresses.refuseHost(host))
        return denied(*refusal);
    return {};
}

Result<> SourceRules::checkAddress(const SourceTarget& target, const QHostAddress& address) const
{
    const auto refusal = m_addresses.refuseAddress(target.host, address);
    // An exception for the port alone was enough so far; now it has to name this host or address.
    if (refusal)
        return denied(*refusal);
    if (!m_policy.ports.contains(target.host.port) && !m_policy.isPrivateAllowed
        && !m_addresses.isException(target.host, address))
        return denied(
            u"code may not come from port %1"_s.arg(target.host.port), u"network.ports"_s);
    return {};
}

QString shownUrl(const QUrl& url)
{
    return printable(
        url.toDisplayString(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment));
}

} // namespace isol8
