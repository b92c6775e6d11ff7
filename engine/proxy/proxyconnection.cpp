// SPDX-License-Identifier: MIT
#include "engine/proxy/proxyconnection.h"

#include <QCoroTask>

#include <utility>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

namespace {

/// What a client may still send after its last answer before it is cut off.
constexpr qint64 maxDroppedBytes = 64 << 20;

} // namespace

ProxyConnection::ProxyConnection(SharedNetwork network, std::unique_ptr<ByteStream> client)
    : m_network(std::move(network))
    , m_headLimits(m_network->headLimits())
    , m_client(std::move(client))
    , m_scanner(m_headLimits)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &ProxyConnection::onTimeout);
    connect(m_client.get(), &ByteStream::received, this, &ProxyConnection::onReceived);
    connect(m_client.get(), &ByteStream::written, this, &ProxyConnection::onClientWritten);
    connect(m_client.get(), &ByteStream::finishedReading, this, &ProxyConnection::onClientFinished);
    connect(m_client.get(), &ByteStream::closed, this, &ProxyConnection::onClientClosed);
}

ProxyConnection::~ProxyConnection()
{
    m_state = State::Gone;
    m_cancel.cancel();
}

void ProxyConnection::start()
{
    nextRequest();
}

void ProxyConnection::startRefusing()
{
    m_isRefusing = true;
    m_client->setReading(true);
    answerLast(503,
        u"there are %1 connections open, and no more are possible at the same time"_s.arg(
            m_network->limits.maxConnections));
}

bool ProxyConnection::isLingering() const
{
    return m_state == State::Ending && m_client->pendingBytes() == 0;
}

void ProxyConnection::onReceived(const QByteArray& bytes)
{
    if (m_state == State::Tunnelling) // The tunnel hears it as well.
        return;
    if (m_state == State::Ending) {
        m_droppedBytes += bytes.size();
        return m_droppedBytes > maxDroppedBytes ? cutOff() : void();
    }
    if (m_input.isEmpty())
        m_input = bytes;
    else
        m_input += bytes;
    if (m_state == State::Head)
        return processHead();
    if (m_state == State::Relaying)
        return passBodyOn();
    m_client->setReading(hasRoom());
}

/// For what is not used yet: a head, or requests that came early.
bool ProxyConnection::hasRoom() const
{
    return m_input.size() <= m_network->limits.maxHeadBytes;
}

void ProxyConnection::onClientFinished()
{
    m_hasClientFinished = true;
    if (m_state == State::Head)
        processHead();
    else if (m_state == State::Relaying && !m_relay->isRequestComplete())
        cutOff(); // No host may take half a request for a whole one.
}

void ProxyConnection::onClientClosed(const Result<>& ending)
{
    m_isClientClosed = true;
    // What the client sent last may still be on its way to the host.
    if (m_state != State::Tunnelling || !ending)
        cutOff();
}

void ProxyConnection::onClientWritten()
{
    if (m_state == State::Ending && m_client->pendingBytes() == 0)
        m_timer.start(m_network->limits.lingerTimeout);
    else if (m_state == State::Head && m_client->pendingBytes() <= m_network->limits.lowWaterBytes)
        processHead();
}

void ProxyConnection::onTimeout()
{
    if (m_state != State::Head)
        return cutOff();
    if (m_input.isEmpty())
        return end();
    answerLast(408, u"the request took too long to come"_s);
}

void ProxyConnection::nextRequest()
{
    m_state = State::Head;
    m_request = {};
    m_scanner = http::HeadScanner(m_headLimits);
    m_hasHeadBegun = false;
    m_timer.start(m_network->limits.idleTimeout);
    // Not at once: thousands of pipelined requests would be as many calls deep.
    QMetaObject::invokeMethod(this, &ProxyConnection::processHead, Qt::QueuedConnection);
}

