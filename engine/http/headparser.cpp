// SPDX-License-Identifier: MIT
#include "engine/http/headparser.h"

#include <llhttp.h>

#include <algorithm>

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Error> refusal(int status, const QString& message)
{
    return failure(status == 431 || status == 414 ? Kind::Limit : Kind::Invalid, message, status);
}

struct Collected {
    QByteArray method;
    QByteArray target;
    Fields fields;
    bool isComplete = false;
};

Collected& of(llhttp_t* parser)
{
    return *static_cast<Collected*>(parser->data);
}

int onMethod(llhttp_t* parser, const char* at, size_t size)
{
    of(parser).method.append(at, qsizetype(size));
    return 0;
}

int onTarget(llhttp_t* parser, const char* at, size_t size)
{
    of(parser).target.append(at, qsizetype(size));
    return 0;
}

int onName(llhttp_t* parser, const char* at, size_t size)
{
    auto& fields = of(parser).fields;
    fields.append(Field { QByteArray(at, qsizetype(size)), {} });
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

bool hasToken(const QList<QByteArray>& values, QByteArrayView token)
{
    return std::ranges::any_of(values, [token](const QByteArray& value) {
        return std::ranges::any_of(value.split(','), [token](const QByteArray& item) {
            return item.trimmed().compare(token, Qt::CaseInsensitive) == 0;
        });
    });
}

/// Method, target and version stand between single spaces (RFC 9112, section 3); the minor version.
Result<int> checkRequestLine(QByteArrayView line)
{
    const auto last = line.lastIndexOf(' ');
    if (line.count(' ') != 2 || last + 1 == line.size())
        return refusal(400, u"the request line is malformed"_s);
    const auto version = line.sliced(last + 1);
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    if (version.size() != 8 || !version.startsWith("HTTP/") || !isDigit(version[5])
        || version[6] != '.' || !isDigit(version[7]))
        return refusal(400, u"the request line is malformed"_s);
    if (version[5] != '1' || version[7] > '1')
        return refusal(505, u"this version of HTTP is not supported"_s);
    return version[7] - '0';
}

Result<> checkTarget(const RequestHead& head)
{
    const auto isAllowed = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
    if (!std::ranges::all_of(head.target, isAllowed))
        return refusal(400, u"the request target holds a character that it may not"_s);
    return {};
}

Result<> applyPath(RequestHead& head)
{
    if (head.target == "*" && head.method == "OPTIONS") {
        head.path = u"*"_s;
        return {};
    }
    if (!head.target.startsWith('/'))
        return refusal(400, u"the request target must be a path"_s);
    const auto question = head.target.indexOf('?');
    const auto path = percentDecoded(question < 0 ? head.target : head.target.first(question));
    if (!path)
        return refusal(400, u"the path is not properly encoded"_s);
    head.path = *path;
    if (question >= 0)
        head.query = head.target.sliced(question + 1);
    return {};
}

Result<> applyFraming(RequestHead& head)
{
    const auto lengths = head.headers("Content-Length");
    const auto codings = head.headers("Transfer-Encoding");
    if (!codings.isEmpty()) {
        // Two opinions on where a request ends let one be smuggled in (RFC 9112, section 6.1).
        if (!lengths.isEmpty() || head.minorVersion == 0 || codings.size() > 1)
            return refusal(400, u"the length of the body is ambiguous"_s);
        if (codings.first().compare("chunked", Qt::CaseInsensitive) != 0)
            return refusal(501, u"the only transfer coding known is chunked"_s);
        head.isChunked = true;
        return {};
    }
    if (lengths.isEmpty())
        return {};
    const auto& digits = lengths.first();
    bool isNumber = false;
    head.contentLength = digits.toLongLong(&isNumber);
    if (lengths.size() > 1 || !isNumber
        || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
        return refusal(400, u"Content-Length is not a number"_s);
    return {};
}

Result<> applyConnection(RequestHead& head)
{
    const auto hosts = head.headers("Host");
    if (hosts.size() > 1 || (head.minorVersion > 0 && hosts.isEmpty()))
        return refusal(400, u"a request has exactly one Host field"_s);
    const auto options = head.headers("Connection");
    head.isKeepAlive
        = !hasToken(options, "close") && (head.minorVersion > 0 || hasToken(options, "keep-alive"));
    head.isUpgrade = head.minorVersion > 0 && head.method == "GET" && !head.hasBody()
        && hasToken(options, "upgrade") && hasToken(head.headers("Upgrade"), "websocket");
    const auto expectations = head.headers("Expect");
    if (!expectations.isEmpty() && head.minorVersion > 0) {
        if (expectations.size() > 1
            || expectations.first().compare("100-continue", Qt::CaseInsensitive) != 0)
            return refusal(417, u"the only expectation known is 100-continue"_s);
        head.expectsContinue = head.hasBody();
    }
    return {};
}

} // namespace

Result<qint64> HeadScanner::scan(QByteArrayView bytes)
{
    for (; m_scannedBytes < bytes.size(); ++m_scannedBytes) {
        const auto at = m_scannedBytes;
        const char c = bytes[at];
        if (at >= m_limits.maxHeaderBytes) {
            const bool hasTarget = bytes.first(at).contains(' ');
            if (!m_isInRequestLine)
                return refusal(431, u"the header is too large"_s);
            return hasTarget ? refusal(414, u"the request target is too long"_s)
                             : refusal(400, u"the request line is malformed"_s);
        }
        const bool isAfterCr = at > 0 && bytes[at - 1] == '\r';
        if (isAfterCr != (c == '\n'))
            return refusal(400, u"a line of the header does not end in CR LF"_s);
        if (c == '\n') {
            if (at - m_lineStart == 1)
                return at + 1;
            m_isInRequestLine = false;
            m_lineStart = at + 1;
            continue;
        }
        if (at == m_lineStart && (c == ' ' || c == '\t'))
            return refusal(400, u"a line of the header begins with white space"_s);
        if ((uchar(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
            return refusal(400, u"the header holds a control character"_s);
    }
    return 0;
}

Result<RequestHead> parseHead(QByteArrayView bytes, const HttpLimits& limits, TargetForm form)
{
    const auto minorVersion = checkRequestLine(bytes.first(bytes.indexOf("\r\n")));
    if (!minorVersion)
        return std::unexpected(minorVersion.error());
    if (bytes.count("\r\n") - 2 > limits.maxHeaderFields)
        return refusal(431, u"the header has too many fields"_s);

    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_method = onMethod;
    settings.on_url = onTarget;
    settings.on_header_field = onName;
    settings.on_header_value = onValue;
    settings.on_headers_complete = onHeadComplete;
    Collected collected;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &collected;
    if (llhttp_execute(&parser, bytes.data(), size_t(bytes.size())) != HPE_PAUSED
        || !collected.isComplete)
        return refusal(400, u"the request is not valid HTTP"_s);

    RequestHead head;
    head.method = collected.method;
    head.target = collected.target;
    head.minorVersion = *minorVersion;
    head.fields = collected.fields;
    for (auto& field : head.fields)
        field.value = field.value.trimmed();
    if (const auto checked = checkTarget(head); !checked)
        return std::unexpected(checked.error());
    if (form == TargetForm::Path) {
        if (const auto applied = applyPath(head); !applied)
            return std::unexpected(applied.error());
    }
    for (const auto apply : { applyFraming, applyConnection }) {
        if (const auto applied = apply(head); !applied)
            return std::unexpected(applied.error());
    }
    return head;
}

} // namespace isol8::http
