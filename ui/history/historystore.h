// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "ui/run/runjob.h"

#include <QDateTime>
#include <QObject>

namespace isol8::ui {

/// A run that is over.
struct HistoryEntry {
    qint64 id = 0;
    QDateTime startedAt;
    QString title;
    QString sourcePath;
    QString targetName;
    Runtime runtime = Runtime::Python;
    QString ending; ///< The sentence that was shown.
    bool isGood = false;
    int exitCode = 0;
    std::chrono::microseconds duration {};
    std::chrono::microseconds cpuTime {};
    qint64 peakMemoryBytes = 0;
};

/// What a list does not need.
struct HistoryDetails {
    HistoryEntry entry;
    QString code;
    QString output; ///< Its end, where it was long.
    RunSettings settings; ///< Without secrets.
};

/// Past runs in an SQLite file, readable by its owner alone. Values of secrets are masked before
/// anything is written. The oldest runs go when the file's content gets larger than the limit.
/// Owned by Services; a file that cannot be used costs the history and nothing else.
class HistoryStore : public QObject {
    Q_OBJECT

public:
    explicit HistoryStore(const QString& path);
    ~HistoryStore() override;

    /// Why there is no history; empty when there is one.
    [[nodiscard]] const QString& problem() const { return m_problem; }
    void setLimit(qint64 bytes);

    void add(const RunJob& job, const Result<ExecutionResult>& result, const QString& output);
    /// The newest ones whose title, code or output holds @p text; all for an empty one.
    [[nodiscard]] QList<HistoryEntry> find(const QString& text, int most) const;
    [[nodiscard]] Result<HistoryDetails> details(qint64 id) const;
    void remove(const QList<qint64>& ids);
    void clear();
    [[nodiscard]] qint64 contentBytes() const;

Q_SIGNALS:
    void changed();

private:
    void open(const QString& path);
    void dropOldest();

    QString m_connection; ///< QSqlDatabase's name of it.
    QString m_problem;
    qint64 m_limit = 64LL << 20;
};

} // namespace isol8::ui
