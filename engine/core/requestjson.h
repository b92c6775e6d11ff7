// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

/// ExecutionRequest and ExecutionOptions in the JSON of http-api.md. Errors are Kind::Invalid and
/// name the field's path (`request.files["a.txt"]`, `options.memoryLimit`). Unknown keys are
/// ignored. Reading checks types and texts; validate() checks the values afterwards.
namespace isol8 {

/// Without `runtime`: bash for `cmd`, by extension for `codeUrl`, else python.
[[nodiscard]] Result<ExecutionRequest> requestFromJson(const QJsonObject& object);
/// Fields that are missing or null keep the value of @p defaults. What only the server decides
/// (poolStrategy, poolSize, audit, remoteCode, debug) is ignored.
[[nodiscard]] Result<ExecutionOptions> optionsFromJson(
    const QJsonObject& object, ExecutionOptions defaults = {});

/// Without filesDirectory, which is this machine's: read it into files first.
[[nodiscard]] QJsonObject toJson(const ExecutionRequest& request);
[[nodiscard]] QJsonObject toJson(const ExecutionOptions& options);

} // namespace isol8
