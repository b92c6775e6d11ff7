// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/settings.h"
#include "engine/output/secretset.h"

namespace isol8 {

/// What is known of one run at its end.
struct AuditedRun {
    ExecutionRequest request; ///< Its code being what was run, also where it came from a URL.
    ExecutionResult result; ///< As far as it got.
    std::optional<Error> error; ///< Why isol8 could not do its part; none: the result is whole.
};

/// One line of the audit log, with its line end: a JSON object with the keys of config.md,
/// `tenantId`, `ending`, and where there are such `codeUrl` and `error`. No text in it shows a
/// secret. Code and output (at most 1 MiB of each) are in it only when @p settings ask for them.
[[nodiscard]] QByteArray auditLine(
    const AuditedRun& run, const Settings::Audit& settings, const SecretSet& secrets);

} // namespace isol8
