// SPDX-License-Identifier: MIT
#pragma once

#include "app/cli/signals.h"
#include "engine/core/task.h"

#include <optional>

namespace isol8::cli {

/// Cancels a command's work at Ctrl-C and its like. Lives as long as the work.
class Interruptible {
public:
    Interruptible();

    [[nodiscard]] const CancelToken& token() const { return m_token; }
    /// The exit code after an interrupt; none when there was none.
    [[nodiscard]] std::optional<int> exitCode() const { return m_exitCode; }

private:
    CancelToken m_token;
    SignalWatcher m_signals;
    std::optional<int> m_exitCode;
};

} // namespace isol8::cli
