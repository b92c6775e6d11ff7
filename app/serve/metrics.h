// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <QByteArray>

#include <functional>
#include <map>
#include <vector>

namespace isol8::serve {

/// Counters of the server, in Prometheus' text format. Labels come from fixed sets only (runtimes,
/// endings, route patterns, status classes), so no client can make the answer grow.
class Metrics {
public:
    Metrics();

    void noteRun(const ExecutionResult& result);
    /// An execution that gave no result.
    void noteFailure(Runtime runtime, const Error& error);

    /// @p route is the pattern from the table of routes (`/session/:id`), never the client's path;
    /// empty for requests without a route. At most maxRoutes different ones are kept apart.
    void noteRequest(const QByteArray& method, const QByteArray& route, int status,
        std::chrono::microseconds duration);

    void noteAuthenticationFailure();

    /// A value that is read at each text(): `isol8_queue_depth`, `isol8_sessions`, … @p name is of
    /// `[a-z0-9_]`.
    void addGauge(const QByteArray& name, const QByteArray& help, std::function<double()> read);

    /// The same for a value that only grows: `isol8_pool_made_total`, …
    void addCounter(const QByteArray& name, const QByteArray& help, std::function<double()> read);

    /// Content type `text/plain; version=0.0.4; charset=utf-8`.
    [[nodiscard]] QByteArray text() const;

    static constexpr size_t maxRoutes = 64;

private:
    struct Histogram {
        std::vector<qint64> counts; ///< One a bound, and one beyond the last.
        double sum = 0;
        qint64 count = 0;
        void note(double seconds);
    };
    struct Gauge {
        QByteArray name;
        QByteArray help;
        std::function<double()> read;
        const char* type = "gauge";
    };
    using Labels = QByteArray;

    void writeHistograms(QByteArray& out, const QByteArray& name, const QByteArray& help,
        const std::map<Labels, Histogram>& histograms) const;

    std::map<Labels, qint64> m_runs;
    std::map<Labels, Histogram> m_runDurations;
    std::map<Labels, Histogram> m_queueTimes;
    std::map<Labels, qint64> m_requests;
    std::map<Labels, Histogram> m_requestDurations;
    std::vector<QByteArray> m_routes;
    std::vector<Gauge> m_gauges;
    qint64 m_authenticationFailures = 0;
};

} // namespace isol8::serve
