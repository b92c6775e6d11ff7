// SPDX-License-Identifier: MIT
#include "engine/source/pinnedget.h"

#include "engine/core/completion.h"
#include "engine/core/units.h"

#include <KCompressionDevice>

#include <QBuffer>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QTimer>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 readBufferBytes = 256 << 10;

/// The URL says where to connect to, the Host field and the certificate's name whom to talk to.
QNetworkRequest networkRequest(const PinnedRequest& pinned)
{
    const SourceTarget& target = pinned.target;
    QUrl url = target.url;
    url.setHost(pinned.address.toString());
    QNetworkRequest request(url);
    QByteArray host = target.host.host.inUrl().toLatin1();
    if (target.url.port() >= 0)
        host += ':' + QByteArray::number(target.host.port);
    request.setRawHeader("Host", host);
    if (!target.host.host.isAddress())
        request.setPeerVerifyName(target.host.host.text);
    request.setRawHeader("User-Agent", "isol8/" ISOL8_VERSION);
    request.setRawHeader("Accept", "*/*");
    request.setRawHeader("Accept-Encoding", "identity"); // Set, it also stops Qt's own decoding.
    using Attribute = QNetworkRequest;
    // HTTP/2 would name the URL's host, and so the address.
    request.setAttribute(Attribute::Http2AllowedAttribute, false);
    request.setAttribute(Attribute::RedirectPolicyAttribute, Attribute::ManualRedirectPolicy);
    request.setAttribute(Attribute::CookieLoadControlAttribute, Attribute::Manual);
    request.setAttribute(Attribute::CookieSaveControlAttribute, Attribute::Manual);
    request.setAttribute(Attribute::AuthenticationReuseAttribute, Attribute::Manual);
    request.setAttribute(Attribute::CacheLoadControlAttribute, Attribute::AlwaysNetwork);
    if (!pinned.caBundle.isEmpty()) {
        auto tls = QSslConfiguration::defaultConfiguration();
        tls.addCaCertificates(QSslCertificate::fromData(pinned.caBundle, QSsl::Pem));
        request.setSslConfiguration(tls);
    }
    return request;
}

Error tooLarge(qint64 maxBytes)
{
    return { Kind::Limit,
        u"the code is larger than %1 (remoteCode.maxCodeSize)"_s.arg(formatSize(maxBytes)) };
}

Error transportError(const QNetworkReply& reply)
{
    switch (reply.error()) {
    case QNetworkReply::SslHandshakeFailedError:
        return { Kind::Denied,
            u"the server's TLS certificate is not trusted (%1); network.caBundle can name further authorities"_s
                .arg(reply.errorString()) };
    case QNetworkReply::ProtocolFailure:
    case QNetworkReply::ProtocolUnknownError:
        return { Kind::Protocol, u"the server does not speak HTTP"_s };
    case QNetworkReply::RemoteHostClosedError:
        return { Kind::Unreachable, u"the connection was lost"_s };
    default:
        return { Kind::Unreachable,
            u"the server cannot be reached (%1)"_s.arg(reply.errorString()) };
    }
}

struct Exchange {
    PinnedAnswer answer;
    std::optional<Error> error; ///< The first of our own side.
};

int statusOf(const QNetworkReply& reply)
{
    return reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
}

/// Takes what has come of a body; true when the exchange is over for our part.
bool takeBody(QNetworkReply& reply, Exchange& exchange, qint64 maxBytes)
{
    exchange.answer.body += reply.readAll();
    const qint64 announced = reply.header(QNetworkRequest::ContentLengthHeader).toLongLong();
    if (exchange.answer.body.size() > maxBytes || announced > maxBytes)
        exchange.error = tooLarge(maxBytes);
    return exchange.error.has_value();
}

} // namespace

