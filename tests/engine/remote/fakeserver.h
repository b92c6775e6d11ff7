// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QMap>
#include <QObject>
#include <QPointer>
#include <QTcpServer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

#include <functional>
#include <memory>

namespace isol8::remote {

struct FakeRequest {
    QByteArray verb;
    QByteArray target;
    QMap<QByteArray, QByteArray> headers; ///< Names in lower case.
    QByteArray body;
};

/// A server on 127.0.0.1 that answers what a test tells it to. Without onMessage it refuses
/// WebSockets with 404, as everything that onRequest does not answer.
class FakeServer : public QObject {
    Q_OBJECT

public:
    explicit FakeServer(QTcpServer* listener = nullptr);

    [[nodiscard]] QString url(const QString& scheme = QStringLiteral("http")) const;

    /// True if it has answered.
    std::function<bool(QTcpSocket&, const FakeRequest&)> onRequest;
    std::function<void(QWebSocket&, const QJsonObject&)> onMessage;

    QList<FakeRequest> requests;
    QList<QJsonObject> messages;
    QList<QPointer<QTcpSocket>> connections;
    [[nodiscard]] int countOf(const QByteArray& target) const;

    static void answer(QTcpSocket& socket, int status, const QByteArray& body,
        const QByteArray& headers = "Content-Type: application/json\r\n");
    static void beginEvents(QTcpSocket& socket);
    static void sendEvent(QTcpSocket& socket, const QJsonObject& event);
    static void sendEvent(QWebSocket& socket, const QJsonObject& event);

private:
    void accept();
    void read(QTcpSocket* socket);

    std::unique_ptr<QTcpServer> m_listener;
    QWebSocketServer m_webSockets;
};

[[nodiscard]] QJsonObject makeEvent(const QString& type, const QString& data);

} // namespace isol8::remote
