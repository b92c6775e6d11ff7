// SPDX-License-Identifier: MIT
#include "fakeserver.h"

#include <QHostAddress>
#include <QJsonDocument>
#include <QTcpServer>
#include <QWebSocket>

#include <algorithm>

namespace isol8::remote {

using namespace Qt::StringLiterals;

FakeServer::FakeServer(QTcpServer* listener)
    : m_listener(listener ? listener : new QTcpServer)
    , m_webSockets(u"fake"_s, QWebSocketServer::NonSecureMode)
{
    connect(m_listener.get(), &QTcpServer::pendingConnectionAvailable, this, &FakeServer::accept);
    connect(&m_webSockets, &QWebSocketServer::newConnection, this, [this] {
        auto* socket = m_webSockets.nextPendingConnection();
        socket->setParent(this);
        connect(
            socket, &QWebSocket::textMessageReceived, this, [this, socket](const QString& text) {
                const auto message = QJsonDocument::fromJson(text.toUtf8()).object();
                messages << message;
                onMessage(*socket, message);
            });
    });
    if (!m_listener->listen(QHostAddress::LocalHost))
        qFatal("cannot listen");
}

QString FakeServer::url(const QString& scheme) const
{
    return u"%1://127.0.0.1:%2"_s.arg(scheme).arg(m_listener->serverPort());
}

int FakeServer::countOf(const QByteArray& target) const
{
    return int(std::ranges::count(requests, target, &FakeRequest::target));
}

void FakeServer::accept()
{
    while (auto* socket = m_listener->nextPendingConnection()) {
        connections << socket;
        // So that a client that does not read is noticed soon.
        socket->setSocketOption(QAbstractSocket::SendBufferSizeSocketOption, 64 << 10);
        connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        if (socket->bytesAvailable() > 0)
            read(socket);
    }
}

void FakeServer::read(QTcpSocket* socket)
{
    const auto bytes = socket->peek(64 << 20);
    if (!bytes.isEmpty() && (bytes[0] < 'A' || bytes[0] > 'Z')) {
        socket->write("HTTP/1.1 400 Bad Request\r\n\r\n");
        socket->disconnectFromHost();
        return;
    }
    const auto headEnd = bytes.indexOf("\r\n\r\n");
    if (headEnd < 0)
        return;
    const auto lines = bytes.first(headEnd).split('\n');
    FakeRequest request;
    request.verb = lines.first().split(' ').value(0);
    request.target = lines.first().split(' ').value(1);
    for (const auto& line : lines.sliced(1)) {
        const auto colon = line.indexOf(':');
        request.headers.insert(line.first(colon).toLower(), line.sliced(colon + 1).trimmed());
    }
    if (onMessage && request.headers.value("upgrade").toLower() == "websocket") {
        requests << request;
        socket->disconnect(this);
        m_webSockets.handleConnection(socket);
        Q_EMIT socket->readyRead();
        return;
    }
    const auto length = request.headers.value("content-length").toLongLong();
    if (bytes.size() < headEnd + 4 + length)
        return;
    request.body = bytes.sliced(headEnd + 4, length);
    socket->skip(headEnd + 4 + length);
    requests << request;
    if (!onRequest || !onRequest(*socket, request))
        answer(*socket, 404, R"({"error":"Not found"})");
}

void FakeServer::answer(
    QTcpSocket& socket, int status, const QByteArray& body, const QByteArray& headers)
{
    socket.write("HTTP/1.1 " + QByteArray::number(status) + " Status\r\n" + headers
        + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
}

void FakeServer::beginEvents(QTcpSocket& socket)
{
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
}

void FakeServer::sendEvent(QTcpSocket& socket, const QJsonObject& event)
{
    socket.write("data: " + QJsonDocument(event).toJson(QJsonDocument::Compact) + "\n\n");
}

void FakeServer::sendEvent(QWebSocket& socket, const QJsonObject& event)
{
    socket.sendTextMessage(QString::fromUtf8(QJsonDocument(event).toJson(QJsonDocument::Compact)));
}

QJsonObject makeEvent(const QString& type, const QString& data)
{
    return { { u"type"_s, type }, { u"data"_s, data } };
}

} // namespace isol8::remote
