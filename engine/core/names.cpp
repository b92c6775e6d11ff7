// SPDX-License-Identifier: MIT
#include "engine/core/names.h"

#include "engine/core/escape.h"

#include <QList>

#include <array>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

template <typename Value> struct Name {
    Value value;
    QLatin1StringView text;
};

constexpr std::array runtimes {
    Name { Runtime::Python, "python"_L1 },
    Name { Runtime::Node, "node"_L1 },
    Name { Runtime::Bun, "bun"_L1 },
    Name { Runtime::Deno, "deno"_L1 },
    Name { Runtime::Bash, "bash"_L1 },
    Name { Runtime::Agent, "agent"_L1 },
};

constexpr std::array extensions {
    Name { Runtime::Python, ".py"_L1 },
    Name { Runtime::Node, ".js"_L1 },
    Name { Runtime::Node, ".mjs"_L1 },
    Name { Runtime::Node, ".cjs"_L1 },
    Name { Runtime::Bun, ".ts"_L1 },
    Name { Runtime::Deno, ".mts"_L1 },
    Name { Runtime::Bash, ".sh"_L1 },
};

constexpr std::array networkModes {
    Name { NetworkMode::None, "none"_L1 },
    Name { NetworkMode::Host, "host"_L1 },
    Name { NetworkMode::Filtered, "filtered"_L1 },
};

constexpr std::array modes {
    Name { Mode::Ephemeral, "ephemeral"_L1 },
    Name { Mode::Persistent, "persistent"_L1 },
};

constexpr std::array seccompModes {
    Name { SeccompMode::Strict, "strict"_L1 },
    Name { SeccompMode::Unconfined, "unconfined"_L1 },
    Name { SeccompMode::Custom, "custom"_L1 },
};

constexpr std::array reasons {
    Name { EndReason::Exited, "exited"_L1 },
    Name { EndReason::Signal, "signal"_L1 },
    Name { EndReason::Timeout, "timeout"_L1 },
    Name { EndReason::OutOfMemory, "oom"_L1 },
    Name { EndReason::Pids, "pids"_L1 },
    Name { EndReason::Disk, "disk"_L1 },
    Name { EndReason::OutputLimit, "output-limit"_L1 },
    Name { EndReason::Cancelled, "cancelled"_L1 },
    Name { EndReason::SetupFailed, "setup-failed"_L1 },
    Name { EndReason::InstallFailed, "install-failed"_L1 },
    Name { EndReason::EngineLost, "engine-lost"_L1 },
};

constexpr std::array phases {
    Name { Phase::Install, "install"_L1 },
    Name { Phase::Setup, "setup"_L1 },
    Name { Phase::Code, "code"_L1 },
};

constexpr std::array channels {
    Name { Channel::Stdout, "stdout"_L1 },
    Name { Channel::Stderr, "stderr"_L1 },
};

// Numbers are those of Linux on x86-64 and ARM64, where the sandbox is, not of this machine's
// headers.
constexpr std::array signalTable {
    Name { 1, "SIGHUP"_L1 },
    Name { 2, "SIGINT"_L1 },
    Name { 3, "SIGQUIT"_L1 },
    Name { 4, "SIGILL"_L1 },
    Name { 5, "SIGTRAP"_L1 },
    Name { 6, "SIGABRT"_L1 },
    Name { 7, "SIGBUS"_L1 },
    Name { 8, "SIGFPE"_L1 },
    Name { 9, "SIGKILL"_L1 },
    Name { 10, "SIGUSR1"_L1 },
    Name { 11, "SIGSEGV"_L1 },
    Name { 12, "SIGUSR2"_L1 },
    Name { 13, "SIGPIPE"_L1 },
    Name { 14, "SIGALRM"_L1 },
    Name { 15, "SIGTERM"_L1 },
    Name { 16, "SIGSTKFLT"_L1 },
    Name { 17, "SIGCHLD"_L1 },
    Name { 18, "SIGCONT"_L1 },
    Name { 19, "SIGSTOP"_L1 },
    Name { 20, "SIGTSTP"_L1 },
    Name { 21, "SIGTTIN"_L1 },
    Name { 22, "SIGTTOU"_L1 },
    Name { 23, "SIGURG"_L1 },
    Name { 24, "SIGXCPU"_L1 },
    Name { 25, "SIGXFSZ"_L1 },
    Name { 26, "SIGVTALRM"_L1 },
    Name { 27, "SIGPROF"_L1 },
    Name { 28, "SIGWINCH"_L1 },
    Name { 29, "SIGIO"_L1 },
    Name { 30, "SIGPWR"_L1 },
    Name { 31, "SIGSYS"_L1 },
};
constexpr int firstRealTimeSignal = 34; // signal(7): the C library keeps 32 and 33 for itself.
constexpr int lastRealTimeSignal = 64;
constexpr auto realTimePrefix = "SIGRTMIN+"_L1;

