// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/sandbox/guestconnection.h"
#include "engine/sandbox/pool.h"

namespace isol8 {

/// What a request comes down to in the sandbox: perhaps a file with the code, and a command.
struct Program {
    QByteArray path; ///< Where the code goes; empty: no file.
    QByteArray code;
    QByteArrayList arguments;
};

/// The program of @p request in its runtime. The code's file is `/sandbox/main` with the request's
/// extension, or the runtime's own.
[[nodiscard]] Program programOf(const ExecutionRequest& request);

/// The environment of everything that runs in the sandbox, later entries first in rank: the
/// image's, isol8's, those of the network, the request's, the secrets.
[[nodiscard]] QByteArrayList environmentOf(const ExecutionRequest& request,
    const ExecutionOptions& options, const QStringList& imageEnvironment);

/// @p environment with @p variables in place of those of the same names.
[[nodiscard]] QByteArrayList withVariables(
    QByteArrayList environment, const QMap<QString, QString>& variables);

/// The specification of a program of @p request with @p arguments.
[[nodiscard]] GuestRunSpec runSpecOf(const ExecutionRequest& request,
    const ExecutionOptions& options, QByteArrayList arguments, const QStringList& imageEnvironment);

/// @p request without anything of its own; none for a command, whose program says nothing about the
/// next one's.
[[nodiscard]] std::optional<ExecutionRequest> likelyAfter(const ExecutionRequest& request);

/// What a run of @p request, which has nothing of its own, is started with in a sandbox made with
/// @p options. No secret is in it.
[[nodiscard]] Ahead aheadOf(
    const ExecutionRequest& request, ExecutionOptions options, const QStringList& imageEnvironment);

} // namespace isol8
