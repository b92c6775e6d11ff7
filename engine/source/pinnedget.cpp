// SPDX-License-Identifier: MIT
#include "engine/source/pinnedget.h"

#include "engine/core/completion.h"
#include "engine/core/units.h"
#include "engine/http/bodydecoder.h"
#include "engine/http/headparser.h"
#include "engine/http/responsehead.h"

#include <KCompressionDevice>

#include <QBuffer>
#include <QNetworkProxy>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslSocket>
#include <QTimer>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr qint64 readBufferBytes = 256 << 10;
constexpr int maxInterimAnswers = 16;

http::HttpLimits headLimits()
{
    http::HttpLimits limits;
    limits.maxHeaderBytes = 256 << 10;
    limits.maxHeaderFields = 500;
    return limits;
}

/// Names the host, whatever address is connected to.
QByteArray requestHead(const SourceTarget& target)
{
    auto path = target.url.path(QUrl::FullyEncoded);
    if (target.url.hasQuery())
        path += u'?' + target.url.query(QUrl::FullyEncoded);
    const auto host = target.url.port() >= 0 ? target.host.toString() : target.host.host.inUrl();
    return "GET " + path.toLatin1() + " HTTP/1.1\r\nHost: " + host.toLatin1()
        + "\r\nUser-Agent: isol8/" ISOL8_VERSION
          "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
}

Error tooLarge(qint64 maxBytes)
{
    return { Kind::Limit,
        u"the code is larger than %1 (remoteCode.maxCodeSize)"_s.arg(formatSize(maxBytes)) };
}

Error transportError(const QAbstractSocket& socket)
{
    switch (socket.error()) {
    case QAbstractSocket::SslHandshakeFailedError:
        return { Kind::Denied,
            u"the server's TLS certificate is not trusted (%1); network.caBundle can name further authorities"_s
                .arg(socket.errorString()) };
    case QAbstractSocket::RemoteHostClosedError:
        return { Kind::Unreachable, u"the connection was lost"_s };
    default:
        return { Kind::Unreachable,
            u"the server cannot be reached (%1)"_s.arg(socket.errorString()) };
    }
}

/// One request and its answer on a connection of their own. Reads strictly: a broken answer must
/// not look like shorter code.
class Exchange : public QObject {
public:
    Exchange(const PinnedRequest& request, const Completion<PinnedAnswer>& ended)
        : m_request(request)
        , m_ended(ended)
        , m_limits(headLimits())
        , m_scanner(m_limits)
    {
    }

    void start();
    /// The first end counts.
    void end(Result<PinnedAnswer> result);

private:
    void send();
    void read();
    void handleDisconnected();
    [[nodiscard]] Result<> processHead();
    [[nodiscard]] Result<> processBody();
    void complete();

    const PinnedRequest m_request;
    const Completion<PinnedAnswer> m_ended;
    const http::HttpLimits m_limits;
    std::unique_ptr<QTcpSocket> m_socket;
    QTimer m_connectTimer;
    bool m_isOver = false;
    QByteArray m_input;
    http::HeadScanner m_scanner;
    int m_interimAnswers = 0;
    PinnedAnswer m_answer;
    QByteArray m_encoding;
    std::unique_ptr<http::BodyDecoder> m_body;
};

void Exchange::start()
{
    const auto& target = m_request.target;
    if (target.isEncrypted()) {
        auto tls = QSslConfiguration::defaultConfiguration();
        tls.addCaCertificates(QSslCertificate::fromData(m_request.caBundle, QSsl::Pem));
        auto socket = std::make_unique<QSslSocket>();
        socket->setSslConfiguration(tls);
        socket->setPeerVerifyName(target.host.host.text);
        connect(socket.get(), &QSslSocket::encrypted, this, &Exchange::send);
        m_socket = std::move(socket);
    } else {
        m_socket = std::make_unique<QTcpSocket>();
        connect(m_socket.get(), &QTcpSocket::connected, this, &Exchange::send);
    }
    m_socket->setProxy(QNetworkProxy::NoProxy);
    m_socket->setReadBufferSize(readBufferBytes);
    connect(m_socket.get(), &QTcpSocket::readyRead, this, &Exchange::read);
    connect(m_socket.get(), &QTcpSocket::errorOccurred, this, &Exchange::handleDisconnected);
    m_connectTimer.setSingleShot(true);
    connect(&m_connectTimer, &QTimer::timeout, this,
        [this] { end(failure(Kind::Unreachable, u"the server does not answer"_s)); });
    if (m_request.connectTimeout.count() > 0)
        m_connectTimer.start(m_request.connectTimeout);
    const auto address = m_request.address.toString();
    if (target.isEncrypted())
        static_cast<QSslSocket&>(*m_socket).connectToHostEncrypted(address, target.host.port);
    else
        m_socket->connectToHost(m_request.address, target.host.port);
}

