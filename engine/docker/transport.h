// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/docker/endpoint.h"

#include <QByteArray>
#include <QNetworkAccessManager>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace isol8::docker {

/// One HTTP request to Docker.
struct HttpRequest {
    /// What a time limit is counted from.
    enum class LimitKind { Total, Silence };

    QByteArray verb = QByteArrayLiteral("GET");
    QByteArray
        target; ///< Path and query, percent-encoded, below the version: `/containers/json?all=1`.
    QByteArray body;
    QByteArray contentType;
    QString bodyPath; ///< A file to send instead of body.
    qint64 maxAnswerBytes = 64LL << 20;
    std::chrono::milliseconds limit = std::chrono::seconds(60); ///< Zero: none.
    LimitKind limitKind = LimitKind::Total;
    /// Gets the body of a successful answer piece by piece instead of HttpAnswer::body; an Error
    /// ends the call.
    std::function<Result<>(const QByteArray&)> sink;
    /// Called when the head of a successful answer has come, before its body.
    std::function<void()> opened;
};

struct HttpAnswer {
    int status = 0;
    QByteArray body;
    QByteArray apiVersion; ///< The newest that the daemon speaks; empty where it does not say.
};

class Exchange;

/// The connections to one daemon and what has been learned about its API version. Held by the
/// Client and by the coroutines of its calls. Results are delivered from the event loop, never from
/// within a call here, except by close().
class Transport {
public:
    explicit Transport(Endpoint endpoint);
    ~Transport();
    Q_DISABLE_COPY_MOVE(Transport)

    [[nodiscard]] const Endpoint& endpoint() const { return m_endpoint; }

    /// Sends as is, @p prefix before the target. An answer of any status is a success here.
    [[nodiscard]] Completion<HttpAnswer> send(
        const HttpRequest& request, const QByteArray& prefix, const CancelToken& cancel);

    /// Ends everything under way with Kind::Cancelled, at once; later calls end so too.
    void close();
    /// Cancelled by close().
    [[nodiscard]] const CancelToken& closing() const { return m_closing; }

    // The API version: the oldest one that both sides speak, since that is what isol8 was written
    // for.
    [[nodiscard]] QByteArray prefix() const { return "/v1." + QByteArray::number(m_minor); }
    [[nodiscard]] bool isVersionSettled() const { return m_isVersionSettled; }
    void settleVersion() { m_isVersionSettled = true; }
    // With Docker 20.10 to 28 that costs no call at all; newer ones refuse the first request once.
    /// What to do about @p answer: true when a refused version was replaced and the request should
    /// be repeated, false when it was not about versions; else the sentence with both sides'
    /// versions.
    [[nodiscard]] Result<bool> adaptVersion(const HttpAnswer& answer, const QByteArray& usedPrefix);

    static constexpr int oldestMinor = 41; ///< Docker 20.10.
    static constexpr int newestMinor = 51; ///< Docker 28.3, the newest that was tested.

private:
    friend class Exchange;
    void forget(Exchange* exchange);

    Endpoint m_endpoint;
    CancelToken m_closing;
    bool m_isClosed = false;
    int m_minor = oldestMinor;
    bool m_isVersionSettled = false;
    std::unique_ptr<QNetworkAccessManager> m_manager;
    std::vector<std::shared_ptr<Exchange>> m_exchanges;
};

/// Sends @p request with the right API version and turns answers that are no success into Errors.
[[nodiscard]] Task<HttpAnswer> perform(
    std::shared_ptr<Transport> transport, HttpRequest request, CancelToken cancel);

/// Makes sure that the version is known, for requests that cannot be repeated.
[[nodiscard]] Task<> settleVersion(std::shared_ptr<Transport> transport, CancelToken cancel);

using Query = QList<std::pair<QString, QString>>;
/// @p pattern with `%` replaced by the percent-encoded @p name, and @p query after it. Empty, which
/// perform() refuses, when a name is needed and empty.
[[nodiscard]] QByteArray makeTarget(
    const char* pattern, const QString& name, const Query& query = {});
/// The value of a `filters` parameter that asks for @p labels; empty for none.
[[nodiscard]] Query labelFilter(const QStringList& labels);

} // namespace isol8::docker
