// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/runcontext.h"
#include "engine/sandbox/sandbox.h"

#include <functional>

namespace isol8 {

/// What is around a program that runs in the sandbox of a run.
struct ProgramFrame {
    Phase phase = Phase::Code;
    /// Takes its output; empty: it is the run's own output of that phase.
    std::function<void(Channel channel, const QByteArray& bytes)> output {};
    /// Takes its connections, and lives as long as the program; null: the container's network is
    /// all it has.
    proxy::FilteredNetwork* network = nullptr;
};

/// Runs one program to its end, within what is left of the run's time. The deadline is the guest's
/// to keep; this side only watches over it. In Phase::Code the program gets the run's standard
/// input and is what the run's owner signals.
[[nodiscard]] Task<guest::RunReport> runProgram(std::shared_ptr<RunContext> context,
    std::shared_ptr<Sandbox> sandbox, GuestRunSpec spec, ProgramFrame frame);

} // namespace isol8
