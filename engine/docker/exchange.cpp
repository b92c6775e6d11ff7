// SPDX-License-Identifier: MIT
#include "engine/docker/exchange.h"

#include "engine/core/logging.h"
#include "engine/docker/failures.h"

#include <QHttp1Configuration>
#include <QNetworkRequest>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

// A build, a wait and a pull hold a connection each; the others must not queue behind them.
constexpr qsizetype connectionsPerHost = 64;

QByteArray origin(const Endpoint& endpoint)
{
    if (endpoint.transport == Endpoint::Transport::Local)
        return "unix+http://docker";
    QUrl url;
    url.setScheme(endpoint.transport == Endpoint::Transport::Tls ? u"https"_s : u"http"_s);
    url.setHost(endpoint.host);
    url.setPort(endpoint.port);
    return url.toEncoded();
}

QNetworkRequest networkRequest(const Endpoint& endpoint, const QByteArray& target)
{
    QNetworkRequest request(QUrl::fromEncoded(origin(endpoint) + target, QUrl::StrictMode));
    if (endpoint.transport == Endpoint::Transport::Local)
        request.setAttribute(QNetworkRequest::FullLocalServerNameAttribute, endpoint.socketPath);
    if (endpoint.transport == Endpoint::Transport::Tls)
        request.setSslConfiguration(*endpoint.tls);
    request.setAttribute(
        QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, false);
    request.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::CookieSaveControlAttribute, QNetworkRequest::Manual);
    QHttp1Configuration http1;
    http1.setNumberOfConnectionsPerHost(connectionsPerHost);
    request.setHttp1Configuration(http1);
    // Named, so that Qt neither asks for compression nor unpacks any.
    request.setRawHeader("Accept-Encoding", "identity");
    request.setRawHeader("User-Agent", "isol8/" ISOL8_VERSION);
    return request;
}

/// Whether there is a whole HTTP answer behind @p error (then of status 400 or more).
bool isAnswer(QNetworkReply::NetworkError error)
{
    return error == QNetworkReply::NoError
        || error == QNetworkReply::ProtocolInvalidOperationError // 400
        || (error >= QNetworkReply::ContentAccessDenied
            && error <= QNetworkReply::UnknownContentError)
        || error >= QNetworkReply::InternalServerError;
}

} // namespace

Exchange::Exchange(Transport& transport, HttpRequest request)
    : m_transport(&transport)
    , m_request(std::move(request))
{
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, [this] {
        const auto seconds = std::chrono::duration<double>(m_request.limit).count();
        end(failure(
            Kind::Timeout, u"Docker did not answer %1 within %2 s"_s.arg(what()).arg(seconds)));
    });
}

Exchange::~Exchange()
{
    if (m_reply)
        m_reply->deleteLater();
}

void Exchange::start(
    QNetworkAccessManager& manager, const QByteArray& prefix, const CancelToken& cancel)
{
    if (!m_request.bodyPath.isEmpty()) {
        m_bodyFile = std::make_unique<QFile>(m_request.bodyPath);
        if (!m_bodyFile->open(QIODevice::ReadOnly)) {
            end(failure(Kind::Internal,
                u"%1 cannot be read: %2"_s.arg(m_request.bodyPath, m_bodyFile->errorString())));
            return;
        }
    }
    auto request = networkRequest(m_transport->endpoint(), prefix + m_request.target);
    // Qt wants one for every POST, also without a body.
    if (m_request.verb == "POST" || !m_request.contentType.isEmpty())
        request.setRawHeader("Content-Type",
            m_request.contentType.isEmpty() ? "application/json" : m_request.contentType);
    m_reply = send(manager, request);
    connect(m_reply, &QNetworkReply::readyRead, this, &Exchange::read);
    connect(m_reply, &QNetworkReply::finished, this, &Exchange::finish);
    connect(m_reply, &QNetworkReply::metaDataChanged, this, &Exchange::takeHead);
    connect(m_reply, &QNetworkReply::uploadProgress, this, &Exchange::restartLimit);
    connect(m_reply, &QNetworkReply::sslErrors, this,
        [this](const QList<QSslError>& errors) { m_tlsProblem = errors.value(0).errorString(); });
    if (m_request.limit.count() > 0)
        m_limit.start(m_request.limit);
    m_cancelRegistration = cancel.onCancel([this] { end(std::unexpected(cancelled())); });
}

