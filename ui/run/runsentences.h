// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/core/execution.h"

#include <QStringList>

/// What is said about runs, in the user's language.
namespace isol8::ui {

enum class Outcome { Good, Bad };
struct EndSentence {
    QString text; ///< How it ended, how long it took and what it used, in one line.
    Outcome outcome = Outcome::Good;
};
[[nodiscard]] EndSentence endSentence(
    const Result<ExecutionResult>& result, const ExecutionOptions& options);
/// What else there is to know: refused acts and what would allow them, truncation.
[[nodiscard]] QStringList endNotes(const ExecutionResult& result, const ExecutionOptions& options);

/// What went wrong, with what to do about it where that is known.
[[nodiscard]] QString failureSentence(const Error& error);

/// `1.24 s`, `2 min 5 s`, translated.
[[nodiscard]] QString timeText(std::chrono::microseconds duration);
[[nodiscard]] QString bytesText(qint64 bytes);

} // namespace isol8::ui
