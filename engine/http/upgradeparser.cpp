// SPDX-License-Identifier: MIT
#include "engine/http/upgradeparser.h"

#include <llhttp.h>

namespace isol8::http {

using namespace Qt::StringLiterals;

struct UpgradeParser::Private {
    llhttp_t parser {};
    llhttp_settings_t settings {};
    State state = State::Reading;
    bool isHeaderComplete = false;
    qint64 headerBytes = 0;
    int status = 0;
    QByteArray fieldName;
    QByteArray fieldValue;
    QByteArray apiVersion;
    QByteArray body;
    QByteArray rest;

    static Private& of(llhttp_t* parser) { return *static_cast<Private*>(parser->data); }

    static int onField(llhttp_t* parser, const char* at, size_t size)
    {
        of(parser).fieldName.append(at, qsizetype(size));
        return 0;
    }

    static int onValue(llhttp_t* parser, const char* at, size_t size)
    {
        of(parser).fieldValue.append(at, qsizetype(size));
        return 0;
    }

    static int onValueComplete(llhttp_t* parser)
    {
        auto& self = of(parser);
        if (self.fieldName.compare("api-version", Qt::CaseInsensitive) == 0)
            self.apiVersion = self.fieldValue;
        self.fieldName.clear();
        self.fieldValue.clear();
        return 0;
    }

    static int onHeadersComplete(llhttp_t* parser)
    {
        constexpr int noBodyAndUpgrade = 2;
        auto& self = of(parser);
        self.status = parser->status_code;
        if (self.status == 101 || self.status == 200) {
            self.isHeaderComplete = true;
            self.state = State::Upgraded;
            return noBodyAndUpgrade;
        }
        self.isHeaderComplete = self.status >= 200;
        return 0;
    }

    static int onBody(llhttp_t* parser, const char* at, size_t size)
    {
        auto& self = of(parser);
        if (self.body.size() + qint64(size) > maxBodyBytes)
            return -1;
        self.body.append(at, qsizetype(size));
        return 0;
    }

    static int onMessageComplete(llhttp_t* parser)
    {
        auto& self = of(parser);
        if (self.state == State::Upgraded || self.status < 200) // 1xx: the real answer follows.
            return 0;
        self.state = State::Refused;
        return HPE_PAUSED;
    }
};

UpgradeParser::UpgradeParser()
    : d(std::make_unique<Private>())
{
    llhttp_settings_init(&d->settings);
    d->settings.on_header_field = Private::onField;
    d->settings.on_header_value = Private::onValue;
    d->settings.on_header_value_complete = Private::onValueComplete;
    d->settings.on_headers_complete = Private::onHeadersComplete;
    d->settings.on_body = Private::onBody;
    d->settings.on_message_complete = Private::onMessageComplete;
    llhttp_init(&d->parser, HTTP_RESPONSE, &d->settings);
    d->parser.data = d.get();
}

UpgradeParser::~UpgradeParser() = default;

Result<UpgradeParser::State> UpgradeParser::feed(QByteArrayView bytes)
{
    const bool wasHeaderComplete = d->isHeaderComplete;
    const auto error = llhttp_execute(&d->parser, bytes.data(), size_t(bytes.size()));
    if (error == HPE_PAUSED_UPGRADE && d->state == State::Upgraded) {
        const char* const end = llhttp_get_error_pos(&d->parser);
        d->rest = QByteArray(end, bytes.data() + bytes.size() - end);
        return d->state;
    }
    if (error == HPE_PAUSED && d->state == State::Refused)
        return d->state;
    if (error != HPE_OK)
        return failure(Kind::Protocol, u"the answer to the upgrade is not HTTP/1.1"_s);
    if (!wasHeaderComplete) {
        d->headerBytes += bytes.size();
        if (!d->isHeaderComplete && d->headerBytes > maxHeaderBytes)
            return failure(Kind::Protocol, u"the header of the answer to the upgrade has no end"_s);
    }
    return d->state;
}

Result<UpgradeParser::State> UpgradeParser::finish()
{
    const auto error = llhttp_finish(&d->parser);
    if ((error == HPE_OK || error == HPE_PAUSED) && d->state == State::Refused)
        return d->state;
    return failure(
        Kind::Protocol, u"the connection ended in the middle of the answer to the upgrade"_s);
}

int UpgradeParser::status() const
{
    return d->status;
}

QByteArray UpgradeParser::apiVersion() const
{
    return d->apiVersion;
}

QByteArray UpgradeParser::body() const
{
    return d->body;
}

QByteArray UpgradeParser::rest() const
{
    return d->rest;
}

} // namespace isol8::http
