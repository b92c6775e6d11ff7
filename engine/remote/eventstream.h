// SPDX-License-Identifier: MIT
#pragma once

#include "engine/remote/connection.h"

#include <QObject>

namespace isol8::remote {

/// The events of one execution on their way from the server. Owned by its RemoteRun; destroying it
/// closes the connection, which cancels the execution. Signals come on the event loop only.
class EventStream : public QObject {
    Q_OBJECT

public:
    /// Begins; @p execution is the `{request, options, sessionId?}` of http-api.md.
    virtual void start(const QJsonObject& execution) = 0;
    /// Another message to the server; dropped where there is no way back.
    virtual void send(const QJsonObject& message) = 0;
    [[nodiscard]] virtual bool canSend() const = 0;
    [[nodiscard]] virtual qint64 pendingBytes() const = 0;
    /// While paused nothing is read; memory here stays below some maxEventBytes.
    virtual void setPaused(bool isPaused) = 0;

Q_SIGNALS:
    /// The server has taken the execution.
    void opened();
    /// The JSON of one event.
    void eventReceived(const QByteArray& json);
    void bytesSent();
    /// The last signal: nothing more comes, and why.
    void ended(const isol8::Error& reason);

protected:
    using QObject::QObject;
};

} // namespace isol8::remote
