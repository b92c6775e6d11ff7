// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/samples.h"

#include <QDir>
#include <QStringList>

#include <functional>

namespace isol8::bench {

/// What all parts of the bench share.
struct Bench {
    Report report;
    bool isShort = false; ///< One or two of each: for the answers, not for the figures.
    QString docker; ///< Docker's own command line, for comparison; empty: not there.
    QDir folder; ///< For files, removed at the end.

    /// @p many, or a few in a short bench.
    [[nodiscard]] int times(int many) const { return isShort ? std::min(many, 2) : many; }
};

/// The smallest program of a runtime, and what is started for it natively.
struct Smallest {
    Runtime runtime;
    const char* extension;
    const char* code; ///< Prints `1`.
    QStringList native; ///< Before the file's path.
};
[[nodiscard]] const QList<Smallest>& smallestPrograms();

/// Runs @p command to its end without a shell and returns how long that took. Its output has to be
/// @p expected; else that is reported.
[[nodiscard]] double timeCommand(Bench& bench, const QStringList& command,
    const QByteArray& expected, const QStringList& environment = {},
    const char* input = "/dev/null");

/// Runs the event loop until @p run has finished; false: it did not within five minutes. Not with
/// QTest::qWaitFor(), which sleeps for 10 ms between two rounds, and the engine with it.
[[nodiscard]] bool waitFor(Run& run);

/// What a client does between two requests: nothing, for so long.
void think(int milliseconds);

/// Measures each of @p things @p count times in turn, so that what else the machine does falls on
/// all of them alike.
[[nodiscard]] std::vector<Samples> inTurn(
    int count, const std::vector<std::function<double()>>& things);

/// A `docker run --rm` of the runtime's image with its smallest program.
[[nodiscard]] QStringList dockerRun(const Bench& bench, const Smallest& program);
/// How many MB a second Docker's own command line gets out of a container that only writes zeros:
/// what its users get from it. 0: there is none to ask.
[[nodiscard]] double dockerRate(Bench& bench, qint64 bytes);
/// The same the other way: into a container that only counts what its standard input brings.
[[nodiscard]] double dockerInputRate(Bench& bench, qint64 bytes);
/// How many MB a second one attached stream of Docker carries out of such a container, and into
/// one, with nothing at its ends: the bound of all that isol8 sends over it. 0: it failed.
[[nodiscard]] double attachedRate(Bench& bench, qint64 bytes);
[[nodiscard]] double attachedInputRate(Bench& bench, qint64 bytes);
/// The interpreters of the images, as files of this machine where it lacks them.
void fetchInterpreters(Bench& bench);
[[nodiscard]] QStringList nativeCommand(const Bench& bench, const Smallest& program);

// The parts of the table.
void benchCommandLine(Bench& bench);
void benchServer(Bench& bench);
void benchStreams(Bench& bench);
void benchEngine(Bench& bench);
void benchSessions(Bench& bench);
void benchNetwork(Bench& bench);

} // namespace isol8::bench
