// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/command.h"

namespace isol8::cli {

/// `isol8 serve`; its flags are read, the server is not there yet.
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
    bool m_isUpdate = false;
    bool m_isDebug = false;
};

/// `isol8 login`; not there yet.
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

/// `isol8 logout`; not there yet.
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

/// `isol8 gui`; not there yet.
class GuiCommand : public Command {
public:
    [[nodiscard]] const char* name() const override { return "gui"; }
    [[nodiscard]] const char* summary() const override { return "Open the desktop application"; }
    void define(OptionSet& options) override;
    [[nodiscard]] int run(Console& console) override;

private:
    QStringList m_files;
};

} // namespace isol8::cli
