// SPDX-License-Identifier: MIT
#include "engine/core/hostname.h"

#include "engine/core/escape.h"

#include <QUrl>

#include <algorithm>
#include <array>
#include <optional>

#include <arpa/inet.h>

namespace isol8 {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxNameLength = 253; // RFC 1035, section 2.3.4, less what only the wire has.
constexpr qsizetype maxLabelLength = 63;
constexpr qsizetype shownCharacters = 100;

std::unexpected<Error> refusal(const QString& text, const QString& why)
{
    const QString shown = text.size() > shownCharacters ? text.left(shownCharacters) + u'…' : text;
    return failure(Kind::Invalid, u"\"%1\" is no host: %2"_s.arg(printable(shown), why));
}

bool isDigit(QChar c)
{
    return c >= u'0' && c <= u'9';
}

bool isHostCharacter(QChar c)
{
    return isDigit(c) || (c >= u'a' && c <= u'z') || c == u'-';
}

/// One part of an address as inet_aton(3) reads it: decimal, 0 octal, 0x hexadecimal.
std::optional<quint64> numberOf(QStringView part)
{
    int base = 10;
    if (part.startsWith("0x"_L1)) {
        base = 16;
        part = part.sliced(2);
    } else if (part.size() > 1 && part.startsWith(u'0')) {
        base = 8;
    }
    const auto isNumeral = [base](QChar c) {
        return isDigit(c) ? c.digitValue() < base : base == 16 && c >= u'a' && c <= u'f';
    };
    bool isNumber = false;
    const quint64 value = part.toULongLong(&isNumber, base);
    if (!isNumber || !std::ranges::all_of(part, isNumeral))
        return std::nullopt;
    return value;
}

/// Whether some reader could take the name for an address: its last label is a number.
bool endsInNumber(const QList<QStringView>& labels)
{
    const auto last = labels.constLast();
    const auto isHexadecimal = [](QChar c) { return isDigit(c) || (c >= u'a' && c <= u'f'); };
    return std::ranges::all_of(last, isDigit)
        || (last.startsWith("0x"_L1) && std::ranges::all_of(last.sliced(2), isHexadecimal));
}

/// `a.b.c.d`, `a.b.c`, `a.b` or `a`: the last part fills what is left of the four bytes.
std::optional<QHostAddress> ipv4FromLabels(const QList<QStringView>& labels)
{
    if (labels.size() > 4)
        return std::nullopt;
    quint64 address = 0;
    for (qsizetype i = 0; i < labels.size(); ++i) {
        const auto value = numberOf(labels[i]);
        const bool isLast = i + 1 == labels.size();
        const int bytes = isLast ? 5 - int(labels.size()) : 1;
        if (!value || *value >= (quint64(1) << (8 * bytes)))
            return std::nullopt;
        address = (address << (8 * bytes)) | *value;
    }
    return QHostAddress(quint32(address));
}

Result<HostName> hostFromAddress(const QHostAddress& address)
{
    const bool isMapped = address.isInSubnet(QHostAddress(u"::ffff:0:0"_s), 96);
    const auto plain = isMapped ? QHostAddress(address.toIPv4Address()) : address;
    return HostName { plain.toString(), plain };
}

/// The inside of brackets. A zone counts for nothing but must be one, and only link-local addresses
/// have zones (RFC 6874).
Result<HostName> ipv6FromText(const QString& text, QStringView inside)
{
    const auto zoneMark = inside.indexOf(u'%');
    const auto digits = inside.first(zoneMark < 0 ? inside.size() : zoneMark);
    std::array<quint8, 16> bytes {};
    if (::inet_pton(AF_INET6, digits.toLatin1().constData(), bytes.data()) != 1
        || digits.contains(QChar(u'\0')))
        return refusal(text, u"this is no IPv6 address"_s);
    const QHostAddress address(bytes.data());
    if (zoneMark >= 0) {
        auto zone = inside.sliced(zoneMark + 1);
        if (zone.startsWith("25"_L1))
            zone = zone.sliced(2);
        const auto isZoneCharacter
            = [](QChar c) { return isHostCharacter(c.toLower()) || c == u'.' || c == u'_'; };
        if (zone.isEmpty() || !std::ranges::all_of(zone, isZoneCharacter)
            || !address.isInSubnet(QHostAddress(u"fe80::"_s), 10))
            return refusal(text, u"only link-local addresses have a zone"_s);
    }
    return hostFromAddress(address);
}

Result<HostName> nameFromText(const QString& text)
{
    const bool isAscii = std::ranges::all_of(text, [](QChar c) { return c.unicode() < 0x80; });
    QString name = isAscii ? text.toLower() : QString::fromLatin1(QUrl::toAce(text));
    if (name.endsWith(u'.'))
        name.chop(1);
    if (name.isEmpty())
        return refusal(text, isAscii ? u"it is empty"_s : u"IDNA does not allow it"_s);
    if (name.size() > maxNameLength)
        return refusal(text, u"it is longer than %1 bytes"_s.arg(maxNameLength));
    const auto labels = QStringView(name).split(u'.');
    for (const auto& label : labels) {
        if (label.isEmpty())
            return refusal(text, u"a label is empty"_s);
        if (label.size() > maxLabelLength)
            return refusal(text, u"a label is longer than %1 bytes"_s.arg(maxLabelLength));
        if (!std::ranges::all_of(label, isHostCharacter))
            return refusal(text, u"only letters, digits, hyphens and dots may be in it"_s);
        if (label.startsWith(u'-') || label.endsWith(u'-'))
            return refusal(text, u"a label begins or ends with a hyphen"_s);
        // A name that another reader would decode and encode differently is no canonical one.
        if (label.startsWith("xn--"_L1)
            && QString::fromLatin1(QUrl::toAce(label.toString())) != label)
            return refusal(text, u"a label is no proper A-label"_s);
    }
    if (!endsInNumber(labels))
        return HostName { name, {} };
    const auto address = ipv4FromLabels(labels);
    if (!address)
        return refusal(text, u"it ends in a number and is no IPv4 address"_s);
    return hostFromAddress(*address);
}

} // namespace

