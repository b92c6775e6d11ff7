// SPDX-License-Identifier: MIT
#include "app/serve/metrics.h"

#include "engine/core/names.h"

#include <array>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

/// Upper bounds in seconds: from a warm run to the longest usual time limit.
constexpr std::array bounds { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 300.0, 600.0 };

constexpr QByteArrayView otherRoute = "other";

double secondsOf(std::chrono::microseconds time)
{
    return std::chrono::duration<double>(time).count();
}

/// The label of an execution that gave no result.
QByteArray failureName(const Error& error)
{
    switch (error.kind) {
    case Kind::Cancelled:
        return "cancelled";
    case Kind::Timeout:
        return "queue-timeout";
    case Kind::Invalid:
    case Kind::Denied:
    case Kind::NotFound:
    case Kind::Conflict:
        return "refused";
    case Kind::Limit:
        return "limit";
    case Kind::Unreachable:
        return "docker-unreachable";
    case Kind::Protocol:
    case Kind::Internal:
        break;
    }
    return "error";
}

/// The method if it is one that the server knows.
QByteArray methodLabel(const QByteArray& method)
{
    static const QList<QByteArray> known { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS" };
    return known.contains(method) ? method : QByteArray("other");
}

QByteArray label(QByteArrayView name, QByteArrayView value)
{
    return QByteArray().append(name).append("=\"").append(value).append('"');
}

QByteArray number(double value)
{
    return QByteArray::number(value, 'g', QLocale::FloatingPointShortest);
}

void writeHead(QByteArray& out, const QByteArray& name, const QByteArray& help, const char* type)
{
    out += "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
}

void writeCounters(QByteArray& out, const QByteArray& name, const QByteArray& help,
    const std::map<QByteArray, qint64>& counters)
{
    writeHead(out, name, help, "counter");
    for (const auto& [labels, count] : counters)
        out += name + '{' + labels + "} " + QByteArray::number(count) + '\n';
}

} // namespace

Metrics::Metrics() = default;

void Metrics::Histogram::note(double seconds)
{
    counts.resize(bounds.size() + 1);
    const auto bound = std::ranges::lower_bound(bounds, seconds);
    ++counts[size_t(bound - bounds.begin())];
    sum += seconds;
    ++count;
}

void Metrics::noteRun(const ExecutionResult& result)
{
    const QByteArray runtime = label("runtime", runtimeName(result.runtime).toLatin1());
    const QByteArray outcome = reasonName(result.ending.reason).toLatin1();
    ++m_runs[runtime + ',' + label("outcome", outcome)];
    m_runDurations[runtime].note(secondsOf(result.duration));
    m_queueTimes[runtime].note(secondsOf(result.phases.queue));
}

void Metrics::noteFailure(Runtime runtime, const Error& error)
{
    ++m_runs[label("runtime", runtimeName(runtime).toLatin1()) + ','
        + label("outcome", failureName(error))];
}

void Metrics::noteRequest(const QByteArray& method, const QByteArray& route, int status,
    std::chrono::microseconds duration)
{
    QByteArrayView kept = route;
    if (!std::ranges::contains(m_routes, route)) {
        if (route.isEmpty() || m_routes.size() >= maxRoutes)
            kept = otherRoute;
        else
            m_routes.push_back(route);
    }
    const int statusLabel = status >= 100 && status <= 599 ? status : 0;
    const QByteArray labels = label("method", methodLabel(method)) + ',' + label("route", kept);
    ++m_requests[labels + ',' + label("status", QByteArray::number(statusLabel))];
    m_requestDurations[label("route", kept)].note(secondsOf(duration));
}

void Metrics::noteAuthenticationFailure()
{
    ++m_authenticationFailures;
}

void Metrics::addGauge(const QByteArray& name, const QByteArray& help, std::function<double()> read)
{
    m_gauges.push_back({ name, help, std::move(read) });
}

void Metrics::addCounter(
    const QByteArray& name, const QByteArray& help, std::function<double()> read)
{
    m_gauges.push_back({ name, help, std::move(read), "counter" });
}

void Metrics::writeHistograms(QByteArray& out, const QByteArray& name, const QByteArray& help,
    const std::map<Labels, Histogram>& histograms) const
{
    writeHead(out, name, help, "histogram");
    for (const auto& [labels, histogram] : histograms) {
        qint64 below = 0;
        for (size_t i = 0; i < bounds.size(); ++i) {
            below += histogram.counts[i];
            out += name + "_bucket{" + labels + ',' + label("le", number(bounds[i])) + "} "
                + QByteArray::number(below) + '\n';
        }
        const QByteArray count = QByteArray::number(histogram.count);
        out += name + "_bucket{" + labels + ",le=\"+Inf\"} " + count + '\n';
        out += name + "_sum{" + labels + "} " + number(histogram.sum) + '\n';
        out += name + "_count{" + labels + "} " + count + '\n';
    }
}

QByteArray Metrics::text() const
{
    QByteArray out;
    writeHead(out, "isol8_build_info", "The version of the server.", "gauge");
    out += "isol8_build_info{version=\"" ISOL8_VERSION "\"} 1\n";
    writeCounters(out, "isol8_runs_total", "Executions by runtime and how they ended.", m_runs);
    writeHistograms(out, "isol8_run_duration_seconds", "Time of install, setup and run together.",
        m_runDurations);
    writeHistograms(out, "isol8_queue_wait_seconds", "Time that executions waited for their turn.",
        m_queueTimes);
    writeCounters(out, "isol8_http_requests_total", "Requests by route and status.", m_requests);
    writeHistograms(out, "isol8_http_request_duration_seconds",
        "Time from the head of a request to the end of its answer.", m_requestDurations);
    writeHead(out, "isol8_authentication_failures_total", "Requests with a wrong key.", "counter");
    out += "isol8_authentication_failures_total " + QByteArray::number(m_authenticationFailures)
        + '\n';
    for (const auto& gauge : m_gauges) {
        writeHead(out, gauge.name, gauge.help, gauge.type);
        out += gauge.name + ' ' + number(gauge.read()) + '\n';
    }
    return out;
}

} // namespace isol8::serve
