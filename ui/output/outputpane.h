// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "ui/output/outputview.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QLineEdit;
class QProgressBar;
class QToolButton;

namespace isol8::ui {

class RunController;
struct RunJob;
class UsageChart;

/// The output of the window's run with all that belongs to it: how long it has run, its use of
/// resources, search, standard input, and in words how it ended.
class OutputPane : public QWidget {
    Q_OBJECT

public:
    OutputPane(RunController* runs, QWidget* parent);

    [[nodiscard]] OutputView* view() const { return m_view; }
    void openSearch();
    void applyIcons();
    /// Whether the run takes standard input while it runs.
    void setInputVisible(bool isVisible);

Q_SIGNALS:
    void failed(const QString& sentence);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    QWidget* makeHeader();
    QWidget* makeSearchRow();
    QWidget* makeInputRow();
    void begin(const RunJob& job);
    void end(const Result<ExecutionResult>& result);
    void showTime();
    void sendInput();
    void endInput();
    void search(SearchDirection direction);
    void saveAll();

    RunController* m_runs;
    OutputView* m_view;
    QLabel* m_status;
    QProgressBar* m_time;
    UsageChart* m_usage;
    QToolButton* m_follow;
    QList<std::pair<QToolButton*, QString>> m_buttons;
    QWidget* m_searchRow;
    QLineEdit* m_searchText;
    QLabel* m_searchMessage;
    QWidget* m_inputRow;
    QLineEdit* m_input;
    QTimer m_clock;
};

} // namespace isol8::ui
