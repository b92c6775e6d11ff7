// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QStringList>

#include <optional>

namespace CLI {
class App;
}

namespace isol8::cli {

/// How an option shows in the help.
struct OptionHelp {
    const char* text = "";
    const char* type = ""; ///< Of its value: `MS`, `FILE`, or choices: `none|host|filtered`.
    const char* fallback = ""; ///< The default's text; empty: none is shown.
};

/// Declares the options of one command. Values arrive as the bytes that were typed, untouched:
/// CLI11's own reading of brackets and braces would change code. Targets must outlive the parsing.
class OptionSet {
public:
    explicit OptionSet(CLI::App& app)
        : m_app(app)
    {
    }

    /// Options from here on stand below @p heading in the help.
    void startGroup(const char* heading) { m_group = heading; }

    void flag(const char* names, bool& target, const char* text);
    void value(const char* names, std::optional<QByteArray>& target, const OptionHelp& help);
    void value(const char* names, std::optional<QString>& target, const OptionHelp& help);
    /// Repeatable.
    void list(const char* names, QStringList& target, const OptionHelp& help);
    /// An optional value of an option that may stand alone.
    void optionalValue(const char* names, std::optional<QString>& target, const OptionHelp& help);
    void positional(const char* name, std::optional<QString>& target, const OptionHelp& help);
    void positionals(const char* name, QStringList& target, const OptionHelp& help);

    /// A command within the command; exactly one of them must then be given. @p isChosen is set
    /// when this one was.
    [[nodiscard]] OptionSet command(const char* name, const char* text, bool& isChosen);

    void setRequired(const char* name);
    void setFooter(const char* text);

private:
    CLI::App& m_app;
    const char* m_group = "Options";
};

} // namespace isol8::cli
