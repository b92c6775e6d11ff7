// SPDX-License-Identifier: MIT
#include "engine/remote/exchange.h"

#include "engine/remote/failures.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QSslError>

namespace isol8::remote {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 readBufferBytes = 1 << 20;

} // namespace

Completion<HttpAnswer> Exchange::start(
    const std::shared_ptr<Connection>& connection, const HttpCall& call, const CancelToken& cancel)
{
    const auto exchange = std::make_shared<Exchange>(connection, call);
    exchange->begin(cancel);
    return exchange->m_completion;
}

Exchange::Exchange(const std::shared_ptr<Connection>& connection, const HttpCall& call)
    : m_connection(connection)
    , m_call(call)
{
}

Exchange::~Exchange() = default;

void Exchange::begin(const CancelToken& cancel)
{
    m_self = shared_from_this();
    auto request = m_connection->request(m_call.path, m_call.query);
    QByteArray body;
    if (m_call.verb == "POST") {
        request.setHeader(QNetworkRequest::ContentTypeHeader, u"application/json"_s);
        body = QJsonDocument(m_call.body).toJson(QJsonDocument::Compact);
    }
    const auto weak = weak_from_this();
    const auto stop = [weak] {
        if (const auto self = weak.lock())
            self->end(std::unexpected(cancelled()));
    };
    m_byCaller = cancel.onCancel(stop);
    m_byOwner = m_connection->closing().onCancel(stop);
    if (m_isEnded)
        return;

    m_reply = m_connection->manager().sendCustomRequest(request, m_call.verb, body);
    m_reply->setReadBufferSize(readBufferBytes);
    connect(m_reply, &QNetworkReply::readyRead, this, &Exchange::read);
    connect(m_reply, &QNetworkReply::finished, this, &Exchange::finish);
    connect(m_reply, &QNetworkReply::sslErrors, this,
        [this](const QList<QSslError>& errors) { m_tlsProblem = tlsProblem(errors); });
    const auto tell = [this](qint64 doneBytes, qint64 totalBytes) {
        if (!m_isEnded && totalBytes > 0)
            m_call.progress(doneBytes, totalBytes);
    };
    if (m_call.progress && m_call.verb == "POST")
        connect(m_reply, &QNetworkReply::uploadProgress, this, tell);
    else if (m_call.progress)
        connect(m_reply, &QNetworkReply::downloadProgress, this, tell);
    connect(&m_limit, &QTimer::timeout, this,
        [this] { end(std::unexpected(noAnswerInTime(m_connection->address(), m_call.limit))); });
    m_limit.setSingleShot(true);
    m_limit.start(m_call.limit);
}

void Exchange::read()
{
    if (m_isEnded)
        return;
    m_answer.body += m_reply->read(m_call.maxBytes + 1 - m_answer.body.size());
    if (m_answer.body.size() > m_call.maxBytes)
        end(std::unexpected(answerTooLarge(m_connection->address(), m_call.maxBytes)));
}

void Exchange::finish()
{
    read();
    if (m_isEnded)
        return;
    const auto code = m_reply->error();
    m_answer.status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    m_answer.retryAfter = m_reply->rawHeader("Retry-After");
    m_answer.location = m_reply->rawHeader("Location");
    // Qt tells statuses of 400 and more as errors too; those below that stay are of the network.
    if (m_answer.status < 400 && code != QNetworkReply::NoError)
        end(std::unexpected(
            errorFromNetwork(m_connection->address(), code, m_reply->errorString(), m_tlsProblem)));
    else
        end(m_answer);
}

void Exchange::end(Result<HttpAnswer> result)
{
    if (std::exchange(m_isEnded, true))
        return;
    m_limit.stop();
    if (m_reply) {
        m_reply->disconnect(this);
        m_reply->abort();
        m_reply->deleteLater();
    }
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [self = std::exchange(m_self, nullptr), result = std::move(result)] {
            self->m_completion.deliver(result);
        },
        Qt::QueuedConnection);
}

QString tlsProblem(const QList<QSslError>& errors)
{
    QStringList problems;
    for (const auto& error : errors) {
        switch (error.error()) {
        case QSslError::SelfSignedCertificate:
        case QSslError::SelfSignedCertificateInChain:
            problems << u"it is self-signed"_s;
            break;
        case QSslError::CertificateExpired:
            problems << u"it has expired"_s;
            break;
        case QSslError::CertificateNotYetValid:
            problems << u"it is not valid yet"_s;
            break;
        case QSslError::HostNameMismatch:
            problems << u"it is for another host"_s;
            break;
        default:
            problems << error.errorString();
        }
    }
    problems.removeDuplicates();
    return problems.join(u"; "_s);
}

} // namespace isol8::remote
