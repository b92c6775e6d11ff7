// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 serve`: the HTTP server, until it is interrupted.
class ServeCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "serve"; }
    [[nodiscard]] const char* summary() const override { return "Run the HTTP server"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    std::optional<QString> m_port;
    std::optional<QString> m_key;
    std::optional<QString> m_bind;
    std::optional<QString> m_tlsCertificate;
    std::optional<QString> m_tlsKey;
    std::optional<QString> m_authDatabase;
    std::optional<QString> m_accessLog;
    bool m_isUpdate = false;
    bool m_isDebug = false;
};

} // namespace isol8::cli
