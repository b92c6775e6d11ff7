// SPDX-License-Identifier: MIT
#include "app/cli/servelistening.h"

#include "app/cli/serveplan.h"
#include "engine/core/units.h"

#include <QFile>
#include <QHostAddress>
#include <QtEndian>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// What to do about a port that is in use: another one, 0 for any free one, none for the end.
std::optional<quint16> choosePort(quint16 busy, Console& console)
{
    if (!console.canAsk()) {
        console.warn(u"Port %1 is in use; taking a free one"_s.arg(busy));
        return quint16(0);
    }
    while (
        const auto answer = console.ask(
            u"Port %1 is in use. Another port's number, [f] any free one, [e] exit:"_s.arg(busy))) {
        if (answer->toLower() == "f"_L1)
            return quint16(0);
        if (answer->toLower() == "e"_L1)
            break;
        if (const auto port = parseCount(*answer, u"port"_s, 1, 65'535))
            return quint16(*port);
    }
    return std::nullopt;
}

/// Where a socket that listens already does so.
http::ListenAddress addressOf(int descriptor)
{
    http::ListenAddress address;
    union {
        sockaddr any;
        sockaddr_in v4;
        sockaddr_in6 v6;
        sockaddr_un local;
    } name {};
    socklen_t bytes = sizeof name;
    if (::getsockname(descriptor, &name.any, &bytes) != 0)
        return address;
    if (name.any.sa_family == AF_UNIX) {
        name.local.sun_path[sizeof name.local.sun_path - 1] = '\0';
        address.localPath
            = name.local.sun_path[0] == '\0' ? u"@"_s : QFile::decodeName(name.local.sun_path);
        return address;
    }
    address.host = QHostAddress(&name.any).toString();
    address.port
        = qFromBigEndian(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
    return address;
}

QString announce(const http::ListenAddress& address, quint16 port, Console& console)
{
    if (address.localPath.isEmpty() && !isLoopback(address) && !address.tls)
        console.warn(u"Keys and code travel unencrypted; use --tls-cert and --tls-key, or a proxy "
                     "that encrypts"_s);
    const auto url = serverUrl(address, port);
    console.info(u"isol8 server v%1 listening on %2"_s.arg(QStringLiteral(ISOL8_VERSION), url));
    return url;
}

} // namespace

std::optional<QString> listenAt(
    serve::Server& server, http::ListenAddress address, Console& console)
{
    for (;;) {
        const auto listening = server.listen(address);
        if (listening)
            return announce(address, server.port(), console);
        const bool isBusy = listening.error().kind == Kind::Conflict && address.localPath.isEmpty()
            && address.port != 0;
        if (!isBusy) {
            console.error(listening.error());
            return std::nullopt;
        }
        const auto other = choosePort(address.port, console);
        if (!other)
            return std::nullopt;
        address.port = *other;
    }
}

std::optional<QString> listenOnPassed(serve::Server& server, const QList<int>& sockets,
    const std::optional<http::TlsFiles>& tls, Console& console)
{
    QStringList urls;
    for (const int descriptor : sockets) {
        auto address = addressOf(descriptor);
        const bool isLocal = !address.localPath.isEmpty();
        if (!isLocal)
            address.tls = tls;
        if (const auto listening = server.listenOn(descriptor, address.tls); !listening) {
            console.error(listening.error().within(u"socket of the service manager"_s));
            return std::nullopt;
        }
        urls << announce(address, address.port, console);
    }
    return urls.join(u", "_s);
}

} // namespace isol8::cli
