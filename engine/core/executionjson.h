// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

/// Results and stream events in the JSON of http-api.md.
namespace isol8 {

/// Output is decoded as UTF-8 (bad bytes become U+FFFD) and loses its trailing white space.
[[nodiscard]] QJsonObject toJson(const ExecutionResult& result);
/// The same as compact text, with output written straight into it: it may be many megabytes.
[[nodiscard]] QByteArray toJsonText(const ExecutionResult& result);
/// Errors are Kind::Protocol and name the key's path. Unknown keys are ignored, and so are those of
/// later servers that are missing; exitCode, stdout and stderr are required.
[[nodiscard]] Result<ExecutionResult> resultFromJson(const QJsonObject& object);

/// One event of `/execute/stream` and `/execute/ws`.
struct StreamEvent {
    enum class Type { Stdout, Stderr, Exit, Error };
    Type type = Type::Stdout;
    QString data; ///< Of Exit: the exit code in decimal.
    std::optional<Phase> phase; ///< Phase::Install is told as `setup`.
    QString executionId = {}; ///< Of Exit, for GET /executions/:id; empty: the server does not say.
    int httpStatus = 0; ///< Of Error: what an answer would have had; 0: the server does not say.

    bool operator==(const StreamEvent&) const = default;
};

[[nodiscard]] QJsonObject toJson(const StreamEvent& event);
[[nodiscard]] QByteArray toJsonText(const StreamEvent& event);
/// Kind::Protocol for anything else than a StreamEvent.
[[nodiscard]] Result<StreamEvent> streamEventFromJson(const QJsonObject& object);

} // namespace isol8
