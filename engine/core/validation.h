// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

/// Whether values can be right, before anything is made with them. Every error is Kind::Invalid and
/// names the option, the value and what is allowed.
namespace isol8 {

constexpr qint64 minMemoryBytes = 6LL << 20; ///< Docker's own minimum.
constexpr int minPids = 4; ///< The guest, the program and something for it to start.
constexpr int maxPids = 1 << 20;
constexpr qint64 minTmpfsBytes = 64LL << 10;
constexpr qint64 maxCodeBytes = 64LL << 20;
constexpr qint64 maxStdinBytes = 64LL << 20;
constexpr qint64 maxFilesBytes = 512LL << 20; ///< All injected files together.
constexpr int maxFileCount = 10'000;
constexpr qint64 maxVariableBytes = 128LL << 10; ///< `NAME=value`; MAX_ARG_STRLEN of execve(2).
constexpr qint64 maxEnvironmentBytes = 1LL << 20; ///< Environment, secrets and arguments together.
constexpr qint64 maxOutputLimitBytes = 1LL << 30;

/// Everything of one execution. Combinations that only policy can decide (host networking, foreign
/// images) are not its business; the agent's need of a network is. A name may stand in the
/// environment and in the secrets: the secret's value counts.
[[nodiscard]] Result<> validate(const ExecutionRequest& request, const ExecutionOptions& options);

/// @p path (absolute or relative to `/sandbox`) as a normalised absolute path strictly below
/// `/sandbox`: no NUL, no line break, at most 4,095 bytes and 255 a name.
[[nodiscard]] Result<QString> sandboxPath(const QString& path);
/// The same for a directory, which may be `/sandbox` itself.
[[nodiscard]] Result<QString> sandboxDirectory(const QString& path);

} // namespace isol8
