// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 completion`: a shell's completion of this very command line.
class CompletionCommand : public Command {
public:
    /// @p root has every command by the time that run() is called.
    explicit CompletionCommand(const CLI::App& root)
        : m_root(root)
    {
    }

    [[nodiscard]] const char* name() const override { return "completion"; }
    [[nodiscard]] const char* summary() const override { return "Print a shell completion script"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    const CLI::App& m_root;
    std::optional<QString> m_shell;
};

} // namespace isol8::cli