QString HostName::inUrl() const
{
    return address.protocol() == QAbstractSocket::IPv6Protocol ? u'[' + text + u']' : text;
}

QString HostAndPort::toString() const
{
    return host.inUrl() + u':' + QString::number(port);
}

Result<HostName> hostNameFromText(const QString& text)
{
    if (!text.startsWith(u'['))
        return nameFromText(text);
    if (!text.endsWith(u']'))
        return refusal(text, u"the bracket is not closed"_s);
    return ipv6FromText(text, QStringView(text).sliced(1).chopped(1));
}

Result<HostAndPort> hostAndPortFromText(const QString& text, quint16 defaultPort)
{
    const auto colon = text.startsWith(u'[') ? text.indexOf("]:"_L1) + 1 : text.indexOf(u':');
    const bool hasPort = text.startsWith(u'[') ? colon > 0 : colon >= 0;
    auto host = hostNameFromText(hasPort ? text.first(colon) : text);
    if (!host)
        return std::unexpected(host.error());
    if (!hasPort) {
        if (defaultPort == 0)
            return failure(Kind::Invalid, u"\"%1\" names no port"_s.arg(printable(text)));
        return HostAndPort { *host, defaultPort };
    }
    const auto digits = QStringView(text).sliced(colon + 1);
    bool isNumber = false;
    const int port = digits.toInt(&isNumber);
    if (!isNumber || port < 1 || port > 65535 || digits.startsWith(u'0')
        || !std::ranges::all_of(digits, isDigit))
        return failure(Kind::Invalid,
            u"\"%1\" is no port: a port is 1 to 65535"_s.arg(
                printable(digits.left(shownCharacters).toString())));
    return HostAndPort { *host, quint16(port) };
}

} // namespace isol8
