// SPDX-License-Identifier: MIT
#include "app/cli/completioncommand.h"

#include "app/cli/completionscript.h"

#include <CLI/CLI.hpp>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

CompletedOption completed(const CLI::Option& option)
{
    CompletedOption result;
    for (const auto& name : option.get_lnames())
        result.names << u"--"_s + QString::fromStdString(name);
    for (const auto& name : option.get_snames())
        result.names << u'-' + QString::fromStdString(name);
    result.help = QString::fromStdString(option.get_description());
    const auto type = QString::fromStdString(option.get_type_name());
    result.takesValue = option.get_items_expected_max() > 0;
    if (type.contains(u'|'))
        result.choices = type.split(u'|');
    result.isFile = type == u"FILE"_s;
    result.isDirectory = type == u"DIR"_s;
    return result;
}

CompletedCommand completed(const CLI::App& app)
{
    CompletedCommand result;
    result.name = QString::fromStdString(app.get_name());
    result.help = QString::fromStdString(app.get_description());
    for (const auto* option : app.get_options()) {
        auto each = completed(*option);
        if (option->nonpositional())
            result.options << each;
        else
            result.positional = each;
    }
    for (const auto* command : app.get_subcommands({}))
        result.commands << completed(*command);
    return result;
}

} // namespace

void CompletionCommand::define(OptionSet& options)
{
    options.positional("shell", m_shell, { "The shell", "bash|zsh|fish" });
    options.setRequired("shell");
}

int CompletionCommand::run(Console& console)
{
    const auto model = completed(m_root);
    if (m_shell == u"bash"_s) {
        console.printBytes(bashCompletion(model).toUtf8());
    } else if (m_shell == u"zsh"_s) {
        console.printBytes(zshCompletion(model).toUtf8());
    } else if (m_shell == u"fish"_s) {
        console.printBytes(fishCompletion(model).toUtf8());
    } else {
        console.error(u"unknown shell '%1'; it is bash, zsh or fish"_s.arg(*m_shell));
        return 1;
    }
    return 0;
}

} // namespace isol8::cli