QNetworkReply* Exchange::send(QNetworkAccessManager& manager, const QNetworkRequest& request)
{
    if (m_request.verb == "GET")
        return manager.get(request);
    if (m_request.verb == "DELETE")
        return manager.deleteResource(request);
    if (m_request.verb == "PUT")
        return m_bodyFile ? manager.put(request, m_bodyFile.get())
                          : manager.put(request, m_request.body);
    Q_ASSERT(m_request.verb == "POST");
    return m_bodyFile ? manager.post(request, m_bodyFile.get())
                      : manager.post(request, m_request.body);
}

void Exchange::end(Result<HttpAnswer> result)
{
    if (m_result)
        return;
    m_result.emplace(std::move(result));
    m_limit.stop();
    if (m_reply) {
        disconnect(m_reply, nullptr, this, nullptr);
        if (m_reply->isRunning())
            m_reply->abort();
    }
    QMetaObject::invokeMethod(
        this, [keep = shared_from_this()] { keep->deliver(); }, Qt::QueuedConnection);
}

void Exchange::deliver()
{
    const auto keep = shared_from_this();
    if (m_transport)
        std::exchange(m_transport, nullptr)->forget(this);
    m_cancelRegistration = {};
    m_completion.deliver(m_result ? *std::move(m_result) : std::unexpected(cancelled()));
}

void Exchange::takeHead()
{
    const auto keep = shared_from_this();
    restartLimit();
    const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status >= 200 && status < 300 && m_request.opened)
        std::exchange(m_request.opened, nullptr)();
}

void Exchange::read()
{
    const auto keep = shared_from_this(); // The sink may close the transport.
    restartLimit();
    m_answer.status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const auto bytes = m_reply->readAll();
    if (bytes.isEmpty() || m_result)
        return;
    if (m_request.sink && m_answer.status < 300) {
        if (auto taken = m_request.sink(bytes); !taken)
            end(std::unexpected(taken.error()));
        return;
    }
    if (m_answer.body.size() + bytes.size() > m_request.maxAnswerBytes) {
        end(failure(Kind::Limit,
            u"Docker's answer to %1 is over %2 bytes"_s.arg(what()).arg(m_request.maxAnswerBytes)));
        return;
    }
    m_answer.body += bytes;
}

void Exchange::finish()
{
    const auto keep = shared_from_this();
    if (!isAnswer(m_reply->error())) {
        end(std::unexpected(networkError()));
        return;
    }
    read();
    m_answer.apiVersion = m_reply->rawHeader("Api-Version");
    qCDebug(logDocker).noquote() << m_answer.status << what();
    end(std::move(m_answer));
}

void Exchange::restartLimit()
{
    if (m_request.limitKind == HttpRequest::LimitKind::Silence && m_limit.isActive())
        m_limit.start();
}

QString Exchange::what() const
{
    auto target = QString::fromLatin1(m_request.target);
    if (const auto query = target.indexOf(u'?'); query >= 0)
        target.truncate(query);
    return QString::fromLatin1(m_request.verb) + u' ' + target;
}

Error Exchange::networkError() const
{
    const auto error = m_reply->error();
    const bool hasStatus = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).isValid();
    if (hasStatus || error == QNetworkReply::RemoteHostClosedError)
        return brokenConnection(what());
    if (error == QNetworkReply::SslHandshakeFailedError)
        return tlsError(m_transport->endpoint(),
            m_tlsProblem.isEmpty() ? m_reply->errorString() : m_tlsProblem);
    if (error == QNetworkReply::ProtocolFailure || error == QNetworkReply::ProtocolUnknownError)
        return { Kind::Protocol, u"the answer to %1 is not HTTP"_s.arg(what()) };
    return connectionError(m_transport->endpoint(), m_reply->errorString());
}

} // namespace isol8::docker
