// SPDX-License-Identifier: MIT
#include "tests/ui/support/dockerrelay.h"

#include <QLocalSocket>
#include <QPointer>

#include <utility>

namespace isol8::tests {

using namespace Qt::StringLiterals;

DockerRelay::DockerRelay()
{
    const auto found = docker::resolveEndpoint();
    if (!found || found->transport != docker::Endpoint::Transport::Local)
        qFatal("these tests need a Docker that listens on a local socket");
    m_docker = *found;
    connect(&m_server, &QLocalServer::newConnection, this, &DockerRelay::accept);
    start();
}

DockerRelay::~DockerRelay()
{
    stop();
}

docker::Endpoint DockerRelay::endpoint() const
{
    auto endpoint = m_docker;
    endpoint.socketPath = m_directory.filePath(u"docker.sock"_s);
    return endpoint;
}

void DockerRelay::start()
{
    if (!m_server.listen(endpoint().socketPath))
        qFatal("%s", qPrintable(m_server.errorString()));
}

void DockerRelay::stop()
{
    m_server.close();
    for (auto* socket : std::exchange(m_sockets, {})) {
        socket->disconnect(this);
        socket->abort();
        socket->deleteLater();
    }
}

void DockerRelay::accept()
{
    while (auto* client = m_server.nextPendingConnection()) {
        client->setParent(this);
        auto* daemon = new QLocalSocket(this);
        m_sockets << client << daemon;
        const auto carry = [this](QLocalSocket* from, QPointer<QLocalSocket> to) {
            const auto move = [from, to] {
                if (to)
                    to->write(from->readAll());
            };
            connect(from, &QLocalSocket::readyRead, this, move);
            connect(from, &QLocalSocket::disconnected, this, [this, from, to, move] {
                move();
                if (to)
                    to->disconnectFromServer();
                m_sockets.removeOne(from);
                from->deleteLater();
            });
        };
        carry(daemon, client);
        connect(daemon, &QLocalSocket::connected, this, [client, daemon, carry] {
            carry(client, daemon);
            daemon->write(client->readAll());
        });
        daemon->connectToServer(m_docker.socketPath);
    }
}

} // namespace isol8::tests
