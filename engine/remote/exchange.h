// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/remote/connection.h"

#include <QNetworkReply>
#include <QPointer>
#include <QTimer>

namespace isol8::remote {

struct HttpAnswer {
    int status = 0;
    QByteArray body;
    QByteArray retryAfter;
    QByteArray location;
};

/// One request under way. Keeps itself until it has delivered, which it does from the event loop.
class Exchange : public QObject, public std::enable_shared_from_this<Exchange> {
    Q_OBJECT

public:
    /// An answer of any status is a success here.
    [[nodiscard]] static Completion<HttpAnswer> start(const std::shared_ptr<Connection>& connection,
        const HttpCall& call, const CancelToken& cancel);

    Exchange(const std::shared_ptr<Connection>& connection, const HttpCall& call);
    ~Exchange() override;

private:
    void begin(const CancelToken& cancel);
    void read();
    void finish();
    void end(Result<HttpAnswer> result); ///< The first one counts.

    std::shared_ptr<Connection> m_connection;
    HttpCall m_call;
    QPointer<QNetworkReply> m_reply;
    QTimer m_limit;
    QString m_tlsProblem;
    HttpAnswer m_answer;
    bool m_isEnded = false;
    Completion<HttpAnswer> m_completion;
    std::shared_ptr<Exchange> m_self; ///< Until the end.
    CancelToken::Registration m_byCaller;
    CancelToken::Registration m_byOwner;
};

/// What is wrong with a certificate, for people.
[[nodiscard]] QString tlsProblem(const QList<QSslError>& errors);

} // namespace isol8::remote
