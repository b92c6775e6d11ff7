// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/transport.h"

#include <QFile>
#include <QNetworkReply>
#include <QTimer>

#include <optional>

namespace isol8::docker {

/// One request under way: its reply, time limit, bounds and the one who waits. Kept by the
/// Transport until its result is delivered.
class Exchange : public QObject, public std::enable_shared_from_this<Exchange> {
    Q_OBJECT

public:
    Exchange(Transport& transport, HttpRequest request);
    ~Exchange() override;

    void start(QNetworkAccessManager& manager, const QByteArray& prefix, const CancelToken& cancel);
    /// Settles the result (the first one counts) and stops all I/O; it is delivered from the event
    /// loop.
    void end(Result<HttpAnswer> result);
    /// Hands the settled result to the waiter.
    void deliver();
    [[nodiscard]] const Completion<HttpAnswer>& completion() const { return m_completion; }

private:
    [[nodiscard]] QNetworkReply* send(
        QNetworkAccessManager& manager, const QNetworkRequest& request);
    void takeHead();
    void read();
    void finish();
    void restartLimit();
    [[nodiscard]] QString what() const;
    [[nodiscard]] Error networkError() const;

    Transport* m_transport; ///< Null after the end.
    HttpRequest m_request;
    std::unique_ptr<QFile> m_bodyFile;
    QNetworkReply* m_reply = nullptr;
    QTimer m_limit;
    QString m_tlsProblem;
    HttpAnswer m_answer;
    std::optional<Result<HttpAnswer>> m_result;
    Completion<HttpAnswer> m_completion;
    CancelToken::Registration m_cancelRegistration;
};

} // namespace isol8::docker
