// SPDX-License-Identifier: MIT
#include "ui/targets/connection.h"

#include <QCoroTask>

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
    m_sessions.clear();
    auto engine = m_factory(target, key);
    if (engine)
        m_engine = std::move(*engine);
    m_health = engine ? Health::Unknown : Health::Bad;
    m_error = engine ? Error() : engine.error();
    Q_EMIT targetChanged();
    Q_EMIT healthChanged();
    check();
}

void Connection::check()
{
    if (!m_engine || m_health == Health::Checking)
        return;
    setHealth(Health::Checking);
    QCoro::connect(m_engine->sessions(), this,
        [this, engine = m_engine](const Result<QList<SessionInfo>>& sessions) {
            if (engine != m_engine)
                return; // of a target that is not chosen any more
            m_sessions = sessions.value_or(QList<SessionInfo>());
            setHealth(sessions ? Health::Good : Health::Bad, sessions ? Error() : sessions.error());
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
    const auto engine = std::exchange(m_engine, nullptr);
    if (!engine) {
        done();
        return;
    }
    QCoro::connect(engine->shutdown(), this, [engine, done](const Result<>&) { done(); });
}

} // namespace isol8::ui
