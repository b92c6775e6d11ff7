// SPDX-License-Identifier: MIT
// `isol8 serve` with a pool: latency, throughput, streams.
#include "tests/bench/bench.h"

#include "engine/core/names.h"
#include "tests/bench/httpclient.h"
#include "tests/support/serverprocess.h"

#include <QJsonDocument>
#include <QTest>
#include <QThread>

#include <atomic>
#include <thread>

namespace isol8::bench {

using namespace Qt::StringLiterals;
using isol8::tests::ServerProcess;

namespace {

constexpr qint64 streamedBytes = 200LL << 20;
/// What a client thinks between two requests of the latency rows, in milliseconds.
constexpr int thinkTime = 100;

QByteArray bodyOf(const QJsonObject& request, const QJsonObject& options = {})
{
    return QJsonDocument(QJsonObject { { u"request"_s, request }, { u"options"_s, options } })
        .toJson(QJsonDocument::Compact);
}

QByteArray smallestBody(const Smallest& program)
{
    return bodyOf({ { u"code"_s, QString::fromLatin1(program.code) },
        { u"runtime"_s, runtimeName(program.runtime) } });
}

ServerProcess::Options pooled(const QString& strategy)
{
    ServerProcess::Options options;
    options.config
        = { { u"poolStrategy"_s, strategy }, { u"maxConcurrent"_s, 16 }, { u"poolSize"_s, 2 },
              { u"serve"_s, QJsonObject { { u"maxSessions"_s, 1000 }, { u"maxQueue"_s, 1000 } } } };
    return options;
}

/// One request whose answer has to be right.
double timeRequest(Bench& bench, HttpClient& client, const QByteArray& body)
{
    const Stopwatch watch;
    const auto answer = client.post("/execute", body);
    const double time = watch.milliseconds();
    if (!answer.contains(R"("stdout":"1")") || !answer.contains(R"("exitCode":0)"))
        bench.report.fail(u"the server answered "_s + QString::fromUtf8(answer.left(300)));
    return time;
}

void benchLatency(Bench& bench, const QString& strategy)
{
    ServerProcess server(pooled(strategy));
    if (!server.start()) {
        bench.report.fail(u"the server does not start"_s);
        return;
    }
    HttpClient client(server.port());
    // Each run's sandbox is made anew with `secure`: a client that pauses finds the next one ready.
    const int pause = bench.isShort ? 0 : strategy == "fast"_L1 ? thinkTime : 6 * thinkTime;
    for (const auto& program : smallestPrograms()) {
        const auto body = smallestBody(program);
        for (int i = 0; i < bench.times(5); ++i) {
            (void)timeRequest(bench, client, body);
            think(bench.isShort ? 0 : 6 * thinkTime);
        }
        const auto warm = [&] {
            think(pause);
            return timeRequest(bench, client, body);
        };
        const auto native
            = [&] { return timeCommand(bench, nativeCommand(bench, program), "1\n"); };
        const auto samples = inTurn(bench.times(60), { native, warm });
        const auto name = u"server, %1, warm, %2"_s.arg(strategy, runtimeName(program.runtime));
        Report::Row row { name + u", p50"_s, samples[1].median(), u"ms"_s, u"native start"_s,
            samples[0].median() };
        const bool isFast = strategy == "fast"_L1;
        if (isFast && program.runtime == Runtime::Python) {
            bench.report.addRatio(row, 0.6);
        } else if (isFast && program.runtime == Runtime::Node) {
            bench.report.addRatio(row, 0.35);
        } else {
            if (isFast && program.runtime == Runtime::Bash) {
                row.goal = u"≤ 3 ms"_s;
                row.isReached = row.value <= 3;
            }
            bench.report.add(row);
        }
        bench.report.addRatio({ name + u", p95"_s, samples[1].quantile(0.95), u"ms"_s, u"p50"_s,
                                  samples[1].median() },
            2);
    }
    bench.report.add({ u"server, %1, idle with a warm pool, resident"_s.arg(strategy),
        double(server.residentBytes()) / (1 << 20), u"MB"_s, {}, 0, u"≤ 30 MB"_s,
        server.residentBytes() <= 30LL << 20 });
    if (server.terminate() != 0)
        bench.report.fail(u"the server did not end well: "_s + QString::fromUtf8(server.log()));
}

/// `secure` beside `fast`, each on its own server, in turn.
void benchStrategies(Bench& bench)
{
    ServerProcess fast(pooled(u"fast"_s));
    ServerProcess secure(pooled(u"secure"_s));
    if (!fast.start() || !secure.start()) {
        bench.report.fail(u"a server does not start"_s);
        return;
    }
    HttpClient fastClient(fast.port());
    HttpClient secureClient(secure.port());
    const auto body = smallestBody(smallestPrograms().constFirst());
    const auto ask = [&](HttpClient& client) {
        think(bench.isShort ? 0 : 3 * thinkTime);
        return timeRequest(bench, client, body);
    };
    for (int i = 0; i < bench.times(5); ++i) {
        (void)ask(fastClient);
        (void)ask(secureClient);
    }
    const auto samples = inTurn(
        bench.times(60), { [&] { return ask(fastClient); }, [&] { return ask(secureClient); } });
    Report::Row row { u"server, python, secure, p50"_s, samples[1].median(), u"ms"_s, u"fast"_s,
        samples[0].median(), u"within 3 ms"_s };
    row.isReached = row.value <= row.referenceValue + 3;
    bench.report.add(row);
}

double runsPerSecond(Bench& bench, quint16 port, const QByteArray& body, int clients, double time)
{
    std::atomic<int> runs = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    const Stopwatch watch;
    for (int i = 0; i < clients; ++i) {
        threads.emplace_back([&] {
            HttpClient client(port);
            do {
                const auto answer = client.post("/execute", body);
                ++runs;
                if (!answer.contains(R"("stdout":"1")"))
                    ++wrong;
            } while (watch.seconds() < time);
        });
    }
    for (auto& thread : threads)
        thread.join();
    if (wrong > 0)
        bench.report.fail(u"%1 of %2 answers were wrong"_s.arg(wrong.load()).arg(runs.load()));
    return runs / watch.seconds();
}

/// Interpreters that this machine starts in a second with all its processors: each run needs one.
double startsPerSecond(Bench& bench, const Smallest& program, double time)
{
    std::atomic<int> starts = 0;
    std::vector<std::thread> threads;
    const Stopwatch watch;
    for (int i = 0; i < QThread::idealThreadCount(); ++i) {
        threads.emplace_back([&] {
            do {
                (void)timeCommand(bench, nativeCommand(bench, program), "1\n");
                ++starts;
            } while (watch.seconds() < time);
        });
    }
    for (auto& thread : threads)
        thread.join();
    return starts / watch.seconds();
}

void benchThroughput(Bench& bench)
{
    ServerProcess server(pooled(u"fast"_s));
    if (!server.start()) {
        bench.report.fail(u"the server does not start"_s);
        return;
    }
    const double time = bench.isShort ? 0.1 : 10;
    for (const int clients : { 1, 4, 16, 64 }) {
        if (bench.isShort && clients > 4)
            continue;
        const auto body = smallestBody(smallestPrograms().constFirst());
        (void)runsPerSecond(bench, server.port(), body, clients, time / 3);
        Report::Row row { u"server, fast, python, %1 clients without a pause"_s.arg(clients),
            runsPerSecond(bench, server.port(), body, clients, time), u"runs/s"_s,
            u"native starts"_s, startsPerSecond(bench, smallestPrograms().constFirst(), time / 3) };
        if (clients == 16) {
            row.goal = u"≥ 120"_s;
            row.isReached = row.value >= 120;
        }
        bench.report.add(row);
    }
}

} // namespace

void benchServer(Bench& bench)
{
    benchLatency(bench, u"fast"_s);
    benchLatency(bench, u"secure"_s);
    benchStrategies(bench);
    benchThroughput(bench);
}

void benchStreams(Bench& bench)
{
    ServerProcess server(pooled(u"fast"_s));
    if (!server.start()) {
        bench.report.fail(u"the server does not start"_s);
        return;
    }
    Samples first;
    for (int i = 0; i < bench.times(20); ++i) {
        HttpClient client(server.port());
        const auto stream = client.stream("/execute/stream",
            bodyOf({ { u"cmd"_s, u"echo first; sleep 0.05; echo last"_s },
                { u"runtime"_s, u"bash"_s } }),
            "first");
        if (stream.firstMark < 0)
            bench.report.fail(u"a stream did not show its first output"_s);
        first.add(stream.firstMark);
        think(bench.isShort ? 0 : thinkTime);
    }
    bench.report.add({ u"time to first byte of output, SSE"_s, first.median(), u"ms"_s });

    const qint64 size = bench.isShort ? 1 << 20 : streamedBytes;
    // Printed by one program that has nothing else to do: the processors are few.
    const auto code = u"import os\npiece = b'x' * 65536\n"
                      "for _ in range(%1): os.write(1, piece)\n"_s.arg(size / 65536);
    const QJsonObject request { { u"code"_s, code }, { u"runtime"_s, u"python"_s },
        { u"timeoutMs"_s, 120'000 } };
    const double reference = attachedRate(bench, size);
    const QJsonObject options { { u"maxOutputSize"_s, size * 2 }, { u"cpuLimit"_s, 2 } };
    const auto report = [&](const QString& name, auto&& take, double goal) {
        const Stopwatch watch;
        const HttpClient::Stream stream = take();
        const double rate = double(size) / watch.seconds() / 1e6;
        if (stream.bytes < size)
            bench.report.fail(u"%1: %2 of %3 bytes came"_s.arg(name).arg(stream.bytes).arg(size));
        Report::Row row { name, rate, u"MB/s"_s, u"Docker's stream"_s, reference };
        if (goal > 0) {
            row.goal = u"≥ %1"_s.arg(goal);
            row.isReached = rate >= goal;
        }
        bench.report.add(row);
    };
    report(
        u"stdout over SSE"_s,
        [&] {
            HttpClient client(server.port());
            return client.stream("/execute/stream", bodyOf(request, options), "xx");
        },
        150);
    auto message = bodyOf(request, options);
    message.insert(1, R"("type":"execute",)");
    report(
        u"stdout over WebSocket"_s,
        [&] {
            HttpClient client(server.port());
            return client.webSocket("/execute/ws", message);
        },
        0);
}

void benchSessions(Bench& bench)
{
    ServerProcess server(pooled(u"fast"_s));
    if (!server.start()) {
        bench.report.fail(u"the server does not start"_s);
        return;
    }
    HttpClient client(server.port());
    int made = 0;
    double baseBytes = 0;
    double baseTime = 0;
    for (const int count : { 1, 10, 100, 200 }) {
        if (bench.isShort && count > 1)
            continue;
        for (; made < count; ++made) {
            const auto answer = client.post("/execute",
                QJsonDocument(QJsonObject { { u"sessionId"_s, u"bench-%1"_s.arg(made) },
                                  { u"request"_s,
                                      QJsonObject { { u"cmd"_s, u"echo 1"_s },
                                          { u"runtime"_s, u"bash"_s } } } })
                    .toJson(QJsonDocument::Compact));
            if (!answer.contains(R"("stdout":"1")"))
                bench.report.fail(u"session: "_s + QString::fromUtf8(answer.left(300)));
        }
        Samples samples;
        for (int i = 0; i < bench.times(30); ++i) {
            think(bench.isShort ? 0 : thinkTime);
            samples.add(timeRequest(bench, client, smallestBody(smallestPrograms().constFirst())));
        }
        const auto bytes = double(server.residentBytes());
        if (count == 1) {
            baseBytes = bytes;
            baseTime = samples.median();
            bench.report.add({ u"python p50 with 1 session"_s, baseTime, u"ms"_s });
            continue;
        }
        const double each = (bytes - baseBytes) / 1000 / (count - 1);
        Report::Row memory { u"memory of the server for each of %1 idle sessions"_s.arg(count),
            each, u"kB"_s };
        if (count == 200) {
            memory.goal = u"≤ 100 kB"_s;
            memory.isReached = each <= 100;
        }
        bench.report.add(memory);
        bench.report.addRatio({ u"python p50 with %1 sessions"_s.arg(count), samples.median(),
                                  u"ms"_s, u"with one"_s, baseTime },
            1.2);
    }
    if (server.terminate() != 0)
        bench.report.fail(u"the server did not end well"_s);
}

} // namespace isol8::bench
