// SPDX-License-Identifier: MIT
#include "app/serve/server.h"

#include "app/serve/coroutinetimer.h"
#include "app/serve/routes.h"
#include "engine/core/completion.h"
#include "engine/core/logging.h"
#include "engine/http/httpserver.h"

#include <QElapsedTimer>

namespace isol8::serve {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

using ServicePointer = std::shared_ptr<Service>;
using ExchangePointer = std::shared_ptr<http::Exchange>;

constexpr auto pruningInterval = 30s;
/// How often a drain looks whether everything has ended.
constexpr auto drainInterval = 20ms;
/// What cancelled executions may take.
constexpr auto cancelLimit = 10s;

Result<> checkMatch(const Match& match, const Principal& principal)
{
    if (!match.route && match.allowedMethods.isEmpty())
        return failure(Kind::NotFound, u"Not found"_s, 404);
    if (!match.route)
        return failure(Kind::Invalid, u"Method not allowed"_s, 405);
    if (match.route->access == Access::MasterKey && !principal.isMaster)
        return failure(Kind::Denied, u"Master key required for this operation"_s, 403);
    return {};
}

/// The key is checked before anything else is told, also about paths that do not exist.
Task<Answer> answerOf(ServicePointer service, ExchangePointer exchange, Match match)
{
    Request request { service, exchange, {}, match.parameter };
    const bool isOpen = match.route && match.route->access == Access::Anyone;
    if (!isOpen) {
        const CancelToken cancel;
        const auto gone = QObject::connect(exchange.get(), &http::Exchange::clientGone,
            exchange.get(), [cancel] { cancel.cancel(); });
        const auto principal = co_await service->authenticator->authenticate(
            exchange->head().headers("authorization"), exchange->head().peerAddress, cancel);
        QObject::disconnect(gone);
        if (!principal) {
            service->metrics.noteAuthenticationFailure();
            co_return std::unexpected(principal.error());
        }
        request.principal = *principal;
    }
    if (const auto allowed = checkMatch(match, request.principal); !allowed)
        co_return std::unexpected(allowed.error());
    if (service->isDraining && !isOpen)
        co_return failure(Kind::Unreachable, u"the server is shutting down"_s, 503);
    co_return co_await match.route->handler(request);
}

void send(const ExchangePointer& exchange, const Answer& answer)
{
    auto headers = answer.headers;
    headers.emplaceBack("Content-Type", answer.contentType);
    headers.emplaceBack("X-Content-Type-Options", "nosniff");
    exchange->respond(answer.status, headers, answer.body);
}

Task<> serveExchange(ServicePointer service, ExchangePointer exchange)
{
    QElapsedTimer timer;
    timer.start();
    const auto method = exchange->head().method;
    const auto match = findRoute(method, exchange->head().path);
    const auto given = co_await answerOf(service, exchange, match);
    auto answer = given ? *given : errorAnswer(given.error());
    if (answer.status == 405)
        answer.headers.emplaceBack("Allow", match.allowedMethods.join(", "));
    if (answer.status == 401)
        answer.headers.emplaceBack("WWW-Authenticate", "Bearer");
    if (answer.status == 429 || answer.status == 503)
        answer.headers.emplaceBack(
            "Retry-After", QByteArray::number(service->queue.retryAfter().count()));
    if (!answer.isSent)
        send(exchange, answer);
    const auto route = match.route ? QByteArray(match.route->path.data(), match.route->path.size())
                                   : QByteArray();
    const auto duration
        = std::chrono::duration_cast<std::chrono::microseconds>(timer.durationElapsed());
    service->metrics.noteRequest(method, route, answer.status, duration);
    qCDebug(logServe) << method << (match.route ? match.route->path : "-"_L1) << answer.status
                      << duration.count() / 1000 << "ms";
    co_return {};
}

/// Ends sessions that nobody has used for long.
Task<> prune(ServicePointer service)
{
    const auto age = service->settings.cleanup.maxContainerAge;
    const auto idle
        = service->sessions.idleSince(QDateTime::currentDateTimeUtc().addMSecs(-age.count()));
    for (const auto& id : idle) {
        const auto turn = co_await service->sessions.acquireExisting(id, {});
        if (!turn)
            continue;
        const auto stopped = co_await service->backend.engine->stopSession(id);
        if (stopped)
            (*turn)->forget();
        else
            qCWarning(logServe) << "idle session was not removed:" << stopped.error().message;
    }
    co_return {};
}

Task<> adopt(ServicePointer service)
{
    const auto sessions = co_await service->backend.engine->sessions();
    if (!sessions)
        co_return std::unexpected(sessions.error());
    for (const auto& session : *sessions) {
        if (SessionTable::isServerSession(session.id))
            service->sessions.adopt(session.id, session.runtime);
    }
    co_return {};
}

/// Waits until nothing runs any more, at most for @p limit or until somebody hurries.
Task<> drain(ServicePointer service, std::chrono::milliseconds limit, CancelToken hurry)
{
    const Completion<> ended;
    const CoroutineTimer look(new QTimer);
    QElapsedTimer elapsed;
    elapsed.start();
    const auto check = [service, ended, limit, hurry, elapsed] {
        if (service->executions.activeCount() == 0 || hurry.isCancelled()
            || elapsed.durationElapsed() >= limit)
            ended.deliver({});
    };
    QObject::connect(look.get(), &QTimer::timeout, look.get(), check);
    look->start(drainInterval);
    check();
    co_return co_await ended.wait();
}

/// Only this server's own: others may use the same Docker.
Task<> endSessions(ServicePointer service)
{
    Result<> ended;
    for (const auto& id : service->sessions.engineIds()) {
        const auto stopped = co_await service->backend.engine->stopSession(id);
        if (!stopped)
            ended = std::unexpected(stopped.error());
    }
    co_return ended;
}

Task<> shutDown(ServicePointer service, CancelToken hurry)
{
    (void)co_await drain(service, service->settings.serve.drainTimeout, hurry);
    service->executions.cancelAll();
    // A run that ends gives its session back, so the sessions end after the runs.
    (void)co_await drain(service, cancelLimit, {});
    if (!service->settings.serve.keepSessions) {
        if (const auto ended = co_await endSessions(service); !ended)
            qCWarning(logServe) << "sessions were not ended:" << ended.error().message;
    }
    co_return co_await service->backend.engine->shutdown();
}

} // namespace

