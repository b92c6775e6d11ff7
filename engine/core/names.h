// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <QStringView>

#include <optional>

/// The texts that stand for our enumerations on the command line, in JSON and in configuration
/// files, and the rules for names that users choose. Texts are compared exactly: lower case, no
/// white space.
namespace isol8 {

[[nodiscard]] QString runtimeName(Runtime runtime); ///< python, node, bun, deno, bash, agent.
[[nodiscard]] std::optional<Runtime> runtimeFromName(QStringView name);
[[nodiscard]] QList<Runtime> allRuntimes();
[[nodiscard]] QStringList runtimeNames();

/// By a file's extension, with its dot; none for an unknown one. Never Runtime::Agent.
[[nodiscard]] std::optional<Runtime> runtimeForExtension(QStringView extension);
/// Every extension that stands for @p runtime, the usual one first; empty for Runtime::Agent.
[[nodiscard]] QStringList extensionsOf(Runtime runtime);

[[nodiscard]] QString networkModeName(NetworkMode mode); ///< none, host, filtered.
[[nodiscard]] std::optional<NetworkMode> networkModeFromName(QStringView name);
[[nodiscard]] QString modeName(Mode mode); ///< ephemeral, persistent.
[[nodiscard]] std::optional<Mode> modeFromName(QStringView name);
[[nodiscard]] QString seccompName(SeccompMode mode); ///< strict, unconfined, custom.
[[nodiscard]] std::optional<SeccompMode> seccompFromName(QStringView name);
[[nodiscard]] QString reasonName(EndReason reason); ///< As http-api.md's `ending.reason`.
[[nodiscard]] std::optional<EndReason> reasonFromName(QStringView name);
[[nodiscard]] QString phaseName(Phase phase); ///< install, setup, code.
[[nodiscard]] std::optional<Phase> phaseFromName(QStringView name);
[[nodiscard]] QString channelName(Channel channel); ///< stdout, stderr.
[[nodiscard]] std::optional<Channel> channelFromName(QStringView name);

/// SIGSEGV for 11; `SIGRTMIN+3` for 37; `signal 99` for a number that Linux does not have.
[[nodiscard]] QString signalName(int number);
/// Of a Linux signal's full name (SIGINT); none for anything else.
[[nodiscard]] std::optional<int> signalNumber(QStringView name);

/// A session id: 1 to 128 of `[A-Za-z0-9._-]`, and not `.` or `..`.
[[nodiscard]] Result<> checkSessionId(const QString& id);
/// An environment variable's (or secret's) name: 1 to 255 bytes without `=`, NUL and line breaks.
/// @p what names the option in the error.
[[nodiscard]] Result<> checkEnvironmentName(const QString& name, const QString& what);

} // namespace isol8
