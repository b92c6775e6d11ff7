// SPDX-License-Identifier: MIT
#include "engine/docker/failures.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

#include <unistd.h>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxMessageCharacters = 4000;

bool isOutOfSpace(const QString& message)
{
    return message.contains(u"no space left on device"_s, Qt::CaseInsensitive)
        || message.contains(u"disk quota exceeded"_s, Qt::CaseInsensitive);
}

Kind kindOfStatus(int status, const QString& message)
{
    if (isOutOfSpace(message))
        return Kind::Limit;
    switch (status) {
    case 400:
        return Kind::Invalid;
    case 401:
    case 403:
    case 407:
        return Kind::Denied;
    case 404:
        return Kind::NotFound;
    case 409:
        return Kind::Conflict;
    case 413:
    case 429:
        return Kind::Limit;
    default:
        return status >= 500 ? Kind::Internal : Kind::Protocol;
    }
}

QString trimmedMessage(QString message)
{
    message = message.trimmed();
    while (message.endsWith(u'.'))
        message.chop(1);
    return message.left(maxMessageCharacters);
}

QString unsetHint(const Endpoint& endpoint)
{
    if (endpoint.origin == u"DOCKER_HOST"_s)
        return u", or correct or unset DOCKER_HOST"_s;
    if (endpoint.origin.startsWith(u"context"_s))
        return u", or choose another context (docker context use default)"_s;
    return u", or set DOCKER_HOST to where Docker listens"_s;
}

} // namespace

Error errorFromAnswer(int status, QByteArrayView body)
{
    if (status < 400)
        return { Kind::Protocol,
            u"Docker answered with a redirect (HTTP %1), which isol8 does not follow: "
            "check that DOCKER_HOST names a Docker daemon"_s.arg(status),
            status };
    const auto raw = QByteArray::fromRawData(body.data(), body.size());
    auto message
        = trimmedMessage(QJsonDocument::fromJson(raw).object().value(u"message"_s).toString());
    if (message.isEmpty()) {
        // A proxy's page, or a daemon that speaks TLS only.
        const auto text
            = QString::fromUtf8(body.first(std::min<qsizetype>(body.size(), 200))).simplified();
        message = u"Docker answered with HTTP %1"_s.arg(status);
        if (text.contains(u"HTTP request to an HTTPS server"_s))
            return { Kind::Unreachable,
                u"this Docker speaks TLS only: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"_s,
                status };
        if (!text.isEmpty() && !text.contains(u'<'))
            message += u": "_s + text;
    }
    return { kindOfStatus(status, message), message, status };
}

Error errorFromProgress(const QString& message)
{
    const auto text = trimmedMessage(message);
    if (isOutOfSpace(text))
        return { Kind::Limit, text };
    if (text.contains(u"manifest unknown"_s) || text.contains(u"not found"_s))
        return { Kind::NotFound, text };
    if (text.contains(u"access denied"_s) || text.contains(u"unauthorized"_s))
        return { Kind::Denied, text };
    return { Kind::Internal,
        text.isEmpty() ? u"Docker reported a failure without a word"_s : text };
}

Error connectionError(const Endpoint& endpoint, const QString& detail)
{
    const auto where = endpoint.toString();
    if (endpoint.transport == Endpoint::Transport::Local) {
        const auto path = QFile::encodeName(endpoint.socketPath);
        if (::access(path.constData(), F_OK) != 0) {
            if (errno == EACCES)
                return { Kind::Denied, u"no permission to reach Docker's socket %1"_s.arg(where) };
            return { Kind::Unreachable,
                u"Docker's socket %1 does not exist: start Docker (sudo systemctl start docker)%2"_s
                    .arg(where, unsetHint(endpoint)) };
        }
        if (::access(path.constData(), R_OK | W_OK) != 0)
            return { Kind::Denied,
                u"no permission to use Docker's socket %1: add yourself to its group "
                "(sudo usermod -aG docker $USER) and log in again"_s.arg(where) };
        if (!QFileInfo(endpoint.socketPath).isFile() && !QFileInfo(endpoint.socketPath).isDir())
            return { Kind::Unreachable,
                u"nothing listens on Docker's socket %1: start Docker (sudo systemctl start docker)%2"_s
                    .arg(where, unsetHint(endpoint)) };
        return { Kind::Unreachable, u"%1 is not a socket%2"_s.arg(where, unsetHint(endpoint)) };
    }
    return { Kind::Unreachable,
        u"Docker at %1 cannot be reached (%2): check that it runs and listens there%3"_s.arg(
            where, detail, unsetHint(endpoint)) };
}

Error tlsError(const Endpoint& endpoint, const QString& detail)
{
    return { Kind::Denied,
        u"no TLS connection to Docker at %1: %2; check the certificates in DOCKER_CERT_PATH and "
        u"that this "
        "port speaks TLS"_s.arg(endpoint.toString(), detail) };
}

Error brokenConnection(const QString& what)
{
    return { Kind::Unreachable,
        u"Docker closed the connection before it had answered %1: "
        "look whether the daemon still runs (systemctl status docker)"_s.arg(what) };
}

} // namespace isol8::docker
