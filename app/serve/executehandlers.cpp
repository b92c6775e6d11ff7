// SPDX-License-Identifier: MIT
#include "app/serve/handlers.h"

#include "app/serve/clientpolicy.h"
#include "app/serve/executiondriver.h"
#include "app/serve/streamevents.h"
#include "app/serve/websockets.h"
#include "engine/core/executionjson.h"

#include <QTimer>

namespace isol8::serve::handlers {

using namespace Qt::StringLiterals;

namespace {

using Driver = std::shared_ptr<ExecutionDriver>;
using ExchangePointer = std::shared_ptr<http::Exchange>;

/// The execution that a request asks for, permitted. It ends when the client goes away.
Task<Driver> prepare(Request request)
{
    const auto& service = request.service;
    const auto body = co_await readJson(request);
    if (!body)
        co_return std::unexpected(body.error());
    auto call = executeCallFromJson(*body, service->settings);
    if (!call)
        co_return std::unexpected(call.error());
    call = permitCall(std::move(*call), service->settings, request.principal.isMaster);
    if (!call)
        co_return std::unexpected(call.error());
    auto driver = std::make_shared<ExecutionDriver>(service, request.principal, std::move(*call));
    request.record->entry.executionId = driver->id();
    QObject::connect(request.exchange.get(), &http::Exchange::clientGone, driver.get(),
        &ExecutionDriver::cancel);
    if (request.exchange->isClientGone())
        driver->cancel();
    co_return driver;
}

/// The answer of `/execute/stream`: begins when the sandbox is there, so that failures before have
/// a status of their own.
class EventStream : public QObject {
public:
    EventStream(ExchangePointer exchange, Driver driver, std::chrono::milliseconds heartbeat)
        : m_exchange(std::move(exchange))
        , m_driver(std::move(driver))
        , m_events(m_driver->id())
    {
        connect(m_driver.get(), &ExecutionDriver::started, this, &EventStream::begin);
        connect(m_driver.get(), &ExecutionDriver::outputReceived, this,
            [this](Channel channel, const QByteArray& bytes, Phase phase) {
                send(m_events.output(channel, bytes, phase));
            });
        connect(m_exchange.get(), &http::Exchange::drained, m_driver.get(),
            [driver = m_driver.get()] { driver->setOutputPaused(false); });
        connect(&m_heartbeat, &QTimer::timeout, this, [this] {
            begin();
            if (m_exchange->pendingBytes() == 0)
                m_exchange->write(": waiting\n\n");
        });
        m_heartbeat.start(heartbeat);
    }

    [[nodiscard]] bool hasBegun() const { return m_hasBegun; }

    void end(const Result<ExecutionResult>& result)
    {
        send(m_events.end(result, m_driver->cancelReason()));
        m_exchange->endStream();
    }

private:
    void begin()
    {
        if (std::exchange(m_hasBegun, true))
            return;
        m_exchange->startStream(200,
            { { "Content-Type", "text/event-stream" }, { "Cache-Control", "no-cache" },
                { "X-Accel-Buffering", "no" }, { "X-Execution-Id", m_driver->id().toLatin1() } });
    }

    void send(const QList<StreamEvent>& events)
    {
        begin();
        for (const auto& event : events)
            m_exchange->write("data: " + toJsonText(event) + "\n\n");
        if (m_exchange->pendingBytes() > http::Exchange::highWaterBytes)
            m_driver->setOutputPaused(true);
    }

    ExchangePointer m_exchange;
    Driver m_driver;
    StreamEvents m_events;
    QTimer m_heartbeat;
    bool m_hasBegun = false;
};

} // namespace

Task<Answer> execute(Request request)
{
    const auto driver = co_await prepare(request);
    if (!driver)
        co_return std::unexpected(driver.error());
    const auto result = co_await ExecutionDriver::perform(*driver);
    if (!result)
        co_return std::unexpected(result.error());
    Answer answer;
    answer.body = toJsonText(*result);
    answer.headers.emplaceBack("X-Execution-Id", (*driver)->id().toLatin1());
    co_return answer;
}

Task<Answer> executeStream(Request request)
{
    const auto driver = co_await prepare(request);
    if (!driver)
        co_return std::unexpected(driver.error());
    const auto stream
        = std::make_unique<EventStream>(request.exchange, *driver, request.service->heartbeat);
    const auto result = co_await ExecutionDriver::perform(*driver);
    if (!result && !stream->hasBegun())
        co_return std::unexpected(result.error());
    stream->end(result);
    request.record->entry.status = 200;
    co_return sentAnswer();
}

Task<Answer> executeWebSocket(Request request)
{
    co_return acceptWebSocket(request);
}

Task<Answer> showExecution(Request request)
{
    const auto found
        = request.service->executions.describe(request.parameter, request.principal.tenant);
    if (!found)
        co_return failure(Kind::NotFound, u"there is no such execution"_s);
    co_return jsonAnswer(*found);
}

Task<Answer> cancelExecution(Request request)
{
    if (!request.service->executions.cancel(request.parameter, request.principal.tenant))
        co_return failure(Kind::NotFound, u"there is no such execution"_s);
    co_return okAnswer();
}

} // namespace isol8::serve::handlers
