// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonArray>
#include <QString>

#include <optional>

namespace isol8::bench {

/// Collects the rows of the table, and every wrong answer.
class Report {
public:
    struct Row {
        QString name {};
        double value = 0;
        QString unit {};
        QString reference {}; ///< What `referenceValue` is of; empty: none.
        double referenceValue = 0;
        QString goal {}; ///< As the issue says it; empty: none.
        std::optional<bool> isReached {};
    };

    void add(Row row);
    /// With a goal for value / reference.
    void addRatio(Row row, double greatestRatio);
    /// A wrong answer: the whole bench has failed.
    void fail(const QString& what);

    [[nodiscard]] bool hasFailed() const { return !m_failures.isEmpty(); }
    [[nodiscard]] QString table() const;
    [[nodiscard]] QByteArray json() const;

private:
    QList<Row> m_rows;
    QStringList m_failures;
};

} // namespace isol8::bench