Server::Server(std::shared_ptr<Service> service)
    : m_service(std::move(service))
{
    const auto& settings = m_service->settings.serve;
    http::HttpLimits limits;
    limits.maxHeaderBytes = settings.maxHeaderBytes;
    limits.maxBodyBytes = settings.maxBodyBytes;
    limits.maxConnections = settings.maxConnections;
    limits.maxConnectionsPerAddress = settings.maxConnectionsPerAddress;
    limits.headerTimeout = settings.headerTimeout;
    limits.bodyTimeout = settings.bodyTimeout;
    limits.idleTimeout = settings.idleTimeout;
    m_http = std::make_unique<http::HttpServer>(limits);
    connect(m_http.get(), &http::HttpServer::requestReceived, this,
        [service = m_service](
            const ExchangePointer& exchange) { (void)serveExchange(service, exchange); });
    connect(&m_pruning, &QTimer::timeout, this, [this] { (void)prune(m_service); });
    if (m_service->settings.cleanup.autoPrune)
        m_pruning.start(std::min<std::chrono::milliseconds>(
            pruningInterval, m_service->settings.cleanup.maxContainerAge));
}

Server::~Server() = default;

Result<> Server::listen(const http::ListenAddress& address)
{
    return m_http->listen(address);
}

quint16 Server::port() const
{
    return m_http->port();
}

Task<> Server::adoptSessions()
{
    return adopt(m_service);
}

Task<> Server::shutdown(CancelToken hurry)
{
    m_http->stopListening();
    m_http->closeIdle();
    m_pruning.stop();
    m_service->isDraining = true;
    return shutDown(m_service, std::move(hurry));
}

} // namespace isol8::serve
