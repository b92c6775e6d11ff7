// SPDX-License-Identifier: MIT
#include "app/serve/metrics.h"

#include <QRegularExpression>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;
using namespace std::chrono_literals;

namespace {

QByteArrayList linesOf(const Metrics& metrics)
{
    return metrics.text().split('\n');
}

ExecutionResult result(Runtime runtime, EndReason reason, std::chrono::microseconds duration)
{
    ExecutionResult made;
    made.runtime = runtime;
    made.ending.reason = reason;
    made.duration = duration;
    return made;
}

} // namespace

class TestMetrics : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void countsRuns();
    void fillsHistograms();
    void countsRequestsByRoute();
    void keepsLabelsBounded();
    void readsGauges();
    void isWellFormed();
};

void TestMetrics::countsRuns()
{
    Metrics metrics;
    metrics.noteRun(result(Runtime::Python, EndReason::Exited, 1ms));
    metrics.noteRun(result(Runtime::Python, EndReason::Exited, 1ms));
    metrics.noteRun(result(Runtime::Node, EndReason::OutOfMemory, 1ms));
    metrics.noteFailure(Runtime::Bash, { Kind::Unreachable, u"secret text"_s });
    const auto lines = linesOf(metrics);
    QVERIFY(lines.contains(R"(isol8_runs_total{runtime="python",outcome="exited"} 2)"));
    QVERIFY(lines.contains(R"(isol8_runs_total{runtime="node",outcome="oom"} 1)"));
    QVERIFY(lines.contains(R"(isol8_runs_total{runtime="bash",outcome="docker-unreachable"} 1)"));
    QVERIFY(!metrics.text().contains("secret text"));
}

void TestMetrics::fillsHistograms()
{
    Metrics metrics;
    metrics.noteRun(result(Runtime::Python, EndReason::Exited, 5ms)); // On a bound.
    metrics.noteRun(result(Runtime::Python, EndReason::Exited, 6ms));
    metrics.noteRun(result(Runtime::Python, EndReason::Exited, 2h)); // Beyond all.
    const auto lines = linesOf(metrics);
    const QByteArray name = "isol8_run_duration_seconds";
    QVERIFY(lines.contains(name + R"(_bucket{runtime="python",le="0.005"} 1)"));
    QVERIFY(lines.contains(name + R"(_bucket{runtime="python",le="0.01"} 2)"));
    QVERIFY(lines.contains(name + R"(_bucket{runtime="python",le="600"} 2)"));
    QVERIFY(lines.contains(name + R"(_bucket{runtime="python",le="+Inf"} 3)"));
    QVERIFY(lines.contains(name + R"(_count{runtime="python"} 3)"));
    QVERIFY(lines.contains(name + R"(_sum{runtime="python"} 7200.011)"));
}

void TestMetrics::countsRequestsByRoute()
{
    Metrics metrics;
    metrics.noteRequest("DELETE", "/session/:id", 200, 1ms);
    metrics.noteRequest("DELETE", "/session/:id", 404, 1ms);
    metrics.noteRequest("GET", {}, 404, 1ms);
    metrics.noteRequest("EVIL\"\n", {}, 12345, 1ms);
    metrics.noteAuthenticationFailure();
    const auto lines = linesOf(metrics);
    const QByteArray name = "isol8_http_requests_total";
    QVERIFY(lines.contains(name + R"({method="DELETE",route="/session/:id",status="200"} 1)"));
    QVERIFY(lines.contains(name + R"({method="DELETE",route="/session/:id",status="404"} 1)"));
    QVERIFY(lines.contains(name + R"({method="GET",route="other",status="404"} 1)"));
    QVERIFY(lines.contains(name + R"({method="other",route="other",status="0"} 1)"));
    QVERIFY(lines.contains("isol8_authentication_failures_total 1"));
}

void TestMetrics::keepsLabelsBounded()
{
    Metrics metrics;
    for (int i = 0; i < 10'000; ++i)
        metrics.noteRequest("M" + QByteArray::number(i), "/r" + QByteArray::number(i), 200, 1ms);
    QCOMPARE(metrics.text().count("isol8_http_requests_total{"), qsizetype(Metrics::maxRoutes) + 1);
    QVERIFY(metrics.text().size() < 200'000);
    QVERIFY(linesOf(metrics).contains(
        R"(isol8_http_requests_total{method="other",route="other",status="200"} 9936)"));
}

void TestMetrics::readsGauges()
{
    Metrics metrics;
    double value = 1;
    metrics.addGauge("isol8_queue_depth", "Waiting.", [&value] { return value; });
    QVERIFY(linesOf(metrics).contains("isol8_queue_depth 1"));
    value = 2.5;
    QVERIFY(linesOf(metrics).contains("isol8_queue_depth 2.5"));
    QVERIFY(linesOf(metrics).contains("# TYPE isol8_queue_depth gauge"));
}

void TestMetrics::isWellFormed()
{
    Metrics metrics;
    metrics.noteRun(result(Runtime::Deno, EndReason::Timeout, 42ms));
    metrics.noteRequest("GET", "/health", 200, 1us);
    metrics.addGauge("isol8_sessions", "Sessions.", [] { return 0; });
    const QString text = QString::fromLatin1(metrics.text());
    QVERIFY(text.endsWith(u'\n'));
    // The text format of Prometheus, version 0.0.4, as far as it is used.
    static const QRegularExpression line(
        uR"(^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [-+.0-9e]+)$)"_s);
    const auto lines = text.chopped(1).split(u'\n');
    for (const QString& each : lines)
        QVERIFY2(line.match(each).hasMatch(), qPrintable(each));
}

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
