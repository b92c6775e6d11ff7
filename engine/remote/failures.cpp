// SPDX-License-Identifier: MIT
#include "engine/remote/failures.h"

#include "engine/core/strictjson.h"
#include "engine/core/units.h"

namespace isol8::remote {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxMessageCharacters = 1'000;

QString shortened(QString text)
{
    text = text.trimmed();
    while (text.endsWith(u'.'))
        text.chop(1);
    return text.left(maxMessageCharacters);
}

Kind kindOfStatus(int status)
{
    switch (status) {
    case 400:
    case 405:
    case 415:
        return Kind::Invalid;
    case 401:
    case 403:
    case 407:
        return Kind::Denied;
    case 404:
        return Kind::NotFound;
    case 408:
    case 504:
        return Kind::Timeout;
    case 409:
        return Kind::Conflict;
    case 413:
    case 429:
    case 431:
        return Kind::Limit;
    case 502:
    case 503:
        return Kind::Unreachable;
    default:
        return status >= 500 ? Kind::Internal : Kind::Protocol;
    }
}

/// `Retry-After` in seconds; its other form, a date, is left out.
QString retryHint(const QByteArray& retryAfter)
{
    bool isNumber = false;
    const int seconds = retryAfter.trimmed().toInt(&isNumber);
    if (!isNumber || seconds < 0)
        return u"; try again later"_s;
    return u"; try again in %1"_s.arg(formatDuration(std::chrono::seconds(seconds)));
}

} // namespace

Error errorFromAnswer(const ServerAddress& address, int status, const QByteArray& body,
    const QByteArray& retryAfter, const QByteArray& location)
{
    const auto where = address.toString();
    if (status >= 300 && status < 400)
        return { Kind::Protocol,
            u"the server at %1 sends its clients on to '%2', which isol8 does not follow: "
            "give that address yourself if you trust it"_s.arg(
                where, shortened(QString::fromUtf8(location))),
            status };
    const auto object = parseJsonObject(body);
    const auto said = object ? shortened(object->value(u"error"_s).toString()) : QString();
    if (status == 401)
        return { Kind::Denied, u"the server at %1 asks for an API key"_s.arg(where), status };
    if (status == 403 && (said.isEmpty() || said == "Invalid API key"_L1))
        return { Kind::Denied,
            u"the server at %1 does not accept this API key: it is wrong, expired or revoked"_s.arg(
                where),
            status };
    if (status == 404 && said == "Not found"_L1)
        return { Kind::NotFound,
            u"the server at %1 knows no such path: check the address, or its version"_s.arg(where),
            status };
    if (said.isEmpty() && status < 500 && status != 413 && status != 429)
        return { kindOfStatus(status),
            u"what answers at %1 (HTTP %2) is not an isol8 server, or one that is too old for this"_s
                .arg(where)
                .arg(status),
            status };
    Error error { kindOfStatus(status), said, status };
    if (said.isEmpty())
        error.message = u"the server at %1 failed (HTTP %2)"_s.arg(where).arg(status);
    if (status == 429 || status == 503)
        error.message += retryHint(retryAfter);
    return error;
}

Error errorFromEvent(int status, const QString& text)
{
    const auto said
        = text.isEmpty() ? u"the server reported a failure without a word"_s : shortened(text);
    return { status == 0 ? Kind::Internal : kindOfStatus(status), said, status };
}

Error errorFromNetwork(const ServerAddress& address, QNetworkReply::NetworkError code,
    const QString& detail, const QString& tlsProblem)
{
    const auto where = address.toString();
    switch (code) {
    case QNetworkReply::ConnectionRefusedError:
        return { Kind::Unreachable,
            u"nothing listens at %1: check the address and that `isol8 serve` runs there"_s.arg(
                where) };
    case QNetworkReply::HostNotFoundError:
        return { Kind::Unreachable,
            u"there is no host named '%1': check the address"_s.arg(address.url.host()) };
    case QNetworkReply::SslHandshakeFailedError:
        if (tlsProblem.isEmpty())
            return { Kind::Denied,
                u"no TLS connection to %1: does it speak plain http? (%2)"_s.arg(
                    where, shortened(detail)) };
        return { Kind::Denied,
            u"the certificate of %1 cannot be trusted: %2"_s.arg(where, shortened(tlsProblem)) };
    case QNetworkReply::TimeoutError:
        return { Kind::Timeout, u"the server at %1 does not answer"_s.arg(where) };
    case QNetworkReply::RemoteHostClosedError:
        return { Kind::Unreachable,
            u"the server at %1 closed the connection before it had answered%2"_s.arg(where,
                address.url.scheme() == "http"_L1 ? u"; does it speak https only?"_s : QString()) };
    default:
        return { Kind::Unreachable,
            u"the server at %1 cannot be reached: %2"_s.arg(where, shortened(detail)) };
    }
}

Error noAnswerInTime(const ServerAddress& address, std::chrono::milliseconds limit)
{
    return { Kind::Timeout,
        u"the server at %1 did not answer within %2"_s.arg(
            address.toString(), formatDuration(limit)) };
}

Error notIsol8(const ServerAddress& address, const QString& detail)
{
    return { Kind::Protocol,
        u"what answers at %1 does not speak as an isol8 server does (%2)"_s.arg(
            address.toString(), shortened(detail)) };
}

Error answerTooLarge(const ServerAddress& address, qint64 maxBytes)
{
    return { Kind::Limit,
        u"the answer of %1 is too large: more than %2"_s.arg(
            address.toString(), formatSize(maxBytes)) };
}

Error lostConnection(const ServerAddress& address, const QString& detail)
{
    return { Kind::Unreachable,
        u"lost connection to %1 before the run had ended%2"_s.arg(
            address.toString(), detail.isEmpty() ? QString() : u": "_s + shortened(detail)) };
}

} // namespace isol8::remote
