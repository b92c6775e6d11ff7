// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"
#include "engine/guest/protocol.h"
#include "engine/output/secretset.h"

namespace isol8 {

/// Says in @p result what the guest reported: how it ended, and what it used.
void applyReport(
    ExecutionResult& result, const guest::RunReport& report, const ExecutionOptions& options);

/// The result of a program that was ended from outside without a report: exit code 137.
void endForcibly(ExecutionResult& result, EndReason reason);

/// Violations that can be told from the program's own complaints on stderr; hints, not facts.
void addHints(ExecutionResult& result);

/// Takes the secrets out of everything in @p result that is a sentence or a log of isol8's own; the
/// output is masked on its way, and files are given as they are.
void maskSentences(ExecutionResult& result, const SecretSet& secrets);

/// Why a program could not be started, in a sentence.
[[nodiscard]] Error notStarted(
    const guest::RunReport& report, const QByteArray& command, const QString& image);

} // namespace isol8
