// SPDX-License-Identifier: MIT
#include "engine/proxy/addresspolicy.h"

#include <QNetworkInterface>
#include <QSysInfo>

#include <algorithm>
#include <array>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

namespace {

struct Range {
    QHostAddress network;
    int prefixLength;
    QString what;
};

Range range(const char16_t* network, int prefixLength, const char16_t* what)
{
    return { QHostAddress(QString::fromUtf16(network)), prefixLength, QString::fromUtf16(what) };
}

constexpr auto metadata = u"a metadata service of cloud machines";

/// IANA's special-purpose registries and the metadata services of the large clouds, which stand
/// first where they lie within a range.
const QList<Range>& ipv4Ranges()
{
    static const QList<Range> ranges {
        range(u"169.254.169.254", 32, metadata),
        range(u"169.254.170.2", 32, metadata),
        range(u"100.100.100.200", 32, metadata), // Alibaba Cloud
        range(u"168.63.129.16", 32, metadata), // Azure
        range(u"192.0.0.192", 32, metadata), // Oracle Cloud
        range(u"0.0.0.0", 8, u"this machine itself"),
        range(u"127.0.0.0", 8, u"a loopback address"),
        range(u"10.0.0.0", 8, u"a private address"),
        range(u"172.16.0.0", 12, u"a private address"),
        range(u"192.168.0.0", 16, u"a private address"),
        range(u"100.64.0.0", 10, u"an address within a provider's network"),
        range(u"169.254.0.0", 16, u"a link-local address"),
        range(u"192.0.0.0", 24, u"an address of protocol assignments"),
        range(u"192.88.99.0", 24, u"a 6to4 relay"),
        range(u"198.18.0.0", 15, u"an address for benchmarks"),
        range(u"224.0.0.0", 4, u"a multicast address"),
        range(u"255.255.255.255", 32, u"the broadcast address"),
        range(u"240.0.0.0", 4, u"a reserved address"),
    };
    return ranges;
}

const QList<Range>& ipv6Ranges()
{
    static const QList<Range> ranges {
        range(u"fd00:ec2::254", 128, metadata), // AWS
        range(u"fd20:ce::254", 128, metadata), // Google Cloud
        range(u"::", 128, u"this machine itself"),
        range(u"::1", 128, u"a loopback address"),
        range(u"fc00::", 7, u"a private address"),
        range(u"fe80::", 10, u"a link-local address"),
        range(u"fec0::", 10, u"a private address"),
        range(u"ff00::", 8, u"a multicast address"),
        range(u"2001::", 32, u"a Teredo address"),
        range(u"2001::", 23, u"an address of protocol assignments"),
        range(u"2002::", 16, u"a 6to4 address"),
    };
    return ranges;
}

QString within(const QList<Range>& ranges, const QHostAddress& address)
{
    const auto found = std::ranges::find_if(ranges, [&address](const Range& range) {
        return address.isInSubnet(range.network, range.prefixLength);
    });
    return found == ranges.end() ? QString() : found->what;
}

QHostAddress lastFourBytes(const QHostAddress& address)
{
    const auto bytes = address.toIPv6Address();
    return QHostAddress(quint32(bytes[12]) << 24 | quint32(bytes[13]) << 16
        | quint32(bytes[14]) << 8 | quint32(bytes[15]));
}

QString specialIpv6Address(const QHostAddress& address)
{
    if (const auto what = within(ipv6Ranges(), address); !what.isEmpty())
        return what;
    // A NAT64 gateway (RFC 6052) turns it into the IPv4 address within; the other prefixes of
    // embedded addresses are refused as a whole.
    if (address.isInSubnet(QHostAddress(u"64:ff9b::"_s), 96)) {
        const auto inner = specialAddress(lastFourBytes(address));
        return inner.isEmpty() ? inner : u"translated to "_s + inner;
    }
    return address.isInSubnet(QHostAddress(u"2000::"_s), 3) ? QString() : u"a reserved address"_s;
}

/// Names that mean this machine or a metadata service wherever they are resolved.
QString specialName(const QString& name)
{
    static constexpr std::array machine { "localhost"_L1, "localhost.localdomain"_L1,
        "ip6-localhost"_L1, "ip6-loopback"_L1, "host.docker.internal"_L1,
        "gateway.docker.internal"_L1, "host.containers.internal"_L1 };
    static constexpr std::array services { "metadata"_L1, "metadata.google.internal"_L1,
        "metadata.goog"_L1, "metadata.azure.internal"_L1, "metadata.tencentyun.com"_L1,
        "instance-data"_L1, "instance-data.ec2.internal"_L1 };
    static const QString ownName = QSysInfo::machineHostName().toLower();
    const auto isName = [&name](QLatin1StringView known) { return name == known; };
    if (std::ranges::any_of(machine, isName) || name.endsWith(".localhost"_L1))
        return u"this machine itself"_s;
    if (std::ranges::any_of(services, isName))
        return QString::fromUtf16(metadata);
    const bool isOwn
        = !ownName.isEmpty() && (name == ownName || name == ownName.section(u'.', 0, 0));
    return isOwn ? u"this machine itself"_s : QString();
}

bool isSameAddress(const QHostAddress& one, const QHostAddress& other)
{
    return one.isEqual(other, QHostAddress::ConvertV4MappedToIPv4);
}

/// Which address a name points to is not said: programs could look around in the network with it.
Refusal refusal(const HostAndPort& host, const QString& what)
{
    return { u"private-address"_s,
        (host.host.isAddress() ? u"%1 is %2"_s : u"%1 points to %2"_s).arg(host.host.text, what),
        u"network.allowAddresses: [\"%1\"] (or network.allowPrivate)"_s.arg(host.toString()) };
}

} // namespace

