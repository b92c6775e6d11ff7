// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"
#include "engine/core/execution.h"

namespace isol8::cli {

/// `isol8 setup`: everything that runs need, made or brought up to date.
class SetupCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "setup"; }
    [[nodiscard]] const char* summary() const override
    {
        return "Check Docker and build the sandbox images";
    }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    bool m_isForced = false;
    QStringList m_runtimes;
    std::optional<QString> m_source;
    QMap<Runtime, QStringList> m_packages;
};

} // namespace isol8::cli
