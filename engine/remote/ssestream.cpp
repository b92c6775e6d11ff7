// SPDX-License-Identifier: MIT
#include "engine/remote/ssestream.h"

#include "engine/remote/exchange.h"
#include "engine/remote/failures.h"

#include <QIODevice>
#include <QJsonDocument>
#include <QSslError>

namespace isol8::remote {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 readBufferBytes = 1 << 20;
constexpr qsizetype maxFailureBytes = 64 << 10;

/// A body that can be read once. QNetworkAccessManager repeats a POST whose connection was closed
/// before the answer, and the program would run twice; it cannot repeat this.
class OneTimeBody final : public QIODevice {
public:
    explicit OneTimeBody(QByteArray bytes)
        : m_bytes(std::move(bytes))
    {
        open(QIODevice::ReadOnly | QIODevice::Unbuffered);
    }

    [[nodiscard]] bool isSequential() const override { return true; }
    [[nodiscard]] qint64 bytesAvailable() const override { return m_bytes.size() - m_offset; }
    [[nodiscard]] bool atEnd() const override { return bytesAvailable() == 0; }

protected:
    qint64 readData(char* data, qint64 maxSize) override
    {
        const auto size = std::min(maxSize, bytesAvailable());
        if (size == 0)
            return -1;
        std::copy_n(m_bytes.constData() + m_offset, size, data);
        m_offset += size;
        return size;
    }
    qint64 writeData(const char*, qint64) override { return -1; }

private:
    QByteArray m_bytes;
    qint64 m_offset = 0;
};

} // namespace

SseStream::SseStream(std::shared_ptr<Connection> connection)
    : m_connection(std::move(connection))
{
}

SseStream::~SseStream()
{
    m_isEnded = true;
    if (!m_reply)
        return;
    m_reply->disconnect(this);
    m_reply->abort();
    m_reply->deleteLater();
    // The reply reads it until it is gone.
    if (auto* body = m_body.release())
        body->setParent(m_reply);
}

void SseStream::start(const QJsonObject& execution)
{
    auto request = m_connection->request(u"/execute/stream"_s);
    const auto json = QJsonDocument(execution).toJson(QJsonDocument::Compact);
    request.setHeader(QNetworkRequest::ContentTypeHeader, u"application/json"_s);
    request.setHeader(QNetworkRequest::ContentLengthHeader, json.size());
    request.setAttribute(QNetworkRequest::DoNotBufferUploadDataAttribute, true);
    request.setRawHeader("Accept", "text/event-stream");
    m_body = std::make_unique<OneTimeBody>(json);
    m_reply = m_connection->manager().post(request, m_body.get());
    m_reply->setReadBufferSize(readBufferBytes);
    connect(m_reply, &QNetworkReply::sslErrors, this,
        [this](const QList<QSslError>& errors) { m_tlsProblem = tlsProblem(errors); });
    connect(m_reply, &QNetworkReply::readyRead, this, &SseStream::read);
    connect(m_reply, &QNetworkReply::finished, this, [this] {
        m_isFinished = true;
        read();
    });
}

void SseStream::send(const QJsonObject&) { }

void SseStream::setPaused(bool isPaused)
{
    m_isPaused = isPaused;
    if (!isPaused)
        QMetaObject::invokeMethod(this, &SseStream::read, Qt::QueuedConnection);
}

void SseStream::checkHead()
{
    const auto status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const auto type = m_reply->header(QNetworkRequest::ContentTypeHeader).toString();
    if (status != 200)
        return;
    if (!type.startsWith("text/event-stream"_L1, Qt::CaseInsensitive))
        return end(notIsol8(
            m_connection->address(), u"its stream has the type '%1'"_s.arg(type.left(100))));
    m_isOpen = true;
    // Again: before the head there is nobody yet to whom Qt passes it on.
    m_reply->setReadBufferSize(readBufferBytes);
    Q_EMIT opened();
}

void SseStream::read()
{
    const QPointer alive(this);
    if (!m_isOpen && !m_isEnded && m_reply)
        checkHead();
    while (alive && m_isOpen && !m_isEnded && !m_isPaused && m_reply->bytesAvailable() > 0) {
        const auto events = m_reader.feed(m_reply->read(readBufferBytes));
        if (!events)
            return end(events.error());
        for (const auto& event : *events) {
            // Those that are complete already come even if a slot pauses now; the run keeps them.
            if (alive && !m_isEnded)
                Q_EMIT eventReceived(event);
        }
    }
    if (!alive || m_isEnded || !m_reply)
        return;
    if (!m_isOpen && m_failure.size() < maxFailureBytes)
        m_failure += m_reply->read(maxFailureBytes - m_failure.size());
    const bool isFlood = !m_isOpen && m_failure.size() >= maxFailureBytes;
    const bool isRead = m_isFinished && (!m_isOpen || m_reply->bytesAvailable() == 0);
    if (isFlood || isRead)
        finish();
}

void SseStream::finish()
{
    const auto& address = m_connection->address();
    const auto status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (m_isOpen)
        return end(lostConnection(address));
    if (status != 0 && status != 200)
        return end(errorFromAnswer(address, status, m_failure, m_reply->rawHeader("Retry-After"),
            m_reply->rawHeader("Location")));
    // The body could not be sent again: the connection had been closed.
    const auto code = m_reply->error() == QNetworkReply::ContentReSendError
        ? QNetworkReply::RemoteHostClosedError
        : m_reply->error();
    end(errorFromNetwork(address, code, m_reply->errorString(), m_tlsProblem));
}

void SseStream::end(const Error& reason)
{
    if (std::exchange(m_isEnded, true))
        return;
    if (m_reply) {
        m_reply->disconnect(this);
        m_reply->abort();
    }
    Q_EMIT ended(reason);
}

} // namespace isol8::remote
