// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 list-custom`: what `build` and `setup` have made.
class ListCustomCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "list-custom"; }
    [[nodiscard]] const char* summary() const override { return "List custom images"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    bool m_isJson = false;
};

} // namespace isol8::cli
