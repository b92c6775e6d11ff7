// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace isol8::bench {

/// Durations of the same thing, in milliseconds.
class Samples {
public:
    void add(double milliseconds) { m_values.push_back(milliseconds); }
    [[nodiscard]] bool isEmpty() const { return m_values.empty(); }
    [[nodiscard]] size_t count() const { return m_values.size(); }
    /// 0.5: the median.
    [[nodiscard]] double quantile(double part) const
    {
        if (m_values.empty())
            return 0;
        auto sorted = m_values;
        std::ranges::sort(sorted);
        return sorted.at(std::min(sorted.size() - 1, size_t(part * double(sorted.size()))));
    }
    [[nodiscard]] double median() const { return quantile(0.5); }

private:
    std::vector<double> m_values;
};

class Stopwatch {
public:
    [[nodiscard]] double milliseconds() const
    {
        return std::chrono::duration<double, std::milli>(Clock::now() - m_start).count();
    }
    [[nodiscard]] double seconds() const { return milliseconds() / 1000; }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point m_start = Clock::now();
};

} // namespace isol8::bench
