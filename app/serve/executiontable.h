// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/underway.h"
#include "engine/core/execution.h"
#include "engine/core/task.h"

#include <QHash>

#include <deque>

namespace isol8::serve {

/// The executions that GET /executions/:id knows: those that wait or run, and for some minutes
/// those that have ended. Results but the latest are dropped early when they take much memory.
class ExecutionTable {
public:
    enum class State { Queued, Running, Finished };

    explicit ExecutionTable(std::chrono::milliseconds keepResults);

    /// Notes a new execution; cancelling it goes through @p cancel.
    void add(const QString& id, const QString& tenant, const ExecutionRequest& request,
        const CancelToken& cancel);
    void setRunning(const QString& id);
    void setFinished(const QString& id, const Result<ExecutionResult>& result);

    /// `{id, state, runtime, result? | error?}`; none for unknown ones and another tenant's.
    [[nodiscard]] std::optional<QJsonObject> describe(const QString& id, const QString& tenant);
    /// False for unknown ones and another tenant's; true also when it has ended already.
    [[nodiscard]] bool cancel(const QString& id, const QString& tenant);
    void cancelAll();
    /// Those that wait or run.
    [[nodiscard]] int activeCount() const { return m_active.count(); }
    /// As Underway::whenNone().
    void whenNoneIsActive(const Completion<>& completion) { m_active.whenNone(completion); }
    /// For executions that end from now on.
    void setKeepResults(std::chrono::milliseconds keepResults) { m_keepResults = keepResults; }

private:
    struct Record;
    void dropOld();

    std::chrono::milliseconds m_keepResults;
    QHash<QString, std::shared_ptr<Record>> m_records;
    std::deque<QString> m_finished; ///< Oldest first.
    qint64 m_keptBytes = 0;
    Underway m_active;
};

} // namespace isol8::serve
