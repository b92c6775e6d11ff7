// SPDX-License-Identifier: MIT
#include "app/cli/options.h"

#include <CLI/CLI.hpp>

namespace isol8::cli {

namespace {

template <typename Store>
CLI::Option* add(
    CLI::App& app, const char* group, const char* names, const OptionHelp& help, Store store)
{
    auto* option = app.add_option(
        names,
        [store](const CLI::results_t& results) {
            store(results);
            return true;
        },
        help.text);
    option->type_name(help.type)->default_str(help.fallback)->group(group);
    return option;
}

} // namespace

void OptionSet::flag(const char* names, bool& target, const char* text)
{
    m_app.add_flag(names, target, text)->group(m_group);
}

void OptionSet::value(const char* names, std::optional<QByteArray>& target, const OptionHelp& help)
{
    add(m_app, m_group, names, help, [&target](const CLI::results_t& results) {
        target = QByteArray::fromStdString(results.front());
    });
}

void OptionSet::value(const char* names, std::optional<QString>& target, const OptionHelp& help)
{
    add(m_app, m_group, names, help, [&target](const CLI::results_t& results) {
        target = QString::fromStdString(results.front());
    });
}

void OptionSet::list(const char* names, QStringList& target, const OptionHelp& help)
{
    add(m_app, m_group, names, help, [&target](const CLI::results_t& results) {
        for (const auto& each : results)
            target << QString::fromStdString(each);
    })->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void OptionSet::optionalValue(
    const char* names, std::optional<QString>& target, const OptionHelp& help)
{
    add(m_app, m_group, names, help, [&target](const CLI::results_t& results) {
        target = results.empty() ? QString() : QString::fromStdString(results.front());
    })->expected(0, 1);
}

void OptionSet::positional(const char* name, std::optional<QString>& target, const OptionHelp& help)
{
    value(name, target, help);
}

void OptionSet::positionals(const char* name, QStringList& target, const OptionHelp& help)
{
    add(m_app, m_group, name, help, [&target](const CLI::results_t& results) {
        for (const auto& each : results)
            target << QString::fromStdString(each);
    })->expected(-1);
}

OptionSet OptionSet::command(const char* name, const char* text, bool& isChosen)
{
    auto* sub = m_app.add_subcommand(name, text);
    sub->group("Commands");
    sub->callback([&isChosen] { isChosen = true; });
    m_app.require_subcommand(1);
    return OptionSet(*sub);
}

void OptionSet::setRequired(const char* name)
{
    m_app.get_option(name)->required();
}

void OptionSet::setFooter(const char* text)
{
    m_app.footer(text);
}

} // namespace isol8::cli
