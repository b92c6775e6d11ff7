// SPDX-License-Identifier: MIT
#include "ui/output/usagechart.h"

#include "ui/run/runsentences.h"

#include <QLocale>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr size_t maxSamples = 120;
constexpr int chartWidth = 72;
constexpr int gap = 8;

const QColor cpuColour(0x2f81f7);
const QColor memoryColour(0xbf5af2);

} // namespace

UsageChart::UsageChart(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("usageChart"));
    setAccessibleName(tr("Processor and memory"));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void UsageChart::begin(const ExecutionOptions& limits)
{
    m_samples.clear();
    m_limits = limits;
    m_last = {};
    m_cores = 0;
    m_sinceLast.start();
    update();
}

void UsageChart::add(const RunUsage& usage)
{
    const auto passed
        = std::max(m_sinceLast.durationElapsed(), std::chrono::nanoseconds(1'000'000));
    m_sinceLast.start();
    // Reports that were held up come together; no run uses more than its limit.
    m_cores = std::clamp(std::chrono::duration<double>(usage.cpuTime - m_last.cpuTime)
            / std::chrono::duration<double>(passed),
        0.0, m_limits.cpuLimit);
    m_last = usage;
    m_samples.push_back({ std::clamp(m_cores / m_limits.cpuLimit, 0.0, 1.0),
        std::clamp(double(usage.memoryBytes) / double(m_limits.memoryLimitBytes), 0.0, 1.0) });
    if (m_samples.size() > maxSamples)
        m_samples.pop_front();
    const auto text
        = tr("CPU %1 of %2 cores, memory %3 of %4")
              .arg(QLocale().toString(m_cores, 'f', 2), QLocale().toString(m_limits.cpuLimit),
                  bytesText(usage.memoryBytes), bytesText(m_limits.memoryLimitBytes));
    setToolTip(text);
    setAccessibleDescription(text);
    update();
}

QSize UsageChart::sizeHint() const
{
    const int text = fontMetrics().horizontalAdvance(tr("CPU %1%").arg(100))
        + fontMetrics().horizontalAdvance(bytesText(1023LL << 20));
    return { text + (chartWidth + gap) * 2 + gap, fontMetrics().height() + 6 };
}

void UsageChart::paintLine(
    QPainter& painter, const QRectF& area, double Sample::* value, const QColor& colour) const
{
    painter.setPen(Qt::NoPen);
    auto ground = palette().color(QPalette::Mid);
    ground.setAlpha(90);
    painter.setBrush(ground);
    painter.drawRoundedRect(area, 3, 3);
    if (m_samples.empty())
        return;
    const auto inner = area.adjusted(1, 2, -1, -1);
    const double step = inner.width() / double(maxSamples - 1);
    double x = inner.right() - step * double(m_samples.size() - 1);
    QPainterPath line;
    for (size_t i = 0; i < m_samples.size(); ++i, x += step) {
        const QPointF point(x, inner.bottom() - m_samples[i].*value * inner.height());
        if (i == 0)
            line.moveTo(point);
        else
            line.lineTo(point);
    }
    auto below = line;
    below.lineTo(inner.right(), inner.bottom());
    below.lineTo(inner.right() - step * double(m_samples.size() - 1), inner.bottom());
    auto fill = colour;
    fill.setAlpha(60);
    painter.fillPath(below, fill);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colour, 1.5));
    painter.drawPath(line);
}

void UsageChart::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const auto draw
        = [&](double left, const QString& text, double Sample::* value, const QColor& colour) {
              const QRectF chart(left, 1, chartWidth, height() - 2);
              paintLine(painter, chart, value, colour);
              painter.setPen(palette().color(QPalette::WindowText));
              const double width = fontMetrics().horizontalAdvance(text);
              painter.drawText(QRectF(chart.right() + gap / 2.0, 0, width + gap, height()),
                  Qt::AlignVCenter, text);
              return chart.right() + width + gap * 2;
          };
    const auto cpu = tr("CPU %1%").arg(int(m_cores * 100 + 0.5));
    const double next = draw(0, cpu, &Sample::cpuShare, cpuColour);
    draw(next, bytesText(m_last.memoryBytes), &Sample::memoryShare, memoryColour);
}

} // namespace isol8::ui
