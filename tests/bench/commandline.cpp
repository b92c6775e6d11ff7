// SPDX-License-Identifier: MIT
// `isol8 run`, cold and with a spare, beside `docker run --rm`; and how long isol8 takes to start.
#include "tests/bench/bench.h"

#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/sandbox/labels.h"

#include <QCoroTask>
#include <QFile>
#include <QProcess>
#include <QTest>

#include <unistd.h>

namespace isol8::bench {

using namespace Qt::StringLiterals;

namespace {

const QString isol8Program = QStringLiteral(ISOL8_PROGRAM);

QByteArray outputOf(const QStringList& arguments)
{
    QProcess process;
    process.start(isol8Program, arguments);
    return process.waitForFinished() ? process.readAllStandardOutput() : QByteArray();
}

/// A home directory with a configuration of its own.
QString homeWith(const Bench& bench, const QString& name, const QByteArray& configuration)
{
    bench.folder.mkpath(name + u"/.isol8"_s);
    QFile file(bench.folder.filePath(name + u"/.isol8/config.json"_s));
    if (file.open(QIODevice::WriteOnly))
        file.write(configuration);
    return u"HOME="_s + bench.folder.filePath(name);
}

QStringList isol8Run(const Smallest& program)
{
    return { isol8Program, u"run"_s, u"--runtime"_s, runtimeName(program.runtime), u"--eval"_s,
        QString::fromLatin1(program.code) };
}

/// True once a spare waits; it was started some moments after the command that left it.
bool waitForSpare(docker::Client& client)
{
    const auto prefix = u"isol8-spare-%1-"_s.arg(::getuid());
    return QTest::qWaitFor(
        [&] {
            const auto all = QCoro::waitFor(client.listContainers({ labels::kind + u"=spare"_s }));
            return all && std::ranges::any_of(*all, [&](const auto& container) {
                return container.state == "running"_L1
                    && container.names.value(0).startsWith(prefix);
            });
        },
        10'000);
}

void removeSpares(docker::Client& client)
{
    const auto all = QCoro::waitFor(client.listContainers({ labels::kind + u"=spare"_s }));
    for (const auto& container : all.value_or(QList<docker::ContainerSummary>()))
        (void)QCoro::waitFor(client.removeContainer(container.id));
}

} // namespace

void benchCommandLine(Bench& bench)
{
    const auto nothing = homeWith(bench, u"plain"_s, R"({"cli":{"spare":false}})");
    for (const auto& arguments :
        { QStringList { u"--version"_s }, QStringList { u"run"_s, u"--help"_s } }) {
        const auto expected = outputOf(arguments);
        if (expected.isEmpty())
            bench.report.fail(u"isol8 %1 says nothing"_s.arg(arguments.join(u' ')));
        Samples samples;
        for (int i = 0; i < bench.times(30); ++i)
            samples.add(timeCommand(bench, QStringList { isol8Program } + arguments, expected));
        bench.report.add({ u"isol8 "_s + arguments.join(u' '), samples.median(), u"ms"_s });
    }

    const auto endpoint = docker::resolveEndpoint();
    if (!endpoint)
        return;
    docker::Client client(*endpoint);
    for (const auto& program : smallestPrograms()) {
        const auto cold = [&] { return timeCommand(bench, isol8Run(program), "1\n", { nothing }); };
        const auto reference = [&] {
            return bench.docker.isEmpty() ? 0.0
                                          : timeCommand(bench, dockerRun(bench, program), "1\n");
        };
        (void)cold(); // fills the guest's volume
        const auto samples = inTurn(bench.times(15), { cold, reference });
        Report::Row row { u"isol8 run, %1, cold"_s.arg(runtimeName(program.runtime)),
            samples[0].median(), u"ms"_s, u"docker run --rm"_s, samples[1].median() };
        if (program.runtime == Runtime::Python)
            bench.report.addRatio(row, 0.55);
        else
            bench.report.add(row);
    }

    const auto withSpare = homeWith(bench, u"spare"_s, R"({"cli":{"spare":true}})");
    const auto& python = smallestPrograms().constFirst();
    (void)timeCommand(bench, isol8Run(python), "1\n", { withSpare });
    const auto warm = [&] {
        if (!waitForSpare(client))
            bench.report.fail(u"no spare was left"_s);
        think(bench.isShort ? 0 : 200); // its interpreter starts meanwhile
        return timeCommand(bench, isol8Run(python), "1\n", { withSpare });
    };
    const auto reference = [&] {
        return bench.docker.isEmpty() ? 0.0 : timeCommand(bench, dockerRun(bench, python), "1\n");
    };
    const auto samples = inTurn(bench.times(15), { reference, warm });
    bench.report.addRatio({ u"isol8 run, python, with a spare"_s, samples[1].median(), u"ms"_s,
                              u"docker run --rm"_s, samples[0].median() },
        0.25);
    (void)waitForSpare(client);
    removeSpares(client);
}

} // namespace isol8::bench
