// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/sandbox/guestconnection.h"

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

} // namespace isol8
