// SPDX-License-Identifier: MIT
#pragma once

#include <QHostAddress>
#include <QTcpSocket>
#include <QTest>

namespace isol8::tests {

/// A request in HTTP/1.1 with the master key; with a JSON body unless that is null.
[[nodiscard]] inline QByteArray rawRequest(const QByteArray& method, const QByteArray& target,
    const QByteArray& body = {}, const QByteArray& key = "master")
{
    QByteArray bytes = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!key.isNull())
        bytes += "Authorization: Bearer " + key + "\r\n";
    if (!body.isNull())
        bytes += "Content-Type: application/json\r\nContent-Length: "
            + QByteArray::number(body.size()) + "\r\n";
    return bytes + "\r\n" + body;
}

/// The pieces of a chunked body joined; null when it is not complete and correct.
[[nodiscard]] inline QByteArray unchunked(QByteArrayView bytes)
{
    QByteArray body;
    for (;;) {
        const auto end = bytes.indexOf("\r\n");
        bool isNumber = false;
        const auto size = end < 0 ? 0 : bytes.first(end).toLongLong(&isNumber, 16);
        if (!isNumber || bytes.size() < end + size + 4
            || bytes.sliced(end + 2 + size, 2) != QByteArrayView("\r\n"))
            return {};
        if (size == 0)
            return bytes.size() == 5 ? body : QByteArray();
        body += bytes.sliced(end + 2, size);
        bytes = bytes.sliced(end + size + 4);
    }
}

/// A client that sends raw bytes to a server on 127.0.0.1 and keeps what comes back.
class RawClient {
public:
    /// @p from: the loopback address that it comes from; null: any.
    explicit RawClient(quint16 port, const QByteArray& bytes = {}, const QHostAddress& from = {})
    {
        QObject::connect(&socket, &QTcpSocket::readyRead, &socket, [this] {
            if (!isDeaf)
                received += socket.readAll();
        });
        QObject::connect(&socket, &QTcpSocket::disconnected, &socket, [this] { isClosed = true; });
        if (!from.isNull())
            socket.bind(from);
        socket.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
        if (!bytes.isEmpty())
            send(bytes);
    }

    void send(const QByteArray& bytes)
    {
        if (socket.state() == QTcpSocket::ConnectedState)
            socket.write(bytes);
        else
            QObject::connect(
                &socket, &QTcpSocket::connected, &socket, [this, bytes] { socket.write(bytes); });
    }
    /// Reads no more, so that the server's output backs up.
    void stopReading()
    {
        isDeaf = true;
        socket.setReadBufferSize(1);
    }
    void readOn()
    {
        isDeaf = false;
        socket.setReadBufferSize(0);
        received += socket.readAll();
    }

    [[nodiscard]] int answers() const { return int(received.count("HTTP/1.1 ")); }
    /// Of the first answer; 0 before it is there.
    [[nodiscard]] int status() const
    {
        return received.startsWith("HTTP/1.1 ") ? received.mid(9, 3).toInt() : 0;
    }
    /// The first answer's body, where it has a Content-Length and is complete; else null.
    [[nodiscard]] QByteArray body() const
    {
        const auto head = received.indexOf("\r\n\r\n");
        const auto field = received.indexOf("Content-Length: ");
        if (head < 0 || field < 0 || field > head)
            return {};
        const auto size = received.mid(field + 16, received.indexOf('\r', field) - field - 16);
        const auto body = received.mid(head + 4, size.toLongLong());
        return body.size() == size.toLongLong() ? (body.isNull() ? QByteArray("") : body)
                                                : QByteArray();
    }
    /// Waits until the server has closed.
    [[nodiscard]] bool waitForEnd(int milliseconds = 60'000)
    {
        return QTest::qWaitFor([this] { return isClosed; }, milliseconds);
    }
    [[nodiscard]] bool waitFor(const QByteArray& text, int milliseconds = 60'000)
    {
        return QTest::qWaitFor([&] { return received.contains(text) || isClosed; }, milliseconds)
            && received.contains(text);
    }

    QTcpSocket socket;
    QByteArray received;
    bool isClosed = false;
    bool isDeaf = false;
};

} // namespace isol8::tests
