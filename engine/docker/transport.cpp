// SPDX-License-Identifier: MIT
#include "engine/docker/transport.h"

#include "engine/docker/exchange.h"
#include "engine/docker/failures.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkProxy>
#include <QRegularExpression>

namespace isol8::docker {

using namespace Qt::StringLiterals;

namespace {

/// The minor number of an API version 1.x; -1 for anything else.
int minorVersion(QStringView version)
{
    if (!version.startsWith(u"1."_s))
        return -1;
    bool isNumber = false;
    const int minor = version.sliced(2).toInt(&isNumber);
    return isNumber ? minor : -1;
}

} // namespace

Transport::Transport(Endpoint endpoint)
    : m_endpoint(std::move(endpoint))
    , m_manager(std::make_unique<QNetworkAccessManager>())
{
    m_manager->setProxy(QNetworkProxy::NoProxy);
}

Transport::~Transport()
{
    close();
}

Completion<HttpAnswer> Transport::send(
    const HttpRequest& request, const QByteArray& prefix, const CancelToken& cancel)
{
    if (m_isClosed || cancel.isCancelled()) {
        const Completion<HttpAnswer> refused;
        refused.fail(cancelled());
        return refused;
    }
    const auto exchange = std::make_shared<Exchange>(*this, request);
    m_exchanges.push_back(exchange);
    exchange->start(*m_manager, prefix, cancel);
    return exchange->completion();
}

void Transport::close()
{
    if (std::exchange(m_isClosed, true))
        return;
    const auto exchanges = std::exchange(m_exchanges, {});
    for (const auto& exchange : exchanges)
        exchange->end(std::unexpected(cancelled()));
    // A signal of a reply may be on the stack.
    m_manager.release()->deleteLater();
    m_closing.cancel();
    for (const auto& exchange : exchanges)
        exchange->deliver();
}

void Transport::forget(Exchange* exchange)
{
    std::erase_if(m_exchanges, [exchange](const auto& each) { return each.get() == exchange; });
}

Result<bool> Transport::adaptVersion(const HttpAnswer& answer, const QByteArray& usedPrefix)
{
    if (answer.status != 400 || !answer.body.contains("client version"))
        return false;
    if (usedPrefix != prefix())
        return true; // Another call has found out meanwhile.

    const auto text
        = QString::fromUtf8(answer.body.first(std::min<qsizetype>(answer.body.size(), 1000)));
    static const QRegularExpression bound(
        u"(Minimum|Maximum) supported API version is ([0-9.]+[0-9])"_s);
    const auto match = bound.match(text);
    const auto theirs
        = match.hasMatch() ? match.captured(2) : QString::fromLatin1(answer.apiVersion);
    const auto ours = u"1.%1 to 1.%2"_s.arg(oldestMinor).arg(newestMinor);
    if (text.contains(u"too old"_s)) {
        const int minor = std::min(newestMinor, minorVersion(theirs));
        if (minor > m_minor && minorVersion(theirs) <= newestMinor) {
            m_minor = minor;
            return true;
        }
        return failure(Kind::Protocol,
            u"this Docker speaks API %1 and newer, this isol8 %2: update isol8"_s.arg(theirs, ours),
            400);
    }
    return failure(Kind::Protocol,
        u"this Docker speaks API %1 and older, isol8 needs %2: update Docker to 20.10 or newer"_s
            .arg(theirs, ours),
        400);
}

Task<HttpAnswer> perform(
    std::shared_ptr<Transport> transport, HttpRequest request, CancelToken cancel)
{
    if (request.target.isEmpty())
        co_return failure(Kind::Invalid, u"a name or id for Docker is empty"_s);
    for (;;) {
        const auto prefix = transport->prefix();
        const auto completion = transport->send(request, prefix, cancel);
        auto answer = co_await completion.wait();
        if (!answer)
            co_return answer;
        if (!transport->isVersionSettled()) {
            const auto isReplaced = transport->adaptVersion(*answer, prefix);
            if (!isReplaced)
                co_return std::unexpected(isReplaced.error());
            if (*isReplaced)
                continue;
            transport->settleVersion();
        }
        // 304: what was asked for is already so.
        if (answer->status >= 300 && answer->status != 304)
            co_return std::unexpected(errorFromAnswer(answer->status, answer->body));
        co_return answer;
    }
}

Task<> settleVersion(std::shared_ptr<Transport> transport, CancelToken cancel)
{
    if (transport->isVersionSettled())
        co_return {};
    HttpRequest request;
    request.target = QByteArrayLiteral("/_ping");
    const auto answer = co_await perform(transport, request, cancel);
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return {};
}

QByteArray makeTarget(const char* pattern, const QString& name, const Query& query)
{
    QByteArray target(pattern);
    if (name.isEmpty() && target.contains('%'))
        return {};
    target.replace("%", QUrl::toPercentEncoding(name));
    char separator = '?';
    for (const auto& [key, value] : query) {
        target += separator + key.toLatin1() + '=' + QUrl::toPercentEncoding(value);
        separator = '&';
    }
    return target;
}

Query labelFilter(const QStringList& labels)
{
    if (labels.isEmpty())
        return {};
    const QJsonObject filters { { u"label"_s, QJsonArray::fromStringList(labels) } };
    return { { u"filters"_s,
        QString::fromUtf8(QJsonDocument(filters).toJson(QJsonDocument::Compact)) } };
}

} // namespace isol8::docker
