// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QAbstractTableModel>
#include <QStringList>

namespace isol8::ui {

/// A text of comma- (semicolon-, tab-) separated values, RFC 4180. Bounded in rows and columns.
struct CsvText {
    QList<QStringList> rows;
    qsizetype columns = 0;
    bool isCut = false; ///< There is more than is kept.

    [[nodiscard]] static CsvText parse(const QString& text);
};

/// A CsvText for a view; its first row is the header.
class CsvTableModel : public QAbstractTableModel {
    Q_OBJECT

public:
    CsvTableModel(CsvText text, QObject* parent);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(
        int section, Qt::Orientation orientation, int role) const override;

private:
    CsvText m_text;
};

} // namespace isol8::ui
