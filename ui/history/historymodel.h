// SPDX-License-Identifier: MIT
#pragma once

#include "ui/history/historystore.h"

#include <QAbstractTableModel>

namespace isol8::ui {

/// The newest past runs that match a search.
class HistoryModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { When, Title, Ending, Took, Where, ColumnCount };

    HistoryModel(const HistoryStore& store, QObject* parent);

    void search(const QString& text);
    void reload();
    [[nodiscard]] const HistoryEntry& entry(int row) const { return m_entries[row]; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(
        int section, Qt::Orientation orientation, int role) const override;

private:
    const HistoryStore& m_store;
    QString m_search;
    QList<HistoryEntry> m_entries;
};

} // namespace isol8::ui
