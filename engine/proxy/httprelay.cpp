// SPDX-License-Identifier: MIT
#include "engine/proxy/httprelay.h"

namespace isol8::proxy {

using namespace Qt::StringLiterals;
using http::BodyDecoder;

namespace {

constexpr int badGateway = 502;
constexpr int gatewayTimeout = 504;

} // namespace

HttpRelay::HttpRelay(SharedNetwork network, ProxyRequest request, ByteStream& client,
    std::shared_ptr<ByteStream> host)
    : m_network(std::move(network))
    , m_request(std::move(request))
    , m_client(client)
    , m_host(std::move(host))
    , m_headLimits(m_network->headLimits())
    , m_requestBody(
          m_request.head.isChunked ? BodyDecoder::Framing::Chunked : BodyDecoder::Framing::Length,
          m_request.head.contentLength)
    , m_scanner(m_headLimits)
{
    m_silence.setSingleShot(true);
    connect(&m_silence, &QTimer::timeout, this, &HttpRelay::onTimeout);
    connect(&m_client, &ByteStream::written, this, &HttpRelay::balance);
    connect(m_host.get(), &ByteStream::received, this, &HttpRelay::onReceived);
    connect(m_host.get(), &ByteStream::finishedReading, this, &HttpRelay::onHostFinished);
    connect(m_host.get(), &ByteStream::closed, this, &HttpRelay::onHostClosed);
    connect(m_host.get(), &ByteStream::written, this, [this] {
        if (m_host->pendingBytes() <= m_network->limits.lowWaterBytes)
            Q_EMIT roomMade();
    });
}

void HttpRelay::start()
{
    m_silence.start(m_network->limits.answerTimeout);
    writeToHost(headForHost(m_request));
    m_host->setReading(true);
}

Result<qsizetype> HttpRelay::takeFromClient(QByteArrayView bytes)
{
    if (m_requestBody.isComplete())
        return 0;
    const auto taken = m_requestBody.feed(bytes);
    if (!taken)
        return std::unexpected(taken.error());
    const auto body = m_requestBody.takeBody();
    const bool isChunked = m_request.head.isChunked;
    if (!body.isEmpty())
        writeToHost(isChunked ? chunk(body) : body);
    if (m_requestBody.isComplete() && isChunked)
        writeToHost(lastChunk.toByteArray());
    m_silence.start(m_network->limits.answerTimeout);
    return *taken;
}

bool HttpRelay::hasRoom() const
{
    return m_host && m_host->pendingBytes() < m_network->limits.highWaterBytes;
}

bool HttpRelay::mayGoOn() const
{
    return m_request.head.isKeepAlive && m_requestBody.isComplete()
        && m_framing != Framing::UntilClose;
}

void HttpRelay::stop()
{
    finish(Ending::CutOff);
}

void HttpRelay::writeToHost(const QByteArray& bytes)
{
    m_network->bytesOut += bytes.size();
    m_host->write(bytes);
}

void HttpRelay::onReceived(const QByteArray& bytes)
{
    m_network->bytesIn += bytes.size();
    if (m_received.isEmpty())
        m_received = bytes;
    else
        m_received += bytes;
    while (!m_answerBody && !m_isFinished && processHead()) { }
    if (m_answerBody && !m_isFinished)
        processBody();
    balance();
}

/// One head, interim or final; false when it is not all there, or none.
bool HttpRelay::processHead()
{
    const auto size = m_scanner.scan(m_received);
    if (!size) {
        fail(u"its answer is no proper HTTP"_s, badGateway);
        return false;
    }
    if (*size == 0)
        return false;
    const auto answer
        = http::parseResponseHead(QByteArrayView(m_received).first(*size), m_headLimits);
    if (!answer) {
        fail(u"its answer is no proper HTTP: "_s + answer.error().message, badGateway);
        return false;
    }
    m_received.remove(0, *size);
    m_scanner = http::HeadScanner(m_headLimits);
    if (!answer->isInterim())
        beginAnswer(*answer);
    else if (m_request.head.minorVersion > 0)
        m_client.write(headForClient(*answer, m_request, Persistence::KeepAlive));
    return true;
}

void HttpRelay::beginAnswer(const http::ResponseHead& answer)
{
    if (answer.status == 101 && !m_request.head.isUpgrade)
        return fail(u"it switches to a protocol that nobody asked for"_s, badGateway);
    m_framing = framingForClient(answer, m_request);
    const bool isLast = !m_request.head.isKeepAlive || m_framing == Framing::UntilClose;
    m_client.write(
        headForClient(answer, m_request, isLast ? Persistence::Close : Persistence::KeepAlive));
    m_isAnswerBegun = true;
    if (answer.status == 101)
        return finish(Ending::Upgraded);
    if (m_framing == Framing::None)
        m_answerBody.emplace(BodyDecoder::Framing::Length, 0);
    else
        m_answerBody.emplace(answer.framing, answer.contentLength.value_or(0));
}

void HttpRelay::processBody()
{
    // Whatever follows the body belongs to nobody.
    if (!m_answerBody->isComplete()) {
        const auto taken = m_answerBody->feedShared(m_received);
        const auto body = m_answerBody->takeBody();
        if (!body.isEmpty())
            m_client.write(m_framing == Framing::Chunked ? chunk(body) : body);
        if (!taken)
            return fail({}, badGateway);
    }
    m_received.clear();
    m_silence.start(m_network->limits.answerTimeout);
    if (!m_answerBody->isComplete())
        return;
    if (m_framing == Framing::Chunked)
        m_client.write(lastChunk.toByteArray());
    finish(Ending::Answered);
}

void HttpRelay::onHostFinished()
{
    if (!m_answerBody)
        return fail(u"it closed the connection without an answer"_s, badGateway);
    if (!m_answerBody->finish())
        return fail({}, badGateway);
    processBody();
}

void HttpRelay::onHostClosed(const Result<>& ending)
{
    fail(ending ? QString() : ending.error().message, badGateway);
}

void HttpRelay::onTimeout()
{
    fail(u"it does not answer"_s, gatewayTimeout);
}

void HttpRelay::balance()
{
    if (m_isFinished)
        return;
    const auto pending = m_client.pendingBytes();
    if (pending >= m_network->limits.highWaterBytes)
        m_host->setReading(false);
    else if (pending <= m_network->limits.lowWaterBytes)
        m_host->setReading(true);
}

void HttpRelay::fail(const QString& why, int status)
{
    m_error = { status == gatewayTimeout ? Kind::Timeout : Kind::Protocol,
        u"%1: %2"_s.arg(m_request.target.toString(), why), status };
    finish(m_isAnswerBegun ? Ending::CutOff : Ending::NotAnswered);
}

void HttpRelay::finish(Ending ending)
{
    if (m_isFinished)
        return;
    m_isFinished = true;
    m_silence.stop();
    m_host->disconnect(this);
    m_host->setReading(false);
    if (ending == Ending::Answered)
        m_host->finishWriting();
    Q_EMIT finished(ending);
}

} // namespace isol8::proxy