constexpr int maxSessionIdLength = 128;
constexpr int maxEnvironmentNameBytes = 255;

template <typename Table, typename Value> QString nameIn(const Table& table, Value value)
{
    const auto found = std::ranges::find(table, value, &Table::value_type::value);
    return found == table.end() ? QString() : QString(found->text);
}

template <typename Table> auto valueIn(const Table& table, QStringView name)
{
    using Value = decltype(table.front().value);
    const auto found
        = std::ranges::find_if(table, [&](const auto& entry) { return entry.text == name; });
    return found == table.end() ? std::nullopt : std::optional<Value>(found->value);
}

bool isSessionIdCharacter(QChar character)
{
    const char16_t code = character.unicode();
    return (code >= u'a' && code <= u'z') || (code >= u'A' && code <= u'Z')
        || (code >= u'0' && code <= u'9') || code == u'.' || code == u'_' || code == u'-';
}

} // namespace

QString runtimeName(Runtime runtime)
{
    return nameIn(runtimes, runtime);
}

std::optional<Runtime> runtimeFromName(QStringView name)
{
    return valueIn(runtimes, name);
}

QList<Runtime> allRuntimes()
{
    QList<Runtime> all;
    for (const auto& entry : runtimes)
        all.append(entry.value);
    return all;
}

QStringList runtimeNames()
{
    QStringList names;
    for (const auto& entry : runtimes)
        names.append(entry.text);
    return names;
}

std::optional<Runtime> runtimeForExtension(QStringView extension)
{
    return valueIn(extensions, extension);
}

QStringList extensionsOf(Runtime runtime)
{
    QStringList found;
    for (const auto& entry : extensions) {
        if (entry.value == runtime)
            found.append(entry.text);
    }
    return found;
}

QString networkModeName(NetworkMode mode)
{
    return nameIn(networkModes, mode);
}

std::optional<NetworkMode> networkModeFromName(QStringView name)
{
    return valueIn(networkModes, name);
}

QString modeName(Mode mode)
{
    return nameIn(modes, mode);
}

std::optional<Mode> modeFromName(QStringView name)
{
    return valueIn(modes, name);
}

QString seccompName(SeccompMode mode)
{
    return nameIn(seccompModes, mode);
}

std::optional<SeccompMode> seccompFromName(QStringView name)
{
    return valueIn(seccompModes, name);
}

QString reasonName(EndReason reason)
{
    return nameIn(reasons, reason);
}

std::optional<EndReason> reasonFromName(QStringView name)
{
    return valueIn(reasons, name);
}

QString phaseName(Phase phase)
{
    return nameIn(phases, phase);
}

std::optional<Phase> phaseFromName(QStringView name)
{
    return valueIn(phases, name);
}

QString channelName(Channel channel)
{
    return nameIn(channels, channel);
}

std::optional<Channel> channelFromName(QStringView name)
{
    return valueIn(channels, name);
}

QString signalName(int number)
{
    if (const QString name = nameIn(signalTable, number); !name.isEmpty())
        return name;
    if (number == firstRealTimeSignal)
        return u"SIGRTMIN"_s;
    if (number > firstRealTimeSignal && number <= lastRealTimeSignal)
        return realTimePrefix + QString::number(number - firstRealTimeSignal);
    return u"signal %1"_s.arg(number);
}

std::optional<int> signalNumber(QStringView name)
{
    if (const auto number = valueIn(signalTable, name))
        return number;
    for (int number = firstRealTimeSignal; number <= lastRealTimeSignal; ++number) {
        if (signalName(number) == name)
            return number;
    }
    return std::nullopt;
}

Result<> checkSessionId(const QString& id)
{
    if (id.isEmpty() || id.size() > maxSessionIdLength || id == "."_L1 || id == ".."_L1
        || !std::ranges::all_of(id, isSessionIdCharacter))
        return failure(Kind::Invalid,
            u"invalid session id \"%1\": allowed are 1 to %2 of A-Z a-z 0-9 . _ -"_s.arg(
                printable(id.left(maxSessionIdLength)), QString::number(maxSessionIdLength)));
    return {};
}

Result<> checkEnvironmentName(const QString& name, const QString& what)
{
    static constexpr std::array forbidden { u'=', u'\0', u'\n', u'\r' };
    const bool hasForbidden
        = std::ranges::any_of(forbidden, [&](char16_t code) { return name.contains(QChar(code)); });
    if (name.isEmpty() || hasForbidden || name.toUtf8().size() > maxEnvironmentNameBytes)
        return failure(Kind::Invalid,
            u"%1: invalid variable name \"%2\": allowed are 1 to %3 bytes without =, NUL and line breaks"_s
                .arg(what, printable(name.left(maxEnvironmentNameBytes)),
                    QString::number(maxEnvironmentNameBytes)));
    return {};
}

} // namespace isol8
