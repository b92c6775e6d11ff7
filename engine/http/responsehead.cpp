// SPDX-License-Identifier: MIT
#include "engine/http/responsehead.h"

#include <llhttp.h>

#include <algorithm>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Error> malformed(const QString& what)
{
    return failure(Kind::Protocol, what);
}

struct Collected {
    Fields fields;
    bool isComplete = false;
};

Collected& of(llhttp_t* parser)
{
    return *static_cast<Collected*>(parser->data);
}

int onName(llhttp_t* parser, const char* at, size_t size)
{
    of(parser).fields.append(Field { QByteArray(at, qsizetype(size)), {} });
    return 0;
}

int onValue(llhttp_t* parser, const char* at, size_t size)
{
    of(parser).fields.last().value.append(at, qsizetype(size));
    return 0;
}

int onHeadComplete(llhttp_t* parser)
{
    of(parser).isComplete = true;
    return HPE_PAUSED; // The body is BodyDecoder's.
}

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

/// `HTTP/1.x NNN` and, after a space, any reason (RFC 9112, section 4).
Result<> applyStatusLine(QByteArrayView line, ResponseHead& head)
{
    constexpr qsizetype versionLength = 8;
    constexpr qsizetype statusLength = versionLength + 4;
    if (line.size() < statusLength || !line.startsWith("HTTP/1.") || line[7] < '0' || line[7] > '1'
        || line[8] != ' ' || !std::ranges::all_of(line.sliced(9, 3), isDigit)
        || (line.size() > statusLength && line[statusLength] != ' '))
        return malformed(u"the status line is malformed"_s);
    head.minorVersion = line[7] - '0';
    head.status = line.sliced(9, 3).toInt();
    if (head.status < 100 || head.status > 599)
        return malformed(u"the status %1 does not exist"_s.arg(head.status));
    head.reason = line.sliced(statusLength).trimmed().toByteArray();
    return {};
}

Result<> applyFraming(ResponseHead& head)
{
    QList<QByteArray> lengths;
    QList<QByteArray> codings;
    for (const auto& field : head.fields) {
        if (field.name.compare("Content-Length", Qt::CaseInsensitive) == 0)
            lengths.append(field.value);
        else if (field.name.compare("Transfer-Encoding", Qt::CaseInsensitive) == 0)
            codings.append(field.value);
    }
    if (!codings.isEmpty()) {
        if (!lengths.isEmpty() || head.minorVersion == 0 || codings.size() > 1)
            return malformed(u"the length of the body is ambiguous"_s);
        if (codings.first().compare("chunked", Qt::CaseInsensitive) != 0)
            return malformed(u"the only transfer coding known is chunked"_s);
        head.framing = BodyDecoder::Framing::Chunked;
        return {};
    }
    if (lengths.isEmpty())
        return {};
    const auto& digits = lengths.first();
    bool isNumber = false;
    head.contentLength = digits.toLongLong(&isNumber);
    if (lengths.size() > 1 || !isNumber || !std::ranges::all_of(digits, isDigit))
        return malformed(u"Content-Length is not a number"_s);
    head.framing = BodyDecoder::Framing::Length;
    return {};
}

} // namespace

bool ResponseHead::hasBody(QByteArrayView requestMethod) const
{
    return status >= 200 && status != 204 && status != 304 && requestMethod != "HEAD"
        && contentLength != 0;
}

Result<ResponseHead> parseResponseHead(QByteArrayView bytes, const HttpLimits& limits)
{
    if (bytes.count("\r\n") - 2 > limits.maxHeaderFields)
        return malformed(u"the header has too many fields"_s);
    ResponseHead head;
    const auto line = applyStatusLine(bytes.first(bytes.indexOf("\r\n")), head);
    if (!line)
        return std::unexpected(line.error());

    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = onName;
    settings.on_header_value = onValue;
    settings.on_headers_complete = onHeadComplete;
    Collected collected;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = &collected;
    if (llhttp_execute(&parser, bytes.data(), size_t(bytes.size())) != HPE_PAUSED
        || !collected.isComplete)
        return malformed(u"the answer is not valid HTTP"_s);
    head.fields = std::move(collected.fields);
    for (auto& field : head.fields)
        field.value = field.value.trimmed();
    if (const auto framing = applyFraming(head); !framing)
        return std::unexpected(framing.error());
    return head;
}

} // namespace isol8::http
