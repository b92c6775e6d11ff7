// SPDX-License-Identifier: MIT
#include "app/serve/websocketexecution.h"

#include "engine/core/names.h"
#include "engine/core/strictjson.h"
#include "engine/core/units.h"
#include "engine/core/validation.h"
#include "engine/http/websocket.h"

#include <csignal>

namespace isol8::serve {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

/// The program's output waits in the sandbox while more than this waits here.
constexpr qint64 maxPendingBytes = 1 << 20;
constexpr qsizetype maxEchoedCharacters = 100;
constexpr int maxComplaints = 100;
/// A connection that did not answer a ping until the next one is dead.
constexpr auto pingInterval = 20s;
constexpr int maxTerminalSize = 10'000;

QCoro::Task<> performAnd(
    std::shared_ptr<ExecutionDriver> driver, std::function<void(Result<ExecutionResult>)> done)
{
    done(co_await ExecutionDriver::perform(driver));
}

} // namespace

WebSocketExecution::WebSocketExecution(std::unique_ptr<http::WebSocket> socket,
    std::shared_ptr<Service> service, Principal principal, std::shared_ptr<RequestRecord> record)
    : m_socket(std::move(socket))
    , m_service(std::move(service))
    , m_principal(std::move(principal))
    , m_record(std::move(record))
{
    m_record->entry.status = 101;
    connect(m_socket.get(), &http::WebSocket::messageReceived, this, &WebSocketExecution::read);
    connect(m_socket.get(), &http::WebSocket::bytesWritten, this, &WebSocketExecution::balance);
    connect(m_socket.get(), &http::WebSocket::disconnected, this, &QObject::deleteLater);
    connect(m_socket.get(), &http::WebSocket::pongReceived, this, [this] { m_isAnswered = true; });
    connect(&m_keepAlive, &QTimer::timeout, this, &WebSocketExecution::checkLife);
    m_keepAlive.start(pingInterval);
    connect(&m_idle, &QTimer::timeout, this,
        [this] { close(http::closecode::policyViolated, u"There was no execute message"_s); });
    m_idle.start(m_service->settings.serve.idleTimeout);
    m_draining = m_service->draining.onCancel([this] { goAway(); });
    m_ended = m_service->ended.onCancel([this] {
        m_socket->abort();
        deleteLater();
    });
}

WebSocketExecution::~WebSocketExecution()
{
    if (m_driver)
        m_driver->cancel();
    if (m_record)
        m_record->entry.isClientGone = true;
    m_socket->disconnect(this);
    // May be within a signal of its own.
    m_socket.release()->deleteLater();
}

/// An execution that runs ends the connection itself.
void WebSocketExecution::goAway()
{
    if (!m_driver)
        close(http::closecode::goingAway, u"The server is shutting down"_s);
}

void WebSocketExecution::checkLife()
{
    if (m_socket->bytesToWrite() > 0)
        return; // A slow reader sees the ping late; TCP notices a dead one.
    if (std::exchange(m_isAnswered, false))
        m_socket->ping();
    else
        m_socket->abort();
}

void WebSocketExecution::close(int code, const QString& reason)
{
    m_isFinished = true;
    m_idle.stop();
    m_record.reset();
    m_socket->close(code, reason);
}

void WebSocketExecution::read(const QByteArray& text)
{
    if (m_isFinished)
        return;
    const auto message = parseJsonObject(text);
    if (!message) {
        sendError(u"Invalid JSON: "_s + message.error().message);
        return close(http::closecode::unsupportedData, u"Invalid JSON"_s);
    }
    const auto type = message->value(u"type"_s).toString();
    if (type == "execute"_L1)
        execute(*message);
    else if (type == "stdin"_L1)
        takeStdin(*message);
    else if (type == "signal"_L1)
        takeSignal(*message);
    else if (type == "resize"_L1)
        takeResize(*message);
    else
        complain(u"Unknown message type: "_s + type.left(maxEchoedCharacters));
}

