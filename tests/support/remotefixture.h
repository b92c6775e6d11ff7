// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/server.h"
#include "engine/remote/remoteengine.h"
#include "tests/support/enginefixture.h"

namespace isol8::tests {

/// A RemoteEngine with the master key of a real server on loopback, which runs in this process over
/// the DockerEngine of its base.
class RemoteFixture final : public EngineFixture {
public:
    RemoteFixture();
    ~RemoteFixture() override;

    [[nodiscard]] Engine& engine() override { return *m_remote; }
    [[nodiscard]] quint16 port() const { return m_server->port(); }
    /// Also ends the server and makes a new one that takes up its sessions.
    void restart() override;

private:
    void open();
    void close();

    std::shared_ptr<serve::Service> m_service;
    std::unique_ptr<serve::Server> m_server;
    std::unique_ptr<RemoteEngine> m_remote;
};

} // namespace isol8::tests
