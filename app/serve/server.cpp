// SPDX-License-Identifier: MIT
#include "app/serve/server.h"

#include "app/serve/requestrecord.h"
#include "app/serve/routes.h"
#include "app/serve/shutdown.h"
#include "engine/core/logging.h"
#include "engine/core/settingstable.h"

#include <QScopeGuard>

namespace isol8::serve {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

using ServicePointer = std::shared_ptr<Service>;
using ExchangePointer = std::shared_ptr<http::Exchange>;

constexpr auto pruningInterval = 30s;
/// What the last answers may take to get out.
constexpr auto flushLimit = 3s;

/// Whether a key is read once, at the start: by the engine, the key store, or who listens.
bool isFixed(const QString& key)
{
    static const QStringList fixed { u"auth.enabled"_s, u"auth.connectionString"_s,
        u"serve.sessionGraceMs"_s, u"poolStrategy"_s };
    static const QStringList groups { u"audit."_s, u"pool."_s, u"poolSize."_s };
    return fixed.contains(key) || std::ranges::any_of(groups, [&key](const QString& group) {
        return key.startsWith(group);
    });
}

http::HttpLimits httpLimits(const Settings::Serve& settings)
{
    http::HttpLimits limits;
    limits.maxHeaderFields = settings.maxHeaderFields;
    limits.maxHeaderBytes = settings.maxHeaderBytes;
    limits.maxBodyBytes = settings.maxBodyBytes;
    limits.maxConnections = settings.maxConnections;
    limits.maxConnectionsPerAddress = settings.maxConnectionsPerAddress;
    limits.headerTimeout = settings.headerTimeout;
    limits.bodyTimeout = settings.bodyTimeout;
    limits.idleTimeout = settings.idleTimeout;
    return limits;
}

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
Task<Answer> answerOf(Request request, Match match)
{
    const auto service = request.service;
    const auto exchange = request.exchange;
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
        request.record->entry.principal = *principal;
    }
    if (const auto allowed = checkMatch(match, request.principal); !allowed)
        co_return std::unexpected(allowed.error());
    if (service->draining.isCancelled())
        co_return std::unexpected(shuttingDown());
    if (!isOpen) {
        // Until they are taken up, sessions of the server before would seem not to be there.
        const Completion<> adopted;
        service->adoptions.whenNone(adopted);
        (void)co_await adopted.wait();
    }
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
    const auto match = findRoute(exchange->head().method, exchange->head().path);
    const auto record = std::make_shared<RequestRecord>(service, exchange->head(), match.route);
    const auto given = co_await answerOf({ service, exchange, record, {}, match.parameter }, match);
    auto answer = given ? *given : errorAnswer(given.error());
    if (answer.status == 405)
        answer.headers.emplaceBack("Allow", match.allowedMethods.join(", "));
    if (answer.status == 401)
        answer.headers.emplaceBack("WWW-Authenticate", "Bearer");
    if (answer.status == 426) {
        answer.headers.emplaceBack("Upgrade", "websocket");
        answer.headers.emplaceBack("Sec-WebSocket-Version", "13");
    }
    if (answer.status == 429 || answer.status == 503)
        answer.headers.emplaceBack(
            "Retry-After", QByteArray::number(service->queue.retryAfter().count()));
    record->entry.isClientGone = exchange->isClientGone();
    if (!answer.isSent) {
        record->entry.status = answer.status;
        send(exchange, answer);
    }
    record->entry.bodyBytes = exchange->bodyBytes();
    co_return {};
}

/// A connection that had no whole request.
void noteRefusal(Service& service, int status, const QHostAddress& peer)
{
    AccessEntry entry;
    entry.time = QDateTime::currentDateTimeUtc();
    entry.peer = peer;
    entry.status = status;
    service.metrics.noteRequest({}, {}, status, {});
    service.accessLog.write(entry);
}

