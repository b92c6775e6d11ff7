// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 gui`; not there yet.
class GuiCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "gui"; }
    [[nodiscard]] const char* summary() const override { return "Open the desktop application"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    QStringList m_files;
};

} // namespace isol8::cli
