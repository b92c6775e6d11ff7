// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

namespace isol8::bench {

/// A blocking HTTP/1.1 client on one kept-alive connection to 127.0.0.1, for use in a thread: as
/// little between the clock and the server as possible.
class HttpClient {
public:
    explicit HttpClient(quint16 port);
    ~HttpClient();
    Q_DISABLE_COPY_MOVE(HttpClient)

    /// The body of the answer with a Content-Length; null when anything is not as it should be.
    [[nodiscard]] QByteArray post(const QByteArray& path, const QByteArray& body);
    /// Reads a chunked answer to its end: how many bytes, and when the first of them that are
    /// @p mark came, in milliseconds since the request. -1: something went wrong.
    struct Stream {
        qint64 bytes = -1;
        double firstMark = -1;
    };
    [[nodiscard]] Stream stream(
        const QByteArray& path, const QByteArray& body, const QByteArray& mark);
    /// The same over a WebSocket: sends @p message, reads until the server closes.
    [[nodiscard]] Stream webSocket(const QByteArray& path, const QByteArray& message);

private:
    [[nodiscard]] bool send(const QByteArray& bytes);
    /// Reads more into m_buffer; false at the end.
    [[nodiscard]] bool receive();
    [[nodiscard]] QByteArray request(const QByteArray& path, const QByteArray& body) const;

    int m_socket = -1;
    QByteArray m_buffer;
};

} // namespace isol8::bench
