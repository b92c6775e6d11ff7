// SPDX-License-Identifier: MIT
#pragma once

#include <QHash>
#include <QList>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>

#include <functional>
#include <memory>

namespace isol8::test {

/// A small HTTP server on loopback that answers each path as told, one request a connection.
class LocalServer : public QObject {
    Q_OBJECT

public:
    enum class End { Close, Hold }; ///< Hold: the connection stays open without another byte.

    /// @p listener: another kind of server (TLS).
    explicit LocalServer(std::unique_ptr<QTcpServer> listener = std::make_unique<QTcpServer>())
        : m_server(std::move(listener))
    {
        connect(
            m_server.get(), &QTcpServer::pendingConnectionAvailable, this, &LocalServer::accept);
        m_isListening = m_server->listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] bool isListening() const { return m_isListening; }
    [[nodiscard]] quint16 port() const { return m_server->serverPort(); }
    [[nodiscard]] QString url(const QString& path = QStringLiteral("/")) const
    {
        return QStringLiteral("http://127.0.0.1:%1%2").arg(m_server->serverPort()).arg(path);
    }

    /// Every request for @p path gets the next of its replies; the last one again and again.
    void add(const QString& path, const QByteArray& bytes, End end = End::Close)
    {
        m_replies[path.toUtf8()].append({ bytes, end });
    }
    void addBody(const QString& path, const QByteArray& body,
        const QByteArray& type = "application/octet-stream")
    {
        add(path,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + type
                + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    }

    [[nodiscard]] const QList<QByteArray>& requests() const { return m_requests; }
    /// The request line and fields of each, as they came.
    [[nodiscard]] const QList<QByteArray>& heads() const { return m_heads; }
    [[nodiscard]] int count(const QByteArray& path) const { return int(m_requests.count(path)); }

Q_SIGNALS:
    void requested(const QByteArray& path);

private:
    struct Reply {
        QByteArray bytes;
        End end;
    };

    void accept()
    {
        while (auto* const socket = m_server->nextPendingConnection()) {
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        }
    }

    void read(QTcpSocket* socket)
    {
        auto& received = m_received[socket];
        received += socket->readAll();
        if (!received.contains("\r\n\r\n"))
            return;
        const auto path = received.split(' ').value(1);
        m_requests << path;
        m_heads << received;
        m_received.remove(socket);
        const auto replies = m_replies.find(path);
        Reply reply { "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            End::Close };
        if (replies != m_replies.end())
            reply = replies->size() > 1 ? replies->takeFirst() : replies->first();
        socket->write(reply.bytes);
        if (reply.end == End::Close)
            socket->disconnectFromHost(); // after all is written
        Q_EMIT requested(path);
    }

    std::unique_ptr<QTcpServer> m_server;
    bool m_isListening = false;
    QHash<QTcpSocket*, QByteArray> m_received;
    QHash<QByteArray, QList<Reply>> m_replies;
    QList<QByteArray> m_requests;
    QList<QByteArray> m_heads;
};

} // namespace isol8::test
