// SPDX-License-Identifier: MIT
#include "engine/docker/endpoint.h"

#include "engine/core/smallfile.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSslCertificate>
#include <QSslKey>
#include <QUrl>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxSettingsBytes = 4 << 20;
constexpr quint16 plainPort = 2375;
constexpr quint16 tlsPort = 2376;

QString environment(const char* name)
{
    return qEnvironmentVariable(name);
}

QString configDirectory()
{
    const auto configured = environment("DOCKER_CONFIG");
    return configured.isEmpty() ? QDir::homePath() + u"/.docker"_s : configured;
}

/// Whatever keeps a file from being read makes the set-up invalid.
Result<QByteArray> readSettings(const QString& path)
{
    return readSmallFile(path, maxSettingsBytes).transform_error([](const Error& error) {
        return Error { Kind::Invalid, error.message };
    });
}

Result<QJsonObject> readJson(const QString& path)
{
    const auto content = readSettings(path);
    if (!content)
        return std::unexpected(content.error());
    QJsonParseError error;
    const auto document = QJsonDocument::fromJson(*content, &error);
    if (!document.isObject())
        return failure(
            Kind::Invalid, u"%1 is not a JSON object (%2)"_s.arg(path, error.errorString()));
    return document.object();
}

/// TLS material as the docker command names it: ca.pem, cert.pem and key.pem, each optional but the
/// last two only together.
Result<QSslConfiguration> tlsFrom(const QString& directory)
{
    auto configuration = QSslConfiguration::defaultConfiguration();
    configuration.setPeerVerifyMode(QSslSocket::VerifyPeer);
    const auto caPath = directory + u"/ca.pem"_s;
    const auto certificatePath = directory + u"/cert.pem"_s;
    const auto keyPath = directory + u"/key.pem"_s;
    if (QFileInfo::exists(caPath)) {
        const auto authorities = QSslCertificate::fromPath(caPath);
        if (authorities.isEmpty())
            return failure(Kind::Invalid, u"%1 holds no certificate"_s.arg(caPath));
        configuration.setCaCertificates(authorities);
    }
    if (!QFileInfo::exists(certificatePath) && !QFileInfo::exists(keyPath))
        return configuration;
    const auto chain = QSslCertificate::fromPath(certificatePath);
    if (chain.isEmpty())
        return failure(Kind::Invalid, u"%1 holds no certificate"_s.arg(certificatePath));
    const auto pem = readSettings(keyPath);
    if (!pem)
        return std::unexpected(pem.error());
    for (const auto algorithm : { QSsl::Rsa, QSsl::Ec }) {
        const QSslKey key(*pem, algorithm);
        if (!key.isNull()) {
            configuration.setLocalCertificateChain(chain);
            configuration.setPrivateKey(key);
            return configuration;
        }
    }
    return failure(Kind::Invalid, u"%1 holds no RSA or EC key without a passphrase"_s.arg(keyPath));
}

Result<Endpoint> fromEnvironment(const QString& url)
{
    auto endpoint = endpointFromUrl(url);
    if (!endpoint)
        return std::unexpected(endpoint.error().within(u"DOCKER_HOST"_s));
    endpoint->origin = u"DOCKER_HOST"_s;
    const bool isVerified = !environment("DOCKER_TLS_VERIFY").isEmpty();
    if (endpoint->transport == Endpoint::Transport::Local
        || (!isVerified && endpoint->transport == Endpoint::Transport::Tcp))
        return endpoint;
    const auto directory = environment("DOCKER_CERT_PATH");
    auto tls = tlsFrom(directory.isEmpty() ? configDirectory() : directory);
    if (!tls)
        return std::unexpected(tls.error());
    endpoint->transport = Endpoint::Transport::Tls;
    endpoint->tls = *tls;
    if (QUrl(url).port() < 0)
        endpoint->port = tlsPort;
    return endpoint;
}

