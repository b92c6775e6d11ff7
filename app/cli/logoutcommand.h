// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 logout`: forgets the tokens of one server or all. With the master key the server is told
/// too.
class LogoutCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "logout"; }
    [[nodiscard]] const char* summary() const override { return "Forget the token of a server"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    std::optional<QString> m_host;
    std::optional<QString> m_key;
};

} // namespace isol8::cli
