// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QElapsedTimer>
#include <QWidget>

#include <deque>

namespace isol8::ui {

/// Processor time and memory of the run that goes on, as two small lines against their limits, with
/// the figures beside them.
class UsageChart : public QWidget {
    Q_OBJECT

public:
    explicit UsageChart(QWidget* parent);

    void begin(const ExecutionOptions& limits);
    void add(const RunUsage& usage);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] qsizetype sampleCount() const { return qsizetype(m_samples.size()); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Sample {
        double cpuShare = 0; ///< Of the limit, 0 to 1.
        double memoryShare = 0;
    };

    void paintLine(
        QPainter& painter, const QRectF& area, double Sample::* value, const QColor& colour) const;

    std::deque<Sample> m_samples;
    ExecutionOptions m_limits;
    RunUsage m_last;
    double m_cores = 0;
    QElapsedTimer m_sinceLast;
};

} // namespace isol8::ui
