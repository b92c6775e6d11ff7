// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"
#include "app/cli/runoptions.h"

namespace isol8::cli {

/// `isol8 run`: one program in a sandbox, shown on this terminal.
class RunCommand : public Command {
public:
    /// @p programArguments: what follows `--`.
    explicit RunCommand(const QStringList& programArguments);

    [[nodiscard]] const char* name() const override { return "run"; }
    [[nodiscard]] const char* summary() const override { return "Run code in a sandbox"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    RunOptions m_options;
};

} // namespace isol8::cli
