// SPDX-License-Identifier: MIT
#include "app/cli/completionscript.h"

#include <functional>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

/// Calls @p visit for every command below @p root with its path: ` session list`, for the root
/// empty.
void eachCommand(const CompletedCommand& command, const QString& path,
    const std::function<void(const CompletedCommand&, const QString&)>& visit)
{
    visit(command, path);
    for (const auto& sub : command.commands)
        eachCommand(sub, path + u' ' + sub.name, visit);
}

/// How a shell is told what may come.
struct Dialect {
    QString words; ///< %1: words.
    QString files;
    QString directories;
};

QString valueAction(const CompletedOption& option, const Dialect& dialect)
{
    if (!option.choices.isEmpty())
        return dialect.words.arg(option.choices.join(u' '));
    if (option.isFile)
        return dialect.files;
    return option.isDirectory ? dialect.directories : QString();
}

/// The `case` statements that bash and zsh share: `$chosen` is the command so far, `$previous` the
/// word before the cursor's.
QString caseStatements(const CompletedCommand& root, const Dialect& dialect)
{
    QString commands;
    QString values;
    QString words;
    eachCommand(root, {}, [&](const CompletedCommand& command, const QString& path) {
        QStringList flags;
        QStringList names;
        for (const auto& sub : command.commands) {
            names << sub.name;
            commands
                += u"            \"%1 %2\") chosen=\"$chosen $word\" ;;\n"_s.arg(path, sub.name);
        }
        for (const auto& option : command.options) {
            flags << option.names;
            for (const auto& name : option.takesValue ? option.names : QStringList())
                values += u"        \"%1:%2\") %3 return ;;\n"_s.arg(
                    path, name, valueAction(option, dialect));
        }
        auto actions = names.isEmpty() ? QString() : dialect.words.arg(names.join(u' '));
        if (command.positional)
            actions += valueAction(*command.positional, dialect);
        words += u"        \"%1:-\") %2 ;;\n        \"%1:\") %3 ;;\n"_s.arg(
            path, dialect.words.arg(flags.join(u' ')), actions);
    });
    return u"    for word in \"${before[@]}\"; do\n        case \"$chosen $word\" in\n"_s + commands
        + u"        esac\n    done\n    case \"$chosen:$previous\" in\n"_s + values
        + u"    esac\n    case \"$current\" in -*) kind=- ;; esac\n    case \"$chosen:$kind\" in\n"_s
        + words + u"    esac\n"_s;
}

QString fishQuoted(QString text)
{
    return u'\'' + text.replace(u'\\', u"\\\\"_s).replace(u'\'', u"\\'"_s) + u'\'';
}

QString fishOption(const CompletedOption& option, const QString& condition)
{
    QString line = u"complete -c isol8 -n "_s + fishQuoted(condition);
    for (const auto& name : option.names)
        line += name.startsWith(u"--"_s) ? u" -l "_s + name.sliced(2) : u" -s "_s + name.sliced(1);
    if (!option.choices.isEmpty())
        line += u" -x -a "_s + fishQuoted(option.choices.join(u' '));
    else if (option.isFile || option.isDirectory)
        line += u" -r -F"_s;
    else if (option.takesValue)
        line += u" -x"_s;
    return line + u" -d "_s + fishQuoted(option.help) + u'\n';
}

} // namespace

QString bashCompletion(const CompletedCommand& root)
{
    const Dialect dialect { u"COMPREPLY+=($(compgen -W \"%1\" -- \"$current\"));"_s,
        u" mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\");"_s,
        u" mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -d -- \"$current\");"_s };
    return u"# bash completion of isol8: eval \"$(isol8 completion bash)\"\n"
           "_isol8() {\n"
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\" "
           "previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
           "    local chosen=\"\" kind=\"\" word\n"
           "    local -a before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
           "    COMPREPLY=()\n"_s
        + caseStatements(root, dialect) + u"}\ncomplete -o filenames -F _isol8 isol8\n"_s;
}

QString zshCompletion(const CompletedCommand& root)
{
    const Dialect dialect { u"compadd -- %1;"_s, u" _files;"_s, u" _files -/;"_s };
    return u"#compdef isol8\n"
           "# zsh completion of isol8: source <(isol8 completion zsh)\n"
           "_isol8() {\n"
           "    local previous=\"${words[CURRENT-1]}\" word\n"
           "    local chosen=\"\" kind=\"\" current=\"${words[CURRENT]}\"\n"
           "    local -a before\n"
           "    before=(\"${(@)words[2,CURRENT-1]}\")\n"_s
        + caseStatements(root, dialect)
        + u"}\nif [ \"$funcstack[1]\" = \"_isol8\" ]; then\n    _isol8 \"$@\"\nelse\n    compdef _isol8 isol8\nfi\n"_s;
}

QString fishCompletion(const CompletedCommand& root)
{
    QString script
        = u"# fish completion of isol8: isol8 completion fish | source\ncomplete -c isol8 -f\n"_s;
    eachCommand(root, {}, [&](const CompletedCommand& command, const QString& path) {
        auto condition = u"__fish_use_subcommand"_s;
        if (!path.isEmpty()) {
            const auto names = path.split(u' ', Qt::SkipEmptyParts);
            condition = u"__fish_seen_subcommand_from "_s
                + names.join(u"; and __fish_seen_subcommand_from "_s);
        }
        for (const auto& sub : command.commands)
            script += u"complete -c isol8 -n %1 -a %2 -d %3\n"_s.arg(
                fishQuoted(condition), sub.name, fishQuoted(sub.help));
        for (const auto& option : command.options)
            script += fishOption(option, condition);
        if (command.positional)
            script += fishOption(*command.positional, condition);
    });
    return script;
}

} // namespace isol8::cli
