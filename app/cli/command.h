// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/console.h"
#include "app/cli/options.h"

#include <QCoroTask>

namespace isol8::cli {

/// One command: its options and what it does. Made before the command line is parsed, so making one
/// does nothing.
class Command {
public:
    Command() = default;
    virtual ~Command() = default;
    Q_DISABLE_COPY_MOVE(Command)

    [[nodiscard]] virtual const char* name() const = 0;
    [[nodiscard]] virtual const char* summary() const = 0;
    virtual void define(OptionSet& options) = 0;

    /// True: run() is called without a QCoreApplication and makes its own.
    [[nodiscard]] virtual bool makesApplication() const { return false; }
    /// Does it, with a QCoreApplication; the exit code.
    [[nodiscard]] virtual int run(Console& console) = 0;
};

/// Runs the event loop until @p task has ended; its result.
[[nodiscard]] int runEventLoop(QCoro::Task<int> task);

} // namespace isol8::cli