/// Ends sessions that nobody has used for long.
Task<> prune(ServicePointer service)
{
    const auto age = service->settings.cleanup.maxContainerAge;
    for (const auto& id : service->sessions.idleFor(age)) {
        // One that was used while the others ended is left alone.
        if (!service->sessions.isIdleFor(id, age))
            continue;
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
    service->adoptions.begin();
    const auto sessions = co_await service->backend.engine->sessions();
    const auto ended = qScopeGuard([service] { service->adoptions.end(); });
    if (!sessions)
        co_return std::unexpected(sessions.error());
    for (const auto& session : *sessions) {
        if (SessionTable::isServerSession(session.id))
            service->sessions.adopt(session.id, session.runtime);
    }
    co_return {};
}

/// Stays until the last answers are out.
Task<> end(ServicePointer service, std::shared_ptr<http::HttpServer> http, CancelToken hurry)
{
    const auto ended = co_await shutDown(service, hurry);
    http->stopListening();
    const Completion<> flushed;
    QObject::connect(
        http.get(), &http::HttpServer::lastConnectionClosed, http.get(),
        [flushed] { flushed.deliver({}); }, Qt::QueuedConnection);
    if (http->connectionCount() > 0)
        (void)co_await waitAtMost(flushed, flushLimit);
    co_return ended;
}

/// Keeps what cannot change while the server runs, and tells what does.
Server::Change compare(const Settings& old, Settings& settings)
{
    Server::Change change;
    for (const auto& key : settingKeys()) {
        const auto before = key.read(old);
        if (key.read(settings) == before)
            continue;
        if (isFixed(key.path)) {
            change.needRestart << key.path;
            key.write(settings, before);
        } else {
            change.changed << key.path;
        }
    }
    return change;
}

} // namespace

Server::Server(std::shared_ptr<Service> service)
    : m_service(std::move(service))
    , m_http(std::make_shared<http::HttpServer>(httpLimits(m_service->settings.serve)))
{
    connect(m_http.get(), &http::HttpServer::requestReceived, this,
        [service = m_service](
            const ExchangePointer& exchange) { (void)serveExchange(service, exchange); });
    connect(m_http.get(), &http::HttpServer::connectionRefused, this,
        [service = m_service](
            int status, const QHostAddress& peer) { noteRefusal(*service, status, peer); });
    connect(&m_pruning, &QTimer::timeout, this, [this] { (void)prune(m_service); });
    startPruning();
    m_service->metrics.addGauge(
        "isol8_http_connections", "Open connections.", [http = std::weak_ptr(m_http)] {
            const auto strong = http.lock();
            return strong ? strong->connectionCount() : 0;
        });
}

Server::~Server() = default;

void Server::startPruning()
{
    const auto& cleanup = m_service->settings.cleanup;
    if (cleanup.autoPrune)
        m_pruning.start(
            std::min<std::chrono::milliseconds>(pruningInterval, cleanup.maxContainerAge));
    else
        m_pruning.stop();
}

Result<> Server::listen(const http::ListenAddress& address)
{
    return m_http->listen(address);
}

Result<> Server::listenOn(int descriptor, const std::optional<http::TlsFiles>& tls)
{
    m_hasPassedSocket = true;
    return m_http->listenOn(descriptor, tls);
}

quint16 Server::port() const
{
    return m_http->port();
}

Task<> Server::adoptSessions()
{
    return adopt(m_service);
}

Result<Server::Change> Server::reconfigure(Settings settings)
{
    const auto old = m_service->settings;
    const auto change = compare(old, settings);
    if (const auto opened = m_service->accessLog.open(settings.serve.accessLog); !opened)
        return std::unexpected(opened.error());
    if (const auto loaded = m_http->reloadTls(); !loaded) {
        (void)m_service->accessLog.open(old.serve.accessLog);
        return std::unexpected(loaded.error());
    }
    m_service->apply(settings);
    m_http->setLimits(httpLimits(settings.serve));
    startPruning();
    return change;
}

Task<> Server::shutdown(CancelToken hurry)
{
    // Connections to a socket that was passed in wait there for the next server; others are told.
    if (m_hasPassedSocket)
        m_http->stopListening();
    m_http->closeIdle();
    m_pruning.stop();
    return end(m_service, m_http, std::move(hurry));
}

} // namespace isol8::serve
