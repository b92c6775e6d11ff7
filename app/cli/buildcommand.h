// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 build`: one image of the user's own.
class BuildCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "build"; }
    [[nodiscard]] const char* summary() const override
    {
        return "Build a custom image with packages or a setup script";
    }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    std::optional<QString> m_base;
    QStringList m_install;
    std::optional<QString> m_setup;
    std::optional<QString> m_tag;
    bool m_isForced = false;
};

} // namespace isol8::cli
