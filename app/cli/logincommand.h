// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 login`: gets a token from a server and keeps it for later commands.
class LoginCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "login"; }
    [[nodiscard]] const char* summary() const override
    {
        return "Get and keep a token of a server";
    }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    std::optional<QString> m_host;
    std::optional<QString> m_key;
    std::optional<QString> m_name;
    std::optional<QString> m_timeToLive;
};

} // namespace isol8::cli
