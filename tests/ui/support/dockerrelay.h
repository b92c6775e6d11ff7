// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/endpoint.h"

#include <QLocalServer>
#include <QTemporaryDir>

class QLocalSocket;

namespace isol8::tests {

/// A socket in front of Docker's. When it is stopped, its clients see what they would see of a
/// Docker that was stopped, while the real one goes on for everybody else.
class DockerRelay : public QObject {
    Q_OBJECT

public:
    DockerRelay();
    ~DockerRelay() override;

    [[nodiscard]] docker::Endpoint endpoint() const;
    void stop();
    void start();

private:
    void accept();

    QTemporaryDir m_directory;
    docker::Endpoint m_docker;
    QLocalServer m_server;
    QList<QLocalSocket*> m_sockets;
};

} // namespace isol8::tests
