// SPDX-License-Identifier: MIT
#pragma once

#include "ui/targets/target.h"

#include <QObject>

namespace isol8::ui {

/// The engine of the chosen target and whether it answers. Choosing another target shuts the engine
/// of the one before down, which ends what still runs there: choose only while nothing does.
class Connection : public QObject {
    Q_OBJECT

public:
    Connection(EngineFactory factory, QObject* parent);
    ~Connection() override;

    enum class Health { Unknown, Checking, Good, Bad };

    void choose(const Target& target, const QString& key = {});
    [[nodiscard]] const Target& target() const { return m_target; }
    /// Null when the target makes no sense; error() says why.
    [[nodiscard]] std::shared_ptr<Engine> engine() const { return m_engine; }
    [[nodiscard]] Health health() const { return m_health; }
    [[nodiscard]] const Error& error() const { return m_error; } ///< While Health::Bad.
    /// Of the last answer.
    [[nodiscard]] const QList<SessionInfo>& sessions() const { return m_sessions; }

    /// Asks the target anew; healthChanged() tells. While an answer is awaited: once more after a
    /// bad one.
    void check();
    /// Ends everything under way; then calls @p done.
    void shutDown(std::function<void()> done);

Q_SIGNALS:
    void targetChanged();
    void healthChanged();

private:
    [[nodiscard]] Result<> makeEngine();
    void setHealth(Health health, const Error& error = {});

    EngineFactory m_factory;
    Target m_target;
    QString m_key;
    std::shared_ptr<Engine> m_engine;
    Health m_health = Health::Unknown;
    Error m_error;
    QList<SessionInfo> m_sessions;
    bool m_isAskedAgain = false;
    bool m_isShutDown = false;
};

} // namespace isol8::ui