void ProxyConnection::processHead()
{
    if (m_state != State::Head)
        return;
    // Whoever asks without reading the answers is not heard.
    if (m_client->pendingBytes() >= m_network->limits.highWaterBytes)
        return m_client->setReading(false);
    // An empty line before a request line is left over from a body (RFC 9112, section 2.2).
    if (m_input.startsWith("\r\n"))
        m_input.remove(0, 2);
    m_client->setReading(hasRoom());
    if (m_input.isEmpty())
        return m_hasClientFinished ? end() : void();
    if (!std::exchange(m_hasHeadBegun, true))
        m_timer.start(m_network->limits.headTimeout);
    if (m_input == "\r")
        return;
    const auto size = m_scanner.scan(m_input);
    if (!size)
        return answerLast(size.error().kind == Kind::Limit ? 431 : 400, size.error().message);
    if (*size == 0)
        return m_hasClientFinished ? end() : void();
    m_timer.stop();
    auto request = parseProxyRequest(QByteArrayView(m_input).first(*size), m_headLimits);
    m_input.remove(0, *size);
    if (!request)
        return answerLast(request.error().httpStatus, request.error().message);
    judge(std::move(*request));
}

void ProxyConnection::judge(ProxyRequest request)
{
    m_request = std::move(request);
    m_isLogged = false;
    m_requestTimer.start();
    m_requestTime = QDateTime::currentDateTimeUtc();
    const auto verdict = m_network->rules.judge(m_request.target);
    if (verdict.refusal)
        return refuse(*verdict.refusal);
    m_rule = verdict.rule;
    m_state = State::Reaching;
    m_cancel = CancelToken();
    QCoro::connect(reach(m_network, m_request.target, m_cancel), this,
        [this](const Result<Reached>& reached) { onReached(reached); });
}

void ProxyConnection::onReached(const Result<Reached>& reached)
{
    if (m_state != State::Reaching)
        return;
    if (reached && reached->refusal)
        return refuse(*reached->refusal);
    logAllowed();
    if (!reached)
        return answerLast(
            reached.error().kind == Kind::Timeout ? 504 : 502, reached.error().message);
    if (!m_request.isConnect())
        return startRelay(reached->stream);
    m_client->write("HTTP/1.1 200 Connection established\r\n\r\n");
    startTunnel(reached->stream, {});
}

void ProxyConnection::startTunnel(std::shared_ptr<ByteStream> host, const QByteArray& fromHost)
{
    m_state = State::Tunnelling;
    m_tunnel = std::make_unique<Tunnel>(m_network, *m_client, std::move(host));
    connect(m_tunnel.get(), &Tunnel::finished, this, &ProxyConnection::onTunnelFinished);
    m_tunnel->start(std::exchange(m_input, {}), fromHost, m_hasClientFinished);
}

void ProxyConnection::onTunnelFinished()
{
    if (m_isClientClosed)
        return cutOff();
    // Also when the host was cut off: what it had sent still reaches the client.
    end();
}

void ProxyConnection::startRelay(std::shared_ptr<ByteStream> host)
{
    m_state = State::Relaying;
    m_relay = std::make_unique<HttpRelay>(m_network, m_request, *m_client, std::move(host));
    connect(m_relay.get(), &HttpRelay::roomMade, this, &ProxyConnection::passBodyOn);
    connect(m_relay.get(), &HttpRelay::finished, this, &ProxyConnection::onRelayFinished);
    m_relay->start();
    passBodyOn();
}

void ProxyConnection::passBodyOn()
{
    if (m_state != State::Relaying)
        return;
    while (!m_input.isEmpty() && m_relay->hasRoom() && !m_relay->isRequestComplete()) {
        const auto taken = m_relay->takeFromClient(m_input);
        if (!taken) {
            const bool isAnswerBegun = m_relay->isAnswerBegun();
            dropRelay();
            endLog();
            return isAnswerBegun ? cutOff()
                                 : answerLast(taken.error().httpStatus, taken.error().message);
        }
        m_input.remove(0, *taken);
    }
    if (m_hasClientFinished && m_input.isEmpty() && !m_relay->isRequestComplete())
        return cutOff(); // No host may take half a request for a whole one.
    // Reading on also notices when the client goes away.
    m_client->setReading(m_relay->isRequestComplete() ? hasRoom() : m_input.isEmpty());
}

