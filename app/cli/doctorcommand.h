// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 doctor`: every condition of a run, each failure with its cure.
class DoctorCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "doctor"; }
    [[nodiscard]] const char* summary() const override { return "Check what a run needs"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    bool m_isJson = false;
};

} // namespace isol8::cli
