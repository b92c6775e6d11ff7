// SPDX-License-Identifier: MIT
#include "engine/http/bodydecoder.h"

#include "engine/core/largebuffer.h"

#include <llhttp.h>

#include <limits>
#include <utility>

namespace isol8::http {

using namespace Qt::StringLiterals;

struct BodyDecoder::Private {
    llhttp_t parser {};
    llhttp_settings_t settings {};
    Framing framing = Framing::Length;
    bool isTooLarge = false;
    bool isComplete = false;
    qint64 maxBytes = 0;
    qint64 remainingBytes = 0;
    qint64 framingBytes = 0; ///< Trailers and chunk extensions since the last byte of the body.
    QByteArray body;

    static constexpr qint64 maxFramingBytes = 16 << 10;

    static Private& of(llhttp_t* parser) { return *static_cast<Private*>(parser->data); }

    static int onBody(llhttp_t* parser, const char* at, size_t size)
    {
        auto& self = of(parser);
        self.isTooLarge = qint64(size) > self.maxBytes - self.body.size();
        if (self.isTooLarge)
            return -1;
        appendLarge(self.body, QByteArrayView(at, qsizetype(size)));
        self.framingBytes = 0;
        return 0;
    }

    static int onMessageComplete(llhttp_t* parser)
    {
        of(parser).isComplete = true;
        return HPE_PAUSED;
    }

    Result<qint64> feedChunked(QByteArrayView bytes);
};

BodyDecoder::BodyDecoder(const RequestHead& head, qint64 maxBytes)
    : BodyDecoder(head.isChunked ? Framing::Chunked : Framing::Length, head.contentLength)
{
    d->maxBytes = maxBytes;
    d->isTooLarge = head.contentLength > maxBytes;
}

BodyDecoder::BodyDecoder(Framing framing, qint64 length)
    : d(std::make_unique<Private>())
{
    d->framing = framing;
    d->maxBytes = std::numeric_limits<qint64>::max();
    d->remainingBytes = framing == Framing::UntilClose ? d->maxBytes : length;
    d->isComplete = d->remainingBytes == 0 && framing == Framing::Length;
    if (framing != Framing::Chunked)
        return;
    llhttp_settings_init(&d->settings);
    d->settings.on_body = Private::onBody;
    d->settings.on_message_complete = Private::onMessageComplete;
    llhttp_init(&d->parser, HTTP_REQUEST, &d->settings);
    d->parser.data = d.get();
    // The head was parsed elsewhere; this one brings the parser to where the chunks begin. Requests
    // and answers have the same chunks.
    static constexpr QByteArrayView head11
        = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    llhttp_execute(&d->parser, head11.data(), size_t(head11.size()));
}

BodyDecoder::~BodyDecoder() = default;

Result<qint64> BodyDecoder::feed(QByteArrayView bytes)
{
    if (d->isTooLarge)
        return failure(Kind::Limit, u"the body is too large"_s, 413);
    if (d->isComplete)
        return 0;
    if (d->framing == Framing::Chunked)
        return d->feedChunked(bytes);
    const auto taken = std::min<qint64>(bytes.size(), d->remainingBytes);
    appendLarge(d->body, bytes.first(taken));
    d->remainingBytes -= taken;
    d->isComplete = d->remainingBytes == 0;
    return taken;
}

Result<qint64> BodyDecoder::feedShared(const QByteArray& bytes)
{
    const bool isShared = d->framing != Framing::Chunked && !d->isTooLarge && !d->isComplete
        && d->body.isEmpty() && bytes.size() <= d->remainingBytes;
    if (!isShared)
        return feed(QByteArrayView(bytes));
    d->body = bytes;
    d->remainingBytes -= bytes.size();
    d->isComplete = d->remainingBytes == 0;
    return bytes.size();
}

Result<qint64> BodyDecoder::Private::feedChunked(QByteArrayView bytes)
{
    if (bytes.isEmpty()) // llhttp would take it for the end of a token.
        return 0;
    const auto bodyBytes = body.size();
    framingBytes += bytes.size();
    const auto error = llhttp_execute(&parser, bytes.data(), size_t(bytes.size()));
    if (isTooLarge)
        return failure(Kind::Limit, u"the body is too large"_s, 413);
    if (error == HPE_PAUSED && isComplete)
        return llhttp_get_error_pos(&parser) - bytes.data();
    if (error != HPE_OK)
        return failure(Kind::Invalid, u"the chunks of the body are malformed"_s, 400);
    if (body.size() == bodyBytes && framingBytes > maxFramingBytes)
        return failure(Kind::Limit, u"the framing of the body is too large"_s, 413);
    return bytes.size();
}

bool BodyDecoder::isComplete() const
{
    return d->isComplete;
}

bool BodyDecoder::finish()
{
    d->isComplete = d->isComplete || d->framing == Framing::UntilClose;
    return d->isComplete;
}

const QByteArray& BodyDecoder::body() const
{
    return d->body;
}

QByteArray BodyDecoder::takeBody()
{
    return std::exchange(d->body, {});
}

} // namespace isol8::http
