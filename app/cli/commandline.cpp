// SPDX-License-Identifier: MIT
#include "app/cli/commandline.h"

#include "app/cli/buildcommand.h"
#include "app/cli/cleanupcommand.h"
#include "app/cli/completioncommand.h"
#include "app/cli/configcommand.h"
#include "app/cli/doctorcommand.h"
#include "app/cli/guicommand.h"
#include "app/cli/listcustomcommand.h"
#include "app/cli/logincommand.h"
#include "app/cli/logoutcommand.h"
#include "app/cli/nearest.h"
#include "app/cli/runcommand.h"
#include "app/cli/servecommand.h"
#include "app/cli/sessioncommand.h"
#include "app/cli/setupcommand.h"
#include "app/cli/sparemaker.h"
#include "engine/core/heap.h"

#include <CLI/CLI.hpp>

#include <QCoreApplication>

#include <csignal>
#include <cstring>
#include <span>
#include <string_view>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;
using namespace std::string_view_literals;

namespace {

using Arguments = std::vector<std::string>;

/// A descriptor that was closed would be taken by the next file or socket. The stand-in for it
/// refuses the direction that it is meant for, so using it fails as before.
void occupyStandardDescriptors()
{
    for (const int descriptor : { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }) {
        if (::fcntl(descriptor, F_GETFD) == -1)
            std::ignore = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

/// What streams need again and again is not given back to the system each time.
void keepBuffers()
{
    constexpr int largestBuffer = 1 << 20;
    ::mallopt(M_MMAP_THRESHOLD, largestBuffer);
    ::mallopt(M_TRIM_THRESHOLD, heap::keptBytes);
    ::mallopt(M_TOP_PAD, largestBuffer);
}

std::vector<std::unique_ptr<Command>> makeCommands(
    const CLI::App& app, const QStringList& programArguments)
{
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(std::make_unique<RunCommand>(programArguments));
    commands.push_back(std::make_unique<SetupCommand>());
    commands.push_back(std::make_unique<BuildCommand>());
    commands.push_back(std::make_unique<ListCustomCommand>());
    commands.push_back(std::make_unique<CleanupCommand>());
    commands.push_back(std::make_unique<ConfigCommand>());
    commands.push_back(std::make_unique<ServeCommand>());
    commands.push_back(std::make_unique<LoginCommand>());
    commands.push_back(std::make_unique<LogoutCommand>());
    commands.push_back(std::make_unique<SessionCommand>());
    commands.push_back(std::make_unique<DoctorCommand>());
    commands.push_back(std::make_unique<CompletionCommand>(app));
    commands.push_back(std::make_unique<GuiCommand>());
    return commands;
}

/// Everything after the first `--` of `run` belongs to the program.
QStringList takeProgramArguments(Arguments& arguments)
{
    QStringList own;
    if (arguments.empty() || arguments.front() != "run")
        return own;
    const auto mark = std::find(arguments.begin(), arguments.end(), "--");
    if (mark == arguments.end())
        return own;
    for (auto it = mark + 1; it != arguments.end(); ++it)
        own << QString::fromStdString(*it);
    arguments.erase(mark, arguments.end());
    return own;
}

/// Values of secret options, so that no sentence about the command line repeats one.
SecretSet typedSecrets(const Arguments& arguments)
{
    QMap<QString, QString> values;
    const auto add = [&values](const std::string& value) {
        const auto text = QString::fromStdString(value);
        values.insert(QString::number(values.size()),
            text.contains(u'=') ? text.section(u'=', 1)
                                : QString::fromLocal8Bit(qgetenv(value.c_str())));
    };
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--secret" && i + 1 < arguments.size())
            add(arguments[i + 1]);
        else if (arguments[i].starts_with("--secret="))
            add(arguments[i].substr(9));
    }
    return SecretSet(values);
}

/// Of `KEY=VALUE` only the value is secret.
void blot(char* text, bool isAssignment)
{
    char* secret = isAssignment ? std::strchr(text, '=') : text;
    if (secret && isAssignment)
        ++secret;
    if (secret)
        std::memset(secret, '*', std::strlen(secret));
}

/// Takes secrets and keys out of isol8's own arguments, which the process list shows to everybody.
void hideSecretArguments(std::span<char*> arguments)
{
    for (size_t i = 1; i < arguments.size() && arguments[i] != "--"sv; ++i) {
        for (const auto option : { "--secret"sv, "--key"sv, "-k"sv }) {
            const bool isAssignment = option == "--secret"sv;
            const std::string_view argument = arguments[i];
            if (argument == option && i + 1 < arguments.size())
                blot(arguments[i + 1], isAssignment);
            else if (argument.starts_with(option)
                && argument.substr(option.size()).starts_with('='))
                blot(arguments[i] + option.size() + 1, isAssignment);
        }
    }
}

/// CLI11 takes the next argument as the value of `--name=`; here that is an empty value.
void splitEmptyValues(const CLI::App* command, Arguments& arguments)
{
    const auto takesValue = [command](const std::string& name) {
        const auto* option = name.starts_with('-') ? command->get_option_no_throw(name) : nullptr;
        return option && option->get_expected_min() > 0;
    };
    Arguments result;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const auto& argument = arguments[i];
        const bool isValue = i > 0 && takesValue(arguments[i - 1]);
        const bool isEmptyValue = !isValue && argument.starts_with("--") && argument.ends_with('=')
            && argument.find('=') == argument.size() - 1;
        result.push_back(isEmptyValue ? argument.substr(0, argument.size() - 1) : argument);
        if (isEmptyValue)
            result.emplace_back();
    }
    arguments = result;
}

const CLI::App* chosenCommand(const CLI::App& app, const Arguments& arguments)
{
    for (const auto* command : app.get_subcommands({})) {
        if (!arguments.empty() && command->get_name() == arguments.front())
            return command;
    }
    return nullptr;
}

QString unknownCommand(const CLI::App& app, const QString& name)
{
    QStringList known;
    for (const auto* command : app.get_subcommands({}))
        known << QString::fromStdString(command->get_name());
    const auto near = nearest(name, known);
    return u"unknown command: %1%2"_s.arg(name,
        near.isEmpty() ? u"; `isol8 --help` lists them"_s
                       : u"; did you mean `isol8 %1`?"_s.arg(near));
}

QString unexpectedArgument(const CLI::App& app)
{
    const auto* command = &app;
    while (!command->get_subcommands().empty())
        command = command->get_subcommands().front();
    const auto remaining = app.remaining(true);
    const auto argument = remaining.empty() ? QString() : QString::fromStdString(remaining.front());
    if (!argument.startsWith(u'-'))
        return u"unknown argument: %1%2"_s.arg(argument,
            command->get_name() == "run" ? u"; the program's own arguments go after `--`"_s
                                         : u""_s);
    QStringList known;
    for (const auto* option : command->get_options())
        known << QString::fromStdString(option->get_name());
    const auto near = nearest(argument.section(u'=', 0, 0), known);
    return u"unknown flag: %1%2"_s.arg(argument.section(u'=', 0, 0),
        near.isEmpty() ? u"; see `%1 --help`"_s.arg(QString::fromStdString(
                             command == &app ? "isol8" : "isol8 " + command->get_name()))
                       : u"; did you mean %1?"_s.arg(near));
}

int fail(Console& console, const QString& message)
{
    console.error(message);
    return 1;
}

} // namespace

