// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <QByteArrayList>

namespace isol8 {

/// Words of a command line as a shell's user writes them: white space separates, quotes of both
/// kinds and a backslash keep together; nothing is expanded. Kind::Invalid for an open quote.
[[nodiscard]] Result<QStringList> splitWords(const QString& text);

/// How the agent (pi) is started on a request: its code is the prompt, never a flag.
[[nodiscard]] Result<QByteArrayList> agentCommand(const ExecutionRequest& request);

} // namespace isol8
