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

/// Starts @p spec as the program's user in a session of its own. Returns its process id, or the
/// negative RunReport::value of Outcome::NotStarted.
pid_t startProgram(const RunSpec& spec, ProgramStreams& streams);

bool resizeTerminal(int fd, std::uint16_t rows, std::uint16_t columns);

} // namespace isol8::guest
