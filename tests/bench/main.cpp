// SPDX-License-Identifier: MIT
// isol8-bench [--short] [--docker PATH] [--json FILE] [PART…]: measures isol8 and prints a table.
// Ends with 1 when an answer was wrong; never because of a time.
#include "tests/bench/bench.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QTemporaryDir>

#include <cstdio>

using namespace Qt::StringLiterals;
using namespace isol8::bench;

int main(int argumentCount, char** arguments)
{
    const QCoreApplication application(argumentCount, arguments);
    QCommandLineParser parser;
    parser.addOptions({ { u"short"_s, u"A few of each: only the answers count."_s },
        { u"docker"_s, u"Docker's command line, for comparison."_s, u"PATH"_s },
        { u"json"_s, u"Where the figures go as JSON."_s, u"FILE"_s } });
    parser.addPositionalArgument(
        u"part"_s, u"commandline, server, streams, engine, sessions, network."_s);
    parser.addHelpOption();
    parser.process(application);

    const QTemporaryDir folder;
    Bench bench;
    bench.isShort = parser.isSet(u"short"_s);
    bench.docker = parser.value(u"docker"_s);
    bench.folder = QDir(folder.path());
    fetchInterpreters(bench);
    const std::pair<QString, void (*)(Bench&)> parts[] = {
        { u"commandline"_s, benchCommandLine },
        { u"server"_s, benchServer },
        { u"streams"_s, benchStreams },
        { u"engine"_s, benchEngine },
        { u"sessions"_s, benchSessions },
        { u"network"_s, benchNetwork },
    };
    const auto wanted = parser.positionalArguments();
    for (const auto& [name, part] : parts) {
        if (wanted.isEmpty() || wanted.contains(name))
            part(bench);
    }
    std::printf("%s", qPrintable(bench.report.table()));
    if (QFile json(parser.value(u"json"_s));
        parser.isSet(u"json"_s) && json.open(QIODevice::WriteOnly))
        json.write(bench.report.json());
    return bench.report.hasFailed() ? 1 : 0;
}
