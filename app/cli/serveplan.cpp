// SPDX-License-Identifier: MIT
#include "app/cli/serveplan.h"

#include "engine/core/units.h"

#include <QHostAddress>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 highestPort = 65'535;

Result<quint16> planPort(const ServeOptions& options, const Surroundings& surroundings)
{
    std::optional<QString> text = options.port;
    QString source = u"--port"_s;
    for (const auto& name : { u"ISOL8_PORT"_s, u"PORT"_s }) {
        if (text)
            break;
        text = surroundings.variable(name);
        source = u'$' + name;
        if (text && text->isEmpty())
            text.reset();
    }
    if (!text)
        return quint16(3000);
    const auto port = parseCount(*text, source, 0, highestPort);
    if (!port)
        return std::unexpected(port.error());
    return quint16(*port);
}

Result<QByteArray> planKey(const ServeOptions& options, const Surroundings& surroundings)
{
    const auto key = options.key ? options.key : surroundings.variable(u"ISOL8_API_KEY"_s);
    if (!key || key->isEmpty())
        return failure(Kind::Invalid, u"API key required: give --key or set ISOL8_API_KEY"_s);
    const bool isSendable
        = std::ranges::all_of(*key, [](QChar each) { return each > u' ' && each <= u'~'; });
    if (!isSendable)
        return failure(Kind::Invalid,
            u"the API key may hold visible ASCII characters only, since it travels in a header"_s);
    return key->toLatin1();
}

Result<> planAddress(http::ListenAddress& address, const QString& bind)
{
    if (bind.startsWith("unix:"_L1)) {
        address.localPath = bind.sliced(5);
        if (address.localPath.startsWith(u'/'))
            return {};
        return failure(
            Kind::Invalid, u"--bind: invalid value '%1'; a socket is unix:/path"_s.arg(bind));
    }
    if (bind != "localhost"_L1 && QHostAddress(bind).isNull())
        return failure(Kind::Invalid,
            u"--bind: invalid value '%1'; allowed are IP addresses, localhost and unix:/path"_s.arg(
                bind));
    address.host = bind;
    return {};
}

} // namespace

Result<ServePlan> planServe(const ServeOptions& options, const Surroundings& surroundings)
{
    ServePlan plan;
    const auto port = planPort(options, surroundings);
    if (!port)
        return std::unexpected(port.error());
    plan.address.port = *port;
    const auto key = planKey(options, surroundings);
    if (!key)
        return std::unexpected(key.error());
    plan.masterKey = *key;
    if (options.bind) {
        if (const auto bound = planAddress(plan.address, *options.bind); !bound)
            return std::unexpected(bound.error());
    }
    if (options.tlsCertificate.has_value() != options.tlsKey.has_value())
        return failure(Kind::Invalid, u"--tls-cert and --tls-key belong together"_s);
    if (options.tlsCertificate)
        plan.address.tls = http::TlsFiles { *options.tlsCertificate, *options.tlsKey };
    return plan;
}

bool isLoopback(const http::ListenAddress& address)
{
    return address.host == "localhost"_L1 || QHostAddress(address.host).isLoopback();
}

QString serverUrl(const http::ListenAddress& address, quint16 port)
{
    if (!address.localPath.isEmpty())
        return u"unix:"_s + address.localPath;
    const QHostAddress host(address.host);
    const bool isHere = isLoopback(address) || host == QHostAddress(QHostAddress::AnyIPv4)
        || host == QHostAddress(QHostAddress::AnyIPv6);
    auto name = isHere ? u"localhost"_s : address.host;
    if (name.contains(u':'))
        name = u'[' + name + u']';
    return u"%1://%2:%3"_s.arg(address.tls ? u"https"_s : u"http"_s, name).arg(port);
}

} // namespace isol8::cli
