// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>

#include <memory>

namespace isol8::tests {

/// What a server answered.
struct HttpReply {
    int status = 0; ///< 0: none came.
    QByteArray body;
    QByteArray contentType;
    QByteArray retryAfter;

    [[nodiscard]] QJsonObject json() const;
    [[nodiscard]] QString error() const; ///< The JSON's.
};

/// Asks a server of this machine with a key.
class HttpClient {
public:
    HttpClient(quint16 port, QByteArray key);

    /// Waits for the answer, two minutes at most.
    [[nodiscard]] HttpReply get(const QString& path);
    [[nodiscard]] HttpReply post(const QString& path, const QJsonObject& body);
    [[nodiscard]] HttpReply remove(const QString& path);
    [[nodiscard]] HttpReply send(const QByteArray& method, const QString& path,
        const QByteArray& body, const QByteArray& contentType = "application/json");

    /// Does not wait.
    [[nodiscard]] std::unique_ptr<QNetworkReply> begin(const QByteArray& method,
        const QString& path, const QByteArray& body = {},
        const QByteArray& contentType = "application/json");
    [[nodiscard]] static HttpReply finish(QNetworkReply& reply);

    [[nodiscard]] QNetworkRequest request(const QString& path, const QString& scheme) const;

private:
    quint16 m_port;
    QByteArray m_key;
    QNetworkAccessManager m_manager;
};

/// `{request: {…}}` in bytes.
[[nodiscard]] QByteArray executeBody(const QJsonObject& request, const QString& sessionId = {});

} // namespace isol8::tests
