// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/clientpolicy.h"
#include "app/serve/service.h"

#include <QObject>

namespace isol8::serve {

/// One execution of a client, from its place in the queue to its end. Input and wishes that come
/// before the sandbox is there are kept. Shared by its handler and its coroutine.
class ExecutionDriver : public QObject {
    Q_OBJECT

public:
    ExecutionDriver(std::shared_ptr<Service> service, Principal principal, ExecuteCall call);
    ~ExecutionDriver() override;

    [[nodiscard]] const QString& id() const { return m_id; } ///< UUID
    [[nodiscard]] const CancelToken& cancelToken() const { return m_cancel; }
    /// Why the server cancels it; empty: it does not.
    [[nodiscard]] const QString& cancelReason() const { return m_service->cancelReason; }

    /// Ends it, wherever it is; a run that had begun still gives its result.
    void cancel();

    // As Run has them.
    void writeStdin(const QByteArray& bytes);
    void closeStdin();
    [[nodiscard]] qint64 pendingStdinBytes() const;
    void sendSignal(int number);
    void resizeTerminal(int rows, int columns);
    void setOutputPaused(bool isPaused);

    /// Waits for its turn and runs; once. Errors carry the status for the client.
    [[nodiscard]] static Task<ExecutionResult> perform(std::shared_ptr<ExecutionDriver> driver);

Q_SIGNALS:
    /// The sandbox is there.
    void started();
    void outputReceived(isol8::Channel channel, const QByteArray& bytes, isol8::Phase phase);

private:
    struct Steps;
    void begin(const QString& engineSession);

    std::shared_ptr<Service> m_service;
    Principal m_principal;
    ExecuteCall m_call;
    QString m_id;
    CancelToken m_cancel;
    std::unique_ptr<Run> m_run;
    QByteArray m_earlyStdin;
    bool m_isStdinClosed = false;
    bool m_isOutputPaused = false;
};

} // namespace isol8::serve
