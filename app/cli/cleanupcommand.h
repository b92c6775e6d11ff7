// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 cleanup`: removes what isol8 made, and nothing else.
class CleanupCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "cleanup"; }
    [[nodiscard]] const char* summary() const override
    {
        return "Remove isol8 containers and images";
    }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    bool m_isForced = false;
    bool m_hasImages = false;
};

} // namespace isol8::cli
