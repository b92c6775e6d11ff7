// SPDX-License-Identifier: MIT
#include "tests/bench/httpclient.h"

#include "tests/bench/samples.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace isol8::bench {

HttpClient::HttpClient(quint16 port)
    : m_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(m_socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        ::close(m_socket);
        m_socket = -1;
        return;
    }
    const int on = 1;
    ::setsockopt(m_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

HttpClient::~HttpClient()
{
    if (m_socket >= 0)
        ::close(m_socket);
}

bool HttpClient::send(const QByteArray& bytes)
{
    for (qsizetype at = 0; at < bytes.size();) {
        const auto size
            = ::send(m_socket, bytes.constData() + at, size_t(bytes.size() - at), MSG_NOSIGNAL);
        if (size <= 0)
            return false;
        at += size;
    }
    return true;
}

bool HttpClient::receive()
{
    char buffer[256 * 1024];
    const auto size = ::recv(m_socket, buffer, sizeof buffer, 0);
    if (size <= 0)
        return false;
    m_buffer.append(buffer, size);
    return true;
}

QByteArray HttpClient::request(const QByteArray& path, const QByteArray& body) const
{
    return "POST " + path
        + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer master\r\n"
          "Content-Type: application/json\r\nContent-Length: "
        + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

QByteArray HttpClient::post(const QByteArray& path, const QByteArray& body)
{
    if (!send(request(path, body)))
        return {};
    qsizetype head = -1;
    while ((head = m_buffer.indexOf("\r\n\r\n")) < 0) {
        if (!receive())
            return {};
    }
    const auto field = m_buffer.indexOf("Content-Length: ");
    if (!m_buffer.startsWith("HTTP/1.1 200") || field < 0 || field > head)
        return {};
    const auto from = field + 16;
    const auto size = m_buffer.mid(from, m_buffer.indexOf('\r', from) - from).toLongLong();
    while (m_buffer.size() < head + 4 + size) {
        if (!receive())
            return {};
    }
    const auto answer = m_buffer.mid(head + 4, size);
    m_buffer.remove(0, head + 4 + size);
    return answer;
}

HttpClient::Stream HttpClient::stream(
    const QByteArray& path, const QByteArray& body, const QByteArray& mark)
{
    Stream result;
    const Stopwatch watch;
    if (!send(request(path, body)))
        return result;
    QByteArray tail;
    qint64 bytes = 0;
    // The end of a chunked body.
    while (!tail.endsWith("\r\n0\r\n\r\n")) {
        m_buffer.clear();
        if (!receive())
            return result;
        bytes += m_buffer.size();
        if (result.firstMark < 0 && (tail + m_buffer.left(mark.size())).contains(mark))
            result.firstMark = watch.milliseconds();
        if (result.firstMark < 0 && m_buffer.contains(mark))
            result.firstMark = watch.milliseconds();
        tail = (tail + m_buffer.right(64)).right(64);
    }
    m_buffer.clear();
    result.bytes = bytes;
    return result;
}

HttpClient::Stream HttpClient::webSocket(const QByteArray& path, const QByteArray& message)
{
    Stream result;
    if (!send("GET " + path
            + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer master\r\n"
              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
        return result;
    while (!m_buffer.contains("\r\n\r\n")) {
        if (!receive())
            return result;
    }
    if (!m_buffer.startsWith("HTTP/1.1 101"))
        return result;
    // RFC 6455, 5.2: one masked text frame; a mask of zeros changes nothing.
    QByteArray frame("\x81\xfe");
    frame += char(message.size() >> 8);
    frame += char(message.size() & 0xff);
    frame += QByteArray(4, 0) + message;
    if (!send(frame))
        return result;
    qint64 bytes = 0;
    for (;;) {
        m_buffer.clear();
        if (!receive())
            break;
        bytes += m_buffer.size();
        // The server's last word is a close frame with status 1000 and a reason.
        if (m_buffer.contains("Execution complete"))
            break;
    }
    result.bytes = bytes;
    return result;
}

} // namespace isol8::bench
