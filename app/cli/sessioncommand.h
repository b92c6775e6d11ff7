// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 session list` and `isol8 session stop`.
class SessionCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "session"; }
    [[nodiscard]] const char* summary() const override { return "List or stop named sessions"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    bool m_isList = false;
    bool m_isStop = false;
    std::optional<QString> m_id;
    bool m_isJson = false;
    std::optional<QString> m_host;
    std::optional<QString> m_key;
};

} // namespace isol8::cli
