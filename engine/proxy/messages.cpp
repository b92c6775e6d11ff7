// SPDX-License-Identifier: MIT
#include "engine/proxy/messages.h"

#include "engine/http/answerhead.h"

#include <algorithm>
#include <array>

namespace isol8::proxy {

using http::BodyDecoder;
using http::Field;
using http::Fields;

namespace {

bool isName(const QByteArray& name, QByteArrayView other)
{
    return name.compare(other, Qt::CaseInsensitive) == 0;
}

/// Fields that concern one connection, or that the proxy writes itself (RFC 9110, section 7.6.1).
bool isOfConnection(const QByteArray& name)
{
    static constexpr std::array<QByteArrayView, 9> names { "Connection", "Content-Length", "Host",
        "HTTP2-Settings", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade" };
    return name.left(6).compare("proxy-", Qt::CaseInsensitive) == 0
        || std::ranges::any_of(names, [&name](auto other) { return isName(name, other); });
}

QList<QByteArray> namedInConnection(const Fields& fields)
{
    QList<QByteArray> names;
    for (const auto& field : fields) {
        if (!isName(field.name, "Connection"))
            continue;
        for (const auto& name : field.value.split(','))
            names.append(name.trimmed());
    }
    return names;
}

void append(QByteArray& head, QByteArrayView name, QByteArrayView value)
{
    head.append(name).append(": ").append(value).append("\r\n");
}

void appendEndToEnd(QByteArray& head, const Fields& fields)
{
    const auto named = namedInConnection(fields);
    for (const auto& field : fields) {
        const bool isNamed = std::ranges::any_of(
            named, [&field](const auto& name) { return isName(field.name, name); });
        if (!isNamed && !isOfConnection(field.name))
            append(head, field.name, field.value);
    }
}

QByteArray upgradeOf(const Fields& fields)
{
    const auto found
        = std::ranges::find_if(fields, [](const Field& f) { return isName(f.name, "Upgrade"); });
    return found == fields.end() ? QByteArray() : found->value;
}

void appendConnection(QByteArray& head, const ProxyRequest& request, Persistence persistence)
{
    if (persistence == Persistence::Close)
        append(head, "Connection", "close");
    else if (request.head.minorVersion == 0)
        append(head, "Connection", "keep-alive");
}

} // namespace

QByteArray headForHost(const ProxyRequest& request)
{
    const auto& from = request.head;
    QByteArray head = from.method + ' ' + request.path + " HTTP/1.1\r\n";
    const auto host
        = request.target.port == 80 ? request.target.host.inUrl() : request.target.toString();
    append(head, "Host", host.toLatin1());
    auto fields = from.fields;
    if (!from.expectsContinue)
        fields.removeIf([](const Field& field) { return isName(field.name, "Expect"); });
    appendEndToEnd(head, fields);
    if (from.isChunked)
        append(head, "Transfer-Encoding", "chunked");
    else if (!from.header("Content-Length").isEmpty())
        append(head, "Content-Length", QByteArray::number(from.contentLength));
    if (from.isUpgrade) {
        append(head, "Connection", "Upgrade");
        append(head, "Upgrade", "websocket");
    } else {
        append(head, "Connection", "close");
    }
    return head + "\r\n";
}

Framing framingForClient(const http::ResponseHead& answer, const ProxyRequest& request)
{
    if (!answer.hasBody(request.head.method))
        return Framing::None;
    if (answer.framing == BodyDecoder::Framing::Length)
        return Framing::Length;
    return request.head.minorVersion == 0 ? Framing::UntilClose : Framing::Chunked;
}

QByteArray headForClient(
    const http::ResponseHead& answer, const ProxyRequest& request, Persistence persistence)
{
    QByteArray head
        = "HTTP/1.1 " + QByteArray::number(answer.status) + ' ' + answer.reason + "\r\n";
    appendEndToEnd(head, answer.fields);
    if (answer.status == 101) {
        append(head, "Connection", "Upgrade");
        append(head, "Upgrade", upgradeOf(answer.fields));
        return head + "\r\n";
    }
    if (answer.isInterim())
        return head + "\r\n";
    if (answer.contentLength && answer.status != 204)
        append(head, "Content-Length", QByteArray::number(*answer.contentLength));
    if (framingForClient(answer, request) == Framing::Chunked)
        append(head, "Transfer-Encoding", "chunked");
    appendConnection(head, request, persistence);
    return head + "\r\n";
}

QByteArray chunk(const QByteArray& body)
{
    return QByteArray::number(body.size(), 16) + "\r\n" + body + "\r\n";
}

QByteArray ownAnswer(
    int status, const QString& sentence, QByteArrayView method, Persistence persistence)
{
    const QByteArray body = "isol8: " + sentence.toUtf8() + '\n';
    Fields fields { { "Content-Type", "text/plain; charset=utf-8" },
        { "Content-Length", QByteArray::number(body.size()) } };
    if (persistence == Persistence::Close)
        fields.append(Field { "Connection", "close" });
    return http::answerHead(status, fields) + (method == "HEAD" ? QByteArray() : body);
}

} // namespace isol8::proxy
