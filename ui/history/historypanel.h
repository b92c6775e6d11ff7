// SPDX-License-Identifier: MIT
#pragma once

#include "ui/history/historystore.h"

#include <QWidget>

#include <functional>

class QLineEdit;
class QPushButton;
class QTableView;

namespace isol8::ui {

class HistoryModel;

/// Past runs: to find, to open again, to run again and to compare.
class HistoryPanel : public QWidget {
    Q_OBJECT

public:
    HistoryPanel(HistoryStore& store, QWidget* parent);

    [[nodiscard]] QTableView* view() const { return m_view; }

Q_SIGNALS:
    void openRequested(const isol8::ui::HistoryDetails& run);
    void runRequested(const isol8::ui::HistoryDetails& run);
    void compareRequested(
        const isol8::ui::HistoryDetails& older, const isol8::ui::HistoryDetails& newer);
    void failed(const QString& sentence);

private:
    [[nodiscard]] QList<qint64> selectedIds() const;
    void updateButtons();
    void act(const std::function<void(const HistoryDetails&)>& what);
    void compare();
    void askToClear();

    HistoryStore& m_store;
    HistoryModel* m_model;
    QLineEdit* m_search;
    QTableView* m_view;
    QPushButton* m_open;
    QPushButton* m_run;
    QPushButton* m_compare;
    QPushButton* m_remove;
};

} // namespace isol8::ui
