// SPDX-License-Identifier: MIT
#include "engine/images/host.h"

#include "engine/core/hostprocess.h"
#include "engine/core/smallfile.h"

#include <QUrl>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 maxBundleBytes = 8 << 20;
constexpr std::chrono::seconds questionTimeout { 10 };
const QString publicDebianMirror = u"http://deb.debian.org/debian"_s;
const QString publicNpmRegistry = u"https://registry.npmjs.org/"_s;

Task<QByteArray> askHost(QString program, QStringList arguments, CancelToken cancel)
{
    HostCommand command;
    command.program = program;
    command.arguments = arguments;
    command.timeout = questionTimeout;
    const auto answer = co_await runOnHost(command, {}, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return answer->exitCode == 0 ? answer->output : QByteArray();
}

} // namespace

QString debianMirrorAmong(const QByteArray& sites)
{
    for (const auto& line : sites.split('\n')) {
        const QUrl url(QString::fromUtf8(line.trimmed()), QUrl::StrictMode);
        auto path = url.path();
        while (path.endsWith(u'/'))
            path.chop(1);
        const auto isWeb = url.scheme() == "http"_L1 || url.scheme() == "https"_L1;
        // Other sites of the list are security updates, or another distribution's.
        if (url.isValid() && isWeb && !url.host().isEmpty() && path.endsWith("/debian"_L1))
            return url.toString(QUrl::StripTrailingSlash);
    }
    return {};
}

QString registryFrom(const QByteArray& text)
{
    const QUrl url(QString::fromUtf8(text.trimmed()), QUrl::StrictMode);
    const auto isWeb = url.scheme() == "http"_L1 || url.scheme() == "https"_L1;
    return url.isValid() && isWeb && !url.host().isEmpty() ? url.toString() : QString();
}

Task<QString> hostDebianMirror(CancelToken cancel)
{
    const auto sites = co_await askHost(
        u"apt-get"_s, { u"indextargets"_s, u"--format"_s, u"$(SITE)"_s }, cancel);
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    const auto mirror = sites ? debianMirrorAmong(*sites) : QString();
    co_return mirror.isEmpty() ? publicDebianMirror : mirror;
}

Task<QString> hostNpmRegistry(CancelToken cancel)
{
    const auto answer
        = co_await askHost(u"npm"_s, { u"config"_s, u"get"_s, u"registry"_s }, cancel);
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    const auto registry = answer ? registryFrom(*answer) : QString();
    co_return registry.isEmpty() ? publicNpmRegistry : registry;
}

Result<QByteArray> readCaBundle(const QString& additionalPath)
{
    QByteArray bundle;
    const QStringList places { qEnvironmentVariable("SSL_CERT_FILE"),
        u"/etc/ssl/certs/ca-certificates.crt"_s, u"/etc/pki/tls/certs/ca-bundle.crt"_s,
        u"/etc/ssl/ca-bundle.pem"_s, u"/etc/ssl/cert.pem"_s };
    for (const auto& place : places) {
        if (place.isEmpty())
            continue;
        if (const auto content = readSmallFile(place, maxBundleBytes)) {
            bundle = *content;
            break;
        }
    }
    if (additionalPath.isEmpty())
        return bundle;
    const auto additional = readSmallFile(additionalPath, maxBundleBytes);
    if (!additional)
        return std::unexpected(additional.error().within(u"network.caBundle"_s));
    if (!additional->contains("-----BEGIN CERTIFICATE-----")) {
        return failure(Kind::Invalid,
            u"network.caBundle: %1 holds no certificate in PEM form"_s.arg(additionalPath));
    }
    return bundle + '\n' + *additional;
}

} // namespace isol8
