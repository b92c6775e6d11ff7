// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/settings.h"
#include "engine/core/task.h"

#include <functional>

namespace isol8::serve {

/// What a client asks to be executed.
struct ExecuteCall {
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId; ///< As the client names it; empty: none.
};

/// Reads `{request, options?, sessionId?}`. Errors are Kind::Invalid and name the field.
[[nodiscard]] Result<ExecuteCall> executeCallFromJson(
    const QJsonObject& object, const Settings& settings);

/// Holds a call to the server's settings. The holder of the master key is the operator and may
/// loosen what the settings say; for everybody else limits are cut to `serve.policy`, and what
/// would weaken the isolation is Kind::Denied, with the setting that would allow it. The network
/// lists of the settings hold for every key, and a client's own can only narrow them. Kind::Invalid
/// for what no client can have.
[[nodiscard]] Result<ExecuteCall> permitCall(
    ExecuteCall call, const Settings& settings, bool isMaster);

/// Whether a client without the master key may use @p image, by its name alone.
[[nodiscard]] bool isOwnImageName(const QString& image, const Settings& settings);

} // namespace isol8::serve
