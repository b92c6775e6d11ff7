// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/task.h"
#include "engine/docker/endpoint.h"

#include <QIODevice>

#include <optional>

class QAbstractSocket;
class QLocalSocket;

namespace isol8::docker {

/// One byte connection to an endpoint, whatever its transport. Signals never come from within
/// open(). To be released with deleteLater() where one of its signals may be on the stack.
class EndpointSocket : public QObject {
    Q_OBJECT

public:
    explicit EndpointSocket(Endpoint endpoint);
    ~EndpointSocket() override;

    void open();
    /// Ends the connection without a further signal.
    void abort();
    /// To write to, and to read from, also after closed().
    [[nodiscard]] QIODevice& device() const { return *m_device; }
    /// Set once connecting has failed or the connection has ended.
    [[nodiscard]] const std::optional<Error>& closeReason() const { return m_closeReason; }

Q_SIGNALS:
    void opened();
    void readyRead();
    void bytesWritten(qint64 bytes);
    /// Connecting failed, or the connection has ended. Once.
    void closed();

private:
    void connectLocal();
    void connectRemote();
    void succeed();
    void fail(Error reason);

    Endpoint m_endpoint;
    QLocalSocket* m_local = nullptr;
    QAbstractSocket* m_remote = nullptr;
    QIODevice* m_device = nullptr;
    bool m_isOpen = false;
    std::optional<Error> m_closeReason;
};

} // namespace isol8::docker
