// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 gui`: loads the desktop application, which is a module of its own so that nothing else
/// pays for its libraries.
class GuiCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "gui"; }
    [[nodiscard]] const char* summary() const override { return "Open the desktop application"; }
    [[nodiscard]] bool makesApplication() const override { return true; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    QStringList m_files;
};

/// Where the module is looked for, @p programDirectory being the program's own: beside it (a build
/// tree) and in `../lib…/isol8`.
[[nodiscard]] QStringList guiModulePaths(const QString& programDirectory);

} // namespace isol8::cli
