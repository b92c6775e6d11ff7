// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/runspec.h"
#include "engine/guest/system.h"

#include <sys/types.h>

namespace isol8::guest {

/// Our ends of a started program's streams. With a terminal, input and output are the same one.
struct ProgramStreams {
    Descriptor input; ///< To the program; closed where its standard input is empty.
    Descriptor output;
    Descriptor errorOutput; ///< Closed with a terminal.
};

/// The program's ends of them.
struct ProgramEnds {
    Descriptor input;
    Descriptor output;
    Descriptor errorOutput;
    bool isTerminal = false;
};

/// Pipes that a program may open anew; the standard input is empty unless @p isStdinOpen. False,
/// with errno.
bool makePipes(bool isStdinOpen, ProgramStreams& ours, ProgramEnds& theirs);

/// Starts @p spec as the program's user in a session of its own. Returns its process id, or the
/// negative RunReport::value of Outcome::NotStarted.
pid_t startProgram(const RunSpec& spec, ProgramStreams& streams);

/// Starts @p spec as a zygote: traced, with a user of its own, and with @p channel as its
/// descriptor zygoteChannel. Being traced, it stops first at its execve(2). A negative value where
/// it cannot be.
pid_t startZygote(const RunSpec& spec, int channel);
inline constexpr int zygoteChannel = 3;

bool resizeTerminal(int fd, std::uint16_t rows, std::uint16_t columns);

} // namespace isol8::guest
