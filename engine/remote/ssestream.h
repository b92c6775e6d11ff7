// SPDX-License-Identifier: MIT
#pragma once

#include "engine/remote/eventreader.h"
#include "engine/remote/eventstream.h"

#include <QNetworkReply>
#include <QPointer>

namespace isol8::remote {

/// POST /execute/stream: events only, no way to the program.
class SseStream final : public EventStream {
    Q_OBJECT

public:
    explicit SseStream(std::shared_ptr<Connection> connection);
    ~SseStream() override;

    void start(const QJsonObject& execution) override;
    void send(const QJsonObject& message) override;
    [[nodiscard]] bool canSend() const override { return false; }
    [[nodiscard]] qint64 pendingBytes() const override { return 0; }
    void setPaused(bool isPaused) override;

private:
    void checkHead();
    void read();
    void finish();
    void end(const Error& reason);

    std::shared_ptr<Connection> m_connection;
    std::unique_ptr<QIODevice> m_body;
    QPointer<QNetworkReply> m_reply;
    QString m_tlsProblem;
    EventReader m_reader;
    QByteArray m_failure; ///< The body of an answer that is no stream.
    bool m_isOpen = false;
    bool m_isPaused = false;
    bool m_isFinished = false;
    bool m_isEnded = false;
};

} // namespace isol8::remote