Result<QByteArray> decodedBody(const QByteArray& body, const QByteArray& encoding, qint64 maxBytes)
{
    const QByteArray name = encoding.trimmed().toLower();
    if (name.isEmpty() || name == "identity")
        return body;
    if (name != "gzip" && name != "x-gzip")
        return failure(Kind::Protocol,
            u"the server sends the code encoded as %1"_s.arg(QString::fromLatin1(name.left(40))));
    QBuffer source;
    source.setData(body);
    KCompressionDevice device(&source, /*autoDeleteInputDevice=*/false, KCompressionDevice::GZip);
    QByteArray decoded;
    if (!device.open(QIODevice::ReadOnly))
        return failure(Kind::Protocol, u"the server sends broken gzip data"_s);
    while (!device.atEnd()) {
        const QByteArray piece = device.read(readBufferBytes);
        if (piece.isEmpty() || device.error() != QFileDevice::NoError)
            return failure(Kind::Protocol, u"the server sends broken gzip data"_s);
        decoded += piece;
        if (decoded.size() > maxBytes)
            return std::unexpected(tooLarge(maxBytes));
    }
    return decoded;
}

Task<PinnedAnswer> pinnedGet(PinnedRequest request, CancelToken cancel)
{
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    // Deleted later: the coroutine ends within an event of the reply.
    const std::unique_ptr<QNetworkAccessManager, QScopedPointerDeleteLater> network(
        new QNetworkAccessManager);
    network->setProxy(QNetworkProxy::NoProxy);
    const auto exchange = std::make_shared<Exchange>();
    const Completion<> ended;
    const std::unique_ptr<QNetworkReply, QScopedPointerDeleteLater> reply(
        network->get(networkRequest(request)));
    auto* const raw = reply.get();
    raw->setReadBufferSize(readBufferBytes);
    // Queued, so that nothing resumes within a call of the reply or of cancel().
    const auto end = [raw, ended] {
        QMetaObject::invokeMethod(raw, [ended] { ended.deliver({}); }, Qt::QueuedConnection);
    };
    QObject::connect(raw, &QNetworkReply::metaDataChanged, raw, [raw, exchange, end] {
        exchange->answer.status = statusOf(*raw);
        exchange->answer.location = raw->rawHeader("Location");
        if (exchange->answer.status != 200)
            end();
    });
    QObject::connect(
        raw, &QNetworkReply::readyRead, raw, [raw, exchange, end, maxBytes = request.maxBytes] {
            if (statusOf(*raw) == 200 && !exchange->error && takeBody(*raw, *exchange, maxBytes))
                end();
        });
    QObject::connect(raw, &QNetworkReply::finished, raw, end);
    QTimer connectTimer;
    connectTimer.setSingleShot(true);
    QObject::connect(&connectTimer, &QTimer::timeout, raw, [exchange, end] {
        exchange->error = Error { Kind::Unreachable, u"the server does not answer"_s };
        end();
    });
    QObject::connect(raw, &QNetworkReply::requestSent, &connectTimer, &QTimer::stop);
    if (request.connectTimeout.count() > 0)
        connectTimer.start(request.connectTimeout);
    const auto registration = cancel.onCancel(end);
    co_await ended.wait();

    const bool isFinished = raw->isFinished();
    const auto networkError = raw->error();
    if (isFinished && exchange->answer.status == 200 && !exchange->error && raw->isOpen())
        takeBody(*raw, *exchange, request.maxBytes);
    raw->disconnect();
    if (!isFinished)
        raw->abort();
    if (cancel.isCancelled())
        co_return std::unexpected(cancelled());
    if (exchange->error)
        co_return std::unexpected(*exchange->error);
    auto& answer = exchange->answer;
    if (answer.status != 0 && answer.status != 200)
        co_return answer;
    if (answer.status == 0 || networkError != QNetworkReply::NoError)
        co_return std::unexpected(transportError(*raw));
    // With `Connection: close` Qt takes a lost connection for the end.
    const auto announced = raw->header(QNetworkRequest::ContentLengthHeader);
    if (announced.isValid() && announced.toLongLong() != answer.body.size())
        co_return failure(Kind::Unreachable, u"the connection was lost"_s);
    auto decoded = decodedBody(answer.body, raw->rawHeader("Content-Encoding"), request.maxBytes);
    if (!decoded)
        co_return std::unexpected(decoded.error());
    answer.body = std::move(*decoded);
    co_return answer;
}

} // namespace isol8
