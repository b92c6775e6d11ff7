// SPDX-License-Identifier: MIT
#pragma once

#include "ui/history/historystore.h"
#include "ui/history/linediff.h"

#include <QPlainTextEdit>

namespace isol8::ui {

/// Two runs' output side by side, scrolled together, with what differs marked by colour and sign.
class ComparePage : public QWidget {
    Q_OBJECT

public:
    ComparePage(const HistoryDetails& older, const HistoryDetails& newer, const QFont& font,
        QWidget* parent);

    [[nodiscard]] int differences() const { return m_differences; }

private:
    QPlainTextEdit* makeSide(const QString& name, const QStringList& lines,
        const QList<DiffRow>& rows, qsizetype DiffRow::* side, const QFont& font);

    int m_differences = 0;
};

} // namespace isol8::ui
