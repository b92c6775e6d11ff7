// SPDX-License-Identifier: MIT
// The engine itself, without HTTP or a command line: output and files.
#include "tests/bench/bench.h"

#include "engine/sandbox/dockerengine.h"

#include <QCoroTask>

namespace isol8::bench {

using namespace Qt::StringLiterals;

namespace {

void addRate(
    Bench& bench, const QString& name, qint64 bytes, double seconds, double goal, double reference)
{
    Report::Row row { name, double(bytes) / seconds / 1e6, u"MB/s"_s, u"Docker's stream"_s,
        reference };
    row.goal = u"≥ %1"_s.arg(goal);
    row.isReached = row.value >= goal;
    bench.report.add(row);
}

void benchOutput(Bench& bench, Engine& engine)
{
    const qint64 size = bench.isShort ? 1 << 20 : 200LL << 20;
    bench.report.add({ u"Docker's attached stream alone, out"_s, attachedRate(bench, size),
        u"MB/s"_s, u"docker run"_s, dockerRate(bench, size) });
    const double reference = attachedRate(bench, size);
    ExecutionRequest request;
    request.runtime = Runtime::Bash;
    request.command = u"head -c %1 /dev/zero"_s.arg(size);
    ExecutionOptions options;
    request.timeout = std::chrono::minutes(2);
    options.maxOutputBytes = size + (1 << 20);
    options.cpuLimit = 2;
    request.keptOutputBytes = 0; // As everybody does who shows it when it comes.
    qint64 received = 0;
    Stopwatch watch;
    const auto run = engine.start(request, options, {});
    QObject::connect(run.get(), &Run::started, run.get(), [&watch] { watch = Stopwatch(); });
    QObject::connect(run.get(), &Run::outputReceived, run.get(),
        [&received](Channel, const QByteArray& bytes) { received += bytes.size(); });
    if (!waitFor(*run) || received != size) {
        bench.report.fail(u"%1 of %2 bytes of output came"_s.arg(received).arg(size));
        return;
    }
    addRate(bench, u"stdout at the engine"_s, size, watch.seconds(), 300, reference);
}

void benchFiles(Bench& bench, Engine& engine)
{
    const auto session = u"bench-files"_s;
    ExecutionRequest request;
    request.runtime = Runtime::Bash;
    request.command = u"true"_s;
    const auto run = engine.start(request, {}, session);
    if (!waitFor(*run))
        bench.report.fail(u"a session's first run did not end"_s);

    const QByteArray content(bench.isShort ? 1 << 20 : 200 << 20, 'x');
    const double in = attachedInputRate(bench, content.size());
    bench.report.add({ u"Docker's attached stream alone, in"_s, in, u"MB/s"_s, u"docker run -i"_s,
        dockerInputRate(bench, content.size()) });
    const Stopwatch putting;
    const auto put = QCoro::waitFor(engine.putFile(session, u"big"_s, content));
    const auto putTime = putting.seconds();
    const Stopwatch fetching;
    const auto got = QCoro::waitFor(engine.fetchFile(session, u"big"_s));
    const auto fetchTime = fetching.seconds();
    const double out = attachedRate(bench, content.size());
    if (put && got && *got == content) {
        addRate(bench, u"put of a file at the engine"_s, content.size(), putTime, 200, in);
        addRate(bench, u"get of a file at the engine"_s, content.size(), fetchTime, 200, out);
    } else {
        bench.report.fail(u"the file did not come back as it was put"_s);
    }
    (void)QCoro::waitFor(engine.stopSession(session));
}

} // namespace

void benchEngine(Bench& bench)
{
    const auto endpoint = docker::resolveEndpoint();
    if (!endpoint) {
        bench.report.fail(endpoint.error().message);
        return;
    }
    DockerEngineSettings settings;
    settings.stateDirectory = bench.folder.filePath(u"state"_s);
    DockerEngine engine(*endpoint, settings);
    benchOutput(bench, engine);
    benchFiles(bench, engine);
    (void)QCoro::waitFor(engine.shutdown());
}

} // namespace isol8::bench