int runCommandLine(int argumentCount, char** argumentTexts)
{
    occupyStandardDescriptors();
    keepBuffers();
    // Their causes come back as EPIPE and EFBIG, which are reported.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    Console console;
    Arguments arguments(argumentTexts + 1, argumentTexts + argumentCount);
    hideSecretArguments({ argumentTexts, size_t(argumentCount) });
    if (arguments == Arguments { "--version" }) {
        console.print(QStringLiteral(ISOL8_VERSION));
        return console.hasFailed() ? 1 : 0;
    }

    if (arguments == Arguments { spareMakerArgument })
        return runSpareMaker(argumentCount, argumentTexts);

    const auto programArguments = takeProgramArguments(arguments);
    console.setSecrets(typedSecrets(arguments));
    CLI::App app("Runs untrusted code in locked-down containers.", "isol8");
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", ISOL8_VERSION, "Print the version and exit");
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->column_width(40);
    const auto commands = makeCommands(app, programArguments);
    for (const auto& command : commands) {
        auto* sub = app.add_subcommand(command->name(), command->summary());
        sub->group("Commands");
        OptionSet options(*sub);
        command->define(options);
    }

    const auto* chosen = chosenCommand(app, arguments);
    if (!arguments.empty() && !chosen && !arguments.front().starts_with('-'))
        return fail(console, unknownCommand(app, QString::fromStdString(arguments.front())));
    try {
        if (chosen)
            splitEmptyValues(chosen, arguments);
        std::reverse(arguments.begin(), arguments.end());
        app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        console.printBytes(QByteArray::fromStdString(app.help()));
        return console.hasFailed() ? 1 : 0;
    } catch (const CLI::CallForVersion&) {
        console.print(QStringLiteral(ISOL8_VERSION));
        return console.hasFailed() ? 1 : 0;
    } catch (const CLI::ExtrasError&) {
        return fail(console, unexpectedArgument(app));
    } catch (const CLI::ParseError& problem) {
        if (!app.remaining(true).empty())
            return fail(console, unexpectedArgument(app));
        return fail(console, QString::fromUtf8(problem.what()));
    }
    if (!chosen) {
        console.printBytes(QByteArray::fromStdString(app.help()));
        return console.hasFailed() ? 1 : 0;
    }

    console.captureLog();
    const auto command = std::ranges::find_if(
        commands, [chosen](const auto& each) { return chosen->get_name() == each->name(); });
    int onlyName = 1;
    std::optional<QCoreApplication> application;
    if (!(*command)->makesApplication()) {
        application.emplace(onlyName, argumentTexts);
        QCoreApplication::setApplicationName(u"isol8"_s);
        QCoreApplication::setApplicationVersion(QStringLiteral(ISOL8_VERSION));
    }
    const int code = (*command)->run(console);
    return code == 0 && console.hasFailed() ? 1 : code;
}

} // namespace isol8::cli
