// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/remote/serveraddress.h"

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QUrlQuery>

#include <chrono>
#include <functional>

namespace isol8::remote {

constexpr std::chrono::seconds callLimit { 30 };
constexpr qint64 maxAnswerBytes = 16LL << 20;

/// One HTTP request to a server and what its answer may be.
struct HttpCall {
    QByteArray verb = "GET";
    QString path; ///< From the server's own root, percent-encoded: `/session/a`.
    QUrlQuery query;
    QJsonObject body; ///< Of POST.
    qint64 maxBytes = maxAnswerBytes;
    std::chrono::milliseconds limit = callLimit; ///< For the whole call.
    /// Hears how much of a POST's body, or else of the answer, went over.
    std::function<void(qint64 doneBytes, qint64 totalBytes)> progress {};
};

/// The connections to one server and the key it gets. Shared by the engine, its runs and the
/// coroutines of its calls; closed by the engine.
class Connection {
public:
    Connection(ServerAddress address, const QString& key);
    ~Connection();
    Q_DISABLE_COPY_MOVE(Connection)

    [[nodiscard]] const ServerAddress& address() const { return m_address; }
    /// With key and without redirects, cookies and caches.
    [[nodiscard]] QNetworkRequest request(const QString& path, const QUrlQuery& query = {}) const;
    [[nodiscard]] QNetworkAccessManager& manager() { return *m_manager; }

    /// Ends everything under way; later calls end at once.
    void close() { m_closing.cancel(); }
    [[nodiscard]] const CancelToken& closing() const { return m_closing; }

private:
    ServerAddress m_address;
    QByteArray m_authorization;
    CancelToken m_closing;
    std::unique_ptr<QNetworkAccessManager> m_manager;
};

/// The JSON object of a successful answer; every other answer is an Error.
[[nodiscard]] Task<QJsonObject> perform(
    std::shared_ptr<Connection> connection, HttpCall call, CancelToken cancel = {});

} // namespace isol8::remote