void Exchange::send()
{
    m_connectTimer.stop();
    m_socket->write(requestHead(m_request.target));
}

void Exchange::read()
{
    if (m_isOver)
        return;
    m_input += m_socket->readAll();
    Result<> processed;
    if (!m_body)
        processed = processHead();
    if (processed && m_body && !m_isOver)
        processed = processBody();
    if (!processed)
        end(std::unexpected(processed.error()));
}

/// Interim answers are passed over.
Result<> Exchange::processHead()
{
    while (!m_body && !m_isOver) {
        const auto size = m_scanner.scan(m_input);
        if (!size)
            return failure(Kind::Protocol, u"the server does not speak HTTP"_s);
        if (*size == 0)
            return {};
        const auto head = http::parseResponseHead(QByteArrayView(m_input).first(*size), m_limits);
        if (!head)
            return std::unexpected(head.error());
        m_input.remove(0, *size);
        m_scanner = http::HeadScanner(m_limits);
        if (head->isInterim()) {
            if (++m_interimAnswers > maxInterimAnswers)
                return failure(Kind::Protocol, u"the server does not come to an answer"_s);
            continue;
        }
        m_answer.status = head->status;
        for (const auto& field : head->fields) {
            if (field.name.compare("Location", Qt::CaseInsensitive) == 0)
                m_answer.location = field.value;
            else if (field.name.compare("Content-Encoding", Qt::CaseInsensitive) == 0)
                m_encoding += m_encoding.isEmpty() ? field.value : ", " + field.value;
        }
        if (head->status != 200) {
            end(m_answer);
            return {};
        }
        if (head->contentLength.value_or(0) > m_request.maxBytes)
            return std::unexpected(tooLarge(m_request.maxBytes));
        m_body
            = std::make_unique<http::BodyDecoder>(head->framing, head->contentLength.value_or(0));
    }
    return {};
}

Result<> Exchange::processBody()
{
    const auto taken = m_body->feed(m_input);
    m_input.clear(); // What follows the body belongs to nobody.
    if (!taken)
        return failure(Kind::Protocol, taken.error().message);
    if (m_body->body().size() > m_request.maxBytes)
        return std::unexpected(tooLarge(m_request.maxBytes));
    if (m_body->isComplete())
        complete();
    return {};
}

void Exchange::complete()
{
    auto decoded = decodedBody(m_body->body(), m_encoding, m_request.maxBytes);
    if (!decoded)
        return end(std::unexpected(decoded.error()));
    m_answer.body = std::move(*decoded);
    end(m_answer);
}

void Exchange::handleDisconnected()
{
    while (!m_isOver && m_socket->bytesAvailable() > 0)
        read();
    if (m_isOver)
        return;
    const bool isOrderly = m_socket->error() == QAbstractSocket::RemoteHostClosedError;
    if (isOrderly && m_body && m_body->finish())
        return complete();
    end(std::unexpected(transportError(*m_socket)));
}

void Exchange::end(Result<PinnedAnswer> result)
{
    if (std::exchange(m_isOver, true))
        return;
    m_connectTimer.stop();
    if (m_socket) {
        m_socket->disconnect(this);
        m_socket->abort();
    }
    // Queued, so that nothing resumes within a signal of the socket or within cancel().
    QMetaObject::invokeMethod(
        this, [ended = m_ended, result] { ended.deliver(result); }, Qt::QueuedConnection);
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
        // Nothing more, and that is not the end: it was cut off. Nothing at all may be the whole.
        if ((piece.isEmpty() && !device.atEnd()) || device.error() != QFileDevice::NoError)
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
    const Completion<PinnedAnswer> ended;
    // Deleted later: the coroutine ends within an event of the exchange.
    const std::unique_ptr<Exchange, QScopedPointerDeleteLater> exchange(
        new Exchange(request, ended));
    auto* const raw = exchange.get();
    const auto registration = cancel.onCancel([raw] { raw->end(std::unexpected(cancelled())); });
    raw->start();
    co_return co_await ended.wait();
}

} // namespace isol8