void ProxyConnection::onRelayFinished(HttpRelay::Ending ending)
{
    if (m_state != State::Relaying)
        return;
    auto* const relay = m_relay.get();
    dropRelay();
    if (ending == HttpRelay::Ending::Upgraded)
        return startTunnel(relay->takeHost(), relay->bytesBehindHead());
    endLog();
    if (ending == HttpRelay::Ending::NotAnswered)
        return answerLast(relay->error().httpStatus, relay->error().message);
    if (ending == HttpRelay::Ending::CutOff && !relay->isEndVisible())
        return cutOff();
    if (ending == HttpRelay::Ending::Answered && relay->mayGoOn())
        nextRequest();
    else
        end();
}

/// It may be on the stack, and is still asked how it ended.
void ProxyConnection::dropRelay()
{
    m_relay->disconnect(this);
    m_relay->stop();
    m_relay.release()->deleteLater();
}

void ProxyConnection::refuse(const Refusal& refusal)
{
    m_network->addViolation(refusal);
    logRefused(refusal.rule);
    endLog();
    const auto sentence = u"%1; %2 would allow it"_s.arg(refusal.reason, refusal.allowWith);
    // A body that nobody reads would be taken for the next request.
    const auto& head = m_request.head;
    if (m_request.isConnect() || head.hasBody() || !head.isKeepAlive || head.minorVersion == 0)
        return answerLast(403, sentence);
    m_client->write(ownAnswer(403, sentence, head.method, Persistence::KeepAlive));
    nextRequest();
}

void ProxyConnection::answerLast(int status, const QString& sentence)
{
    m_client->write(ownAnswer(status, sentence, m_request.head.method, Persistence::Close));
    end();
}

void ProxyConnection::end()
{
    endLog();
    m_state = State::Ending;
    m_input.clear();
    m_client->finishWriting();
    m_client->setReading(true);
    if (m_client->pendingBytes() == 0)
        m_timer.start(m_network->limits.lingerTimeout);
    else
        m_timer.stop();
}

void ProxyConnection::cutOff()
{
    if (m_state == State::Gone)
        return;
    endLog();
    m_state = State::Gone;
    m_timer.stop();
    m_cancel.cancel();
    m_client->disconnect(this);
    m_client->abort();
    Q_EMIT finished();
}

NetworkLogEntry ProxyConnection::logEntry(const QString& rule) const
{
    const quint16 usualPort = m_request.isConnect() ? 443 : 80;
    NetworkLogEntry entry;
    entry.timestamp = m_requestTime;
    entry.method = QString::fromLatin1(m_request.head.method);
    entry.host = m_request.target.port == usualPort ? m_request.target.host.inUrl()
                                                    : m_request.target.toString();
    if (!m_request.isConnect())
        entry.path = QString::fromLatin1(m_request.path);
    entry.rule = rule;
    return entry;
}

void ProxyConnection::logAllowed()
{
    if (!m_network->log.isOn() || std::exchange(m_isLogged, true))
        return;
    auto entry = logEntry(m_rule);
    entry.isAllowed = true;
    m_logPlace = m_network->log.add(entry);
}

void ProxyConnection::logRefused(const QString& rule)
{
    if (!m_network->log.isOn())
        return;
    if (std::exchange(m_isLogged, true))
        m_network->log.setRefused(m_logPlace, rule);
    else
        m_logPlace = m_network->log.add(logEntry(rule));
}

void ProxyConnection::updateLog()
{
    if (m_state == State::Reaching) // Its name is asked for, and that is seen outside.
        logAllowed();
    if (m_logPlace)
        m_network->log.setDuration(m_logPlace,
            std::chrono::duration_cast<std::chrono::microseconds>(
                m_requestTimer.durationElapsed()));
}

/// The request is over.
void ProxyConnection::endLog()
{
    updateLog();
    m_logPlace.reset();
}

} // namespace isol8::proxy
