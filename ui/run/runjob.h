// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runsettings.h"

#include <QString>

namespace isol8::ui {

/// One run as the window starts it.
struct RunJob {
    ExecutionRequest request;
    ExecutionOptions options;
    QString sessionId; ///< Empty: a sandbox for this run alone.
    QString title; ///< Name of the text that is run.
    QString sourcePath; ///< Its file on this machine; empty: none.
    QString targetName;
    RunSettings settings; ///< What it was planned from.
};

} // namespace isol8::ui
