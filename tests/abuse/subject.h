// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "engine/remote/remoteengine.h"
#include "tests/support/enginefixture.h"
#include "tests/support/serverprocess.h"

#include <QCoreApplication>

namespace isol8::tests {

/// What the cases of a program attack.
class Subject {
public:
    virtual ~Subject() = default;
    /// Runs as another tenant than the attacker.
    [[nodiscard]] virtual Engine& neighbour() = 0;
    /// Of isol8's own process; 0: none lives from case to case.
    [[nodiscard]] virtual qint64 processId() const = 0;
    /// All that isol8 has told others than the attacker: logs, metrics.
    [[nodiscard]] virtual QByteArray spoken() = 0;
};

/// The engine in this process, and isol8 as a command line beside it.
class EngineSubject final : public Subject {
public:
    /// Where others run: in sandboxes that are ready, of an engine beside the attacked one, which
    /// is quick; or in the attacked one itself.
    enum class Neighbour { Beside, Within };

    explicit EngineSubject(Neighbour neighbour = Neighbour::Beside);
    [[nodiscard]] EngineFixture& fixture() { return m_fixture; }
    [[nodiscard]] Engine& neighbour() override
    {
        return (m_beside ? *m_beside : m_fixture).engine();
    }
    [[nodiscard]] qint64 processId() const override { return QCoreApplication::applicationPid(); }
    [[nodiscard]] QByteArray spoken() override { return {}; }

private:
    EngineFixture m_fixture;
    std::unique_ptr<EngineFixture> m_beside;
};

/// `isol8 serve` with keys of two tenants.
class ServerSubject final : public Subject {
public:
    explicit ServerSubject(ServerProcess::Options options);
    ~ServerSubject() override;

    [[nodiscard]] ServerProcess& server() { return m_server; }
    [[nodiscard]] QByteArray attackerKey() const { return m_attackerKey; }
    [[nodiscard]] Engine& neighbour() override { return *m_neighbour; }
    [[nodiscard]] qint64 processId() const override { return m_server.pid(); }
    /// Its log and what `/metrics` says.
    [[nodiscard]] QByteArray spoken() override;

private:
    ServerProcess m_server;
    QByteArray m_attackerKey;
    std::unique_ptr<RemoteEngine> m_neighbour;
};

} // namespace isol8::tests
