// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <functional>
#include <memory>

namespace isol8::docker {
class Client;
}

namespace isol8::ui {

class Connection;
class StartPage;

/// Makes the client of this computer's Docker; null when there is no Docker to ask.
using DockerClientFactory = std::function<std::shared_ptr<docker::Client>()>;
[[nodiscard]] DockerClientFactory realDockerClients();

/// Finds out what keeps code from running on this computer whenever its health changes, and has the
/// start page say it. Owned by the window.
class StartCheck : public QObject {
    Q_OBJECT

public:
    StartCheck(
        Connection* connection, StartPage* page, DockerClientFactory clients, QObject* parent);

    void checkImages();

private:
    void handleHealth();

    Connection* m_connection;
    StartPage* m_page;
    DockerClientFactory m_clients;
};

} // namespace isol8::ui
