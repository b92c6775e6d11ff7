// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 config`: the resolved settings and where they come from.
class ConfigCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "config"; }
    [[nodiscard]] const char* summary() const override { return "Show or check the configuration"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    int validate(Console& console) const;
    int trust(Console& console) const;

    bool m_isJson = false;
    std::optional<QString> m_validated;
    bool m_isTrusted = false;
};

} // namespace isol8::cli