Result<Endpoint> fromContext(const QString& name)
{
    const auto id = QString::fromLatin1(
        QCryptographicHash::hash(name.toUtf8(), QCryptographicHash::Sha256).toHex());
    const auto contexts = configDirectory() + u"/contexts"_s;
    const auto metaPath = contexts + u"/meta/%1/meta.json"_s.arg(id);
    if (!QFileInfo::exists(metaPath))
        return failure(Kind::Invalid,
            u"the Docker context \"%1\" does not exist: see docker context ls, or unset DOCKER_CONTEXT"_s
                .arg(name));
    const auto meta = readJson(metaPath);
    if (!meta)
        return std::unexpected(meta.error());
    const auto docker = meta->value(u"Endpoints"_s).toObject().value(u"docker"_s).toObject();
    auto endpoint = endpointFromUrl(docker.value(u"Host"_s).toString());
    if (!endpoint)
        return std::unexpected(endpoint.error().within(u"Docker context \"%1\""_s.arg(name)));
    endpoint->origin = u"context "_s + name;
    const auto tlsDirectory = contexts + u"/tls/%1/docker"_s.arg(id);
    const bool hasTls = QFileInfo::exists(tlsDirectory);
    const bool isSkipped = docker.value(u"SkipTLSVerify"_s).toBool();
    if (endpoint->transport == Endpoint::Transport::Local
        || (!hasTls && !isSkipped && endpoint->transport == Endpoint::Transport::Tcp))
        return endpoint;
    auto tls = tlsFrom(tlsDirectory);
    if (!tls)
        return std::unexpected(tls.error());
    if (isSkipped)
        tls->setPeerVerifyMode(QSslSocket::VerifyNone);
    endpoint->transport = Endpoint::Transport::Tls;
    endpoint->tls = *tls;
    return endpoint;
}

Endpoint defaultEndpoint()
{
    Endpoint endpoint;
    endpoint.socketPath = u"/var/run/docker.sock"_s;
    endpoint.origin = u"default"_s;
    const auto runtime = environment("XDG_RUNTIME_DIR");
    const auto rootless = runtime + u"/docker.sock"_s;
    if (!QFileInfo::exists(endpoint.socketPath) && !runtime.isEmpty()
        && QFileInfo::exists(rootless))
        endpoint.socketPath = rootless;
    return endpoint;
}

} // namespace

QString Endpoint::toString() const
{
    const auto address
        = host.contains(u':') ? u"[%1]:%2"_s.arg(host).arg(port) : u"%1:%2"_s.arg(host).arg(port);
    switch (transport) {
    case Transport::Local:
        return u"unix://"_s + socketPath;
    case Transport::Tcp:
        return u"tcp://"_s + address;
    case Transport::Tls:
        return u"tcp://%1 (TLS)"_s.arg(address);
    }
    return {};
}

Result<Endpoint> endpointFromUrl(const QString& text)
{
    Endpoint endpoint;
    endpoint.origin = text;
    if (text.startsWith(u"unix://"_s)) {
        endpoint.socketPath = text.sliced(7);
        if (!endpoint.socketPath.startsWith(u'/'))
            return failure(Kind::Invalid, u"\"%1\" names no absolute path to a socket"_s.arg(text));
        return endpoint;
    }
    const QUrl url(text, QUrl::StrictMode);
    const auto scheme = url.scheme();
    if (scheme == u"ssh"_s)
        return failure(Kind::Invalid,
            u"isol8 does not speak ssh:// itself: forward the socket (ssh -nNT -L /tmp/docker.sock:"
            "/var/run/docker.sock %1) and set DOCKER_HOST=unix:///tmp/docker.sock"_s.arg(
                url.authority()));
    const bool isTls = scheme == u"https"_s;
    if (!isTls && scheme != u"tcp"_s && scheme != u"http"_s)
        return failure(Kind::Invalid,
            u"\"%1\" is not an address of Docker: unix:///path, tcp://host:port, http:// and https:// are"_s
                .arg(text));
    if (!url.isValid() || url.host().isEmpty() || !url.userInfo().isEmpty() || url.hasQuery()
        || (!url.path().isEmpty() && url.path() != u"/"_s))
        return failure(Kind::Invalid, u"\"%1\" should be host and port alone"_s.arg(text));
    endpoint.transport = isTls ? Endpoint::Transport::Tls : Endpoint::Transport::Tcp;
    endpoint.host = url.host();
    endpoint.port = quint16(url.port(isTls ? tlsPort : plainPort));
    if (isTls)
        endpoint.tls = QSslConfiguration::defaultConfiguration();
    return endpoint;
}

Result<Endpoint> resolveEndpoint()
{
    if (const auto url = environment("DOCKER_HOST"); !url.isEmpty())
        return fromEnvironment(url);
    auto context = environment("DOCKER_CONTEXT");
    const auto configPath = configDirectory() + u"/config.json"_s;
    if (context.isEmpty() && QFileInfo::exists(configPath)) {
        const auto config = readJson(configPath);
        if (!config)
            return std::unexpected(config.error());
        context = config->value(u"currentContext"_s).toString();
    }
    if (context.isEmpty() || context == u"default"_s)
        return defaultEndpoint();
    return fromContext(context);
}

} // namespace isol8::docker