QString specialAddress(const QHostAddress& address)
{
    bool isIpv4 = false; // Mapped into IPv6 (`::ffff:127.0.0.1`) as well.
    const quint32 ipv4 = address.toIPv4Address(&isIpv4);
    if (isIpv4)
        return within(ipv4Ranges(), QHostAddress(ipv4));
    if (address.protocol() != QAbstractSocket::IPv6Protocol)
        return u"no address"_s;
    return specialIpv6Address(address);
}

AddressPolicy::AddressPolicy()
    : m_localAddresses(QNetworkInterface::allAddresses)
{
}

Result<AddressPolicy> AddressPolicy::create(
    bool isPrivateAllowed, const QStringList& exceptions, LocalAddresses localAddresses)
{
    AddressPolicy policy;
    policy.m_isPrivateAllowed = isPrivateAllowed;
    if (localAddresses)
        policy.m_localAddresses = std::move(localAddresses);
    for (const auto& text : exceptions) {
        const auto exception = hostAndPortFromText(text);
        if (!exception)
            return std::unexpected(exception.error().within(u"network.allowAddresses"_s));
        policy.m_exceptions.append(*exception);
    }
    return policy;
}

std::optional<Refusal> AddressPolicy::refuseHost(const HostAndPort& host) const
{
    // An exception may name the address behind the name: then that is what decides.
    if (m_isPrivateAllowed || hasExceptionFor(host.port))
        return std::nullopt;
    if (host.host.isAddress())
        return refuseAddress(host, host.host.address);
    const auto what = specialName(host.host.text);
    if (what.isEmpty())
        return std::nullopt;
    return refusal(host, what);
}

std::optional<Refusal> AddressPolicy::refuseAddress(
    const HostAndPort& host, const QHostAddress& address) const
{
    if (m_isPrivateAllowed || isException(host, address))
        return std::nullopt;
    if (const auto what = specialAddress(address); !what.isEmpty())
        return refusal(host, what);
    const auto isAddress
        = [&address](const QHostAddress& local) { return isSameAddress(local, address); };
    if (std::ranges::any_of(m_localAddresses(), isAddress))
        return refusal(host, u"an address of this machine"_s);
    return std::nullopt;
}

bool AddressPolicy::isException(const HostAndPort& host, const QHostAddress& address) const
{
    return std::ranges::any_of(m_exceptions, [&](const HostAndPort& exception) {
        return exception.port == host.port
            && (exception.host == host.host
                || (exception.host.isAddress() && isSameAddress(exception.host.address, address)));
    });
}

bool AddressPolicy::hasExceptionFor(quint16 port) const
{
    return std::ranges::contains(m_exceptions, port, &HostAndPort::port);
}

} // namespace isol8::proxy
