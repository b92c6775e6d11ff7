// SPDX-License-Identifier: MIT
#include "ui/targets/connection.h"

#include <QCoroTask>

#include <utility>

namespace isol8::ui {

namespace {

/// Lets @p engine end its work; it lives until that is done.
void retire(const std::shared_ptr<Engine>& engine)
{
    if (engine)
        engine->shutdown().then([engine](const Result<>&) { });
}

} // namespace

Connection::Connection(EngineFactory factory, QObject* parent)
    : QObject(parent)
    , m_factory(std::move(factory))
    , m_target(localTarget())
{
}

Connection::~Connection() = default;

void Connection::choose(const Target& target, const QString& key)
{
    retire(std::exchange(m_engine, nullptr));
    m_target = target;
    m_key = key;
    m_sessions.clear();
    m_isAskedAgain = false;
    const auto made = makeEngine();
    m_health = made ? Health::Unknown : Health::Bad;
    m_error = made ? Error() : made.error();
    Q_EMIT targetChanged();
    Q_EMIT healthChanged();
    if (made)
        check();
}

Result<> Connection::makeEngine()
{
    auto engine = m_factory(m_target, m_key);
    if (!engine)
        return std::unexpected(engine.error());
    m_engine = std::move(*engine);
    return {};
}

void Connection::check()
{
    if (m_isShutDown)
        return;
    if (m_health == Health::Checking) {
        // What is asked of now may have come since the question that is under way.
        m_isAskedAgain = true;
        return;
    }
    m_isAskedAgain = false;
    if (!m_engine) { // What it needs may be there by now, for example the configuration.
        if (const auto made = makeEngine(); !made) {
            setHealth(Health::Bad, made.error());
            return;
        }
        Q_EMIT targetChanged();
    }
    setHealth(Health::Checking);
    QCoro::connect(m_engine->sessions(), this,
        [this, engine = m_engine](const Result<QList<SessionInfo>>& sessions) {
            if (engine != m_engine)
                return; // of a target that is not chosen any more
            m_sessions = sessions.value_or(QList<SessionInfo>());
            const bool isAskedAgain = std::exchange(m_isAskedAgain, false);
            setHealth(sessions ? Health::Good : Health::Bad, sessions ? Error() : sessions.error());
            if (!sessions && isAskedAgain)
                check();
        });
}

void Connection::setHealth(Health health, const Error& error)
{
    m_health = health;
    m_error = error;
    Q_EMIT healthChanged();
}

void Connection::shutDown(std::function<void()> done)
{
    m_isShutDown = true;
    const auto engine = std::exchange(m_engine, nullptr);
    if (!engine) {
        done();
        return;
    }
    QCoro::connect(engine->shutdown(), this, [engine, done](const Result<>&) { done(); });
}

} // namespace isol8::ui