void WebSocketExecution::execute(const QJsonObject& message)
{
    if (m_driver)
        return complain(u"This connection has its execution already"_s);
    auto call = executeCallFromJson(message, m_service->settings);
    if (call)
        call = permitCall(std::move(*call), m_service->settings, m_principal.isMaster);
    if (!call)
        return finish(std::unexpected(call.error()));
    m_idle.stop();
    call->request.isStdinLive = !call->request.stdinData;
    m_driver = std::make_shared<ExecutionDriver>(m_service, m_principal, std::move(*call));
    m_events = StreamEvents(m_driver->id());
    m_record->entry.executionId = m_driver->id();
    connect(m_driver.get(), &ExecutionDriver::outputReceived, this,
        [this](Channel channel, const QByteArray& bytes, Phase phase) {
            send(m_events.output(channel, bytes, phase));
        });
    (void)performAnd(m_driver, [self = QPointer(this)](const Result<ExecutionResult>& result) {
        if (self)
            self->finish(result);
    });
}

void WebSocketExecution::takeStdin(const QJsonObject& message)
{
    if (!m_driver)
        return complain(u"Send an execute message first"_s);
    if (message.value(u"data"_s).isString())
        m_driver->writeStdin(message.value(u"data"_s).toString().toUtf8());
    if (message.value(u"eof"_s).toBool())
        m_driver->closeStdin();
    if (m_driver->pendingStdinBytes() > maxStdinBytes)
        close(http::closecode::tooLarge, u"The program does not read its standard input"_s);
}

void WebSocketExecution::takeSignal(const QJsonObject& message)
{
    if (!m_driver)
        return complain(u"Send an execute message first"_s);
    const auto name = message.value(u"signal"_s).toString();
    const auto number = signalNumber(name);
    if (number != SIGINT && number != SIGTERM && number != SIGKILL)
        return complain(u"Unknown signal: %1; SIGINT, SIGTERM and SIGKILL are known"_s.arg(
            name.left(maxEchoedCharacters)));
    m_driver->sendSignal(*number);
}

void WebSocketExecution::takeResize(const QJsonObject& message)
{
    if (!m_driver)
        return complain(u"Send an execute message first"_s);
    const int rows = message.value(u"rows"_s).toInt();
    const int columns = message.value(u"cols"_s).toInt();
    if (rows < 1 || rows > maxTerminalSize || columns < 1 || columns > maxTerminalSize)
        return complain(u"resize needs rows and cols from 1 to %1"_s.arg(maxTerminalSize));
    m_driver->resizeTerminal(rows, columns);
}

void WebSocketExecution::send(const QList<StreamEvent>& events)
{
    for (const auto& event : events) {
        const auto text = toJsonText(event);
        m_socket->sendText(text);
        if (m_record)
            m_record->entry.bodyBytes += text.size();
    }
    balance();
}

void WebSocketExecution::sendError(const QString& text)
{
    send({ StreamEvent { StreamEvent::Type::Error, text, std::nullopt } });
}

/// Of a message that asks for nothing possible. Most who send one are mistaken, but not for ever.
void WebSocketExecution::complain(const QString& text)
{
    sendError(text);
    if (++m_complaints == maxComplaints)
        close(http::closecode::policyViolated, u"Too many messages made no sense"_s);
}

void WebSocketExecution::finish(const Result<ExecutionResult>& result)
{
    if (m_isFinished)
        return;
    send(m_events.end(result, m_service->cancelReason));
    close(http::closecode::normal, u"Execution complete"_s);
}

void WebSocketExecution::balance()
{
    const auto pending = m_socket->bytesToWrite();
    const bool mustPause = pending > (m_isPaused ? maxPendingBytes / 4 : maxPendingBytes);
    if (mustPause == m_isPaused || !m_driver)
        return;
    m_isPaused = mustPause;
    m_driver->setOutputPaused(mustPause);
}

} // namespace isol8::serve
