// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/endpoint.h"

#include <QHash>
#include <QIODevice>
#include <QMap>
#include <QObject>
#include <QTemporaryDir>

#include <memory>

class QLocalServer;
class QTcpServer;

namespace isol8::test {

/// A Docker daemon for tests that says what it is told to, over a local socket, TCP or TLS. Every
/// request that has come completely is recorded and answered with the next reply of the queue;
/// without one it is left without an answer.
class FakeDocker : public QObject {
    Q_OBJECT

public:
    struct Request {
        QByteArray verb;
        QByteArray target;
        QMap<QByteArray, QByteArray> headers; ///< Names in lower case.
        QByteArray body;
    };

    enum class After { KeepOpen, Close };

    struct Reply {
        QByteArray bytes; ///< The whole answer with its header; may be cut short.
        After after = After::KeepOpen;
    };

    explicit FakeDocker(docker::Endpoint::Transport transport = docker::Endpoint::Transport::Local,
        const QSslConfiguration& tls = {});
    ~FakeDocker() override;

    /// Where it listens; for TLS without any material of the client's.
    [[nodiscard]] docker::Endpoint endpoint() const;

    void enqueue(const QByteArray& bytes, After after = After::KeepOpen);
    void enqueueJson(int status, const QByteArray& json, const QByteArray& headers = {});
    /// An answer with a header, @p body and its length.
    [[nodiscard]] static QByteArray answer(
        int status, const QByteArray& body, const QByteArray& headers = {});

    [[nodiscard]] const QList<Request>& requests() const { return m_requests; }
    /// The connection that the last complete request came on; what follows it stays unread there.
    [[nodiscard]] QIODevice* connection() const { return m_lastConnection; }
    [[nodiscard]] int openConnections() const { return int(m_connections.size()); }
    /// Accepts no more and drops everybody.
    void die();
    /// Drops everybody.
    void dropAll();

Q_SIGNALS:
    void accepted();
    void requested();

private:
    void forget(QIODevice* connection);
    void adopt(QIODevice* connection);
    void read(QIODevice* connection);

    QTemporaryDir m_directory;
    docker::Endpoint m_endpoint;
    std::unique_ptr<QLocalServer> m_localServer;
    std::unique_ptr<QTcpServer> m_tcpServer;
    QHash<QIODevice*, QByteArray> m_connections;
    QList<Request> m_requests;
    QList<Reply> m_replies;
    QIODevice* m_lastConnection = nullptr;
};

} // namespace isol8::test
